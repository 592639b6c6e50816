"""What huge or hostile files cost."""

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from gytbench.errors import InputError
from gytbench.predictions import faults, limits, load_predictions, pack, packing

from .making import BENCHMARK, document, json_file, predictions, reading_faults, tube

TUBES = 10_000_000

MEASURED = """
import re, sys, time
from gytbench.errors import InputError
from gytbench.predictions import load_predictions
begin = time.perf_counter()
try:
    load_predictions(sys.argv[1])
except InputError as error:
    print(len(error.faults))
    print(error.faults[0])
    print(error.faults[-1])
print(time.perf_counter() - begin)
# Not getrusage: what it gives counts the process that started this one.
print(int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 2**20)
"""


class Cost(NamedTuple):
    """What it took to refuse a file."""

    faults: int
    first: str
    last: str
    seconds: float
    gib: float


def cost(path: Path) -> Cost:
    """Reads a file in a process of its own, so that the memory is the file's alone."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(path)], capture_output=True, text=True, check=True
    )
    count, first, last, seconds, memory = done.stdout.splitlines()
    first, last = (text.removeprefix(f"{path}: ") for text in (first, last))
    return Cost(int(count), first, last, float(seconds), float(memory))


def many(folder: Path, one: str, name: str, count: int = TUBES) -> Path:
    """A file of equal tubes."""
    path = folder / name
    if ".jsonl" in name:
        header = {key: value for key, value in document().items() if key != "tubes"}
        path.write_text(json.dumps(header) + "\n" + (one + "\n") * count)
    else:
        begin, end = json.dumps(document()).split("[]")
        path.write_text(f"{begin}[{(one + ',') * (count - 1)}{one}]{end}")
    return path


@pytest.mark.parametrize(
    ("name", "place"), [("preds.json", "$.tubes[0]"), ("preds.jsonl", "line 2: $")]
)
def test_ten_million_empty_tubes(tmp_path: Path, name: str, place: str) -> None:
    found = cost(many(tmp_path, "{}", name))
    assert found.faults == faults.MAX_FAULTS + 1
    assert found.first == f"{place}: the key `video` is missing"
    assert found.last == "more faults follow: only 100,000 are listed"
    # About 0.8 GiB: one slice of the text for each tube.
    assert found.gib < 1.0


def test_ten_million_tubes_that_look_right(tmp_path: Path) -> None:
    # The same member of a gzip file again and again: small on the disk, 0.7 GiB in memory.
    header = b'{"format": "gytbench-predictions/1", "task": "st"}\n'
    block = gzip.compress((json.dumps(tube()) + "\n").encode() * (TUBES // 100))
    path = tmp_path / "preds.jsonl.gz"
    path.write_bytes(gzip.compress(header) + block * 100)
    found = cost(path)
    assert found.faults == 1
    assert found.first == "more than 2,000,000 tubes; split the file"
    assert found.gib < 1.5


def test_tens_of_millions_of_numbers_for_tubes(tmp_path: Path) -> None:
    # Two bytes each in the file, but sixty when every entry is looked at.
    path = many(tmp_path, "0", "preds.json", 30_000_000)
    found = cost(path)
    assert (found.faults, found.first) == (2, "$.tubes[0]: expected object, got integer")
    assert found.last == "$.tubes: too long to look at the entries after the first fault"
    assert found.gib < 0.5
    assert found.seconds < 30


def test_a_file_of_zeros(tmp_path: Path) -> None:
    """Two bytes of text for each number, which takes sixteen times that as an object."""
    one = json.dumps(tube(scores=[])).replace("[]", "[0" + ",0" * limits.MAX_VALUES + "]")
    found = cost(json_file(tmp_path, json.dumps(document()).replace("[]", f"[{one}]")))
    assert found.first.startswith("more than 50,000,000 values; split the file")
    assert found.gib < 0.5


@pytest.mark.parametrize("name", ["preds.json", "preds.jsonl"])
def test_the_limit_on_tubes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(limits, "MAX_TUBES", 10)
    one = json.dumps(tube())
    # The second has its key spelt so that counting the text does not find it.
    for text in (one, one.replace("video", "v\\u0069deo")):
        assert len(load_predictions(many(tmp_path, text, name, 10)).tubes) == 10
        found = reading_faults(many(tmp_path, text, name, 11))
        assert found == ["more than 10 tubes; split the file"]


def test_no_more_faults_are_listed_than_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faults, "MAX_FAULTS", 3)
    end = "more faults follow: only 3 are listed"
    bad = tube(score="x")
    assert len(reading_faults(json_file(tmp_path, document(*[bad] * 3)))) == 3
    found = reading_faults(json_file(tmp_path, document(*[bad] * 4)))
    assert found == [f"$.tubes[{n}].score: expected number, got string" for n in range(3)] + [end]
    entries = document(tube(points=[1] * 50))
    assert len(reading_faults(json_file(tmp_path, entries))) == 4

    with pytest.raises(InputError) as error:
        pack(predictions(*[tube(label="?")] * 4), BENCHMARK, "st")
    assert [fault.reason[:16] for fault in error.value.faults] == ["unknown label '?"] * 3 + [
        end[:16]
    ]
    with pytest.raises(InputError) as error:
        pack(predictions(*[tube(label="?")] * 3), BENCHMARK, "st")
    assert len(error.value.faults) == 3


def test_many_unknown_labels_take_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    # Comparing a name with all known ones takes its time: only the first names are compared.
    asked = []
    classes = type(BENCHMARK.classes)
    monkeypatch.setattr(classes, "suggest", lambda _, label: asked.append(label) or ["pour_it"])
    with pytest.raises(InputError) as error:
        pack(predictions(*[tube(label=f"x{n // 2}") for n in range(1000)]), BENCHMARK, "st")
    assert asked == [f"x{n}" for n in range(100)]
    assert "did you mean" in error.value.faults[199].reason
    assert "did you mean" not in error.value.faults[200].reason


def test_tubes_that_cover_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    # Overlapping tubes of a day each: few bytes, but much to lay out.
    monkeypatch.setattr(packing, "MAX_COVERED_SECONDS", 1000)
    long = tube(start=0, end=500)
    assert pack(predictions(long, long), BENCHMARK, "st").second.size == 1000
    with pytest.raises(InputError) as error:
        pack(predictions(long, long, tube(), tube(label="?"), source="preds.json"), BENCHMARK, "st")
    # What was found before is told as well.
    assert [str(fault).partition(" (")[0] for fault in error.value.faults] == [
        "preds.json: $.tubes[3].label: unknown label '?'",
        "preds.json: the tubes cover more than 1,000 seconds together",
    ]
