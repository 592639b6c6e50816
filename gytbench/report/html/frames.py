"""The frames under the pictures of the page."""

from gytbench.scenes import Scene
from gytbench.scenes.folder import Frames, VideoFolder
from gytbench.videos.pictures import data_address


class PageFrames:
    """Gives the frame of a scene as a data: address; `missing` counts the scenes without one."""

    def __init__(self, folder: VideoFolder) -> None:
        self.missing = 0
        self._folder = folder
        self._video = ""
        self._frames = Frames(None, "")

    def __call__(self, scene: Scene) -> str | None:
        """None where the folder has no such video, or it has no such frame."""
        if scene.video != self._video:
            self._video, self._frames = scene.video, Frames(self._folder, scene.video)
        (image,) = self._frames.at([scene.second])
        if image is None:
            self.missing += 1
            return None
        return data_address(image, scene.frame)
