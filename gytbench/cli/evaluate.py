"""`gytbench evaluate`: score a prediction file."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from gytbench.cli.options import (
    check_drawn,
    protocol_options,
    resampling_options,
    task_option,
    truth_options,
    videos_option,
)
from gytbench.cli.outputs import keep_predictions
from gytbench.cli.pairs import evaluate_pairs
from gytbench.cli.text import one_line
from gytbench.errors import InputError

if TYPE_CHECKING:
    from gytbench.benchmark import Benchmark
    from gytbench.evaluation import Protocol
    from gytbench.predictions import Predictions, Task
    from gytbench.report.tables import ReleaseScores


@click.command("evaluate")
@click.argument("predictions", type=click.Path(path_type=Path))
@task_option
@click.option(
    "--boxes",
    multiple=True,
    metavar="NAME",
    help="Box release: published, readme, full or repaired; given again, side by side "
    "[default: published, or what the dataset has].",
)
@truth_options
@protocol_options
@click.option(
    "--profile",
    metavar="NAME",
    help="Score under another evaluator's conventions: act, moc, activitynet, ava, tubedetr, "
    "stcat, vq2d, vhico, thumos, isba, videogem or gyt-official.",
)
@click.option(
    "--profiles", is_flag=True, help="Score under every profile of the task, and show the spread."
)
@click.option(
    "--ci", is_flag=True, help="Show 95 % intervals of the metrics (bootstrap over videos)."
)
@resampling_options
@click.option(
    "--outcomes",
    type=click.Path(path_type=Path),
    metavar="OUT",
    help="Store the outcomes (.npz), for `gytbench compare` to read in place of PREDICTIONS.",
)
@click.option(
    "--report", type=click.Path(path_type=Path), metavar="OUT", help="Write an HTML page."
)
@videos_option
@click.option(
    "--json",
    "json_path",
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="OUT",
    help="Write the result as JSON (several releases: a list); `-` prints it, and nothing else.",
)
def command(
    predictions: Path,
    task: "Task | None",
    boxes: tuple[str, ...],
    data: Path | None,
    profile: str | None,
    profiles: bool,
    ci: bool,
    resamples: int,
    seed: int,
    outcomes: Path | None,
    report: Path | None,
    videos: Path | None,
    json_path: Path | None,
    **options: Any,
) -> None:
    """Score PREDICTIONS (.json, .jsonl, each also .gz, or .parquet).

    Or a file of human-object pairs, with --dataset vhico.

    Prints the metrics in percent beside the floor and the ceiling of the task,
    and the signature that names every convention behind them.
    """
    from gytbench.evaluation import Protocol, results_json
    from gytbench.pairs import is_pairs_file
    from gytbench.predictions import collector_paused, load_predictions
    from gytbench.report.tables import releases_table, result_table
    from gytbench.writing import write_whole

    if is_pairs_file(predictions):
        evaluate_pairs(click.get_current_context())
        return
    alone = str(json_path) == "-"
    releases = list(dict.fromkeys(boxes)) or [""]
    keep_predictions(predictions, {"--json": json_path, "--outcomes": outcomes, "--report": report})
    if profile is not None or profiles:
        alone_there = {"--ci": ci, "--outcomes": outcomes, "--report": report, "--videos": videos}
        _check_profile(profile, profiles, releases, alone_there)
        given = Given(predictions, task, releases[0], data, options)
        _profiled(given, profile, json_path)
        return
    _check_choices(outcomes, report, videos, releases, ci)
    if report is not None:
        check_drawn(options["dataset"], "--report")
    title = one_line(str(predictions))
    # A short process with millions of objects and no cycles: collecting only costs time.
    with collector_paused():
        read = load_predictions(predictions)
        protocols = [
            Protocol(task=task or read.task, boxes=release, **options) for release in releases
        ]
        benchmarks = [benchmark_for(protocol, data) for protocol in protocols]
        scores = [
            _score(read, benchmark, protocol, not alone or report is not None)
            for benchmark, protocol in zip(benchmarks, protocols, strict=True)
        ]
    if outcomes is not None:
        from gytbench.evaluation.outcomes import outcomes_file, system_of

        system = system_of(scores[0].result, benchmarks[0], one_line(predictions.name))
        write_whole(outcomes, outcomes_file(system))
    if ci:
        from gytbench.evaluation.uncertainty import with_intervals

        scores = [
            each._replace(result=with_intervals(each.result, resamples, seed)) for each in scores
        ]
    if report is not None:
        _write_report(report, title, read, benchmarks[0], protocols[0], scores[0], videos)
    if json_path is not None:
        write_whole(json_path, results_json([each.result for each in scores]))
    if not alone:
        one = len(scores) == 1
        click.echo(result_table(*scores[0][1:], title) if one else releases_table(scores, title))


class Given(NamedTuple):
    """What a file is scored on: its path and task, and the choice of ground truth."""

    predictions: Path
    task: "Task | None"
    boxes: str
    data: Path | None
    options: dict[str, Any]


def _check_profile(
    profile: str | None, profiles: bool, releases: Sequence[str], others: dict[str, Any]
) -> None:
    """Raise `InputError` for options that do not go with profiles."""
    if profile is not None and profiles:
        raise InputError("give --profile NAME or --profiles, not both")
    option = "--profiles" if profiles else "--profile"
    if len(releases) > 1:
        raise InputError(f"{option} scores on one release: give --boxes once")
    for other, value in others.items():
        if value:
            raise InputError(f"{option} has metrics alone: leave out {other}")
    _check_intervals(ci=False)


def _profiled(given: Given, profile: str | None, json_path: Path | None) -> None:
    """Score under one profile, or under the protocol and all that apply to the task."""
    from gytbench.evaluation import Protocol, results_json, score
    from gytbench.predictions import collector_paused, load_predictions
    from gytbench.profiles import find_profile, profiles_of, score_profiles
    from gytbench.report.profiles import profile_table, profiles_table
    from gytbench.writing import write_whole

    found = None if profile is None else find_profile(profile)
    with collector_paused():
        read = load_predictions(given.predictions)
    protocol = Protocol(task=given.task or read.task, boxes=given.boxes, **given.options)
    title = one_line(str(given.predictions))
    chosen = profiles_of(protocol.task) if found is None else (found,)
    benchmark = benchmark_for(protocol, given.data)
    results = {} if found else {"gytbench": score(read, benchmark, protocol)}
    scored = score_profiles(read, benchmark, protocol, chosen)
    results |= {each.name: result for each, result in zip(chosen, scored, strict=True)}
    if json_path is not None:
        write_whole(json_path, results_json(list(results.values())))
    if str(json_path) == "-":
        return
    if found is None:
        click.echo(profiles_table(results, title))
    else:
        click.echo(profile_table(found, results[found.name], title))


def _check_choices(
    outcomes: Path | None,
    report: Path | None,
    videos: Path | None,
    releases: Sequence[str],
    ci: bool,
) -> None:
    """Raise `InputError` for options that do not go together."""
    if outcomes is not None and outcomes.suffix != ".npz":
        raise InputError("the name of stored outcomes must end in .npz", where=str(outcomes))
    for option, path in (("--outcomes", outcomes), ("--report", report)):
        if path is not None and len(releases) > 1:
            raise InputError(f"{option} holds one result: give --boxes once")
    if videos is not None and report is None:
        raise InputError("--videos puts frames into the page of --report OUT; give it too")
    _check_intervals(ci)


def _check_intervals(ci: bool) -> None:
    """Raise `InputError` for options of intervals without --ci."""
    given = click.get_current_context().get_parameter_source
    for name in ("resamples", "seed"):
        if not ci and given(name) is click.core.ParameterSource.COMMANDLINE:
            raise InputError(f"--{name} is for intervals; give --ci too")


def _write_report(
    path: Path,
    title: str,
    read: "Predictions",
    benchmark: "Benchmark",
    protocol: "Protocol",
    scored: "ReleaseScores",
    videos: Path | None,
) -> None:
    from gytbench.diagnosis import diagnose
    from gytbench.predictions import pack
    from gytbench.report.html import ReportInputs, write_report
    from gytbench.report.html.frames import PageFrames
    from gytbench.report.html.views import overall_gallery, video_views
    from gytbench.scenes.folder import VideoFolder

    frames = None if videos is None else PageFrames(VideoFolder(videos))
    packed = pack(read, benchmark, protocol.task)
    found = diagnose(packed, benchmark, protocol) if protocol.task == "st" else None
    views = video_views(packed, benchmark, protocol, frames)
    gallery = overall_gallery(packed, benchmark, protocol, frames)
    inputs = ReportInputs(title, scored.result, scored.references, found, views, gallery)
    write_report(path, inputs)
    if frames is not None and frames.missing:
        click.echo(f"{frames.missing:,} pictures of the page have no frame", err=True)


def benchmark_for(protocol: "Protocol", data: Path | None) -> "Benchmark":
    """The ground truth that a protocol asks for."""
    from gytbench.benchmark import load_benchmark

    return load_benchmark(
        dataset=protocol.dataset,
        boxes=protocol.boxes,
        classes=protocol.classes,
        subset=protocol.subset,
        coordinates=protocol.coordinates,
        data=data,
    )


def _score(
    read: "Predictions", benchmark: "Benchmark", protocol: "Protocol", beside: bool
) -> "ReleaseScores":
    """The result on one release; with `beside`, the floors and ceilings too."""
    from concurrent.futures import ThreadPoolExecutor

    from gytbench.bounds import reference_results
    from gytbench.evaluation import score
    from gytbench.report.tables import ReleaseScores

    # Array work leaves the interpreter free: the references are scored beside the file.
    with ThreadPoolExecutor(max_workers=1) as second:
        references = second.submit(reference_results, benchmark, protocol) if beside else None
        result = score(read, benchmark, protocol)
    return ReleaseScores(protocol.boxes, result, references.result() if references else {})
