"""CVAT for images 1.1: XML with points and tags of each image; coordinates in pixels.

The annotator is the attribute "annotator" of an element; without it, answers are
numbered. A tag "none" tells that its annotator saw nothing to point at.
"""

from collections import Counter
from collections.abc import Iterator
from io import BytesIO
from typing import NamedTuple
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from gytbench.annotation.reading import values
from gytbench.annotation.reading.answers import NOTHING, Answers, Point, Size
from gytbench.annotation.reading.names import frame_of_image, step_of_label
from gytbench.annotation.rows import PointRow
from gytbench.benchmark.points import ImageName
from gytbench.errors import InputError

_EXPORT = 'export it as "CVAT for images 1.1"'


class _Shape(NamedTuple):
    """What one element tells: the points of an annotator, or that there are none."""

    where: str
    step: str
    annotator: str
    points: list[Point]


def read_cvat(data: bytes, source: str) -> list[PointRow]:
    """One row a point or tag "none"; an image without either is no answer.

    Raises `InputError` with every fault; for XML with a DTD or entities; and for
    the export of a video (tracks).
    """
    answers = Answers(source)
    try:
        for number, image in enumerate(_images(data, source), start=1):
            _add_image(image, answers, f"{source}: /annotations/image[{number}]")
    except DefusedXmlException:
        reason = f"its XML has a DTD or entities, which are not read; {_EXPORT}"
        raise InputError(reason, where=source) from None
    except (ParseError, ValueError, LookupError) as error:
        reason = f"not XML that can be read: {error}; {_EXPORT} again"
        raise InputError(reason, where=source) from None
    return answers.done()


def _images(data: bytes, source: str) -> Iterator[Element]:
    """The <image> elements, each emptied once the next one is asked for."""
    depth = 0
    root: Element | None = None
    for event, element in iterparse(BytesIO(data), ("start", "end"), forbid_dtd=True):
        depth += 1 if event == "start" else -1
        if root is None:
            root = element
            if element.tag != "annotations":
                reason = f"<{element.tag[:100]}> is not the <annotations> of CVAT; {_EXPORT}"
                raise InputError(reason, where=source)
        if event == "end" and depth == 1:
            if element.tag == "track":
                reason = f"this is the export of a video (<track>); {_EXPORT}"
                raise InputError(reason, where=source)
            if element.tag == "image":
                yield element
            root.clear()


def _add_image(image: Element, answers: Answers, where: str) -> None:
    frame = answers.take(frame_of_image, image.get("name"), f"{where}/@name")
    size = _size(image, answers, where)
    shapes = list(_shapes(image, answers, where))
    if frame is None:
        return
    # A tag names no step: it is that of the image's points, if they agree.
    steps = {shape.step for shape in shapes if shape.step}
    common = steps.pop() if len(steps) == 1 else ""
    for shape in shapes:
        step = frame.step or shape.step or common
        _add_shape(shape, frame._replace(step=step), size, answers)


def _size(image: Element, answers: Answers, where: str) -> Size:
    return (
        answers.take(values.text_number, image.get("width", ""), f"{where}/@width"),
        answers.take(values.text_number, image.get("height", ""), f"{where}/@height"),
    )


def _shapes(image: Element, answers: Answers, where: str) -> Iterator[_Shape]:
    """The points and the tags "none" of an image, in the order of the file."""
    numbers = Counter[str]()
    for element in image:
        kind, label = element.tag, element.get("label", "")
        numbers[kind] += 1
        here = f"{where}/{kind}[{numbers[kind]}]"
        if kind == "points":
            step = answers.take(_step, label, f"{here}/@label") or ""
            points = _points(element, answers, here)
        elif kind == "tag" and label.strip().lower() == "none":
            step, points = "", [NOTHING]
        else:
            continue
        annotator = answers.take(values.name, _attribute(element), f"{here}/attribute")
        yield _Shape(here, step, annotator or "", points)


def _step(label: str) -> str:
    return step_of_label(values.name(label))


def _attribute(element: Element) -> str:
    """The annotator's name, "" where there is none."""
    for attribute in element.findall("attribute"):
        if (attribute.get("name") or "").strip().lower() == "annotator":
            return attribute.text or ""
    return ""


def _points(element: Element, answers: Answers, where: str) -> list[Point]:
    text = element.get("points", "").strip()
    if not text:
        answers.fault(f"{where}/@points", "is missing or empty", "points")
        return []
    return [_point(pair, answers, f"{where}/@points") for pair in text.split(";")]


def _point(pair: str, answers: Answers, where: str) -> Point:
    numbers = pair.split(",")
    if len(numbers) != 2:
        answers.fault(where, f"{values.shown(pair)} is not x,y", "points")
        return NOTHING
    x, y = (answers.take(_coordinate, text, where) for text in numbers)
    return x, y


def _coordinate(text: str) -> float:
    return values.required(values.text_number(text))


def _add_shape(shape: _Shape, frame: ImageName, size: Size, answers: Answers) -> None:
    if shape.annotator and len(shape.points) > 1:
        reason = (
            f"{len(shape.points)} points of annotator {values.shown(shape.annotator)}; "
            "an annotator gives one a frame"
        )
        answers.fault(shape.where, reason, "annotator twice")
        return
    for number, point in enumerate(shape.points, start=1):
        where = shape.where if len(shape.points) == 1 else f"{shape.where}: point {number}"
        answers.add(frame, shape.annotator, point, size, where)
