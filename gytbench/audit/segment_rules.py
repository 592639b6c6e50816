"""Rules about the segments, their names, and what lies beside them."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import combinations

from gytbench.audit.release import POINT_FILES, SEGMENTS, STEPPED, Release, Segment
from gytbench.audit.rules import Found, registry
from gytbench.benchmark import BOX_FILES, normalise_label
from gytbench.benchmark.points import FIRST_ROUND, SECOND_ROUND

_LOST_ESCAPE = re.compile(r"u(00[0-9a-f]{2})")

_ALIKE = 0.7
"""Words with one initial of which so much agrees are taken for spellings of one word."""


@registry.rule(
    "zero-length-segment",
    "A row of seg.json that ends as or before it begins: it is no instance.",
)
def zero_length_segment(release: Release) -> Iterator[Found]:
    for row in release.segments:
        if row.last <= row.first:
            text = f"row {row.id} ({row.step}) runs from {row.first} to {row.last} s"
            yield Found(SEGMENTS, row.video, row.first, text)


@registry.rule(
    "shared-boundary-second",
    "The last second of one instance is the first of another, so it counts for both.",
)
def shared_boundary_second(release: Release) -> Iterator[Found]:
    for one, other, second in _shared(release):
        if _at_boundary(one, other, second):
            text = f"belongs to row {one.id} ({one.step}) and to row {other.id} ({other.step})"
            yield Found(SEGMENTS, one.video, second, text)


@registry.rule(
    "overlapping-segments",
    "Two instances share more of their time than a boundary second.",
)
def overlapping_segments(release: Release) -> Iterator[Found]:
    first: dict[tuple[Segment, Segment], int] = {}
    for one, other, second in _shared(release):
        if not _at_boundary(one, other, second):
            first.setdefault((one, other), second)
    for (one, other), second in first.items():
        text = (
            f"row {one.id} ({one.step}, {one.first} to {one.last} s) overlaps "
            f"row {other.id} ({other.step}, {other.first} to {other.last} s)"
        )
        yield Found(SEGMENTS, one.video, second, text)


def _shared(release: Release) -> Iterator[tuple[Segment, Segment, int]]:
    """Every two instances that cover a second, with that second."""
    for (_, second), covering in release.covering.items():
        for one, other in combinations(covering, 2):
            yield one, other, second


def _at_boundary(one: Segment, other: Segment, second: int) -> bool:
    return second in (one.last, other.last) and second in (one.first, other.first)


@registry.rule(
    "instance-without-box",
    "An instance has no box in any of its seconds: the spatial tasks pass over it.",
    each=tuple(BOX_FILES.values()),
)
def instance_without_box(release: Release) -> Iterator[Found]:
    for file, boxes in release.boxes.items():
        for row in release.instances:
            boxed = boxes.get(row.video, {}).keys()
            if boxed.isdisjoint(range(row.first, row.last + 1)):
                text = f"row {row.id} ({row.step}, {row.first} to {row.last} s) has no box"
                yield Found(file, row.video, row.first, text)


@registry.rule(
    "point-outside-segments",
    "A mean point lies in a second that no instance of seg.json covers.",
    needs=POINT_FILES,
)
def point_outside_segments(release: Release) -> Iterator[Found]:
    for point in release.points or ():
        if (point.video, point.second) not in release.covering:
            file = FIRST_ROUND if point.round == 1 else SECOND_ROUND
            text = f"the point ({point.x:.0f}, {point.y:.0f}) of {point.step} lies in no instance"
            yield Found(file, point.video, point.second, text)


@registry.rule(
    "step-disagrees",
    f"The step that {STEPPED} names with a box is that of no instance covering its second: none "
    "covers it, or the segments write the step otherwise, or they say another. Names are compared "
    "letter for letter, in lower case and with underscores for spaces.",
    needs=(STEPPED,),
    pictured=True,
)
def step_disagrees(release: Release) -> Iterator[Found]:
    for (video, second), step in sorted(release.box_steps.items()):
        covering = release.covering.get((video, second), [])
        steps = sorted({row.written for row in covering})
        if _plain(step) not in map(_plain, steps):
            yield Found(STEPPED, video, second, _disagreement(step, steps))


def _disagreement(step: str, steps: Sequence[str]) -> str:
    """Which of three ways a box's step is not among the steps of its second."""
    if not steps:
        return f"the box says {step!r}, but no segment covers this second"
    twin = next((other for other in steps if _restored(other) == _restored(step)), None)
    if twin is not None:
        # In ASCII: two spellings of one letter can look the same.
        return f"the box says {step!a}, written otherwise in the segments: {twin!a}"
    return f"the box says {step!r}, but the segments say {' and '.join(map(repr, steps))}"


def _plain(step: str) -> str:
    """In lower case, with underscores for spaces; unlike normalised, accents stay as written."""
    return step.strip().lower().replace(" ", "_")


def _restored(step: str) -> str:
    """Normalised, with the letters back whose escape lost its backslash (u00e9 for é)."""
    return normalise_label(_LOST_ESCAPE.sub(lambda found: chr(int(found[1], 16)), step))


@registry.rule(
    "label-near-duplicate",
    "Two step names of one class differ only by spelling, number or spacing; each name is held "
    "against those of its class that are used more often.",
)
def label_near_duplicate(release: Release) -> Iterator[Found]:
    used = Counter(row.step for row in release.segments)
    first: dict[str, Segment] = {}
    by_class: dict[str, list[str]] = {}
    for row in release.segments:
        if first.setdefault(row.step, row) is row:
            by_class.setdefault(release.classes.name_of(row.step) or "", []).append(row.step)
    for label, steps in sorted(by_class.items()):
        ordered = sorted(steps, key=lambda step: (-used[step], step))
        for rank, step in enumerate(ordered):
            twin = _twin(step, ordered[:rank])
            if twin:
                row = first[step]
                text = f"{step} (rows: {used[step]}) beside {twin} ({used[twin]}), class {label}"
                yield Found(SEGMENTS, row.video, row.first, text)


def _twin(step: str, others: Sequence[str]) -> str | None:
    """The first of the others that is another spelling of the step."""
    return next((other for other in others if _same_but_spelling(step, other)), None)


def _same_but_spelling(one: str, other: str) -> bool:
    if one.replace("_", "") == other.replace("_", ""):
        return True
    words, others = one.split("_"), other.split("_")
    return len(words) == len(others) and all(map(_alike, words, others))


def _alike(one: str, other: str) -> bool:
    if one == other:
        return True
    ratio = SequenceMatcher(None, one, other, autojunk=False).ratio()
    return one[:1] == other[:1] and ratio >= _ALIKE
