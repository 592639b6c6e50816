"""`gytbench evaluate`: score a prediction file."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gytbench.cli.options import task_option, truth_options
from gytbench.cli.text import one_line

if TYPE_CHECKING:
    from gytbench.evaluation import Protocol
    from gytbench.predictions import Predictions, Task
    from gytbench.report.tables import ReleaseScores


@click.command("evaluate")
@click.argument("predictions", type=click.Path(path_type=Path))
@task_option
@click.option(
    "--boxes",
    multiple=True,
    default=["published"],
    show_default=True,
    help="Box release: published, readme, full or repaired; given again, side by side.",
)
@truth_options
@click.option(
    "--heatmap-threshold",
    type=float,
    default=0.5,
    show_default=True,
    help="Share of a heatmap's maximum that its region reaches.",
)
@click.option(
    "--tolerance",
    type=float,
    default=0.0,
    show_default=True,
    metavar="PX",
    help="spatial: pixels that the pointing game forgives.",
)
@click.option(
    "--average",
    default="video-class",
    show_default=True,
    help="temporal: video-class, isba, frames-micro or videogem.",
)
@click.option(
    "--fps", type=float, help="temporal: count frames at this rate [default: continuous time]."
)
@click.option(
    "--json",
    "json_path",
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="OUT",
    help="Write the result as JSON (several releases: a list); `-` prints it, and nothing else.",
)
def command(
    predictions: Path,
    task: "Task | None",
    boxes: tuple[str, ...],
    data: Path | None,
    json_path: Path | None,
    **options: Any,
) -> None:
    """Score PREDICTIONS (.json, .jsonl, each also .gz, or .parquet).

    Prints the metrics in percent beside the floor and the ceiling of the task,
    and the signature that names every convention behind them.
    """
    from gytbench.errors import InputError
    from gytbench.evaluation import Protocol, results_json
    from gytbench.predictions import collector_paused, load_predictions
    from gytbench.report.tables import releases_table, result_table
    from gytbench.report.writing import write_whole

    alone = str(json_path) == "-"
    if json_path is not None and not alone and json_path.resolve() == predictions.resolve():
        raise InputError("--json would overwrite the predictions", where=str(json_path))
    # A short process with millions of objects and no cycles: collecting only costs time.
    with collector_paused():
        read = load_predictions(predictions)
        protocols = [
            Protocol(task=task or read.task, boxes=release, **options)
            for release in dict.fromkeys(boxes)
        ]
        scores = [_score(read, protocol, data, not alone) for protocol in protocols]
    if json_path is not None:
        write_whole(json_path, results_json([each.result for each in scores]))
    if not alone:
        title = one_line(str(predictions))
        one = len(scores) == 1
        click.echo(result_table(*scores[0][1:], title) if one else releases_table(scores, title))


def _score(
    read: "Predictions", protocol: "Protocol", data: Path | None, beside: bool
) -> "ReleaseScores":
    """The result on one release; with `beside`, the floors and ceilings too."""
    from concurrent.futures import ThreadPoolExecutor

    from gytbench.benchmark import load_benchmark
    from gytbench.bounds import reference_results
    from gytbench.evaluation import score
    from gytbench.report.tables import ReleaseScores

    benchmark = load_benchmark(
        boxes=protocol.boxes, classes=protocol.classes, subset=protocol.subset, data=data
    )
    # Array work leaves the interpreter free: the references are scored beside the file.
    with ThreadPoolExecutor(max_workers=1) as second:
        references = second.submit(reference_results, benchmark, protocol) if beside else None
        result = score(read, benchmark, protocol)
    return ReleaseScores(protocol.boxes, result, references.result() if references else {})
