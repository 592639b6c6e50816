"""COCO keypoints: JSON with images, annotations and categories; coordinates in pixels.

An annotation with several key points holds one annotator each, by the names of the
key points in its category. With one key point it is the answer of the annotator that
its field "annotator" (or attributes.annotator) names, else it is numbered.
"""

from typing import Any, NamedTuple

from gytbench.annotation.reading import values
from gytbench.annotation.reading.answers import NOTHING, Answers, Point, Size, kind_of_value
from gytbench.annotation.reading.names import frame_of_image, step_of_label
from gytbench.annotation.rows import PointRow
from gytbench.benchmark.points import ImageName


class _Category(NamedTuple):
    step: str
    annotators: list[str]


class _Image(NamedTuple):
    frame: ImageName
    size: Size


def read_coco(document: dict[str, Any], source: str) -> list[PointRow]:
    """One row a key point; not visible (v = 0) is nothing to point at.

    Raises `InputError` with every fault.
    """
    answers = Answers(source)
    for key in ("images", "annotations"):
        if key not in document:
            reason = f"the key `{key}` is missing; a COCO file has images and annotations"
            answers.fault(f"{source}: $", reason, "missing key")
    images = _images(document.get("images", []), answers)
    categories = _categories(document.get("categories", []), answers)
    where = f"{source}: $.annotations"
    for here, entry in answers.objects(document.get("annotations", []), where):
        image_id = _id(entry.get("image_id"))
        if image_id not in images:
            reason = f"no image has the id {values.shown(entry.get('image_id'))}"
            answers.fault(f"{here}.image_id", reason, "unknown image")
        elif (image := images[image_id]) is not None:
            category = categories.get(_id(entry.get("category_id")), _Category("", []))
            _add(entry, image, category, answers, here)
    return answers.done()


def _images(value: object, answers: Answers) -> dict[object, _Image | None]:
    """The images by id, None for one with a fault of its own."""
    images: dict[object, _Image | None] = {}
    for here, entry in answers.objects(value, f"{answers.source}: $.images"):
        key = _id(entry.get("id"))
        if key is None:
            answers.fault(f"{here}.id", "must be a number or a string", "wrong type")
        elif key in images:
            answers.fault(f"{here}.id", f"id {values.shown(key)} stands there twice", "id")
        frame = answers.take(frame_of_image, entry.get("file_name"), f"{here}.file_name")
        width = answers.take(values.number, entry.get("width"), f"{here}.width")
        height = answers.take(values.number, entry.get("height"), f"{here}.height")
        images[key] = None if frame is None else _Image(frame, (width, height))
    return images


def _categories(value: object, answers: Answers) -> dict[object, _Category]:
    categories = {}
    for here, entry in answers.objects(value, f"{answers.source}: $.categories"):
        label = answers.take(values.name, entry.get("name"), f"{here}.name") or ""
        names = entry.get("keypoints", [])
        if not isinstance(names, list):
            reason = f"must be an array of names, not {kind_of_value(names)}"
            answers.fault(f"{here}.keypoints", reason, "wrong type")
            continue
        annotators = [
            answers.take(values.filled_name, name, f"{here}.keypoints[{index}]") or ""
            for index, name in enumerate(names)
        ]
        categories[_id(entry.get("id"))] = _Category(step_of_label(label), annotators)
    return categories


def _add(
    entry: dict[str, Any], image: _Image, category: _Category, answers: Answers, where: str
) -> None:
    """The rows of one annotation."""
    keypoints = entry.get("keypoints")
    if not isinstance(keypoints, list) or not keypoints or len(keypoints) % 3:
        reason = "must be an array of x, y, v for each key point; export COCO keypoints"
        answers.fault(f"{where}.keypoints", reason, "key points")
        return
    names = _annotators(entry, len(keypoints) // 3, category, answers, where)
    frame = image.frame if image.frame.step else image.frame._replace(step=category.step)
    for number, name in enumerate(names):
        place = f"{where}.keypoints[{3 * number}]"
        point = _point(keypoints[3 * number : 3 * number + 3], answers, place)
        answers.add(frame, name, point, image.size, place)


def _annotators(
    entry: dict[str, Any], number: int, category: _Category, answers: Answers, where: str
) -> list[str]:
    """Whose the key points of one annotation are, "" where that is not told."""
    names = category.annotators
    if number > 1 and names and len(names) != number:
        reason = f"{number} key points, but its category names {len(names)}"
        answers.fault(f"{where}.keypoints", reason, "key points")
    if number > 1:
        return names if len(names) == number else [""] * number
    attributes = entry.get("attributes")
    inner = attributes.get("annotator") if isinstance(attributes, dict) else None
    value = entry.get("annotator", inner)
    return [answers.take(values.name, value, f"{where}.annotator") or ""]


def _point(triple: list[Any], answers: Answers, where: str) -> Point:
    if triple[2] not in (0, 1, 2):
        reason = f"visibility {values.shown(triple[2])} is none of 0, 1 and 2"
        answers.fault(where, reason, "wrong value")
    if triple[2] == 0:
        return NOTHING
    x, y = (answers.take(_coordinate, value, where) for value in triple[:2])
    return x, y


def _coordinate(value: object) -> float:
    return values.required(values.number(value))


def _id(value: object) -> object:
    """An id that can be looked up; None for what is none."""
    return value if isinstance(value, int | str) else None
