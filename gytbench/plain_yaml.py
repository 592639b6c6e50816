"""YAML of strangers: plain values alone, no larger than a person writes."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from gytbench.errors import InputError

if TYPE_CHECKING:
    from yaml import Node

_MAX_BYTES = 100_000
_MAX_DEPTH = 50

_T = TypeVar("_T")


def read_yaml_file(path: Path, kind: type[_T]) -> _T:
    """The value of a YAML file as the type; raises `InputError` that names what does not fit."""
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from None
    if len(text) > _MAX_BYTES:
        raise InputError(f"holds more than {_MAX_BYTES:,} bytes", where=str(path))
    return converted(read_yaml(text, str(path)), kind, str(path))


def read_yaml(text: bytes | str, where: str) -> Any:
    """The value of YAML text without tags and aliases: plain values alone.

    Raises `InputError`, with line and column, for what is not YAML or not plain, is
    nested too deeply, or has a key twice.
    """
    import yaml

    try:
        _check_plain(text, where)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if node is not None:
            _check_keys(node, where)
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or " ".join(str(error).split())
        place = where if mark is None else _line(mark, where)
        raise InputError(f"not YAML: {reason}", where=place) from None


def _check_plain(text: bytes | str, where: str) -> None:
    """What no plain file needs, found while parsing goes on: the rest is never read."""
    import yaml

    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        # Aliases let a short text stand for a huge value; a tag makes any type of it.
        if isinstance(event, yaml.AliasEvent) or getattr(event, "tag", None):
            reason = "uses an alias (*) or a tag (!), which is not allowed; put text in quotes"
            raise InputError(reason, where=_line(event.start_mark, where))
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise InputError("is nested too deeply", where=_line(event.start_mark, where))


def _check_keys(node: "Node", where: str) -> None:
    """That no mapping has a key twice, of which YAML would keep the last."""
    import yaml

    if isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _check_keys(value, where)
    if not isinstance(node, yaml.MappingNode):
        return
    seen = set()
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode):
            if key.value in seen:
                place = _line(key.start_mark, where)
                raise InputError(f"has the key {key.value!r} a second time", where=place)
            seen.add(key.value)
        _check_keys(value, where)


def _line(mark: Any, where: str) -> str:
    return f"{where}: line {mark.line + 1}"


def converted(value: Any, kind: type[_T], where: str) -> _T:
    """The plain value as the type; raises `InputError` with the place of what does not fit."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise InputError(str(error), where=where) from None
