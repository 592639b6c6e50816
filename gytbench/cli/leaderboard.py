"""`gytbench leaderboard`: check, score and show the entries of a board."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gytbench.cli.options import board_option, data_option
from gytbench.cli.text import one_line
from gytbench.errors import InputError

if TYPE_CHECKING:
    from gytbench.errors import Fault
    from gytbench.leaderboard.board import Board

Command = TypeVar("Command", bound=Callable[..., Any])


@click.group("leaderboard")
def command() -> None:
    """Check, score and show the entries of a leaderboard."""


def _base_option(command: Command) -> Command:
    """--base REV"""
    return click.option(
        "--base",
        metavar="REV",
        help="Branch or commit: only entries that commits since then change.",
    )(command)


@command.command("check")
@_base_option
@board_option
@data_option
def check(base: str | None, folder: Path | None, data: Path | None) -> None:
    """Check all entries, or those that a change touches, as CI does.

    With --base, a change may touch the folder of one entry and nothing else.
    """
    from gytbench.leaderboard.board import entry_names, find_board

    board = find_board(folder)
    faults: list[Fault] = []
    names: Sequence[str] = entry_names(board)
    checked = names
    if base is not None:
        from gytbench.leaderboard.changes import changed

        changes = changed(board, base)
        faults += changes.faults
        checked = [name for name in changes.entries if name in names]
    faults += _check(board, checked, data)
    if faults:
        raise InputError(faults)
    click.echo(f"entries checked: {len(checked):,}")


def _check(board: "Board", names: Sequence[str], data: Path | None) -> "list[Fault]":
    """The faults of the entries; tells of each that has none."""
    from gytbench.benchmark import load_benchmark
    from gytbench.leaderboard.checking import check_entry

    faults: list[Fault] = []
    benchmark = load_benchmark(data=data) if names else None
    for name in names:
        try:
            found = check_entry(board, name, benchmark=benchmark)
        except InputError as error:
            faults += error.faults
            continue
        click.echo(f"{name}: ready")
        for flag in found.flags:
            click.echo(f"{name}: flagged: {one_line(flag)}")
    return faults


@command.command("build")
@click.option(
    "--jobs",
    type=click.IntRange(1, 256),
    default=1,
    show_default=True,
    help="Entries that are scored at the same time.",
)
@click.option(
    "--site",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Folder of the page [default: site, in the leaderboard's folder].",
)
@board_option
@data_option
def build(jobs: int, site: Path | None, folder: Path | None, data: Path | None) -> None:
    """Score what is not scored yet, and write the page.

    Stopped at any time, the same command goes on where it was. Entries that cannot be scored
    are left out of the page, and named at the end.
    """
    from gytbench.leaderboard.board import find_board
    from gytbench.leaderboard.building import build as build_board

    board = find_board(folder)
    built = build_board(
        board,
        data=data,
        jobs=jobs,
        site=site,
        tell=lambda line: click.echo(line, err=True),
    )
    scored, kept, removed = (len(names) for names in built[:3])
    click.echo(f"{scored:,} scored, {kept:,} as they were, {removed:,} removed")
    click.echo(f"page: {one_line(str(site or board.site))}")
    if built.faults:
        raise InputError(built.faults)


@command.command("diff")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, allow_dash=True),
    required=True,
    metavar="FILE",
    help="Where the Markdown goes; `-` prints it.",
)
@_base_option
@board_option
@data_option
def diff(output: Path, base: str | None, folder: Path | None, data: Path | None) -> None:
    """Write what a change does to the tables, as Markdown for a comment.

    Compares the stored results with those that a build would give. Where entries are wrong,
    FILE says so instead, and the exit code is 2.
    """
    from gytbench.leaderboard.board import find_board
    from gytbench.leaderboard.differences import faults_markdown
    from gytbench.writing import write_whole

    board = find_board(folder)
    try:
        text = _difference(board, base, data)
    except InputError as error:
        write_whole(output, faults_markdown(error.faults).encode())
        raise
    write_whole(output, text.encode())


def _difference(board: "Board", base: str | None, data: Path | None) -> str:
    from gytbench.leaderboard.building import proposed, stale_names
    from gytbench.leaderboard.changes import changed
    from gytbench.leaderboard.differences import markdown

    if base is None:
        names: Sequence[str] = stale_names(board, data=data)
    else:
        changes = changed(board, base)
        if changes.faults:
            raise InputError(changes.faults)
        names = changes.entries
    return markdown(*proposed(board, names, data=data))
