"""`gytbench train`: the paper's model, from narrated videos."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gytbench.cli.options import device_option, named_values
from gytbench.cli.text import counted, one_line
from gytbench.errors import InputError

if TYPE_CHECKING:
    from gytbench.training.config import TrainingConfig
    from gytbench.training.loop import Outcome


def _changes(
    _context: click.Context, option: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    return named_values(option, values, example="optimisation.epochs=3")


@click.command("train")
@click.argument("config", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    metavar="OUT",
    help="Folder of the run: weights, checkpoints, log. A run that is there goes on.",
)
@device_option
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_changes,
    help="A value in place of the file's, in YAML, such as optimisation.epochs=3.",
)
@click.option(
    "--kept",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where what data.keep keeps is, for several runs [default: OUT/kept].",
)
def command(
    config: Path, output: Path, device: str, changes: Mapping[str, str], kept: Path | None
) -> None:
    """Train a model on narrated videos, as the YAML file CONFIG describes.

    Its paths are relative to its folder. Stopped at any time, the same command goes on from the
    newest checkpoint. Several processes share the work under torchrun: torchrun
    --nproc-per-node 8 --no-python gytbench train CONFIG -o OUT --device cuda.
    """
    chosen = _config(config, changes)
    try:
        from gytbench.training.starting import train
    except ImportError:
        raise InputError("needs torch: pip install 'gytbench[training]'") from None
    outcome = train(
        chosen,
        config.parent,
        output,
        device=device,
        kept=kept,
        tell=lambda line: click.echo(one_line(line), err=True),
    )
    if outcome.files:
        _tell(outcome, chosen, config.parent, output)


def _config(path: Path, changes: Mapping[str, str]) -> "TrainingConfig":
    """The configuration of a file, with values replaced by name."""
    from gytbench.plain_yaml import read_yaml, read_yaml_file
    from gytbench.training.config import configured

    written = read_yaml_file(path, dict[str, Any])
    replaced = {name: read_yaml(text, f"--set {name}") for name, text in changes.items()}
    where = f"{path}, with --set {' '.join(changes)}" if changes else str(path)
    return configured(written, replaced, where)


def _tell(outcome: "Outcome", config: "TrainingConfig", base: Path, output: Path) -> None:
    """What was done, where the weights are, and the command that uses them."""
    if outcome.failed:
        failed = f"{counted(outcome.failed, 'sample')} could not be read and had substitutes"
        click.echo(f"{failed}; see {one_line(str(output / 'failed.csv'))}", err=True)
    done = counted(outcome.steps, "step")
    fresh = "" if outcome.fresh == outcome.steps else f", {outcome.fresh:,} of them now"
    click.echo(f"{done} done{fresh}; {one_line(str(output / 'log.csv'))} has each")
    for path in outcome.files:
        click.echo(f"weights in {one_line(str(path))}")
    click.echo(f"to use them: {one_line(shlex.join(_use(config, base, output)))}")


def _use(config: "TrainingConfig", base: Path, output: Path) -> list[str]:
    """The command line that grounds videos by what was trained."""
    from gytbench.training.using import files_of, recipe_of, settings_of

    files, settings = files_of(config, base, output), settings_of(config)
    if not config.loss.global_:
        settings["when"] = "local"
    if not config.loss.local:
        settings["where"] = "global"
    line = ["gytbench", "run-baseline", recipe_of(config)]
    line += ["--checkpoint", str(files.pop("checkpoint"))]
    for role, path in files.items():
        line += ["--file", f"{role}={path}"]
    for name, value in settings.items():
        line += ["--set", f"{name}={value}"]
    return [*line, "--videos", "DIR", "-o", "preds.json"]
