"""`gytbench validate`: everything that is wrong with a prediction file."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from gytbench.cli.options import boxes_option, task_option, truth_options
from gytbench.cli.text import one_line

if TYPE_CHECKING:
    from gytbench.errors import InputError
    from gytbench.predictions import Task


@click.command("validate")
@click.argument("predictions", type=click.Path(path_type=Path))
@task_option
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    help="List no more than N faults [default: all].",
)
@boxes_option
@truth_options
def command(
    predictions: Path,
    task: "Task | None",
    limit: int | None,
    data: Path | None,
    **choices: Any,
) -> None:
    """List every fault of PREDICTIONS, with counts; exit code 2 where there is one.

    The file is held against the format, and, where that holds, against the
    benchmark: videos, labels, instances.
    """
    from gytbench.benchmark import load_benchmark
    from gytbench.errors import InputError
    from gytbench.evaluation import Protocol
    from gytbench.predictions import doubts, load_predictions, pack

    benchmark = load_benchmark(**choices, data=data)
    try:
        read = load_predictions(predictions)
    except InputError as error:
        _refuse(error, limit)
    protocol = Protocol(task=task or read.task, **choices)
    try:
        packed = pack(read, benchmark, protocol.task)
    except InputError as error:
        _refuse(error, limit)
    click.echo(
        f"{one_line(str(predictions))}: valid for the task {protocol.task}; "
        f"{packed.video.size:,} tubes over {packed.second.size:,} seconds"
    )
    for doubt in doubts(packed, benchmark):
        click.echo(f"Note: {doubt}")


def _refuse(error: "InputError", limit: int | None) -> NoReturn:
    """Print the number of faults of each kind, then the faults; exit with code 2."""
    for kind, count in error.counts().items():
        click.echo(f"{count:,} x {kind}")
    for fault in error.faults[:limit]:
        click.echo(one_line(str(fault)))
    hidden = len(error.faults[limit:]) if limit else 0
    if hidden:
        click.echo(f"and {hidden:,} more; without --limit all are listed")
    raise SystemExit(2)
