"""`gytbench run-baseline`: write the predictions of a floor, a ceiling, or a system."""

import errno
import math
import os
from collections.abc import Container, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from gytbench.cli.options import TRUTH, boxes_option, device_option, named_values, truth_options
from gytbench.cli.outputs import keep_inputs
from gytbench.cli.text import counted, one_line
from gytbench.errors import InputError

if TYPE_CHECKING:
    from gytbench.grounding.running import Outcome, Shard
    from gytbench.grounding.systems import Ensemble
    from gytbench.grounding.work import Job
    from gytbench.predictions import Task

_EMBEDDED = "conse"
"""Needs no download: what a fresh machine grounds real videos with."""

_SHOWN = 10
"""Failed videos that are named."""

_FOR_VIDEOS = (
    *("weights", "files", "checkpoint", "settings", "pool", "tau", "mean_length"),
    *("device", "half", "batch_size", "features", "shard", "distributed"),
)
"""Options that have no meaning for floors and ceilings."""

_FOR_ONE = ("files", "checkpoint", "settings", "tau", "shard", "distributed")
"""Options that have a meaning for one system alone."""

_FOR_TASK: "Mapping[str, Task]" = {"pool": "st", "tau": "st", "mean_length": "temporal"}
"""Options that one task alone has."""


def _files(
    _context: click.Context, option: click.Parameter, values: tuple[str, ...]
) -> dict[str, Path]:
    named = named_values(option, values, empty=False)
    return {role: Path(path) for role, path in named.items()}


def _settings(
    _context: click.Context, option: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    return named_values(option, values)


def _number(_context: click.Context, option: click.Parameter, value: float | None) -> float | None:
    if value is not None and not math.isfinite(value):
        raise InputError(f"{option.opts[0]} takes a finite number, not {value}")
    return value


def _shard(_context: click.Context, _option: click.Parameter, value: str) -> "Shard":
    from gytbench.grounding.running import Shard

    number, slash, count = value.partition("/")
    if slash and number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count):
        return Shard(int(number), int(count))
    raise InputError(f"--shard takes I/N with I from 1 to N, such as 2/8, not {value!r}")


def _address(_context: click.Context, _option: click.Parameter, value: str) -> str:
    # Ray takes any other word for the name of a machine, and fails far from here.
    if value in ("", "local", "auto") or ":" in value:
        return value
    raise InputError(f"--distributed takes local, auto or HOST:PORT, not {value!r}")


@click.command("run-baseline")
@click.argument("name", required=False)
@click.option(
    "--task",
    type=click.Choice(["st", "spatial", "temporal"]),
    help="What to predict for [default: the first that the baseline does].",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="Prediction file to write; the suffix chooses the form. With --all, a folder.",
)
@click.option(
    "--videos",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Videos to ground (ID.mp4 and the like, or a folder ID of images).",
)
@click.option(
    "--weights",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of the files that a system needs, under their published names "
    "[default: $GYTBENCH_WEIGHTS].",
)
@click.option(
    "--file",
    "files",
    multiple=True,
    metavar="ROLE=PATH",
    callback=_files,
    help="A file of one's own in place of a published one, such as backbone=tuned.pt.",
)
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Short for --file checkpoint=FILE.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_settings,
    help="A setting of the system, in YAML; `gytbench baselines show` names them.",
)
@click.option(
    "--pool",
    type=click.Choice(["instances", "steps", "all"]),
    default="instances",
    show_default=True,
    help="st: descriptions to tell apart: the classes of the video's instances, the steps of "
    "vid2step.json, or all classes.",
)
@click.option(
    "--tau",
    type=float,
    callback=_number,
    help="st: similarity below which a second is background [default: the recipe's].",
)
@click.option(
    "--mean-length",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    callback=_number,
    help="temporal: adds a Poisson term for the length of a step [default: none].",
)
@device_option
@click.option("--half", is_flag=True, help="Compute in half precision.")
@click.option(
    "--batch-size",
    type=click.IntRange(1, 4096),
    default=16,
    show_default=True,
    help="Clips that go through the model at once.",
)
@click.option(
    "--features",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Keep features there, so that tau or the pool can change without reading videos again.",
)
@click.option(
    "--shard",
    default="1/1",
    metavar="I/N",
    callback=_shard,
    help="Do the I-th of N shares of the videos; the last share to end merges all.",
)
@click.option(
    "--distributed",
    default="",
    metavar="ADDRESS",
    callback=_address,
    help="Hand the videos to the Ray cluster at ADDRESS; `local` starts one on this machine.",
)
@click.option(
    "--all",
    "every",
    is_flag=True,
    help="Run every system whose files are there, write them into the folder OUT, and score them.",
)
@boxes_option
@truth_options
def command(
    name: str | None, task: "Task | None", output: Path, every: bool, **options: Any
) -> None:
    """Write the predictions of the baseline NAME.

    Floors look at no video, ceilings are told the answer, or part of it. Systems ground
    the videos of --videos; without a NAME the one that needs no download, conse.
    `gytbench baselines list` names them all. The file is scored like any other.
    """
    from gytbench.bounds import BOUNDS

    truth = {key: options.pop(key) for key in (*TRUTH, "data")}
    if every:
        _run_every(name, task, output, truth, options)
        return
    if options["videos"] is None:
        _write_bound(_video_free(name), task, output, truth)
        return
    if name in BOUNDS:
        raise InputError(f"{name} looks at no video: leave out --videos DIR")
    _ground(name or _EMBEDDED, task, output, truth, options)


