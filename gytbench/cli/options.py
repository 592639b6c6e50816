"""Options that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from gytbench.errors import InputError

COLUMN_ROLES = (
    "image",
    "video",
    "second",
    "step",
    "annotator",
    "x",
    "y",
    "width",
    "height",
)

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


def boxes_option(command: Command) -> Command:
    """--boxes"""
    return click.option(
        "--boxes",
        default="published",
        show_default=True,
        help="Box release: published, readme, full or repaired.",
    )(command)


def truth_options(command: Command) -> Command:
    """--classes, --subset and --data: which ground truth, apart from the boxes."""
    for option in (
        click.option("--subset", default="all", show_default=True, help="Instances: all or 3to20."),
        click.option(
            "--classes",
            default="mining512",
            show_default=True,
            help="Class list: mining512 or step (raw step names).",
        ),
    ):
        command = option(command)
    return data_option(command)


def points_options(command: Command) -> Command:
    """--sizes and --column: how files of points are read."""
    for option in (
        click.option(
            "--column",
            "columns",
            multiple=True,
            metavar="ROLE=NAME",
            callback=_columns,
            help="Column of a flat file, such as x=px; roles: image, video, second, step, "
            "annotator, x, y, width, height [default: by their names].",
        ),
        click.option(
            "--sizes",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="JSON {video: [width, height]}, for points that do not tell their frame's size.",
        ),
    ):
        command = option(command)
    return command


def _columns(_context: click.Context, _option: object, values: tuple[str, ...]) -> dict[str, str]:
    named = {}
    for value in values:
        role, equals, name = value.partition("=")
        if not equals or not name:
            raise InputError(f"--column takes ROLE=NAME, such as x=px, not {value!r}")
        if role not in COLUMN_ROLES:
            raise InputError(f"--column knows no {role!r}; roles are {', '.join(COLUMN_ROLES)}")
        named[role] = name
    return named
