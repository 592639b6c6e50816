"""`gytbench results`: the numbers that papers report, beside one's own."""

from pathlib import Path

import click

from gytbench.cli.text import one_line


@click.command("results")
@click.argument("results", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--task",
    type=click.Choice(["st", "spatial", "temporal"]),
    help="The rows of one task [default: of every task].",
)
def command(results: tuple[Path, ...], task: str | None) -> None:
    """Print what papers report, beside RESULTS of `gytbench evaluate --json`.

    Reported numbers come without their conventions: a row is no comparison to half a point.
    """
    from gytbench.leaderboard.reported import UNKNOWN, packaged_reports, read_own, reported_table
    from gytbench.predictions import TASKS

    papers = packaged_reports()
    own = [each for path in results for each in read_own(path)]
    for each in TASKS:
        table = reported_table(papers, own, each) if task in (None, each) else ""
        if table:
            click.echo(f"{each} ({UNKNOWN}, but for files of your own)\n\n{table}\n")
    for paper in papers:
        click.echo(f"{paper.paper}: {paper.url}")
    for signature in dict.fromkeys(each.signature for each in own):
        click.echo(f"Signature: {one_line(signature)}")
