"""Options that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def data_option(command: Command) -> Command:
    """--data DIR"""
    return click.option(
        "--data",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="Folder of the released files [default: $GYTBENCH_DATA, then the cache].",
    )(command)


def task_option(command: Command) -> Command:
    """--task"""
    return click.option(
        "--task",
        type=click.Choice(["st", "spatial", "temporal"]),
        help="What to score [default: the file's own task].",
    )(command)


def truth_options(command: Command) -> Command:
    """--boxes, --classes, --subset and --data: which ground truth."""
    for option in (
        click.option("--subset", default="all", show_default=True, help="Instances: all or 3to20."),
        click.option(
            "--classes",
            default="mining512",
            show_default=True,
            help="Class list: mining512 or step (raw step names).",
        ),
        click.option(
            "--boxes",
            default="published",
            show_default=True,
            help="Box release: published, readme or full.",
        ),
    ):
        command = option(command)
    return data_option(command)
