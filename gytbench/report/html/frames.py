"""The frames under the pictures of the page."""

from typing import TYPE_CHECKING

from gytbench.errors import InputError
from gytbench.scenes import Scene
from gytbench.scenes.folder import VideoFolder
from gytbench.videos.pictures import data_address

if TYPE_CHECKING:
    from gytbench.videos import FrameSource


class PageFrames:
    """Gives the frame of a scene as a data: address; `missing` counts the scenes without one."""

    def __init__(self, folder: VideoFolder) -> None:
        self.missing = 0
        self._folder = folder
        self._video = ""
        self._source: FrameSource | None = None

    def __call__(self, scene: Scene) -> str | None:
        """None where the folder has no such video, or it has no such frame."""
        try:
            if scene.video != self._video:
                self._video, self._source = scene.video, None
                self._source = self._folder.open(scene.video)
            if self._source is not None:
                for _, image in self._source.frames([scene.second]):
                    return data_address(image, scene.frame)
        except InputError:
            pass  # Broken and missing videos are drawn on a blank canvas.
        self.missing += 1
        return None
