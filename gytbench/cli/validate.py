"""`gytbench validate`: everything that is wrong with a prediction file."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gytbench.cli.options import task_option, truth_options
from gytbench.cli.text import one_line

if TYPE_CHECKING:
    from gytbench.predictions import Task


@click.command("validate")
@click.argument("predictions", type=click.Path(path_type=Path))
@task_option
@click.option(
    "--limit", default=1000, show_default=True, help="How many faults to list; 0 lists all."
)
@truth_options
def command(
    predictions: Path,
    task: "Task | None",
    limit: int,
    data: Path | None,
    boxes: str,
    classes: str,
    subset: str,
) -> None:
    """List every fault of PREDICTIONS, with counts; exit code 2 where there is one.

    The file is held against the format, and, where that holds, against the
    benchmark: videos, labels, instances.
    """
    from gytbench.benchmark import load_benchmark
    from gytbench.errors import InputError
    from gytbench.evaluation import Protocol
    from gytbench.predictions import load_predictions, pack

    benchmark = load_benchmark(boxes=boxes, classes=classes, subset=subset, data=data)
    try:
        read = load_predictions(predictions)
        protocol = Protocol(task=task or read.task, classes=classes)
        packed = pack(read, benchmark, protocol.task)
    except InputError as error:
        for kind, count in error.counts().items():
            click.echo(f"{count:,} x {kind}")
        for fault in error.faults[: limit or None]:
            click.echo(one_line(str(fault)))
        hidden = len(error.faults) - limit
        if limit and hidden > 0:
            click.echo(f"and {hidden:,} more; --limit 0 lists all")
        raise SystemExit(2) from None
    click.echo(
        f"{one_line(str(predictions))}: valid for the task {protocol.task}; "
        f"{packed.video.size:,} tubes over {packed.second.size:,} seconds"
    )
