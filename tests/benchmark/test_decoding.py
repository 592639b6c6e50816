"""The JSON path of a fault, dictionary keys included."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest

from gytbench.benchmark.decoding import decode, read_bytes
from gytbench.errors import InputError

Even = Annotated[int, msgspec.Meta(multiple_of=2)]


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({"a": {"2": {"x": [1], "y": [1, "z"]}}}, '$["a"]["2"]["y"][1]'),
        ({"a": {"2": {"x": [1]}}, "b": {"2": {}, "4": {"k": 1}}}, '$["b"]["4"]["k"]'),
        ({"a": {"2": {}, "3": {}}}, '$["a"]["3"]'),
        ({"[...]": {"2": {"`key`": 0}}}, '$["[...]"]["2"]["`key`"]'),
        ({"a": {}, "b": []}, '$["b"]'),
        ("text", "$"),
    ],
)
def test_paths(data: Any, path: str) -> None:
    with pytest.raises(InputError) as caught:
        decode(msgspec.json.encode(data), dict[str, dict[Even, dict[str, list[int]]]], Path("f"))
    assert str(caught.value).startswith(f"f: {path}: Expected ")


def test_a_good_file() -> None:
    assert decode(b'{"a": {"2": 1}}', dict[str, dict[int, float]], Path("f")) == {"a": {2: 1.0}}


def test_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="gone: no such file"):
        read_bytes(tmp_path / "gone")
    with pytest.raises(InputError, match="cannot be read"):
        read_bytes(tmp_path / ("x" * 5000))
