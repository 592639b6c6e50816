"""`gytbench data`: get the released annotations, check them, and say what they hold."""

from pathlib import Path

import click

from gytbench.cli.options import data_option


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


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def _publisher(url: str) -> str:
    """The repository of a manifest URL."""
    return "/".join(url.split("/")[3:5])
