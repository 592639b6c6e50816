"""`gytbench export`: the benchmark in the form of other harnesses."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gytbench.cli.options import boxes_option, truth_options
from gytbench.cli.text import counted, one_line

if TYPE_CHECKING:
    from gytbench.predictions import Task

_PATH = click.Path(path_type=Path)


@click.group("export")
def command() -> None:
    """Write the benchmark in the form of other harnesses."""


@command.command("lmms-eval")
@click.option("-o", "--output", type=_PATH, required=True, metavar="DIR", help="The new folder.")
@click.option("--videos", type=_PATH, required=True, metavar="DIR", help="ID.mp4 and the like.")
@click.option(
    "--task",
    type=click.Choice(["st", "spatial", "temporal"]),
    default="spatial",
    show_default=True,
    help="What is asked, and scored.",
)
@boxes_option
@truth_options
def lmms_eval(
    output: Path,
    videos: Path,
    task: "Task",
    data: Path | None,
    **choices: str,
) -> None:
    """Write a task folder of lmms-evaluation-harness; its answers are scored by this package."""
    from gytbench.benchmark import load_benchmark
    from gytbench.grounding.lmms_eval import write_task

    benchmark = load_benchmark(**choices, data=data)
    if benchmark.folder is not None:
        choices["data"] = str(benchmark.folder.resolve())
    number = write_task(output, benchmark, task, videos, choices)
    click.echo(f"{one_line(str(output))}: {counted(number, 'question')}")
