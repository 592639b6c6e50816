"""`gytbench evaluate` for a file of human-object pairs."""

from pathlib import Path

import click
from click.core import ParameterSource

from gytbench.cli.outputs import keep_predictions
from gytbench.cli.text import one_line
from gytbench.errors import InputError

_TAKEN = {"predictions", "dataset", "subset", "classes", "data", "json_path"}
"""The parameters of `gytbench evaluate` that mean something for pairs."""


def evaluate_pairs(context: click.Context) -> None:
    """Score the file of pairs that `gytbench evaluate` was called with.

    Raises `InputError` for options that pairs do not have, for a dataset without pairs,
    and with every fault of the file.
    """
    from gytbench.benchmark import load_benchmark
    from gytbench.evaluation import results_json
    from gytbench.pairs import load_pairs, pair_references, score_pairs
    from gytbench.predictions import collector_paused
    from gytbench.report.tables import result_table
    from gytbench.writing import write_whole

    _check_options(context)
    given = context.params
    path, json_path = given["predictions"], given["json_path"]
    keep_predictions(path, {"--json": json_path})
    with collector_paused():
        read = load_pairs(path)
        benchmark = load_benchmark(
            dataset=given["dataset"],
            classes=given["classes"],
            subset=given["subset"],
            data=given["data"],
        )
        result = score_pairs(read, benchmark)
    if json_path is not None:
        write_whole(json_path, results_json([result]))
    if json_path != Path("-"):
        click.echo(result_table(result, pair_references(benchmark), one_line(str(path))))


def _check_options(context: click.Context) -> None:
    """Raise `InputError` for the options of other files, and without a dataset that has pairs."""
    for option in context.command.params:
        name = option.name or ""
        typed = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if typed and name not in _TAKEN:
            raise InputError(f"{option.opts[0]} has no meaning for a file of pairs")
    if context.get_parameter_source("dataset") is not ParameterSource.COMMANDLINE:
        raise InputError("pairs of a human and an object need --dataset vhico")
