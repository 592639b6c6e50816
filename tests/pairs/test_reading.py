"""Files of pairs: what is read, and what is refused where."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from gytbench.errors import InputError
from gytbench.pairs import is_pairs_file, load_pairs

from .making import CUP, HUMAN, file_of, said, save

ENTRY = said("a b", 3, (HUMAN, CUP, 0.5))


def test_a_file(tmp_path: Path) -> None:
    plain = save(tmp_path / "p.json", file_of([ENTRY, said("c d", 4, frame_size=[20, 10])]))
    packed = tmp_path / "p.json.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    for path in (plain, packed):
        assert is_pairs_file(path)
        read = load_pairs(path)
        assert (read.model, read.frame_size) == ({"name": "made"}, (200, 150))
        assert read.entries == [("v", 3, "a b", None), ("v", 4, "c d", (20, 10))]
        assert read.counts.tolist() == [1, 0]
        assert read.pair.tolist() == [[[0, 0, 9, 9], [10, 0, 19, 9]]]
        assert read.score.tolist() == [0.5]
        assert read.where(1) == f"{path}: $.frames[1]"


def test_what_may_be_left_out(tmp_path: Path) -> None:
    read = load_pairs(save(tmp_path / "p.json", {"format": "gytbench-pairs/1", "frames": []}))
    assert (read.entries, read.model, read.frame_size) == ([], {}, None)
    assert read.pair.shape == (0, 2, 4)


@pytest.mark.parametrize(
    "content",
    [
        {"format": "gytbench-predictions/1", "frames": []},
        {"frames": [{"format": "gytbench-pairs/1"}]},
        {"format": ["gytbench-pairs/1"]},
        [1],
        "{",
        "",
        b"\xff\xfe",
    ],
    ids=repr,
)
def test_other_files_are_none(tmp_path: Path, content: Any) -> None:
    assert not is_pairs_file(save(tmp_path / "p.json", content))


def test_what_cannot_be_read_is_none(tmp_path: Path) -> None:
    assert not is_pairs_file(tmp_path / "none.json")
    assert not is_pairs_file(tmp_path)
    assert not is_pairs_file(save(tmp_path / "p.parquet", file_of([])))
    assert not is_pairs_file(save(tmp_path / "p.json.gz", "no gzip"))
    # The format may stand last.
    last = {"frames": [ENTRY], "format": "gytbench-pairs/1"}
    assert is_pairs_file(save(tmp_path / "p.json", last))


def faults(path: Path) -> list[str]:
    with pytest.raises(InputError) as caught:
        load_pairs(path)
    return [str(fault).replace(str(path), "FILE") for fault in caught.value.faults]


def row(**changes: Any) -> dict[str, Any]:
    return ENTRY | {"pairs": [ENTRY["pairs"][0] | changes]}


HUGE = 10**400


@pytest.mark.parametrize(
    ("content", "said_"),
    [
        (file_of([], format="x"), 'FILE: $.format: must be "gytbench-pairs/1"'),
        (file_of([], extra=1), "FILE: $: unknown key 'extra'"),
        (file_of([], frame_size=[0, 1]), "FILE: $.frame_size[0]: expected number >= 1.0"),
        (file_of([], frames=3), "FILE: $.frames: expected array, got integer"),
        ({"format": "gytbench-pairs/1"}, "FILE: $: the key `frames` is missing"),
        ({"frames": []}, "FILE: $: the key `format` is missing"),
        (file_of([3]), "FILE: $.frames[0]: expected object, got integer"),
        (file_of([ENTRY, ENTRY | {"x": 1}]), "FILE: $.frames[1]: object contains unknown field x"),
        (file_of([ENTRY | {"frame": 1.5}]), "FILE: $.frames[0].frame: expected integer"),
        (file_of([ENTRY | {"frame": -1}]), "FILE: $.frames[0].frame: expected integer >= 0"),
        (file_of([ENTRY | {"video": None}]), "FILE: $.frames[0].video: expected string, got null"),
        (file_of([row(score=None)]), "FILE: $.frames[0].pairs[0].score: expected number, got null"),
        (file_of([row(score="1")]), "FILE: $.frames[0].pairs[0].score: expected number"),
        (file_of([row(human=[1, 2, 3])]), "FILE: $.frames[0].pairs[0].human: expected array"),
        (file_of([row(human=[1, 2, 3, 1e7])]), "FILE: $.frames[0].pairs[0].human[3]: expected"),
        (file_of([row(third=HUMAN)]), "FILE: $.frames[0].pairs[0]: object contains unknown field"),
        ("[]", "FILE: $: must be an object, not an array"),
        ('{"format": NaN, "frames": []}', "FILE: not JSON"),
        ('{"frames": [{"score": NaN}]}', "FILE: not JSON at line 1, column 23: NaN is no JSON"),
        ('{"frames": [', "FILE: not JSON: it is truncated"),
        (json.dumps(file_of([])) + "x", "FILE: not JSON at line 1, column 99: "),
        ("", "FILE: not JSON: it is empty"),
    ],
)
def test_faults(tmp_path: Path, content: Any, said_: str) -> None:
    told = faults(save(tmp_path / "p.json", content))
    assert len(told) == 1
    assert told[0].startswith(said_)


@pytest.mark.parametrize("number", ["1e999", "-1e999", str(HUGE)])
def test_numbers_that_are_not_finite(tmp_path: Path, number: str) -> None:
    text = json.dumps(file_of([row(score=123456.5)])).replace("123456.5", number)
    assert faults(save(tmp_path / "p.json", text))[0].startswith("FILE: $.frames[0]")


def test_every_fault_is_told(tmp_path: Path) -> None:
    content = file_of([ENTRY | {"frame": "x"}, ENTRY, row(score=None)], format="x")
    assert len(faults(save(tmp_path / "p.json", content))) == 3


def test_not_too_many_faults_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gytbench.predictions.faults.MAX_FAULTS", 2)
    told = faults(save(tmp_path / "p.json", file_of([1, 2, 3, 4])))
    assert told[2] == "FILE: more faults follow: only 2 are listed"


@pytest.mark.parametrize(("limit", "most"), [("MAX_PAIRS", 1), ("MAX_COMMAS", 20)])
def test_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, most: int) -> None:
    path = save(tmp_path / "p.json", file_of([ENTRY, ENTRY]))
    monkeypatch.setattr(f"gytbench.pairs.reading.{limit}", most)
    assert len(faults(path)) == 1
    assert "pairs; the ten best of a frame and label are enough" in faults(path)[0]
    load_pairs(save(tmp_path / "q.json", file_of([ENTRY])))


def test_a_file_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gytbench.pairs.reading.MAX_BYTES", 1 << 20)
    path = tmp_path / "p.json.gz"
    path.write_bytes(gzip.compress(b" " * (2 << 20)))
    assert faults(path) == ["FILE: holds more than 1 MiB"]


def test_other_names_and_folders(tmp_path: Path) -> None:
    assert faults(tmp_path / "p.jsonl") == ["FILE: the file name must end in .json or .json.gz"]
    assert faults(tmp_path / "none.json") == ["FILE: no such file"]
    (tmp_path / "d.json").mkdir()
    assert faults(tmp_path / "d.json") == ["FILE: this is a folder; name the file"]
    assert faults(save(tmp_path / "p.json.gz", "x"))[0].startswith("FILE: not a valid gzip file")
