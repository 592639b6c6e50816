"""Which instance a tube answers, in the task `spatial`, held against the benchmark."""

from gytbench.benchmark import Benchmark
from gytbench.predictions.columns import FaultCollector, Ints


def check_instances(benchmark: Benchmark, label: Ints, found: FaultCollector) -> None:
    """Every tube names an instance of its video, once, under that instance's label.

    Rows of the released file that the benchmark drops (they end before they start)
    may be answered; the answers are not scored.
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
        if key in benchmark.dropped:
            continue
        if key not in labels:
            reason = f"the video has no instance {said.instance}"
            found.add(tube, ".instance", reason, "unknown instance")
        elif key in answered:
            place = found.predictions.place(answered[key])
            reason = f"instance {said.instance} is answered twice, first at {place}"
            found.add(tube, ".instance", reason, "instance answered twice")
        elif label[tube] >= 0 and names[label[tube]] != labels[key]:
            reason = f"says {said.label!r}, but instance {said.instance} is {labels[key]!r}"
            found.add(tube, ".label", reason, "label is not the instance's")
        answered.setdefault(key, tube)
