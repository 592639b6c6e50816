"""A folder of videos held against a benchmark: what a long run over it would stumble on."""

from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from gytbench.benchmark import Benchmark
from gytbench.benchmark.decoding import Size, decode_file
from gytbench.benchmark.releases import place
from gytbench.errors import InputError

if TYPE_CHECKING:
    from gytbench.videos import FrameSource

State = Literal[
    "ok",
    "other size",
    "stretched",
    "no size known",
    "missing",
    "cannot be decoded",
    "too short",
    "other aspect",
]

USABLE: tuple[State, ...] = ("ok", "other size", "stretched", "no size known")
"""The states in which a video serves: its points fall where the annotators saw them."""

UNUSABLE: tuple[State, ...] = ("missing", "cannot be decoded", "too short", "other aspect")
"""The other states, the gravest first: a video has the first that is true of it."""

_ASPECT = 1.02
"""A video whose sides are stretched apart by more than this has another aspect."""


class VideoState(NamedTuple):
    """What the folder has of one video of the benchmark."""

    video: str
    state: State
    reason: str = ""
    """In words, for a video that is not usable."""
    files: tuple[str, ...] = ()
    """The names of those that can be opened, the one that is used first; else of all."""
    size: tuple[int, int] | None = None
    """Width and height of its frames in pixels, turned as shown."""
    native: tuple[float, float] | None = None
    """Width and height of the original video."""
    last_second: int | None = None
    """The last whole second that has a frame."""
    annotated_to: int | None = None
    """The last second that is annotated."""

    @property
    def usable(self) -> bool:
        """Whether a model can be run on it."""
        return self.state in USABLE

    @property
    def doubled(self) -> str:
        """The names where several files can be opened, in words; else empty."""
        if len(self.files) < 2 or self.state == "cannot be decoded":
            return ""
        first, *others = self.files
        return f"several files: {first} is used, not {', '.join(others)}"


def check_videos(
    folder: Path, benchmark: Benchmark, native: Mapping[str, tuple[float, float]]
) -> list[VideoState]:
    """The state of every video of the benchmark, sorted by id.

    A video is VIDEO.*, but no single picture, or a folder VIDEO of images; of several,
    the first by name that can be opened. `native` has the original sizes in pixels. Each
    file is read through once, but only its first frame is decoded. Raises `InputError`
    where the folder cannot be read, or PyAV and Pillow are not installed.
    """
    try:
        import av  # noqa: F401
        import PIL.Image  # noqa: F401
    except ImportError:
        raise InputError("needs PyAV and Pillow: pip install 'gytbench[video]'") from None
    from tqdm import tqdm

    from gytbench.videos import videos_by_id

    by_video = videos_by_id(folder)
    annotated = _annotated_to(benchmark)
    return [
        _state(
            VideoState(video, "ok", native=native.get(video), annotated_to=annotated.get(video)),
            by_video.get(video, ()),
            benchmark.frames[video],
        )
        for video in tqdm(benchmark.videos, "videos", disable=None, leave=False)
    ]


def other_files(folder: Path, benchmark: Benchmark) -> list[str]:
    """The names in the folder that are of no video of the benchmark; raises as `check_videos`."""
    from gytbench.videos import listed_videos

    return [path.name for path in listed_videos(folder) if path.stem not in benchmark.frames]


def native_sizes(benchmark: Benchmark) -> Mapping[str, tuple[float, float]]:
    """Width and height of the original videos, as far as the dataset tells them.

    For GroundingYouTube from id2wh.json of its data folder: raises `InputError` where the
    file is missing or malformed. V-HICO's frames are the originals.
    """
    if benchmark.dataset == "groundingyoutube" and benchmark.folder is not None:
        path = place(benchmark.folder, "groundingyoutube/id2wh.json")
        return decode_file(path, dict[str, Size])
    return benchmark.frames if benchmark.dataset == "vhico" else {}


def _annotated_to(benchmark: Benchmark) -> dict[str, int]:
    """By video, the last second of its instances, cues and boxes."""
    last: dict[str, int] = {}
    for each in (*benchmark.instances, *benchmark.cues):
        end, clock = ceil(each.end) - 1, benchmark.clocks.get(each.video)
        second = clock.second(end) if clock else end
        last[each.video] = max(last.get(each.video, 0), second)
    for video, boxes in benchmark.boxes.items():
        last[video] = max(last.get(video, 0), *boxes, 0)
    return last


def _state(known: VideoState, paths: Sequence[Path], frame: tuple[float, float]) -> VideoState:
    """The state, with what the files tell. `frame` is the size of the annotation frame."""
    if not paths:
        return known._replace(
            state="missing", reason=f"no {known.video}.* and no folder {known.video} of images"
        )
    source, names, reasons = _opened(paths)
    if source is None:
        return known._replace(state="cannot be decoded", reason="; ".join(reasons), files=names)
    known = known._replace(files=names, size=source.size, last_second=source.seconds[-1])
    shape, short = _shape(source.size, known.native, frame), _shortness(known)
    aspect = ""
    if shape == "other aspect" and known.native:
        aspect = "is {}x{}, but the original is {:g}x{:g}".format(*source.size, *known.native)
    reason = "; ".join(filter(None, (short, aspect)))
    return known._replace(state="too short" if short else shape, reason=reason)


def _opened(paths: Sequence[Path]) -> tuple["FrameSource | None", tuple[str, ...], list[str]]:
    """The first source that opens, the names of all that do (else of all), and why others fail."""
    from gytbench.videos import open_frames

    sources: dict[str, FrameSource] = {}
    reasons = []
    for path in paths:
        try:
            sources[path.name] = open_frames(path)
        except InputError as error:
            fault = error.faults[0]
            reasons.append(f"{Path(fault.where).name}: {fault.reason}")
        except OSError as error:
            reasons.append(f"{path.name}: {error.strerror}")
    names = tuple(sources) or tuple(path.name for path in paths)
    return next(iter(sources.values()), None), names, reasons


def _shortness(video: VideoState) -> str:
    if video.annotated_to is None or video.last_second is None:
        return ""
    if video.last_second >= video.annotated_to:
        return ""
    return f"its last second is {video.last_second}, but it is annotated to {video.annotated_to}"


def _shape(
    size: tuple[int, int], native: tuple[float, float] | None, frame: tuple[float, float]
) -> State:
    """The state, as far as the size goes.

    A video of the size of its annotation frame serves whatever its aspect: all
    videos were stretched to that frame for the annotators.
    """
    if native is None:
        return "no size known"
    if size == native:
        return "ok"
    stretch = (size[0] / size[1]) / (native[0] / native[1])
    if max(stretch, 1 / stretch) <= _ASPECT:
        return "other size"
    return "stretched" if size == frame else "other aspect"
