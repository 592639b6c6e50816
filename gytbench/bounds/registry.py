"""The floors and ceilings by name, and which of them stand under a result."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gytbench.benchmark import Benchmark, find_dataset
from gytbench.bounds import ceilings, floors, priors
from gytbench.errors import InputError
from gytbench.predictions import Predictions, Task, Tube


@dataclass(frozen=True)
class Bound:
    """A baseline that needs no video: its name, the tasks it can do, and how."""

    name: str
    kind: str
    """`floor` or `ceiling`."""
    tasks: tuple[Task, ...]
    summary: str
    predict: Callable[[Benchmark, Task], list[Tube]]
    points: bool = False
    """Whether it needs the annotators' points."""

    def serves(self, benchmark: Benchmark) -> bool:
        """Whether the benchmark's dataset has what it needs."""
        return not self.points or find_dataset(benchmark.dataset).points


def _bound(
    name: str,
    kind: str,
    tasks: Sequence[Task],
    predict: Callable[[Benchmark, Task], list[Tube]],
    *,
    points: bool = False,
) -> Bound:
    summary = (predict.__doc__ or "").partition("\n")[0]
    return Bound(name, kind, tuple(tasks), summary, predict, points)


_ALL: tuple[Task, ...] = ("st", "spatial", "temporal")

BOUNDS: dict[str, Bound] = {
    bound.name: bound
    for bound in (
        _bound("centre", "floor", ["spatial"], floors.centre),
        _bound("mean-point", "floor", ["spatial"], floors.mean_point, points=True),
        _bound("class-mean-point", "floor", ["spatial"], floors.class_mean_point, points=True),
        _bound("heatmap-prior", "floor", ["spatial"], priors.heatmap_prior),
        _bound("class-heatmap-prior", "floor", ["spatial"], priors.class_heatmap_prior),
        _bound("uniform-segments", "floor", ["st", "temporal"], floors.uniform_segments),
        _bound("random", "floor", _ALL, floors.random),
        _bound("oracle-time", "ceiling", ["st", "temporal"], ceilings.oracle_time),
        _bound("oracle-instance", "ceiling", _ALL, ceilings.oracle_instance),
        _bound("annotators", "ceiling", ["st", "spatial"], ceilings.annotators, points=True),
    )
}

REFERENCES: dict[str, tuple[str, ...]] = {
    "st": ("uniform-segments", "oracle-time", "oracle-instance"),
    "spatial": ("centre", "annotators", "oracle-instance"),
    "temporal": ("uniform-segments", "oracle-instance"),
}
"""What is printed beside every result of a task: floor first, ceiling last."""


def find_bound(name: str) -> Bound:
    """A floor or ceiling by name; InputError, with a suggestion, where there is none."""
    if name not in BOUNDS:
        from difflib import get_close_matches

        similar = get_close_matches(name, BOUNDS, n=1)
        hint = f"did you mean {similar[0]!r}?" if similar else f"there are {', '.join(BOUNDS)}"
        raise InputError(f"no baseline {name!r}: {hint}")
    return BOUNDS[name]


def make_bound(name: str, benchmark: Benchmark, task: Task) -> Predictions:
    """The predictions of a floor or ceiling for a task of the benchmark.

    Raises InputError for an unknown name, or a task that the baseline cannot do.
    """
    bound = find_bound(name)
    if task not in bound.tasks:
        raise InputError(f"{name} does the task {' or '.join(bound.tasks)}, not {task!r}")
    if not bound.serves(benchmark):
        raise InputError(f"{name} needs annotators' points, and {benchmark.dataset} has none")
    model = {"name": name, "kind": bound.kind}
    return Predictions(task=task, tubes=bound.predict(benchmark, task), model=model)
