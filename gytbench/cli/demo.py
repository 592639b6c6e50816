"""`gytbench demo`: the whole way, offline, on a benchmark that it writes itself."""

from pathlib import Path

import click


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
    """Write a small benchmark with predictions, score them, print the tables.

    The benchmark is invented, in the layout of the released files: what works on
    it works on them. Its numbers mean nothing.
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
    click.echo(f"Everything is in {output}: read the prediction files, change them, score again.")
