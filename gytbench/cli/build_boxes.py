"""`gytbench build-boxes`: boxes, masks and heatmaps from annotators' centre points."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gytbench.cli.options import data_option, points_options
from gytbench.cli.outputs import keep_inputs
from gytbench.cli.text import counted, one_line
from gytbench.errors import InputError

if TYPE_CHECKING:
    from gytbench.annotation import Built, BuiltBox, Rule
    from gytbench.benchmark.box_files import Boxes

_FILE = click.Path(path_type=Path)
_SHOWN = 10


@click.command("build-boxes")
@click.argument("points", nargs=-1, type=_FILE)
@click.option("-o", "--output", type=_FILE, metavar="OUT", help="Write the boxes.")
@click.option(
    "--layout",
    type=click.Choice(["boxes", "steps", "coco"]),
    default="boxes",
    show_default=True,
    help="Layout of OUT: {video: {second: box}}, the same with steps, or COCO JSON.",
)
@click.option("--masks", type=_FILE, metavar="OUT", help="Write COCO JSON with heatmap regions.")
@click.option(
    "--level",
    type=float,
    default=0.5,
    show_default=True,
    help="Share of a heatmap's maximum that its region reaches, for --masks.",
)
@click.option("--heatmaps", type=_FILE, metavar="OUT", help="Write the heatmaps as .npz.")
@click.option(
    "--grid", metavar="WxH", help="Cells of each heatmap, for --heatmaps [default: one a pixel]."
)
@click.option(
    "--frame",
    default="640x480",
    show_default=True,
    metavar="WxH|native",
    help="Frame of the boxes; native: the points' own. Upright videos: HxW.",
)
@click.option(
    "--margin",
    type=float,
    default=100,
    show_default=True,
    metavar="PX",
    help="Pixels of the 640x480 frame that a box reaches beyond its points.",
)
@click.option(
    "--sigma",
    type=float,
    metavar="PX",
    help="Standard deviation of the heatmap's Gaussians [default: 1/20 of the longer side].",
)
@click.option(
    "--clip",
    type=click.Choice(["frame", "swapped"]),
    default="frame",
    show_default=True,
    help="Where boxes end; swapped: as in the released files, at x = 480 and y = 640.",
)
@click.option(
    "--min-points",
    type=int,
    default=1,
    show_default=True,
    metavar="N",
    help="No box for a frame with fewer points.",
)
@click.option(
    "--max-spread",
    type=float,
    metavar="PX",
    help="No box where points lie further from their mean point, on average.",
)
@points_options
@click.option(
    "--explain", type=_FILE, metavar="BOXES", help="Report which boxes of a file the rule explains."
)
@click.option(
    "--unexplained", type=_FILE, metavar="OUT", help="Write those it does not explain, as CSV."
)
@click.option(
    "--release",
    type=click.Choice(["repaired"]),
    help="Instead of reading POINTS: the repaired boxes of the released files.",
)
@data_option
def command(points: tuple[Path, ...], release: str | None, **options: Any) -> None:
    """Build boxes from the centre POINTS of several annotators.

    A box is the union of a frame's points, grown by a margin and clipped to the
    frame. POINTS are flat CSV, JSON or JSON Lines, COCO keypoints, CVAT XML, Label
    Studio JSON, or the released files of mean points, whose boxes are estimates.
    """
    if bool(points) == bool(release):
        raise InputError("give either files of points or --release repaired")
    if release:
        _write_repaired(options)
        return
    from gytbench.annotation import Rule, build, load_tables
    from gytbench.benchmark.box_files import read_boxes
    from gytbench.benchmark.decoding import read_bytes

    _check_outputs(points, options)
    compared = options["explain"]
    known = None if compared is None else read_boxes(read_bytes(compared), compared)
    cells = None if options["grid"] is None else _size(options["grid"], "--grid")
    rule = Rule(
        frame=None if options["frame"] == "native" else _size(options["frame"], "--frame"),
        **{name: options[name] for name in ("margin", "sigma", "clip", "min_points", "max_spread")},
    )
    tables = load_tables(points, sizes=options["sizes"], columns=options["columns"])
    built = [build(table, rule) for table in tables]
    for each in built:
        _summarise(each)
    _write(built, cells, options)
    if known is not None:
        _explain(built, rule, known, options)


def _check_outputs(points: Sequence[Path], options: dict[str, Any]) -> None:
    """Raise `InputError` where an output would overwrite an input, or another output."""
    names = ("output", "masks", "heatmaps", "unexplained")
    outputs = [options[name] for name in names if options[name] is not None]
    if any(str(path) == "-" for path in outputs):
        raise InputError("name a file: standard output is for the summary", where="-")
    keep_inputs(outputs, (*points, options["explain"], options["sizes"]))
    times = Counter(path.resolve() for path in outputs)
    for path in outputs:
        if times[path.resolve()] > 1:
            raise InputError("is named as the output of several options", where=str(path))
    if options["unexplained"] is not None and options["explain"] is None:
        raise InputError("--unexplained lists what --explain BOXES finds; give it too")


def _size(text: str, option: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal() and 0 < int(width) <= 8192 >= int(height) > 0):
        raise InputError(f"{option} must be WIDTHxHEIGHT in pixels, such as 640x480, not {text!r}")
    return int(width), int(height)


def _summarise(built: "Built") -> None:
    table = built.table
    kind = "mean point" if table.estimated else "point"
    people = "" if table.estimated else f" of {counted(len(table.annotators), 'annotator')}"
    boxes = int(built.built.sum())
    note = ", estimated from mean points" if table.estimated else ""
    points = int(table.points.counts.sum())
    frames = counted(len(table.frames), "frame")
    click.echo(f"{one_line(table.name)}: {frames}, {counted(points, kind)}{people}")
    click.echo(f"{counted(boxes, 'box')}{note}")
    for reason, count in built.dropped.items():
        click.echo(f"{counted(count, 'frame')} without a box: {reason}")


def _write(
    built: Sequence["Built"], cells: tuple[int, int] | None, options: dict[str, Any]
) -> None:
    from gytbench.annotation import coco, heatmap_masks
    from gytbench.writing import write_whole

    rows = [row for each in built for row in each.rows()]
    masks = []
    if options["masks"] is not None:
        # Made before anything is written: the level or the frames may not be fit for them.
        masks = [mask for each in built for mask in heatmap_masks(each, options["level"])]
    if options["heatmaps"] is not None:
        # The first, since a grid may be too coarse.
        _write_heatmaps(built, options["heatmaps"], cells)
    if options["output"] is not None:
        _write_boxes(rows, options)
    if options["masks"] is not None:
        import msgspec

        write_whole(options["masks"], msgspec.json.encode(coco(rows, masks)) + b"\n")
        click.echo(f"{counted(len(masks), 'mask')} written to {options['masks']}")


def _write_boxes(rows: Sequence["BuiltBox"], options: dict[str, Any]) -> None:
    from gytbench.annotation import encode_layout, one_a_second
    from gytbench.writing import write_whole

    if options["layout"] != "coco":
        rows, others = one_a_second(rows)
        if others:
            reason = "a second has one box in this layout, the last counts"
            click.echo(f"{counted(others, 'box')} left out: {reason}")
    write_whole(options["output"], encode_layout(rows, options["layout"]))
    click.echo(f"{counted(len(rows), 'box')} written to {options['output']}")


def _write_heatmaps(built: Sequence["Built"], path: Path, cells: tuple[int, int] | None) -> None:
    from tqdm import tqdm

    from gytbench.annotation import write_heatmaps
    from gytbench.writing import open_whole

    total = sum(int(each.built.sum()) for each in built)
    with open_whole(path) as file:
        names = write_heatmaps(built, cells, file)
        written = sum(1 for _ in tqdm(names, "heatmaps", total, disable=None, leave=False))
    click.echo(f"{counted(written, 'heatmap')} written to {path}")


def _explain(
    built: Sequence["Built"], rule: "Rule", boxes: "Boxes", options: dict[str, Any]
) -> None:
    from gytbench.annotation import explain

    path, listing = options["explain"], options["unexplained"]
    found = explain(boxes, built, rule)
    right = sum(found.by_table)
    click.echo(f"{right:,} of the {found.boxes:,} boxes in {path} are explained by the rule")
    if len(built) > 1:
        for each, count in zip(built, found.by_table, strict=True):
            click.echo(f"{count:,} by {one_line(each.table.name)}")
    for video, second, box, why in found.unexplained[:_SHOWN]:
        click.echo(f"not explained: {one_line(video)} second {second} {list(box)}: {why}")
    if len(found.unexplained) > _SHOWN:
        hidden = len(found.unexplained) - _SHOWN
        click.echo(f"and {hidden:,} more; --unexplained OUT lists all")
    if listing is not None:
        _list(found.unexplained, listing)


def _list(unexplained: Sequence[tuple[str, int, tuple[float, ...], str]], path: Path) -> None:
    from gytbench.report.csv import csv_text
    from gytbench.writing import write_whole

    header = ("video", "second", "x1", "y1", "x2", "y2", "reason")
    rows = [(video, second, *box, why) for video, second, box, why in unexplained]
    write_whole(path, csv_text(header, rows).encode())


def _write_repaired(options: dict[str, Any]) -> None:
    from gytbench.annotation import BuiltBox
    from gytbench.benchmark import load_benchmark
    from gytbench.benchmark.repaired import repair_boxes

    if options["output"] is None:
        raise InputError("say where to write the repaired boxes: -o OUT")
    for name in ("masks", "heatmaps", "explain", "unexplained"):
        if options[name] is not None:
            raise InputError(f"--release repaired writes boxes only; leave out --{name}")
    full = load_benchmark(boxes="full", data=options["data"])
    repaired = repair_boxes(full.boxes, full.points, full.frames)
    places, point = repaired.matched.places, repaired.matched.point.tolist()
    steps = {
        place: full.points[number].step
        for place, number in zip(places, point, strict=True)
        if number >= 0
    }
    rows = [
        BuiltBox(
            video,
            second,
            steps.get((video, second), ""),
            box,
            full.frames[video],
            (video, second) in repaired.estimated,
        )
        for video, by_second in repaired.boxes.items()
        for second, box in by_second.items()
    ]
    _write_boxes(rows, options)
    click.echo(f"{len(repaired.estimated):,} of them have an estimated right edge")
