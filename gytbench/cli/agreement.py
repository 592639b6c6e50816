"""`gytbench agreement`: how far annotators agree, and which frames to annotate again."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gytbench.cli.options import data_option, json_option, points_options
from gytbench.cli.outputs import keep_inputs
from gytbench.cli.text import one_line
from gytbench.errors import InputError

if TYPE_CHECKING:
    from gytbench.annotation import PointTable
    from gytbench.annotation.agreement import Agreement

_FILE = click.Path(path_type=Path)


@click.command("agreement")
@click.argument("points", nargs=-1, type=_FILE)
@points_options
@json_option
@click.option("--plots", type=_FILE, metavar="DIR", help="Draw plots (PNG) into a folder.")
@click.option(
    "--again",
    type=_FILE,
    metavar="OUT",
    help="Write the frames to annotate again as CSV, the worst first.",
)
@click.option(
    "--top",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    metavar="N",
    help="Rows shown of classes, videos and annotators.",
)
@data_option
def command(
    points: tuple[Path, ...],
    json_path: Path | None,
    plots: Path | None,
    again: Path | None,
    top: int,
    data: Path | None,
    **reading: Any,
) -> None:
    """Say how far annotators agree on the centre POINTS of frames.

    POINTS are files of points as `gytbench build-boxes` reads them; without
    any, the released mean points of both annotation rounds are taken. Each
    point is tested against the box of the frame's other points, where the
    annotators' own points are known.
    """
    from gytbench.annotation.agreement import agreement
    from gytbench.benchmark.data_files import folder_classes
    from gytbench.benchmark.releases import data_target
    from gytbench.report.agreement import agreement_json, agreement_tables, draw_agreement
    from gytbench.writing import write_whole

    keep_inputs((json_path, again), points)
    tables = _given(points, reading) if points else _released(data, reading)
    classes = folder_classes(data_target(data))
    found = {name: agreement(table, classes.name_of) for name, table in tables.items()}
    if json_path is not None:
        write_whole(json_path, agreement_json(found))
    if again is not None:
        write_whole(again, _listed(found))
    drawn = [] if plots is None else draw_agreement(found, plots)
    if str(json_path) == "-":
        return
    for line in agreement_tables(found, top).split("\n"):
        click.echo(one_line(line))
    for path in drawn:
        click.echo(f"drawn: {one_line(str(path))}")


def _given(points: Sequence[Path], reading: Mapping[str, Any]) -> "dict[str, PointTable]":
    """The tables of the files by name: all annotators' own points are one."""
    from gytbench.annotation import load_tables

    named: dict[str, PointTable] = {}
    for number, table in enumerate(load_tables(points, **reading), start=1):
        named[f"{table.name} ({number})" if table.name in named else table.name] = table
    return named


def _released(data: Path | None, reading: Mapping[str, Any]) -> "dict[str, PointTable]":
    """The released mean points of both annotation rounds."""
    from gytbench.annotation import load_tables
    from gytbench.benchmark.points import FIRST_ROUND, SECOND_ROUND
    from gytbench.benchmark.releases import find_data, place

    if any(reading.values()):
        raise InputError("--sizes and --column tell how to read POINTS; give these files too")
    folder = find_data(data)
    rounds = [place(folder, f"groundingyoutube/{name}") for name in (FIRST_ROUND, SECOND_ROUND)]
    return dict(zip(("round 1", "round 2"), load_tables(rounds), strict=True))


def _listed(found: "Mapping[str, Agreement]") -> bytes:
    """The frames to annotate again as CSV; of several tables, the reason names its own."""
    from gytbench.annotation.agreement import frames_to_repeat
    from gytbench.report.csv import csv_text

    rows = []
    for name, each in found.items():
        table = f"{name}: " if len(found) > 1 else ""
        for frame, reasons, spread in frames_to_repeat(each):
            shown = "" if spread is None else f"{spread:.1f}"
            rows.append((*frame, table + "; ".join(reasons), shown))
    return csv_text(("video", "second", "step", "reason", "spread"), rows).encode()
