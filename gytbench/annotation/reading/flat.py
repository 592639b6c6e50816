"""Points in rows: one answer a row, its columns found by their names.

A frame is told by the columns video and second, or by the name of an image. Without
a column of annotators, the answers of one frame are numbered in the order of the file.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypeVar

from gytbench.annotation.reading import values
from gytbench.annotation.reading.answers import Answers
from gytbench.annotation.reading.names import frame_of_image, parse_name
from gytbench.annotation.reading.sheets import Sheet
from gytbench.annotation.rows import PointRow
from gytbench.benchmark.classes import normalise_label
from gytbench.benchmark.points import ImageName
from gytbench.errors import InputError

T = TypeVar("T")

Roles = Mapping[str, str]
"""The column of each role that a file has one for."""

NAMES: dict[str, tuple[str, ...]] = {
    "x": ("x", "px", "point_x", "pointx", "cx", "center_x", "centre_x", "x_px"),
    "y": ("y", "py", "point_y", "pointy", "cy", "center_y", "centre_y", "y_px"),
    "annotator": (
        *("annotator", "annotator_id", "worker", "worker_id", "workerid"),
        *("user", "user_id", "rater", "rater_id"),
    ),
    "video": ("video", "video_id", "videoid", "vid"),
    "second": ("second", "seconds", "sec", "time", "t", "frame_second"),
    "step": ("step", "step_name", "label", "sentence", "class"),
    "image": (
        *("image", "image_url", "image_name", "image_path", "url"),
        *("file", "file_name", "filename", "path"),
    ),
    "width": ("width", "w", "image_width", "frame_width"),
    "height": ("height", "h", "image_height", "frame_height"),
}
"""Names of columns by role, compared in lower case with "_" for spaces and dashes."""

_LISTED = 30
"""Columns that a message lists."""
_KEPT = 10_000
"""Texts of a column that are converted once."""


def read_flat(sheet: Sheet, columns: Mapping[str, str]) -> list[PointRow]:
    """The rows of annotators' own points; `columns` names columns by role, as {"x": "px"}.

    Raises `InputError` for columns that are missing or ambiguous, and with every value
    that cannot be used.
    """
    roles = find_columns(sheet, columns, NAMES)
    answers = Answers(sheet.source)
    frames = frames_of(sheet, roles, answers)
    xs = converted(sheet, roles["x"], coordinate_of(sheet), answers)
    ys = converted(sheet, roles["y"], coordinate_of(sheet), answers)
    annotators = optional(sheet, roles.get("annotator"), values.filled_name, answers, "")
    widths = optional(sheet, roles.get("width"), number_of(sheet), answers, None)
    heights = optional(sheet, roles.get("height"), number_of(sheet), answers, None)
    if not answers.faults:
        table = zip(frames, annotators, xs, ys, widths, heights, sheet.places, strict=True)
        for frame, annotator, x, y, width, height, where in table:
            assert frame is not None  # else there was a fault
            assert annotator is not None
            answers.add(frame, annotator, (x, y), (width, height), where)
    return answers.done()


def find_columns(
    sheet: Sheet, columns: Mapping[str, str], known: Mapping[str, Sequence[str]]
) -> Roles:
    """The column of each role: the one that `columns` names, else one of a `known` name.

    Raises `InputError` for each role with several, and for what is needed and not there.
    """
    answers = Answers(sheet.source)
    roles = _named(sheet, columns, known, answers)
    by_name: dict[str, list[str]] = {}
    for name in sheet.names:
        if name not in roles.values():
            by_name.setdefault(_plain(name), []).append(name)
    for role in known:
        found = [column for name in known[role] for column in by_name.get(name, ())]
        if role in columns or not found:
            continue
        roles[role] = found[0]
        if len(found) > 1:
            options = " or ".join(f"--column {role}={name}" for name in found)
            reason = f"several columns may be {role}; name one ({options})"
            answers.fault(sheet.source, reason, "columns")
    for reason in _lacking(roles, columns):
        answers.fault(sheet.source, f"{reason}; {_columns_of(sheet)}", "columns")
    if answers.faults:
        raise InputError(answers.faults)
    return roles


def _named(
    sheet: Sheet,
    columns: Mapping[str, str],
    known: Mapping[str, Sequence[str]],
    answers: Answers,
) -> dict[str, str]:
    """The columns that were named, as the file writes them."""
    plain = {_plain(name): name for name in reversed(sheet.names)}
    roles = {}
    for role, name in columns.items():
        column = name if name in sheet.names else plain.get(_plain(name))
        if role not in known:
            options = f"known are {', '.join(known)}{_close(role, known)}"
            answers.fault(sheet.source, f"no column is read as {role!r}; {options}", "columns")
        elif column is None:
            reason = f"has no column {name!r} (named as {role}){_close(name, sheet.names)}"
            answers.fault(sheet.source, f"{reason}; {_columns_of(sheet)}", "columns")
        else:
            roles[role] = column
    return roles


def _lacking(roles: Roles, columns: Mapping[str, str]) -> Iterable[str]:
    """What is needed and not there, but for columns that were named: those have their fault."""
    for role in ("x", "y"):
        if role not in roles and role not in columns:
            yield f"has no column {role}; rename one, or name it (--column {role}=NAME)"
    told = roles.keys() | columns.keys()
    if "image" not in told and not {"video", "second"} <= told:
        yield "needs a column image, or the columns video and second"
    if ("width" in told) != ("height" in told):
        yield "has only one of the columns width and height; give both, or none"


def _columns_of(sheet: Sheet) -> str:
    names = ", ".join(name[:100] for name in sheet.names[:_LISTED])
    more = ", ..." if len(sheet.names) > _LISTED else ""
    return f"the file has the columns {names}{more}"


def _close(name: str, known: Iterable[str]) -> str:
    matches = get_close_matches(name, [other for other in known if len(other) <= 100], n=1)
    return f"; did you mean {matches[0]!r}?" if matches else ""


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def frames_of(sheet: Sheet, roles: Roles, answers: Answers) -> list[ImageName | None]:
    """The frame of each row (n), None where it has a fault.

    Columns tell video, second and step before the image's name does.
    """
    if {"video", "second"} <= roles.keys():
        frames = _told_frames(sheet, roles, answers)
    else:
        frames = converted(sheet, roles["image"], frame_of_image, answers)
    if "step" not in roles:
        return frames
    return _with_steps(frames, converted(sheet, roles["step"], _step, answers))


def _told_frames(sheet: Sheet, roles: Roles, answers: Answers) -> list[ImageName | None]:
    """Frames of the columns video and second; the image's name may add the step."""
    videos = converted(sheet, roles["video"], values.filled_name, answers)
    seconds = converted(sheet, roles["second"], second_of(sheet), answers)
    frames = [
        None if video is None or second is None else ImageName(video, second, "")
        for video, second in zip(videos, seconds, strict=True)
    ]
    if "image" not in roles or "step" in roles:
        return frames
    return _with_steps(frames, converted(sheet, roles["image"], _step_of_image, answers))


