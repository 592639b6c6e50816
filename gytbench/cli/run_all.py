"""`gytbench run-baseline --all`: every system that can run here, and a table of their scores."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gytbench.cli.text import counted, one_line

if TYPE_CHECKING:
    from gytbench.grounding.systems import Ensemble, Options
    from gytbench.grounding.work import Job
    from gytbench.predictions import Task


def run_every(
    task: "Task",
    folder: Path,
    options: "Options",
    job_of: "Callable[[Ensemble], Job]",
    truth: Mapping[str, Any],
) -> None:
    """Write FOLDER/NAME.json for every system that can run, score them, and print the table."""
    from gytbench.benchmark import load_benchmark
    from gytbench.bounds import reference_results
    from gytbench.evaluation import Protocol, score
    from gytbench.grounding.everything import Ran, Skipped, run_all
    from gytbench.predictions import load_predictions
    from gytbench.report.systems import systems_table

    benchmark = load_benchmark(**truth)
    chosen = {name: value for name, value in truth.items() if name != "data"}
    protocol = Protocol(task=task, **chosen)
    found = run_all(task, options, job_of, folder, lambda name: click.echo(f"{name} ...", err=True))
    ran = [each for each in found if isinstance(each, Ran)]
    results = {each.name: score(load_predictions(each.path), benchmark, protocol) for each in ran}
    title = f"{counted(len(ran), 'system')} in {one_line(str(folder))}"
    click.echo(systems_table(results, reference_results(benchmark, protocol), title))
    for each in ran:
        if each.failed:
            click.echo(f"{each.name}: {counted(each.failed, 'video')} failed, and count as missed")
    skipped = [each for each in found if isinstance(each, Skipped)]
    if skipped:
        click.echo("\nSkipped:")
    for name, reason in skipped:
        click.echo(f"  {name}: {one_line(reason)}")
