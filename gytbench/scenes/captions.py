"""Colours and words that all pictures of scenes share."""

import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from gytbench.scenes.model import VERDICTS, Scene

TRUTH: Final = "#d62728"
"""Red, as in the paper's figures; everything predicted is blue. A solid line against a
dashed one tells them apart as well."""
PREDICTION: Final = "#0a6fd6"
INK: Final = "#222222"
BLANK: Final = "#e4e4e4"
"""The canvas where there is no frame."""
HEAT: Final = 0.65
"""Opacity of a heatmap's maximum."""

VERDICT_COLOURS: Final[Mapping[str, str]] = dict(
    zip(
        VERDICTS,
        ("#00795a", "#b87a00", "#a8408f", "#7a2e12", "#333333", "#707070", "#8c8c8c"),
        strict=True,
    )
)
"""Behind white text; never the only sign, since the verdict is always written out."""

Measure = Callable[[str], float]
"""The width of a text in pixels."""


class Line(NamedTuple):
    """A caption: `text` is what gives way where room is short."""

    head: str
    text: str
    tail: str = ""

    def fitted(self, width: float, measure: Measure) -> str:
        """The caption, no wider than `width`: its text shortened, and if need be all of it."""
        room = width - measure(self.head) - measure(self.tail)
        whole = self.head + fit(self.text, room, measure) + self.tail
        return fit(whole, width, measure)


def fit(text: str, width: float, measure: Measure) -> str:
    """The text, shortened with an ellipsis until it is no wider than `width`."""
    if measure(text) <= width:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if measure(text[:middle].rstrip() + "…") <= width:
            low = middle
        else:
            high = middle - 1
    shortened = text[:low].rstrip() + "…"
    return shortened if measure(shortened) <= width else ""


def clean(text: str) -> str:
    """Text without control characters, which neither XML nor a font has."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def plain(label: str) -> str:
    """A label as it is read: crack_egg as crack egg."""
    return clean(re.sub("_+", " ", label))


def clock(second: int) -> str:
    """75 as 1:15."""
    minutes, seconds = divmod(second, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def time_line(scene: Scene) -> Line:
    """When it is: 1:15 and the second."""
    of = "" if scene.instance is None else f", instance {scene.instance}"
    return Line("", f"{clock(scene.second)} (second {scene.second}{of})")


def true_line(scene: Scene) -> Line:
    """The true labels."""
    labels = " / ".join(map(plain, scene.true_labels))
    if not labels:
        return Line("true: ", "nothing")
    return Line("true: ", labels, "" if scene.true_box else " (no box)")


def said_line(scene: Scene) -> Line:
    """The predicted label with its score."""
    if scene.label is None or scene.score is None:
        return Line("said: ", "nothing")
    score = f" {scene.score:.2f}" if 0 <= scene.score <= 1 else f" {scene.score:.3g}"
    return Line("said: ", plain(scene.label), score + _point_note(scene))


def _point_note(scene: Scene) -> str:
    if scene.point is None:
        return " (no point)"
    inside = all(0 <= at <= size for at, size in zip(scene.point, scene.frame, strict=True))
    return "" if inside else " (outside)"


def summary(scene: Scene) -> str:
    """The scene in one sentence, for readers who do not see it."""
    lines = (true_line(scene), said_line(scene))
    said = "; ".join(line.head + line.text + line.tail for line in lines)
    return f"{clean(scene.video)}, second {scene.second}: {scene.verdict}; {said}"
