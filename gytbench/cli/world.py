"""`gytbench world`: videos to train and test on that are rendered, not fetched."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from gytbench.world.rules import Rules


@click.command("world")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    metavar="OUT",
    help="Folder to write the world into.",
)
@click.option("--train", type=click.IntRange(1, 100_000), default=150, show_default=True)
@click.option("--validation", type=click.IntRange(1, 100_000), default=12, show_default=True)
@click.option("--test", type=click.IntRange(1, 100_000), default=30, show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=1, show_default=True)
@click.option(
    "--rules",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="YAML file of rules that differ from the default, such as clutter: 6.",
)
def command(
    output: Path, train: int, validation: int, test: int, seed: int, rules: Path | None
) -> None:
    """Render short videos of steps over clutter, with loose narration and exact annotations.

    The training videos have captions, the others segments and boxes in the layout of the
    released files: `gytbench evaluate --data OUT/test/data`. `--train`, `--validation` and
    `--test` are numbers of videos.
    """
    from tqdm import tqdm

    from gytbench.world.folder import write_world

    chosen = _rules(rules)
    with tqdm(None, "videos", train + validation + test, False, disable=None) as bar:
        write_world(
            output,
            chosen,
            seed,
            train=train,
            validation=validation,
            test=test,
            told=bar.update,
        )
    click.echo(f"{train} videos with captions in {output / 'train'}")
    click.echo(f"{test} annotated videos in {output / 'test'}, {validation} in its validation/")


def _rules(path: Path | None) -> "Rules":
    from gytbench.plain_yaml import read_yaml_file
    from gytbench.world.rules import Rules

    return Rules() if path is None else read_yaml_file(path, Rules)
