"""`gytbench compare`: differences between systems, with intervals and p-values."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gytbench.cli.evaluate import benchmark_for
from gytbench.cli.options import (
    boxes_option,
    protocol_options,
    resampling_options,
    task_option,
    truth_options,
)
from gytbench.cli.outputs import keep_inputs
from gytbench.cli.text import one_line
from gytbench.errors import InputError

if TYPE_CHECKING:
    from gytbench.evaluation.outcomes import System
    from gytbench.predictions import Predictions, Task


@click.command("compare")
@click.argument("systems", nargs=-1, required=True, type=click.Path(path_type=Path))
@task_option
@boxes_option
@truth_options
@protocol_options
@resampling_options
@click.option(
    "--permutations",
    type=click.IntRange(100, 100_000),
    default=1000,
    show_default=True,
    metavar="N",
    help="How often the systems swap their answers for a p-value.",
)
@click.option("--anyway", is_flag=True, help="Compare also what has different signatures.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "latex", "markdown", "csv"]),
    default="table",
    show_default=True,
    help="How the comparison is written.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="OUT",
    help="Write to a file [default: print].",
)
def command(
    systems: tuple[Path, ...],
    task: "Task | None",
    data: Path | None,
    resamples: int,
    permutations: int,
    seed: int,
    anyway: bool,
    form: str,
    output: Path | None,
    **options: Any,
) -> None:
    """Compare SYSTEMS, two or more, each with the first.

    A system is a prediction file, scored under the options (the task is the
    first system's own where none is given), or an .npz file of outcomes that
    `gytbench evaluate --outcomes` stored, scored already.
    """
    from gytbench.evaluation.comparison import compare
    from gytbench.report.comparison import FORMATS
    from gytbench.writing import write_whole

    if len(systems) < 2:
        raise InputError("a comparison needs two systems or more")
    keep_inputs([output], systems)
    read = _told_apart(_read(systems, task, data, options), systems)
    text = FORMATS[form](compare(read, resamples, permutations, seed, anyway))
    if output is None:
        click.echo(text)
    else:
        write_whole(output, text.encode() + b"\n")


def _read(
    paths: Sequence[Path], task: "Task | None", data: Path | None, options: dict[str, Any]
) -> "list[System]":
    """The systems, in the order of the paths; the benchmark is loaded at most once."""
    from gytbench.evaluation import Protocol, score
    from gytbench.evaluation.outcomes import read_outcomes, system_of
    from gytbench.predictions import collector_paused, load_predictions

    found: list[System] = []
    benchmark = None
    for path in paths:
        if path.suffix == ".npz":
            found.append(read_outcomes(path))
            task = task or found[-1].protocol.task
            continue
        # Many objects and no cycles: collecting only costs time.
        with collector_paused():
            read: Predictions = load_predictions(path)
            task = task or read.task
            protocol = Protocol(task=task, **options)
            benchmark = benchmark or benchmark_for(protocol, data)
            result = score(read, benchmark, protocol)
        found.append(system_of(result, benchmark, path.name))
        del read
    return found


def _told_apart(systems: "Sequence[System]", paths: Sequence[Path]) -> "list[System]":
    """The systems under titles that differ, on one line: their own, else paths, numbered last."""
    from dataclasses import replace

    titles = [one_line(system.title) for system in systems]
    if len(set(titles)) < len(titles):
        titles = [one_line(str(path)) for path in paths]
    if len(set(titles)) < len(titles):
        titles = [f"{title} ({number})" for number, title in enumerate(titles, start=1)]
    return [replace(system, title=title) for system, title in zip(systems, titles, strict=True)]
