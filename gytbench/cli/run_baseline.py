"""`gytbench run-baseline`: write the predictions of a floor or ceiling."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gytbench.cli.options import boxes_option, truth_options
from gytbench.cli.text import one_line

if TYPE_CHECKING:
    from gytbench.predictions import Task


def _listed(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if not value or ctx.resilient_parsing:
        return
    from tabulate import tabulate

    from gytbench.bounds import BOUNDS

    rows = [[b.name, b.kind, ", ".join(b.tasks), b.summary] for b in BOUNDS.values()]
    click.echo(tabulate(rows, headers=["name", "kind", "tasks", "what it predicts"]))
    ctx.exit()


@click.command("run-baseline")
@click.argument("name")
@click.option(
    "--task",
    type=click.Choice(["st", "spatial", "temporal"]),
    help="What to predict for [default: the first that the baseline does].",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="Prediction file to write; the suffix chooses the form.",
)
@click.option(
    "--list",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_listed,
    help="Show the baselines and stop.",
)
@boxes_option
@truth_options
def command(
    name: str,
    task: "Task | None",
    output: Path,
    data: Path | None,
    boxes: str,
    classes: str,
    subset: str,
) -> None:
    """Write the predictions of the baseline NAME.

    Floors look at no video, ceilings are told the answer, or part of it; `--list`
    names them. The file is scored like any other.
    """
    from gytbench.benchmark import load_benchmark
    from gytbench.bounds import find_bound, make_bound
    from gytbench.evaluation import Protocol
    from gytbench.predictions import save_predictions

    protocol = Protocol(
        task=task or find_bound(name).tasks[0], boxes=boxes, classes=classes, subset=subset
    )
    benchmark = load_benchmark(boxes=boxes, classes=classes, subset=subset, data=data)
    predictions = make_bound(name, benchmark, protocol.task)
    save_predictions(predictions, output)
    written = f"{len(predictions.tubes):,} tubes for the task {protocol.task}"
    click.echo(f"{written} in {one_line(str(output))}")