def _check_output(path: Path) -> None:
    """Raise `InputError` for a file that cannot come to be: found out before hours of work."""
    from gytbench.predictions.writing import check_target

    check_target(path)
    if not path.parent.is_dir():
        reason = f"cannot be written: {os.strerror(errno.ENOENT)}; make its folder first"
        raise InputError(reason, where=str(path))


def _given(names: Container[str]) -> list[str]:
    """Those of the options that the user gave, as they are written."""
    context = click.get_current_context()
    return [
        option.opts[0]
        for option in context.command.params
        if option.name in names
        and context.get_parameter_source(option.name) is ParameterSource.COMMANDLINE
    ]


def _video_free(name: str | None) -> str:
    """The name of a floor or ceiling; InputError for a system, which needs videos."""
    from gytbench.bounds import BOUNDS

    if name is None:
        raise click.UsageError("Missing argument 'NAME' (or --videos DIR, to ground videos).")
    if name not in BOUNDS:
        from gytbench.grounding.registry import find_recipe

        find_recipe(name)
        raise InputError(f"{name} grounds videos: name their folder with --videos DIR")
    for option in _given(_FOR_VIDEOS):
        raise InputError(f"{name} looks at no video: leave out {option}")
    return name


def _write_bound(name: str, task: "Task | None", output: Path, truth: Mapping[str, Any]) -> None:
    from gytbench.benchmark import load_benchmark
    from gytbench.bounds import find_bound, make_bound
    from gytbench.predictions import save_predictions

    _check_output(output)
    chosen = task or find_bound(name).tasks[0]
    _check_truth(chosen, truth)
    predictions = make_bound(name, load_benchmark(**truth), chosen)
    save_predictions(predictions, output)
    written = f"{len(predictions.tubes):,} tubes for the task {chosen}"
    click.echo(f"{written} in {one_line(str(output))}")


def _ground(
    name: str,
    task: "Task | None",
    output: Path,
    truth: Mapping[str, Any],
    options: Mapping[str, Any],
) -> None:
    from gytbench.grounding.running import run
    from gytbench.grounding.systems import Options, prepare

    _check_folders(options["videos"], options["features"])
    own = Options(
        files=_own_files(options["files"], options["checkpoint"]),
        settings=_values(options["settings"]),
        weights=options["weights"],
        device=options["device"],
        half=options["half"],
    )
    keep_inputs([output], own.files.values())
    ensemble = prepare(name, own)
    chosen = task or ensemble.tasks[0]
    ensemble.check(chosen)
    _check_output(output)
    _check_truth(chosen, truth)
    _check_task_options(chosen)
    if isinstance(ensemble.when, str):
        for option in _given(("tau", "pool")):
            raise InputError(f"the times are those of {ensemble.when}: leave out {option}")
    for line in ensemble.says():
        click.echo(one_line(line), err=True)
    job = _job(ensemble, chosen, own, truth, options)
    outcome = run(job, output, shard=options["shard"], distributed=options["distributed"])
    _tell(outcome, job, output)
    if outcome.failed:
        raise SystemExit(1)