def _with_steps(
    frames: Iterable[ImageName | None], steps: Iterable[str | None]
) -> list[ImageName | None]:
    """The frames, with the step instead of their own where there is one."""
    return [
        frame if frame is None or not step else ImageName(frame.video, frame.second, step)
        for frame, step in zip(frames, steps, strict=True)
    ]


def _step_of_image(value: object) -> str:
    frame = parse_name(values.name(value))
    return "" if frame is None else frame.step


def _step(value: object) -> str:
    return normalise_label(values.name(value))


def converted(
    sheet: Sheet, name: str, convert: Callable[[Any], T], answers: Answers
) -> list[T | None]:
    """A column's values (n) converted; None, and a fault, where that fails."""
    found: list[T | None] = []
    # Names and text come again and again. Numbers are not kept: 1 and true are one key.
    kept: dict[str, T] = {}
    for row, value in enumerate(sheet.values(name)):
        if isinstance(value, str) and value in kept:
            found.append(kept[value])
            continue
        try:
            result = convert(value)
        except ValueError as error:
            answers.fault(sheet.at(row, name), str(error), "wrong value")
            found.append(None)
        else:
            found.append(result)
            if isinstance(value, str) and len(kept) < _KEPT:
                kept[value] = result
    return found


def optional(
    sheet: Sheet, name: str | None, convert: Callable[[Any], T], answers: Answers, default: T
) -> list[T | None]:
    """A column's values (n) converted; the default in each row where there is no column."""
    if name is None:
        return [default] * len(sheet.places)
    return converted(sheet, name, convert, answers)


def number_of(sheet: Sheet) -> Callable[[Any], float | None]:
    """What reads a number of this sheet."""
    return values.text_number if sheet.written else values.number


def coordinate_of(sheet: Sheet) -> Callable[[Any], float | None]:
    """What reads x or y: a number, or nothing where nothing is visible."""
    read = number_of(sheet)

    def coordinate(value: object) -> float | None:
        if value is values.ABSENT:
            raise ValueError("is missing; write null where nothing is visible")
        return read(value)

    return coordinate


def second_of(sheet: Sheet) -> Callable[[Any], int]:
    """What reads a whole second."""
    read = number_of(sheet)
    return lambda value: values.second(read(value))
