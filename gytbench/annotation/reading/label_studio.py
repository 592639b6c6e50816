"""Label Studio's JSON export: key points in percent of the image, turned into pixels.

An annotation is the answer of the one who completed it; without regions it tells that
nothing is visible. Cancelled annotations are left out.
"""

import re
from typing import Any

from gytbench.annotation.reading import values
from gytbench.annotation.reading.answers import NO_SIZE, NOTHING, Answers, Point, Size
from gytbench.annotation.reading.names import frame_of_image, step_of_label
from gytbench.annotation.rows import PointRow
from gytbench.benchmark.classes import normalise_label
from gytbench.benchmark.points import ImageName

IMAGES = ("image", "image_url", "url", "img")
"""The keys of a task that may name its image."""

_KEY_POINTS = ("keypointlabels", "keypoint")
# Uploaded images are stored under a name of their own: /data/upload/1/0a1b2c3d-name.jpg.
_UPLOAD = re.compile(r"(/data/upload/\d+/)[0-9a-f]{8}-")


def is_label_studio(document: list[Any]) -> bool:
    """Whether a JSON array holds tasks of Label Studio."""
    return any(isinstance(task, dict) and isinstance(task.get("data"), dict) for task in document)


def read_label_studio(document: list[Any], source: str) -> list[PointRow]:
    """One row a key point, or an annotation without any; `InputError` with every fault."""
    answers = Answers(source)
    for where, task in answers.objects(document, f"{source}: $"):
        data = task.get("data")
        if not isinstance(data, dict):
            answers.fault(f"{where}.data", "must be an object", "wrong type")
            continue
        frame = _frame(data, answers, f"{where}.data")
        listed = answers.objects(task.get("annotations", []), f"{where}.annotations")
        for here, annotation in listed:
            if frame is not None and not annotation.get("was_cancelled"):
                _add(annotation, frame, answers, here)
    return answers.done()


def _frame(data: dict[str, Any], answers: Answers, where: str) -> ImageName | None:
    """The frame of a task: its fields video, second and step, else the image's name."""
    step = answers.take(values.name, data.get("step"), f"{where}.step") or ""
    if data.get("video") is not None and data.get("second") is not None:
        video = answers.take(values.filled_name, data["video"], f"{where}.video")
        second = answers.take(_second, data["second"], f"{where}.second")
        return None if video is None or second is None else _with_step(video, second, step)
    key = next((key for key in IMAGES if data.get(key) is not None), None)
    if key is None:
        answers.fault(where, "needs `image`, or `video` and `second`", "missing key")
        return None
    found = answers.take(_frame_of_address, data[key], f"{where}.{key}")
    return None if found is None else _with_step(found.video, found.second, step or found.step)


def _with_step(video: str, second: int, step: str) -> ImageName:
    return ImageName(video, second, normalise_label(step))


def _second(value: object) -> int:
    # Fields of tasks that were imported from CSV are text.
    read = values.text_number if isinstance(value, str) else values.number
    return values.second(read(value))


def _frame_of_address(value: object) -> ImageName:
    return frame_of_image(_UPLOAD.sub(r"\1", values.filled_name(value)))


def _add(annotation: dict[str, Any], frame: ImageName, answers: Answers, where: str) -> None:
    """The rows of one annotation."""
    annotator = answers.take(_annotator, annotation.get("completed_by"), f"{where}.completed_by")
    results = answers.objects(annotation.get("result"), f"{where}.result")
    # Choices and texts have no place in the image.
    regions = [entry for entry in results if "original_width" in entry[1] or _has_x(entry[1])]
    points = [entry for entry in regions if entry[1].get("type") in _KEY_POINTS]
    if regions and not points:
        reason = f"has no key point, but {values.shown(regions[0][1].get('type'))}"
        answers.fault(f"{where}.result", f"{reason}; annotate with KeyPointLabels", "key points")
    if not regions:
        answers.add(frame, annotator or "", NOTHING, NO_SIZE, where)
    for here, result in points:
        size, point, label = _key_point(result, answers, here)
        named = frame if frame.step else frame._replace(step=label)
        answers.add(named, annotator or "", point, size, here)


def _annotator(value: object) -> str:
    """Who completed an annotation: the address or id; "" where that is not told."""
    if isinstance(value, dict):
        value = value.get("email") or value.get("id")
    return values.name(value)


def _has_x(result: dict[str, Any]) -> bool:
    value = result.get("value")
    return isinstance(value, dict) and "x" in value


def _key_point(result: dict[str, Any], answers: Answers, where: str) -> tuple[Size, Point, str]:
    """Size of the image, point in pixels, and the step that its label names."""
    value = result.get("value")
    if not isinstance(value, dict):
        answers.fault(f"{where}.value", "must be an object", "wrong type")
        return NO_SIZE, NOTHING, ""
    lengths, pixels = [], []
    for axis, key in (("x", "original_width"), ("y", "original_height")):
        length = answers.take(_number, result.get(key), f"{where}.{key}")
        percent = answers.take(_number, value.get(axis), f"{where}.value.{axis}")
        lengths.append(length)
        pixels.append(None if length is None or percent is None else percent * length / 100)
    labels = value.get("keypointlabels")
    first = labels[0] if isinstance(labels, list) and labels else ""
    label = answers.take(values.name, first, f"{where}.value.keypointlabels[0]") or ""
    return (lengths[0], lengths[1]), (pixels[0], pixels[1]), step_of_label(label)


def _number(value: object) -> float:
    return values.required(values.number(value))
