"""`gytbench data`: get the released annotations, check them, and say what they hold."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gytbench.cli.options import data_option, dataset_option, json_option
from gytbench.cli.text import one_line

if TYPE_CHECKING:
    from gytbench.grounding.folder_check import State, VideoState

_STATES: "dict[State, str]" = {
    "ok": "as the original",
    "other size": "of another size",
    "stretched": "stretched to the annotation frame",
    "no size known": "without an original size to compare with",
    "missing": "missing",
    "cannot be decoded": "cannot be decoded",
    "too short": "too short",
    "other aspect": "of another aspect",
}
"""How a number of videos in a state is told."""


@click.group("data")
def command() -> None:
    """Fetch, verify and describe the released annotations."""


@command.command("fetch")
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Copy from a folder or a clone of a publisher's repository; download nothing.",
)
@data_option
def fetch(source: Path | None, data: Path | None) -> None:
    """Download the released files, or copy them, and check each one.

    What is there already stays; a download that was cut off goes on.
    """
    from gytbench.benchmark.fetching import fetch as bring
    from gytbench.benchmark.releases import data_target, manifest

    folder = data_target(data)
    written = bring(folder, source)
    click.echo(f"{len(written)} of {len(manifest())} files written to {folder}; all are right")
    for licence in sorted({file.licence for file in written}):
        publishers = sorted({_publisher(file.url) for file in written if file.licence == licence})
        click.echo(f"licence {licence}: {', '.join(publishers)}")


@command.command("verify")
@data_option
def verify(data: Path | None) -> None:
    """Check size and SHA-256 of every released file; exit code 1 unless all are right."""
    from tabulate import tabulate

    from gytbench.benchmark.releases import find_data
    from gytbench.benchmark.releases import verify as check_all

    folder = find_data(data)
    checked = check_all(folder)
    rows = [(each.file.path, each.state, ", ".join(each.file.needed_by)) for each in checked]
    click.echo(tabulate(rows, headers=("file", "state", "needed by")))
    wrong = sum(each.state != "ok" for each in checked)
    if wrong:
        click.echo(
            f"{wrong} of {len(checked)} files are not right; `gytbench data fetch` gets them"
        )
        raise SystemExit(1)
    click.echo(f"all {len(checked)} files in {folder} are right")


@command.command("path")
@data_option
def path(data: Path | None) -> None:
    """Print the folder that the released files are read from."""
    from gytbench.benchmark.releases import find_data

    click.echo(find_data(data))


@command.command("stats")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@data_option
def stats(as_json: bool, data: Path | None) -> None:
    """Print the numbers of the paper's section 4 beside what the files hold."""
    from gytbench.benchmark.statistics import statistics

    found = statistics(data)
    if as_json:
        import json

        click.echo(json.dumps([each._asdict() for each in found], indent=2))
        return
    from tabulate import tabulate

    rows = [(each.name, _number(each.paper), _number(each.measured), each.note) for each in found]
    headers = ("", "paper", "measured", "")
    click.echo(
        tabulate(
            rows,
            headers=headers,
            colalign=("left", "right", "right", "left"),
            disable_numparse=True,
        )
    )


@command.command("card")
@click.argument("name", required=False)
def card(name: str | None) -> None:
    """Print what is known of a dataset: source, licence, counts, choices, known faults.

    Without NAME, list the datasets.
    """
    from gytbench.benchmark import DATASETS
    from gytbench.benchmark.cards import read_card
    from gytbench.report.cards import card_text, cards_table

    click.echo(
        cards_table(map(read_card, DATASETS)) if name is None else card_text(read_card(name))
    )


@command.command("videos")
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@json_option
@dataset_option
@data_option
def videos(folder: Path, json_path: Path | None, dataset: str, data: Path | None) -> None:
    """Check a folder of videos before a long run; exit code 1 unless all are usable.

    DIR holds each video as VIDEO.mp4 or the like, or as a folder VIDEO of images.
    """
    from gytbench.benchmark import load_benchmark
    from gytbench.grounding.folder_check import check_videos, native_sizes, other_files

    benchmark = load_benchmark(dataset=dataset, data=data)
    found = check_videos(folder, benchmark, native_sizes(benchmark))
    others = other_files(folder, benchmark)
    alone = str(json_path) == "-"
    if json_path is not None:
        from gytbench.writing import write_whole

        write_whole(json_path, _videos_json(found, others))
    if not alone:
        click.echo(_videos_table(found))
        click.echo(f"Files of no video of the benchmark: {len(others):,}")
    unusable = [each for each in found if not each.usable]
    if unusable:
        kinds = _counted(unusable)
        text = f"{len(unusable):,} of {len(found):,} videos are not usable: {kinds}"
        click.echo(text, err=alone)
        raise SystemExit(1)
    if not alone:
        click.echo(f"all {len(found):,} videos are usable")


def _videos_table(found: "Sequence[VideoState]") -> str:
    """A row for each video that is not usable or lies there twice, then the usable ones counted."""
    from tabulate import tabulate

    rows = []
    for each in found:
        notes = [] if each.usable else [each.reason]
        notes += [each.doubled] if each.doubled else []
        if notes:
            rows.append([*map(one_line, (each.video, each.state, "; ".join(notes)))])
    usable = [each for each in found if each.usable]
    told = f"Usable: {_counted(usable) or 'none'}"
    if not rows:
        return told
    table = tabulate(rows, headers=("video", "state", ""), disable_numparse=True)
    return f"{table}\n\n{told}"


def _counted(found: "Sequence[VideoState]") -> str:
    counts = Counter(each.state for each in found)
    return ", ".join(
        f"{counts[state]:,} {text}" for state, text in _STATES.items() if counts[state]
    )


def _videos_json(found: "Sequence[VideoState]", others: Sequence[str]) -> bytes:
    import json

    content = {
        "counts": Counter(each.state for each in found),
        "videos": [each._asdict() | {"usable": each.usable} for each in found],
        "other_files": others,
    }
    return (json.dumps(content, indent=1) + "\n").encode()


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def _publisher(url: str) -> str:
    """The repository of a manifest URL."""
    return "/".join(url.split("/")[3:5])
