"""`submission.yaml` field by field: everything that is missing or wrong in it, in plain words."""

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec

from gytbench.errors import Fault, InputError
from gytbench.leaderboard.lookalikes import system_faults
from gytbench.leaderboard.submission import FILE, PredictionsOf, Submission
from gytbench.leaderboard.texts import address_faults, text_faults
from gytbench.plain_yaml import read_yaml
from gytbench.predictions import TASKS
from gytbench.predictions.faults import split_path

MAX_SUBMISSION_BYTES = 100_000
BLANK = "<fill in>"
"""What stands where nobody has filled in a value yet."""

FIELDS = {
    "system": "the system's name, as the table shows it",
    "authors": "a list of names",
    "date": 'the day of the paper or, without one, of the system, in quotes: "2024-05-31"',
    "paper": "an https address; of paper and code, one is needed",
    "code": "an https address; of paper and code, one is needed",
    "backbone": "the network that looks at the frames, such as CLIP ViT-B/32; else none",
    "training_data": "a list of datasets; [] where it was trained on none",
    "supervision": "none, self, weak or full",
    "modality": "video, video+text, video+audio, video+text+audio, text or nothing",
    "tuned_on_test": "true or false: whether tau or anything else was chosen on the test set",
    "tuned": "what was chosen on the test set, and how; needed where tuned_on_test is true",
    "notes": "what a reader should know besides",
    "citation": "BibTeX",
    "contact": "whom to ask",
    "predictions": "st, spatial or temporal, each with file or url, sha256 and size",
    "file": "the name of the file in this folder",
    "url": "an https address",
    "sha256": "64 digits of 0-9 and a-f, in quotes, as sha256sum prints it",
    "size": "the number of bytes",
}
"""What stands in each field, in words."""

_PARAGRAPHS = frozenset(("notes", "citation"))
"""Fields whose text may have several lines."""
_ADDRESSES = frozenset(("paper", "code", "url"))
_MAX_SIZE = 1 << 40
_EARLIEST = datetime.date(1990, 1, 1)


def read_entry_file(path: Path) -> Submission:
    """The submission of an entry's file; raises `InputError` with every fault in it.

    Each fault names the file and the YAML path, such as ``$.predictions.st.size``.
    """
    try:
        with path.open("rb") as file:
            text = file.read(MAX_SUBMISSION_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from None
    return submission_of(text, str(path))


def submission_of(text: bytes, where: str) -> Submission:
    """The submission that YAML text holds; raises `InputError` with every fault in it."""
    if len(text) > MAX_SUBMISSION_BYTES:
        raise InputError(f"holds more than {MAX_SUBMISSION_BYTES:,} bytes", where=where)
    value = read_yaml(text, where)
    if not isinstance(value, dict):
        reason = (
            f"must hold keys and values, such as system: ...; see `gytbench submit init {FILE}`"
        )
        raise InputError(reason, where=where)
    faults = [Fault(f"{where}: {path}", reason, "submission") for path, reason in _faults(value)]
    if faults:
        raise InputError(faults)
    submission: Submission = msgspec.convert(value, Submission)
    return submission


_Found = Iterator[tuple[str, str]]
"""Faults, as YAML path and reason."""


def _faults(value: dict[Any, Any]) -> _Found:
    yield from _struct_faults(value, Submission, "$")
    if value.get("paper", "") == "" and value.get("code", "") == "":
        yield "$", "needs `paper` or `code`, an https address, so that readers can look it up"
    if value.get("tuned_on_test") is True and value.get("tuned", "") == "":
        yield "$.tuned", f"is missing: {FIELDS['tuned']}"
    predictions = value.get("predictions")
    if isinstance(predictions, dict):
        yield from _prediction_faults(predictions)


def _prediction_faults(predictions: dict[Any, Any]) -> _Found:
    if not predictions:
        yield "$.predictions", f"is empty: {FIELDS['predictions']}"
    for task, given in predictions.items():
        path = f"$.predictions.{task if task in TASKS else _shown(task)}"
        if task not in TASKS:
            yield path, f"is no task; tasks are {', '.join(TASKS)}"
        elif not isinstance(given, dict):
            yield path, "must hold file or url, sha256 and size"
        else:
            yield from _struct_faults(given, PredictionsOf, path)
            if bool(given.get("file", "")) == bool(given.get("url", "")):
                yield path, "needs either `file` or `url`, and not both"


def _struct_faults(value: dict[Any, Any], kind: type[msgspec.Struct], path: str) -> _Found:
    """What is wrong with the fields of a mapping, each on its own."""
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    for key in value:
        if key not in fields:
            yield f"{path}.{_shown(key)}", f"is no field; fields are {', '.join(fields)}"
    for name, field in fields.items():
        if name in value:
            yield from _field_faults(name, value[name], field.type, f"{path}.{name}")
        elif field.required:
            yield f"{path}.{name}", f"is missing: {FIELDS[name]}"


def _field_faults(name: str, value: Any, kind: Any, path: str) -> _Found:
    if BLANK in _texts(value):
        yield path, f"is still to be filled in: {FIELDS[name]}"
        return
    if name == "predictions" and isinstance(value, dict):
        return
    reason = _mismatch(name, value, kind)
    if reason is not None:
        yield path, reason
        return
    many = isinstance(value, list)
    for at, each in enumerate(value if many else [value]):
        if isinstance(each, str):
            where = f"{path}[{at}]" if many else path
            yield from ((where, reason) for reason in _content_faults(name, each))


def _mismatch(name: str, value: Any, kind: Any) -> str | None:
    """Why a value is not of the field's type; None where it is."""
    if name == "date" and isinstance(value, datetime.date):
        return f'must stand in quotes: "{value:%Y-%m-%d}"'
    try:
        msgspec.convert(value, kind)
    except (msgspec.ValidationError, OverflowError) as error:
        reason, path = split_path(str(error))
        if get_origin(kind) is Literal:
            return f"must be one of {', '.join(get_args(kind))}"
        place = path.removeprefix("$")
        if "regex" in reason or name in ("sha256", "size", "tuned_on_test"):
            reason = f"must be {FIELDS[name]}"
        quotes = "; put it in quotes" if reason.startswith("expected string, got") else ""
        return f"{place}: {reason}{quotes}" if place else f"{reason}{quotes}"
    # In hexadecimal, a number of any length can be written; no message can hold it.
    return f"must be {FIELDS[name]}" if name == "size" and value > _MAX_SIZE else None


def _content_faults(name: str, text: str) -> Iterator[str]:
    """What is wrong with the text of a field, each in words; text may be left empty."""
    if not text:
        return
    if name in _ADDRESSES:
        yield from address_faults(text)
        return
    yield from text_faults(text, lines=name in _PARAGRAPHS)
    if name == "system":
        yield from system_faults(text)
    if name == "date":
        yield from _date_faults(text)


def _date_faults(text: str) -> Iterator[str]:
    try:
        date = datetime.date.fromisoformat(text)
    except ValueError:
        yield f"is no day: {FIELDS['date']}"
        return
    # A day ahead, somewhere on earth it is tomorrow already.
    if not _EARLIEST <= date <= datetime.date.today() + datetime.timedelta(days=1):
        yield f"must lie between {_EARLIEST} and today"


def _texts(value: Any) -> Iterator[str]:
    """A text, or the texts of a list."""
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, str):
            yield each


def _shown(key: Any) -> str:
    """A key of the file in a message: no longer than a line, nothing but text."""
    return f"{key[:40]!r}" if isinstance(key, str) else f"({type(key).__name__})"