def _run_every(
    name: str | None,
    task: "Task | None",
    output: Path,
    truth: Mapping[str, Any],
    options: Mapping[str, Any],
) -> None:
    from gytbench.cli.run_all import run_every
    from gytbench.grounding.systems import Options

    if name is not None:
        raise InputError(f"--all runs every system: leave out {name}")
    for option in _given(_FOR_ONE):
        raise InputError(f"--all runs every system with its recipe: leave out {option}")
    if options["videos"] is None:
        raise InputError("--all grounds videos: name their folder with --videos DIR")
    if output.exists() and not output.is_dir():
        raise InputError("--all writes a folder, and this is a file", where=str(output))
    _check_folders(options["videos"], options["features"])
    chosen: Task = task or "st"
    _check_truth(chosen, truth)
    _check_task_options(chosen)
    own = Options(weights=options["weights"], device=options["device"], half=options["half"])
    run_every(
        chosen,
        output,
        own,
        lambda ensemble: _job(ensemble, chosen, own, truth, options),
        truth,
    )


def _own_files(files: Mapping[str, Path], checkpoint: Path | None) -> Mapping[str, Path]:
    """The user's own files by role, with that of --checkpoint."""
    if checkpoint is None:
        return files
    if "checkpoint" in files:
        raise InputError("--checkpoint and --file checkpoint=... are the same: leave one out")
    return {**files, "checkpoint": checkpoint}


def _check_folders(videos: Path, features: Path | None) -> None:
    """Raise `InputError` for what would make every video fail."""
    from gytbench.videos import listed_videos

    if not listed_videos(videos):
        raise InputError("holds no videos", where=str(videos))
    if features is not None and features.exists() and not features.is_dir():
        raise InputError("--features names a folder, and this is a file", where=str(features))


def _check_task_options(task: "Task") -> None:
    """Raise `InputError` for an option that the task does not have."""
    for option in _given({name for name, own in _FOR_TASK.items() if own != task}):
        raise InputError(f"{option} has no meaning for the task {task!r}")


def _check_truth(task: "Task", truth: Mapping[str, Any]) -> None:
    """Raise `InputError` for a choice of ground truth that the task does not have."""
    from gytbench.evaluation import Protocol

    Protocol(task=task, **{name: truth[name] for name in TRUTH})


def _values(settings: Mapping[str, str]) -> dict[str, Any]:
    from gytbench.plain_yaml import read_yaml

    values = {}
    for name, text in settings.items():
        try:
            values[name] = read_yaml(text, f"--set {name}")
        except InputError:
            # To YAML braces, colons and the like mean more than themselves.
            reason = f"{text!r} is no YAML; put text in quotes of its own: '{name}=\"a {{}}\"'"
            raise InputError(reason, where=f"--set {name}") from None
    return values


def _job(
    ensemble: "Ensemble",
    task: "Task",
    own: Any,
    truth: Mapping[str, Any],
    options: Mapping[str, Any],
) -> "Job":
    from gytbench.grounding.answering import Choices
    from gytbench.grounding.work import Job

    recipe = ensemble.recipe
    choices = Choices(
        task=task,
        tau=recipe.tau if options["tau"] is None else options["tau"],
        temperature=recipe.temperature,
        mean_length=options["mean_length"],
    )
    return Job(
        name=ensemble.name,
        videos=options["videos"],
        choices=choices,
        options=own,
        pool=options["pool"],
        batch_size=options["batch_size"],
        features=options["features"],
        truth=truth,
    )


def _tell(outcome: "Outcome", job: "Job", output: Path) -> None:
    """What was written, what it took, and what failed."""
    if outcome.fresh:
        kinds = ("decoding", "model", "writing")
        shares = ", ".join(f"{kind} {outcome.spent.get(kind, 0):.1f} s" for kind in kinds)
        click.echo(f"{counted(outcome.fresh, 'video')} in {outcome.wall:.1f} s ({shares})")
    if outcome.missing:
        click.echo(
            f"this share is done; {counted(outcome.missing, 'video')} of other shares "
            f"{'is' if outcome.missing == 1 else 'are'} not, so nothing is merged yet"
        )
    else:
        written = f"{counted(outcome.tubes, 'tube')} for the task {job.choices.task}"
        click.echo(f"{written} in {one_line(str(output))}")
    for video, reason in list(outcome.failed.items())[:_SHOWN]:
        click.echo(f"failed: {one_line(video)}: {one_line(reason)}", err=True)
    hidden = len(outcome.failed) - _SHOWN
    if hidden > 0:
        click.echo(f"failed: and {counted(hidden, 'more video')}", err=True)
    if outcome.failed:
        again = "the same command tries them again, and nothing else"
        click.echo(f"{counted(len(outcome.failed), 'video')} failed; {again}", err=True)
