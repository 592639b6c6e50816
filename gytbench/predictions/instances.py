"""Which instance a tube answers, in the task `spatial`, held against the benchmark."""

from gytbench.benchmark import Benchmark
from gytbench.metrics.arrays import Ints
from gytbench.predictions.columns import FaultCollector
from gytbench.predictions.faults import quoted


def check_instances(benchmark: Benchmark, label: Ints, found: FaultCollector) -> None:
    """Every tube names an instance of its video, once, under that instance's label.

    Rows of the released file that the benchmark drops (they end before they start)
    may be answered; the answers are not scored. A tube whose video is unknown is
    passed over: that fault is told already.
    """
    names = benchmark.classes.names
    labels = {(i.video, i.id): i.label for i in benchmark.instances}
    answered: dict[tuple[str, int], int] = {}
    for tube, said in enumerate(found.predictions.tubes):
        if said.instance is None:
            reason = "the task spatial needs the id of the instance that the tube answers"
            found.add(tube, ".instance", reason, "no instance")
            continue
        key = (said.video, said.instance)
        if said.video not in benchmark.frames or key in benchmark.dropped:
            continue
        if key not in labels:
            reason = f"the video has no instance {said.instance}{_numbering(benchmark)}"
            found.add(tube, ".instance", reason, "unknown instance")
        elif key in answered:
            place = found.predictions.place(answered[key])
            reason = f"instance {said.instance} is answered twice, first at {place}"
            found.add(tube, ".instance", reason, "instance answered twice")
        elif label[tube] >= 0 and names[label[tube]] != labels[key]:
            reason = (
                f"says {quoted(said.label)}, but instance {said.instance} is "
                f"{labels[key]!r}{_numbering(benchmark)}"
            )
            found.add(tube, ".label", reason, "label is not the instance's")
        answered.setdefault(key, tube)


def _numbering(benchmark: Benchmark) -> str:
    if benchmark.subset != "3to20":
        return ""
    return f" in the subset {benchmark.subset}, which counts its instances anew"
