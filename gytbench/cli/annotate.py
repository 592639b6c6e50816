"""`gytbench annotate`: collect centre points in the browser."""

from contextlib import suppress
from pathlib import Path

import click

from gytbench.cli.text import one_line

_EXISTING = click.Path(exists=True, path_type=Path)


@click.command("annotate")
@click.argument("source", type=_EXISTING)
@click.option(
    "--segments",
    type=_EXISTING,
    metavar="FILE",
    help="Steps to ask for, laid out as seg.json [default: the images' names, or all seconds].",
)
@click.option(
    "--every",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="Ask for each Nth second of a segment, or of the video.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("points.jsonl"),
    show_default=True,
    help="Log that answers are added to.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    metavar="N",
    help="Port of the page on this machine [default: any that is free].",
)
@click.option("--open/--no-open", "show", default=False, help="Open the page in the browser.")
@click.option(
    "--export",
    type=click.Path(path_type=Path),
    metavar="OUT",
    help="Write the answers of the log as .csv or .json, and stop.",
)
def command(
    source: Path,
    segments: Path | None,
    every: int,
    output: Path,
    port: int,
    show: bool,
    export: Path | None,
) -> None:
    """Collect centre points in the frames of SOURCE, in the browser.

    SOURCE is a video, or a folder of images of one video, named
    VIDEO_SECOND_step_words.jpg or NAME_SECOND.jpg. Each answer is added to the
    log at once; whoever comes back goes on where they stopped. Ctrl-C ends it.
    """
    from gytbench.collection import (
        AnswerLog,
        PointServer,
        Session,
        export_answers,
        list_tasks,
        read_answers,
    )
    from gytbench.videos import open_frames

    if export is not None:
        count = export_answers(read_answers(output), export)
        answers = "answer" if count == 1 else "answers"
        click.echo(f"{count:,} {answers} in {one_line(str(export))}")
        return
    frames = open_frames(source)
    tasks, without_frame = list_tasks(frames, segments, every)
    if without_frame:
        click.echo(f"{without_frame:,} seconds of the segments have no frame and are left out.")
    with (
        suppress(KeyboardInterrupt),
        AnswerLog(output) as log,
        PointServer(Session(frames, tasks, log), port) as server,
    ):
        click.echo(f"{len(tasks):,} frames of {one_line(frames.video)} to annotate.")
        click.echo(f"Answers go to {one_line(str(output))}.")
        click.echo(f"Open {server.url} in a browser; Ctrl-C here ends it.")
        if show:
            click.launch(server.url)
        server.serve_forever()
