"""`gytbench diagnose`: which error costs what."""

from pathlib import Path
from typing import Any

import click

from gytbench.cli.options import boxes_option, heatmap_option, json_option, truth_options
from gytbench.cli.outputs import keep_predictions
from gytbench.cli.text import one_line


@click.command("diagnose")
@click.argument("predictions", type=click.Path(path_type=Path))
@boxes_option
@truth_options
@heatmap_option
@click.option(
    "--threshold",
    type=float,
    default=0.3,
    show_default=True,
    metavar="IOU",
    help="Tube IoU from which a tube is right.",
)
@json_option
def command(
    predictions: Path,
    data: Path | None,
    heatmap_threshold: float,
    threshold: float,
    json_path: Path | None,
    **choices: Any,
) -> None:
    """Take the result of PREDICTIONS in the task st apart.

    Every false tube and every missed instance gets one cause, with the video mAP that
    mending it would gain; IoU+Point is factored into time, label and place; instances
    are looked at by length, box size, annotator spread, class frequency and position.
    """
    from gytbench.benchmark import load_benchmark
    from gytbench.diagnosis import diagnose
    from gytbench.evaluation import Protocol
    from gytbench.predictions import collector_paused, load_predictions, pack
    from gytbench.report.diagnosis import diagnosis_json, diagnosis_tables
    from gytbench.writing import write_whole

    keep_predictions(predictions, {"--json": json_path})
    with collector_paused():
        read = load_predictions(predictions)
        protocol = Protocol("st", heatmap_threshold=heatmap_threshold, **choices)
        benchmark = load_benchmark(**choices, data=data)
        found = diagnose(pack(read, benchmark, "st"), benchmark, protocol, threshold)
    if json_path is not None:
        write_whole(json_path, diagnosis_json(found))
    if str(json_path) != "-":
        click.echo(one_line(str(predictions)) + "\n")
        click.echo(diagnosis_tables(found))
        click.echo(f"\nSignature: {protocol.signature(benchmark)}")
