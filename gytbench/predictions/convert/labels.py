"""Names by number, images by id and queries by id: files that go with results."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from gytbench.benchmark.points import parse_image_name
from gytbench.errors import InputError
from gytbench.inputs import read_limited
from gytbench.predictions.convert.contract import Image, Options, Query
from gytbench.predictions.convert.json_pieces import decode_piece
from gytbench.predictions.faults import quoted
from gytbench.predictions.schema import FrameSize

MAX_SIDECAR = 256 << 20

_LINE = re.compile(r"(\d{1,9})\s*[,;\t ]\s*(.*\S)")
_ITEM = re.compile(r'(?:\b(name|id|label_id)\s*:\s*(?:"([^"\n]*)"|(\d{1,9})))')
_NAME = re.compile(r"(?P<video>.+)[_/](?:frame_?|img_?)?(?P<second>\d{1,7})\.\w{2,4}")


class Numbers:
    """Labels and their numbers, as --labels or --images gave them; else labels are numbers."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._numbers = {name: number for number, name in options.labels.items()}

    def name(self, number: int, where: str) -> str:
        """The label of a number; raises `InputError` for one without."""
        try:
            return self._options.label_of(number)
        except KeyError:
            raise InputError(f"{number} is none of the numbers of --labels", where) from None

    def number(self, label: str, where: str) -> int:
        """The number of a label; raises `InputError` for one without."""
        if label in self._numbers:
            return self._numbers[label]
        if not self._numbers and label.isdecimal() and len(label) < 10:
            return int(label)
        reason = f"the label {quoted(label)} has no number: the format needs one, see --labels"
        raise InputError(reason, where=where)


class _Picture(msgspec.Struct):
    id: int | str
    file_name: str = ""
    width: float | None = None
    height: float | None = None


class _Category(msgspec.Struct):
    id: int
    name: str


class _Coco(msgspec.Struct):
    images: list[_Picture] = []
    categories: list[_Category] = []


def read_images(path: Path) -> tuple[dict[str, Image], dict[int, str]]:
    """The images by id and the categories by number of a COCO annotation file.

    A file name is VIDEO_SECOND.jpg, VIDEO/SECOND.jpg, or VIDEO_SECOND_STEP.jpg as of
    GroundingYouTube. Raises `InputError` for what is none.
    """
    found = decode_piece(read_limited(path, MAX_SIDECAR), _Coco, f"{path}: $")
    images = {}
    for index, picture in enumerate(found.images):
        where = f"{path}: $.images[{index}].file_name"
        video, second = _frame(picture.file_name, where)
        size = (picture.width, picture.height) if picture.width and picture.height else None
        images[str(picture.id)] = Image(video, second, size)
    if not images:
        raise InputError("holds no images", where=f"{path}: $.images")
    return images, {category.id: category.name for category in found.categories}


def _frame(name: str, where: str) -> tuple[str, int]:
    told = parse_image_name(name)
    if told is not None:
        return told.video, told.second
    match = _NAME.fullmatch(name)
    if match is None:
        reason = f"{quoted(name)} is not VIDEO_SECOND.jpg or VIDEO/SECOND.jpg"
        raise InputError(reason, where=where)
    return match["video"], int(match["second"])


def read_labels(path: Path) -> dict[int, str]:
    """Names by number: JSON {number: name}, COCO categories, lines "7 name", or AVA's .pbtxt.

    Raises `InputError` for another line, and for a number or a name that stands twice.
    """
    text = _text(path)
    found: dict[int, str] = {}
    names: set[str] = set()
    for where, number, name in _labels(text, path):
        if number in found or name in names:
            raise InputError(f"{number} or {quoted(name)} stands there twice", where=where)
        found[number] = name
        names.add(name)
    if not found:
        raise InputError("holds no labels", where=str(path))
    return found


def _text(path: Path) -> str:
    try:
        return read_limited(path, MAX_SIDECAR).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("not UTF-8 text", where=str(path)) from None


