"""Rules about frames and about the files as a whole."""

from collections import Counter
from collections.abc import Iterator

from gytbench.audit.release import FRAMES, NATIVE, Release
from gytbench.audit.rules import Found, registry

_STRETCH = 1.1
"""A frame whose sides are stretched apart by more than this is no rounding."""

CHECKSUMS = "checksum-drift"


@registry.rule(
    "other-shape",
    "The annotation frame of a video differs from that of most videos.",
)
def other_shape(release: Release) -> Iterator[Found]:
    common = Counter(release.frames.values()).most_common(1)
    for video, size in sorted(release.frames.items()):
        if size != common[0][0]:
            text = f"{_show(size)}, where most videos have {_show(common[0][0])}"
            yield Found(FRAMES, video, None, text)


@registry.rule(
    "stretched-video",
    "The video was stretched by more than 10 % to fit its annotation frame: its shape there is "
    "not its own.",
    needs=(NATIVE,),
)
def stretched_video(release: Release) -> Iterator[Found]:
    for video, (width, height) in sorted(release.frames.items()):
        native = release.native.get(video)
        if native is None:
            yield Found(NATIVE, video, None, "has no size here")
            continue
        stretch = (width / native[0]) / (height / native[1])
        if max(stretch, 1 / stretch) > _STRETCH:
            way = "upwards" if stretch < 1 else "sideways"
            text = (
                f"{_show(native)}, drawn as {_show((width, height))}: "
                f"stretched {way} by a factor of {max(stretch, 1 / stretch):.2f}"
            )
            yield Found(NATIVE, video, None, text)


@registry.rule(
    CHECKSUMS,
    "A file is not the one that was released (annotations/releases.toml).",
)
def checksum_drift(release: Release) -> Iterator[Found]:
    for file, state in release.checked:
        if state not in ("ok", "missing"):
            yield Found(short_name(file.path), "", None, f"has the {state}")


def files_not_compared(release: Release) -> tuple[str, ...]:
    """The released files that are not there, so that their checksums cannot drift."""
    return tuple(short_name(file.path) for file, state in release.checked if state == "missing")


def short_name(path: str) -> str:
    """A file of the layout as the findings name it: those of GroundingYouTube without folder."""
    return path.removeprefix("groundingyoutube/")


def _show(size: tuple[float, float]) -> str:
    return f"{size[0]:g}x{size[1]:g}"
