"""`gytbench ablate`: which part of a system does what."""

from pathlib import Path

import click

from gytbench.cli.options import device_option
from gytbench.errors import InputError


@click.command("ablate")
@click.argument("grid")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    metavar="OUT",
    help="Folder of the runs and their results. A grid that is there goes on.",
)
@device_option
@click.option(
    "--jobs",
    type=click.IntRange(1, 256),
    default=1,
    show_default=True,
    help="Rows, or backbones, that are worked on at the same time.",
)
@click.option(
    "--seed",
    "seeds",
    type=click.IntRange(0, 2**32 - 1),
    multiple=True,
    help="In place of the grid's seeds; may be given several times.",
)
def command(grid: str, output: Path, device: str, jobs: int, seeds: tuple[int, ...]) -> None:
    """Train, run and score every row of GRID with every seed, and print its tables.

    GRID is a YAML file or the name of a packaged grid, such as narrated-world. Paths in it are
    relative to its folder. Stopped at any time, the same command goes on where it was.
    """
    import msgspec

    from gytbench.reproduction.grid import find_grid, read_grid

    path = find_grid(grid)
    chosen = read_grid(path)
    if seeds:
        chosen = msgspec.structs.replace(chosen, seeds=tuple(dict.fromkeys(seeds)))
    try:
        from gytbench.reproduction.running import run_grid
        from gytbench.reproduction.tables import grid_report
    except ImportError:
        raise InputError("needs torch and scipy: pip install 'gytbench[training]'") from None
    cells = run_grid(
        chosen,
        path.parent,
        output,
        device=device,
        jobs=jobs,
        tell=lambda line: click.echo(line, err=True),
    )
    click.echo(grid_report(chosen, cells))
