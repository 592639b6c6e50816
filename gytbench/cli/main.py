"""`gytbench`: finds the command, and turns faults of input into messages and exit code 2."""

import io
import sys
from importlib import import_module
from typing import Any

import click

from gytbench import __version__
from gytbench.cli.text import one_line
from gytbench.errors import InputError

_COMMANDS = {
    "evaluate": ("evaluate", "Score a prediction file."),
    "compare": ("compare", "Compare systems: differences, intervals, p-values."),
    "results": ("results", "Print what papers report, beside your own results."),
    "diagnose": ("diagnose", "Say which error costs what."),
    "validate": ("validate", "List everything that is wrong with a prediction file."),
    "convert": ("convert", "Convert predictions from and to the formats of other tools."),
    "export": ("export", "Write the benchmark in the form of other harnesses."),
    "show": ("show", "Draw predictions over ground truth: a frame, a sheet, a clip."),
    "run-baseline": ("run_baseline", "Write the predictions of a floor, a ceiling, or a system."),
    "train": ("train", "Train the paper's model on narrated videos."),
    "train-mlp": ("train_mlp", "Train MiningYouTube's MLP on features of frames."),
    "ablate": ("ablate", "Train, run and score a grid of configurations."),
    "world": ("world", "Render a narrated world to train and test on."),
    "baselines": ("baselines", "List the baselines, and what each of them needs."),
    "submit": ("submit", "Make, check and pack an entry of the leaderboard."),
    "leaderboard": ("leaderboard", "Check, score and show the entries of a leaderboard."),
    "demo": ("demo", "Score the embedded demo benchmark."),
    "annotate": ("annotate", "Collect centre points in the browser."),
    "data": ("data", "Fetch, verify and describe the released annotations."),
    "audit": ("audit", "Check an annotation release for faults."),
    "agreement": ("agreement", "How far annotators agree, and which frames to repeat."),
    "build-boxes": ("build_boxes", "Build boxes and heatmaps from centre points."),
    "schema": ("schema", "Print the JSON Schema of the prediction format."),
}

_SHOWN_FAULTS = 20


class _Commands(click.Group):
    """Commands by name; a command's module is imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"gytbench.cli.{_COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            similar = get_close_matches(args[0], _COMMANDS, n=1)
            hint = f" Did you mean {similar[0]!r}?" if similar else ""
            ctx.fail(f"No such command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])

    def main(self, *args: Any, **options: Any) -> Any:
        _print_anything()
        try:
            return super().main(*args, **options)
        except InputError as error:
            report_faults(error)
        except OSError as error:
            # What commands open, they answer for: this is a full disk behind the output.
            click.echo(f"error: {one_line(str(error))}", err=True)
        sys.exit(2)


def _print_anything() -> None:
    """Have characters that the output's encoding lacks escaped, so that no label is too odd."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def report_faults(error: InputError) -> None:
    """One line a fault on standard error, and how many more there are."""
    for fault in error.faults[:_SHOWN_FAULTS]:
        click.echo(f"error: {one_line(str(fault))}", err=True)
    hidden = len(error.faults) - _SHOWN_FAULTS
    if hidden > 0:
        hint = "`gytbench validate` lists all of a prediction file"
        click.echo(f"error: and {hidden:,} more faults; {hint}", err=True)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="gytbench")
def main() -> None:
    """Benchmark and evaluation toolkit for GroundingYouTube."""
