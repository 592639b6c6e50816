"""Inputs of the page made from predictions, all parts of it."""

from pathlib import Path

from gytbench.benchmark import Benchmark, load_benchmark
from gytbench.bounds import reference_results
from gytbench.demo import predict, write_annotations
from gytbench.diagnosis import diagnose
from gytbench.evaluation import Protocol, score
from gytbench.evaluation.uncertainty import with_intervals
from gytbench.predictions import Predictions, Task, pack
from gytbench.report.html import ReportInputs
from gytbench.report.html.views import overall_gallery, video_views


def report_on(predictions: Predictions, benchmark: Benchmark, task: Task) -> ReportInputs:
    """Everything that a report can show."""
    protocol = Protocol(task)
    packed = pack(predictions, benchmark, task)
    return ReportInputs(
        title=f"{task}.json",
        result=with_intervals(score(predictions, benchmark, protocol), 100),
        references=reference_results(benchmark, protocol),
        diagnosis=diagnose(packed, benchmark, protocol) if task == "st" else None,
        videos=video_views(packed, benchmark, protocol),
        gallery=overall_gallery(packed, benchmark, protocol),
    )


def demo(folder: Path, task: Task) -> ReportInputs:
    """The report on the demo's own file."""
    write_annotations(folder)
    benchmark = load_benchmark(data=folder)
    return report_on(predict(benchmark, task), benchmark, task)
