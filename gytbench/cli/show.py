"""`gytbench show`: pictures of predictions over the ground truth."""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gytbench.cli.options import (
    boxes_option,
    check_drawn,
    task_option,
    truth_options,
    videos_option,
)
from gytbench.cli.text import one_line
from gytbench.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

    from gytbench.predictions import Task
    from gytbench.scenes import Scene, VideoScenes
    from gytbench.scenes.folder import Frames

_SHEET = 24
"""Scenes on a contact sheet, at most."""

_LISTED = 30
"""Ranges of seconds that a message lists, at most."""


@click.command("show")
@click.argument("predictions", type=click.Path(path_type=Path))
@click.option("--video", required=True, metavar="ID", help="The video to draw.")
@click.option("--second", type=int, metavar="T", help="Draw this second alone.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="OUT.png",
    help="Picture to write; `-` prints it [default: ID.png or ID_T.png, here].",
)
@click.option(
    "--clip",
    type=click.Path(path_type=Path),
    metavar="OUT.mp4",
    help="Write every second that is true or predicted as a clip, two a second; "
    "the sheet only with -o.",
)
@videos_option
@task_option
@boxes_option
@truth_options
def command(
    predictions: Path,
    video: str,
    second: int | None,
    output: Path | None,
    clip: Path | None,
    videos: Path | None,
    task: "Task | None",
    data: Path | None,
    **choices: Any,
) -> None:
    """Draw PREDICTIONS over the ground truth: one second, a sheet, or a clip.

    The truth is a solid red box; what is predicted is blue: a dot for the point, a
    dashed box, a shade for heatmap or mask. Each second carries the verdict of the
    scorer and the labels, true and predicted. Without --second it is a sheet of up
    to 24 seconds, evenly from those with a box, under a time line of the whole video.
    """
    _check_paths(output, clip, second)
    check_drawn(choices["dataset"], "show")
    scenes = _scenes(predictions, video, task, data, choices)
    try:
        import gytbench.scenes.clips
        import gytbench.scenes.painting  # noqa: F401
    except ImportError:
        raise InputError("needs PyAV and Pillow: pip install 'gytbench[video]'") from None
    from gytbench.scenes.clips import clip_of
    from gytbench.scenes.folder import Frames, VideoFolder
    from gytbench.writing import write_whole

    frames = Frames(VideoFolder(videos) if videos else None, video)
    if clip is not None:
        write_whole(clip, clip_of(_drawn(_active(scenes), frames)))
        click.echo(f"Clip: {one_line(str(clip))}", err=str(output) == "-")
    if output is not None or clip is None:
        path = output or Path(_file_name(video, second))
        image = _sheet(scenes, frames) if second is None else _still(scenes, second, frames)
        content = io.BytesIO()
        image.save(content, "PNG")
        write_whole(path, content.getvalue())
        if str(path) != "-":
            click.echo(f"Picture: {one_line(str(path))}")
    for note in dict.fromkeys(frames.notes):
        click.echo(f"note: {one_line(video)}: {one_line(note)}; drawn without it", err=True)


def _check_paths(output: Path | None, clip: Path | None, second: int | None) -> None:
    if output is not None and str(output) != "-" and output.suffix.lower() != ".png":
        raise InputError("-o writes a PNG file: name it OUT.png", where=str(output))
    if clip is not None and clip.suffix.lower() != ".mp4":
        raise InputError("--clip writes an MP4 file: name it OUT.mp4", where=str(clip))
    if clip is not None and second is not None:
        raise InputError("--clip shows the whole video: leave --second out")


def _scenes(
    path: Path,
    video: str,
    task: "Task | None",
    data: Path | None,
    choices: Mapping[str, Any],
) -> "VideoScenes":
    """The scenes of the video. Raises InputError for a video that the benchmark lacks."""
    from gytbench.benchmark import load_benchmark
    from gytbench.evaluation import Protocol
    from gytbench.predictions import load_predictions, pack
    from gytbench.scenes import scenes_of

    read = load_predictions(path)
    task = task or read.task
    if task == "temporal":
        raise InputError("the task 'temporal' has no places to draw: choose --task st")
    protocol = Protocol(task=task, **choices)
    benchmark = load_benchmark(**choices, data=data)
    if video not in benchmark.frames:
        raise InputError(_unknown(video, benchmark.videos))
    return scenes_of(pack(read, benchmark, task), benchmark, protocol)[video]


def _unknown(video: str, known: Sequence[str]) -> str:
    from difflib import get_close_matches

    similar = get_close_matches(video, known, n=3)
    names = ", ".join(similar or known[:3])
    hint = f"did you mean {names}?" if similar else f"it has {len(known):,}, such as {names}"
    return f"the benchmark has no video {video!r}: {hint}"


def _still(scenes: "VideoScenes", second: int, frames: "Frames") -> "Image":
    """One second; in the task `spatial`, side by side for each instance that covers it."""
    from gytbench.scenes.painting import side_by_side

    found = [scene for scene in scenes.at(second) if scene.verdict != "background"]
    if not found:
        seconds = sorted({scene.second for scene in _active(scenes)})
        has = f"it has {_ranges(seconds)}" if seconds else "nor in any other"
        reason = f"nothing is true or predicted in second {second} of {scenes.video}: {has}"
        raise InputError(reason)
    images = list(_drawn(found, frames))
    return images[0] if len(images) == 1 else side_by_side(images)


def _sheet(scenes: "VideoScenes", frames: "Frames") -> "Image":
    from gytbench.scenes import spread
    from gytbench.scenes.painting import draw_sheet

    chosen = spread(scenes, _SHEET)
    return draw_sheet(scenes, chosen, frames.at([scene.second for scene in chosen]))


def _drawn(scenes: "Sequence[Scene]", frames: "Frames") -> "Iterator[Image]":
    from gytbench.scenes.painting import draw_scene

    shown = frames.at([scene.second for scene in scenes])
    for scene, frame in zip(scenes, shown, strict=True):
        upright = scene.frame[1] > scene.frame[0]
        yield draw_scene(scene, frame, 480 if upright else 640)


def _active(scenes: "VideoScenes") -> "list[Scene]":
    """Where anything is true or predicted."""
    return [scene for scene in scenes.scenes if scene.verdict != "background"]


def _ranges(seconds: Sequence[int]) -> str:
    """2, 3, 4 and 9 as 2-4, 9."""
    runs: list[list[int]] = []
    for second in seconds:
        if runs and second == runs[-1][1] + 1:
            runs[-1][1] = second
        else:
            runs.append([second, second])
    named = [f"{first}-{last}" if last > first else str(first) for first, last in runs]
    return ", ".join(named[:_LISTED]) + (", ..." if len(named) > _LISTED else "")


def _file_name(video: str, second: int | None) -> str:
    """A name for the picture that leads to no other folder, whatever the video's id."""
    name = re.sub(r"[^\w-]", "_", video)
    return f"{name}.png" if second is None else f"{name}_{second}.png"
