"""Baselines that are told the answer, or part of it."""

from gytbench.benchmark import Benchmark
from gytbench.bounds.floors import CENTRE
from gytbench.bounds.tubes import Fractions, bare, guessed
from gytbench.predictions import Task, Tube


def oracle_time(benchmark: Benchmark, task: Task) -> list[Tube]:
    """The true times and labels, with the centre of the frame for the place."""
    instances = benchmark.cues if task == "temporal" else benchmark.instances
    return [guessed(benchmark, i, [CENTRE] * len(i.seconds()), task) for i in instances]


def oracle_instance(benchmark: Benchmark, task: Task) -> list[Tube]:
    """The ground truth itself: degenerate boxes, which nobody can hit, are the shortfall."""
    if task == "temporal":
        return [bare(cue) for cue in benchmark.cues]
    tubes = []
    for instance in benchmark.instances:
        boxes = benchmark.boxes_of(instance)
        tube = bare(instance)
        tube.frame_size = benchmark.frames[instance.video]
        tube.boxes = [_upright(boxes.get(second)) for second in instance.seconds()]
        if task == "spatial":
            tube.instance = instance.id
        tubes.append(tube)
    return tubes


def annotators(benchmark: Benchmark, task: Task) -> list[Tube]:
    """The annotators' own mean point, with the true times and labels: what a human scores."""
    points: dict[tuple[str, int, str], Fractions] = {}
    # The second round is the one that most boxes were made from, so it goes last.
    for point in sorted(benchmark.points, key=lambda point: point.round):
        width, height = benchmark.frames[point.video]
        place = (point.x / width, point.y / height)
        # A second that two steps share was shown once for each.
        for step in (point.step, ""):
            points[point.video, point.second, step] = place
    tubes = []
    for i in benchmark.instances:
        said = [points.get((i.video, t, i.step), points.get((i.video, t, ""))) for t in i.seconds()]
        tubes.append(guessed(benchmark, i, said, task))
    return tubes


def _upright(
    box: tuple[float, float, float, float] | None,
) -> tuple[float, float, float, float] | None:
    """The box, or nothing where its corners are exchanged: no prediction may say that."""
    return None if box is None or box[2] < box[0] or box[3] < box[1] else box
