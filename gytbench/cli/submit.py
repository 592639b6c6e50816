"""`gytbench submit`: make, check and pack an entry of the leaderboard."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gytbench.cli.options import board_option, data_option, named_values
from gytbench.cli.text import counted, one_line

if TYPE_CHECKING:
    from gytbench.leaderboard.board import Board

_PATH = click.Path(path_type=Path)

Command = TypeVar("Command", bound=Callable[..., Any])


@click.group("submit")
def command() -> None:
    """Make, check and pack an entry of the leaderboard."""


def _about_options(command: Command) -> Command:
    """The fields of submission.yaml; what is not given is to be filled in."""
    for option in reversed(
        (
            click.option("--system", metavar="TEXT", help="Its name, as the table shows it."),
            click.option("--author", "authors", multiple=True, metavar="NAME", help="Repeatable."),
            click.option("--date", metavar="YYYY-MM-DD", help="Of the paper, or of the system."),
            click.option("--paper", metavar="URL", help="Its https address."),
            click.option("--code", metavar="URL", help="Its https address."),
            click.option("--backbone", metavar="TEXT", help="Such as CLIP ViT-B/32."),
            click.option(
                "--training-data", multiple=True, metavar="NAME", help="A dataset; repeatable."
            ),
            click.option("--supervision", metavar="KIND", help="none, self, weak or full."),
            click.option("--modality", metavar="KIND", help="video, video+text and the like."),
            click.option(
                "--tuned",
                metavar="TEXT",
                help='What was chosen on the test set; "" where nothing was.',
            ),
            click.option("--contact", metavar="TEXT", help="Whom to ask."),
        )
    ):
        command = option(command)
    return command


@command.command("init")
@click.argument("predictions", nargs=-1, required=True, type=_PATH)
@click.option("--name", required=True, help="The entry's folder: a-z, 0-9 and -.")
@board_option
@_about_options
@click.option(
    "--url",
    "urls",
    multiple=True,
    metavar="TASK=URL",
    help="Where the predictions of a task will lie, if they are too large for the folder.",
)
@click.option(
    "--form",
    type=click.Choice(["json.gz", "parquet"]),
    help="How predictions are written [default: as they are given].",
)
def init(
    predictions: tuple[Path, ...],
    name: str,
    folder: Path | None,
    urls: tuple[str, ...],
    form: str | None,
    **about: Any,
) -> None:
    """Make the folder of an entry from prediction files, one PREDICTIONS for each task.

    They are written anew, compactly; submission.yaml says what is left to fill in.
    """
    from gytbench.leaderboard.board import find_board
    from gytbench.leaderboard.submission import FILE
    from gytbench.leaderboard.submitting import make_entry

    board = find_board(folder)
    addresses = _addresses(urls)
    suffix = form and f".{form}"
    folder = make_entry(board, name, predictions, _given(about), urls=addresses, form=suffix)
    shown = one_line(str(folder))
    click.echo(f"{shown}: fill in {FILE}, then run `gytbench submit check {shown}`")
    for task, url in addresses.items():
        click.echo(f"{task}: `gytbench submit pack {name}` writes the file to put at {url}")


def _addresses(urls: tuple[str, ...]) -> Any:
    from gytbench.errors import InputError
    from gytbench.predictions import TASKS

    option = click.Option(["--url"], metavar="TASK=URL")
    addresses = named_values(option, urls, example="st=https://example.org/st.parquet", empty=False)
    for task in addresses:
        if task not in TASKS:
            raise InputError(f"--url knows no task {task!r}; tasks are {', '.join(TASKS)}")
    return addresses


def _given(about: dict[str, Any]) -> dict[str, Any]:
    """The fields that were given, as submission.yaml holds them."""
    given = {name: list(v) if isinstance(v, tuple) else v for name, v in about.items() if v}
    if about["tuned"] is not None:
        given["tuned_on_test"] = bool(about["tuned"])
    return given


@command.command("check")
@click.argument("entry", metavar="NAME|FOLDER")
@board_option
@data_option
def check(entry: str, folder: Path | None, data: Path | None) -> None:
    """List everything that is wrong with an entry, as the check of a pull request does.

    Predictions that are given by address are fetched once, and kept in the board's cache.
    """
    from gytbench.leaderboard.checking import check_entry

    board, name = _found(entry, folder)
    checked = check_entry(board, name, data=data)
    tasks = ", ".join(checked.files)
    click.echo(f"{name}: nothing is wrong; {counted(len(checked.files), 'task')}: {tasks}")
    for flag in checked.flags:
        click.echo(f"Flag, shown beside the entry: {one_line(flag)}")


@command.command("pack")
@click.argument("entry", metavar="NAME|FOLDER")
@click.option("-o", "--output", type=_PATH, metavar="OUT", help="[default: NAME.tar.gz]")
@board_option
def pack(entry: str, output: Path | None, folder: Path | None) -> None:
    """Write an entry as one .tar.gz, and the files to put at its addresses."""
    from gytbench.leaderboard.submitting import pack_entry

    board, name = _found(entry, folder)
    for path in pack_entry(board, name, output or Path(f"{name}.tar.gz")):
        click.echo(f"Written: {one_line(str(path))}")


def _found(entry: str, root: Path | None) -> tuple["Board", str]:
    """The board and the name of an entry that is given by its name or its folder."""
    from gytbench.errors import InputError
    from gytbench.leaderboard.board import Board, find_board

    folder = Path(entry)
    if len(folder.parts) == 1 and folder.name not in ("", ".."):
        return find_board(root), entry
    folder = folder.absolute()
    if folder.parent.name != "submissions":
        raise InputError("an entry lies in the folder submissions of a board", where=entry)
    board = Board(Path(entry).parent.parent)
    if root is not None and root.resolve() != board.root.resolve():
        raise InputError(f"does not lie in the board {root}", where=entry)
    return board, folder.name
