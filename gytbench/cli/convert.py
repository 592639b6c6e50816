"""`gytbench convert`: predictions from and to the formats of other tools."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gytbench.cli.options import data_option
from gytbench.cli.text import counted, one_line
from gytbench.errors import InputError

if TYPE_CHECKING:
    from gytbench.predictions.convert import Options, Report

_FILE = click.Path(path_type=Path)
_RELEASED = "released"


@click.command("convert")
@click.argument("source", metavar="IN", type=_FILE, required=False)
@click.option("--from", "from_format", metavar="FORMAT", help="Read IN in this format.")
@click.option("--to", "to_format", metavar="FORMAT", help="Write predictions in this format.")
@click.option("-o", "--output", type=_FILE, metavar="OUT", help="The file to write.")
@click.option(
    "--task",
    type=click.Choice(["st", "spatial", "temporal"]),
    default="st",
    show_default=True,
    help="--from: the task that OUT is for.",
)
@click.option("--frame-size", metavar="WxH", help="The pixel frame of the other format.")
@click.option("--fps", type=click.FloatRange(min=0.001, max=1000), help="Frames a second there.")
@click.option("--video", metavar="ID", help="The video, where the format names none.")
@click.option("--label", metavar="TEXT", help="The label of all, where the format names none.")
@click.option("--labels", type=_FILE, metavar="FILE", help="Labels and their numbers.")
@click.option("--images", type=_FILE, metavar="FILE", help="coco: annotations with the images.")
@click.option(
    "--queries",
    metavar=f"FILE|{_RELEASED}",
    help="What was asked under each id; released: the instances of the benchmark.",
)
@click.option(
    "--coordinates",
    type=click.Choice(["auto", "fraction", "thousand", "pixels"]),
    default="auto",
    show_default=True,
    help="answers: the unit of coordinates.",
)
@click.option("--strict", is_flag=True, help="Refuse what could not be read, or is left out.")
@click.option("--formats", "listing", is_flag=True, help="List the formats.")
@data_option
def command(source: Path | None, listing: bool, **given: Any) -> None:
    """Convert IN from or to the format of another tool.

    Standard error says what could not be read, and what the other format cannot carry.
    """
    if listing:
        _list()
        return
    from gytbench.predictions.convert import Report, convert_from, convert_to

    name, output = given["from_format"] or given["to_format"], given["output"]
    if bool(given["from_format"]) == bool(given["to_format"]):
        raise InputError("give either --from FORMAT or --to FORMAT; --formats lists them")
    if source is None or output is None:
        raise InputError("give the file to read and, with -o, the one to write")
    report = Report(strict=given["strict"])
    convert = convert_from if given["from_format"] else convert_to
    convert(name, source, output, _options(given), report)
    _tell(report, output)


def _list() -> None:
    from gytbench.predictions.convert import FORMATS

    width = max(map(len, FORMATS))
    for name, found in FORMATS.items():
        ways = "from, to" if found.writes else "from"
        click.echo(f"{name:{width}}  {ways:8}  {found.summary}")


def _tell(report: "Report", output: Path) -> None:
    click.echo(f"{one_line(str(output))}: {counted(report.tubes, 'tube')}")
    for line in report.lines():
        click.echo(one_line(line), err=True)


def _options(given: dict[str, Any]) -> "Options":
    from gytbench.predictions.convert import Options
    from gytbench.predictions.convert.labels import read_images, read_labels

    images, labels = read_images(given["images"]) if given["images"] else ({}, {})
    if given["labels"]:
        labels = read_labels(given["labels"])
    return Options(
        task=given["task"],
        frame_size=_size(given["frame_size"]),
        fps=given["fps"],
        video=given["video"],
        label=given["label"],
        labels=labels,
        images=images,
        queries=_queries(given["queries"], given["data"]),
        coordinates=given["coordinates"],
        zipped=given["output"].suffix.lower() == ".zip",
    )


def _size(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    width, _, height = text.partition("x")
    if not (
        width.isdecimal() and height.isdecimal() and 0 < int(width) <= 10**6 >= int(height) > 0
    ):
        raise InputError(f"--frame-size must be WIDTHxHEIGHT in pixels, not {text!r}")
    return float(width), float(height)


def _queries(given: str | None, data: Path | None) -> Any:
    """Queries by id: of a file, or the benchmark's instances, VIDEO_INSTANCE."""
    from gytbench.predictions.convert import Query
    from gytbench.predictions.convert.labels import read_queries

    if given is None:
        return {}
    if given != _RELEASED:
        return read_queries(Path(given))
    from gytbench.benchmark import load_benchmark

    return {
        f"{asked.video}_{asked.id}": Query(
            asked.video, asked.label, asked.id, asked.start, asked.end
        )
        for asked in load_benchmark(data=data).instances
    }