def _labels(text: str, path: Path) -> Iterator[tuple[str, int, str]]:
    if text.lstrip().startswith("{"):
        document = decode_piece(text.encode(), dict[str, Any], f"{path}: $")
        if "categories" in document:
            coco = decode_piece(text.encode(), _Coco, f"{path}: $")
            yield from ((f"{path}: $.categories", each.id, each.name) for each in coco.categories)
            return
        plain = decode_piece(text.encode(), dict[int, str], f"{path}: $")
        yield from ((f"{path}: $", number, name) for number, name in plain.items())
    elif re.match(r"\s*(item|label)\s*\{", text):
        yield from _items(text, path)
    else:
        for at, line in enumerate(text.splitlines(), start=1):
            match = _LINE.fullmatch(line.strip())
            if match:
                yield f"{path}: line {at}", int(match[1]), match[2]
            elif line.strip() and at > 1:
                raise InputError("not a number and a name", where=f"{path}: line {at}")


def _items(text: str, path: Path) -> Iterator[tuple[str, int, str]]:
    for block in re.finditer(r"\{([^{}]*)\}", text):
        told = {key: name or number for key, name, number in _ITEM.findall(block[1])}
        number = told.get("id", told.get("label_id", ""))
        where = f"{path}: line {text.count(chr(10), 0, block.start()) + 1}"
        if not number.isdecimal() or "name" not in told:
            raise InputError("an item without a name and an id", where=where)
        yield where, int(number), told["name"]


class _Query(msgspec.Struct):
    video: str | None = None
    original_video_id: str | None = None
    label: str | None = None
    caption: str | None = None
    instance: int | None = None
    start: float | None = None
    end: float | None = None
    fps: float | None = None
    frame_size: FrameSize | None = None
    width: float | None = None
    height: float | None = None


def read_queries(path: Path) -> dict[str, Query]:
    """Queries by id: {id: {"video", "label", "instance", "start", "end", "fps", "frame_size"}}.

    TubeDETR's annotation files are read too: {"videos": [{"video_id", "original_video_id",
    "caption", "fps", "width", "height"}]}. Raises `InputError` for what is neither.
    """
    data = read_limited(path, MAX_SIDECAR)
    document = decode_piece(data, dict[str, msgspec.Raw], f"{path}: $")
    found: dict[str, tuple[str, msgspec.Raw]] = {}
    if isinstance(document.get("videos"), msgspec.Raw):
        videos = decode_piece(bytes(document["videos"]), list[msgspec.Raw], f"{path}: $.videos")
        for index, raw in enumerate(videos):
            where = f"{path}: $.videos[{index}]"
            told = decode_piece(bytes(raw), dict[str, Any], where)
            found[str(told.get("video_id"))] = where, raw
    else:
        found = {key: (f"{path}: $[{quoted(key)}]", raw) for key, raw in document.items()}
    return {key: _query(key, *each) for key, each in found.items()}


def _query(key: str, where: str, raw: msgspec.Raw) -> Query:
    told = decode_piece(bytes(raw), _Query, where)
    size = told.frame_size
    if size is None and told.width and told.height:
        size = (told.width, told.height)
    video = told.video or told.original_video_id or key
    label = told.label or told.caption or ""
    return Query(video, label, told.instance, told.start, told.end, told.fps, size)


def query_of(key: str, options: Options, where: str) -> Query:
    """What was asked under an id; without --queries the id is the video.

    Raises `InputError` where there is no such query, or no label.
    """
    found = options.queries.get(key)
    if found is None and options.queries:
        raise InputError(f"--queries has no {quoted(key)}", where=where)
    found = found or Query(options.video or key, "")
    label = options.label or found.label
    if not label:
        reason = "the format names no label: give --queries FILE, or one for all with --label"
        raise InputError(reason, where=where)
    return found._replace(label=label)
