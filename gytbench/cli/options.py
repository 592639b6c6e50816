"""Options that several commands share."""

from collections.abc import Callable, Iterable
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

TRUTH = ("dataset", "boxes", "classes", "subset", "coordinates")
"""What chooses the ground truth in a folder: arguments of `load_benchmark` and `Protocol`."""

Command = TypeVar("Command", bound=Callable[..., Any])


def data_option(command: Command) -> Command:
    """--data DIR"""
    return click.option(
        "--data",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="Folder of the released files [default: $GYTBENCH_DATA, then the cache].",
    )(command)


def dataset_option(command: Command) -> Command:
    """--dataset"""
    return click.option(
        "--dataset",
        default="groundingyoutube",
        show_default=True,
        metavar="NAME",
        help="groundingyoutube, miningyoutube, youcook-interactions, vhico or daly.",
    )(command)


def board_option(command: Command) -> Command:
    """--board DIR"""
    return click.option(
        "--board",
        "folder",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="Folder of the leaderboard [default: ./leaderboard].",
    )(command)


def device_option(command: Command) -> Command:
    """--device"""
    return click.option(
        "--device", default="cpu", show_default=True, help="As torch names it: cuda, mps."
    )(command)


def task_option(command: Command) -> Command:
    """--task"""
    return click.option(
        "--task",
        type=click.Choice(["st", "spatial", "temporal"]),
        help="What to score [default: the file's own task].",
    )(command)


def check_drawn(dataset: str, what: str) -> None:
    """Raise `InputError` where pictures, which show one box a second, would not do."""
    from gytbench.benchmark import find_dataset

    if find_dataset(dataset).counts == "frames":
        reason = f"{what} draws a box a second, and {dataset} has boxes by frame and instance"
        raise InputError(reason)


def boxes_option(command: Command) -> Command:
    """--boxes"""
    return click.option(
        "--boxes",
        default="",
        metavar="NAME",
        help="Box release: published, readme, full or repaired; other datasets have their own "
        "[default: published, or the dataset's first].",
    )(command)


def heatmap_option(command: Command) -> Command:
    """--heatmap-threshold"""
    return click.option(
        "--heatmap-threshold",
        type=float,
        default=0.5,
        show_default=True,
        help="Share of a heatmap's maximum that its region reaches.",
    )(command)


def truth_options(command: Command) -> Command:
    """--dataset, --classes, --subset, --coordinates and --data: which ground truth.

    All but --data are arguments of `load_benchmark` and of `Protocol`, under their names.
    """
    for option in (
        click.option(
            "--coordinates",
            default="",
            metavar="NAME",
            help="youcook-interactions: official (frames clamped to 640x360) or fixed "
            "[default: official].",
        ),
        click.option(
            "--subset",
            default="",
            metavar="NAME",
            help="Instances: all or 3to20; other datasets have their own, which "
            "`gytbench data card` lists [default: all, or the dataset's first].",
        ),
        click.option(
            "--classes",
            default="",
            metavar="NAME",
            help="Class list: mining512 or step (raw step names) [default: mining512, or what "
            "the dataset has].",
        ),
        dataset_option,
    ):
        command = option(command)
    return data_option(command)


def protocol_options(command: Command) -> Command:
    """--heatmap-threshold, --tolerance, --average and --fps: the choices of one task alone."""
    for option in (
        click.option(
            "--fps",
            type=float,
            help="temporal: count frames at this rate [default: continuous time].",
        ),
        click.option(
            "--average",
            default="video-class",
            show_default=True,
            help="temporal: video-class, isba, frames-micro or videogem.",
        ),
        click.option(
            "--tolerance",
            type=float,
            default=0.0,
            show_default=True,
            metavar="PX",
            help="spatial: pixels that the pointing game forgives.",
        ),
    ):
        command = option(command)
    return heatmap_option(command)


def resampling_options(command: Command) -> Command:
    """--resamples and --seed: how videos are drawn."""
    for option in (
        click.option(
            "--seed",
            type=click.IntRange(min=0),
            default=0,
            show_default=True,
            help="Seed of the draws.",
        ),
        click.option(
            "--resamples",
            type=click.IntRange(100, 100_000),
            default=1000,
            show_default=True,
            metavar="N",
            help="How often the videos are drawn again for an interval.",
        ),
    ):
        command = option(command)
    return command


def json_option(command: Command) -> Command:
    """--json OUT"""
    return click.option(
        "--json",
        "json_path",
        type=click.Path(path_type=Path, allow_dash=True),
        metavar="OUT",
        help="Write everything as JSON; `-` prints it, and nothing else.",
    )(command)


def videos_option(command: Command) -> Command:
    """--videos DIR"""
    return click.option(
        "--videos",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="Videos (ID.mp4 and the like, or a folder ID of images) whose frames go under the "
        "pictures [default: a blank canvas].",
    )(command)


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


def named_values(
    option: click.Parameter, values: Iterable[str], *, example: str = "", empty: bool = True
) -> dict[str, str]:
    """The values of an option that is given as NAME=VALUE, any number of times, by name.

    example: what messages show. empty: whether a value may be empty. Raises `InputError` for
    what has another form, for a name with an empty part between its dots, and for a name that
    is given twice.
    """
    spelling = option.opts[0]
    form = f"{option.metavar}, such as {example}" if example else option.metavar
    named: dict[str, str] = {}
    for each in values:
        name, equals, value = each.partition("=")
        if not equals or not all(name.split(".")) or not (value or empty):
            raise InputError(f"{spelling} takes {form}, not {each!r}")
        if name in named:
            raise InputError(f"{spelling} gives {name} twice")
        named[name] = value
    return named


def _columns(
    _context: click.Context, option: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    named = named_values(option, values, example="x=px", empty=False)
    for role in named:
        if role not in COLUMN_ROLES:
            raise InputError(f"--column knows no {role!r}; roles are {', '.join(COLUMN_ROLES)}")
    return named
