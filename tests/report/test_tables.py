"""The table in the terminal."""

import os
from pathlib import Path

import pytest

from gytbench.errors import InputError
from gytbench.evaluation import Result
from gytbench.report.tables import ReleaseScores, percent, releases_table, result_table
from gytbench.writing import write_whole


def result(value: float | None, **more: object) -> Result:
    fields: dict[str, object] = {
        "signature": "gytbench:1.0|task:spatial",
        "task": "spatial",
        "metrics": {"pointing_accuracy": 0.67149620, "success@0.3": value},
        "counts": {"units": 17531},
        "missing": {"videos": 0, "instances": 0},
        "per_class": {},
        "per_video": {},
    }
    return Result(**(fields | more))  # type: ignore[arg-type]


def test_percent() -> None:
    assert [percent(v) for v in (0.67149620, 1.0, None)] == ["67.15", "100.00", "n/a"]


def test_a_result_stands_between_floor_and_ceiling() -> None:
    references = {"centre": result(0.5), "annotators": "no points.json", "oracle": result(1.0)}
    table = result_table(
        result(None, notes=("no regions",), missing={"videos": 2, "instances": 0}),
        references,
        "preds.json",
    )
    lines = table.splitlines()
    assert lines[0] == "preds.json"
    header = next(line for line in lines if "floor" in line)
    assert header.split() == ["in", "percent", "floor", "ceiling"]
    assert "this file" in lines[3]
    assert lines[6].split() == ["success@0.3", "n/a", "50.00", "100.00"]
    assert "Scored: 17,531 units" in lines
    assert "Missing, counted as missed: 2 videos" in lines
    assert "Note: no regions" in lines
    assert "Note: annotators is not shown: no points.json" in lines
    assert lines[-1] == "Signature: gytbench:1.0|task:spatial"


def test_no_reference_is_no_column() -> None:
    table = result_table(result(0.5), {"centre": "no file"}, "x")
    assert "floor" not in table
    assert "Missing: nothing" in table


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    write_whole(target, b"one")
    write_whole(target, b"two")
    assert target.read_bytes() == b"two"
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]
    with pytest.raises(InputError, match="cannot be written"):
        write_whole(tmp_path / "missing" / "out.json", b"")
    for folder in (tmp_path, Path("/"), Path()):
        with pytest.raises(InputError, match="cannot be written"):
            write_whole(folder, b"")
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]


def test_a_device_or_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_whole(pipe, b"{}")
    assert os.read(reader, 10) == b"{}"
    os.close(reader)
    assert pipe.is_fifo()


def test_releases_stand_beside_each_other() -> None:
    references = {"centre": result(0.5), "annotators": "no points.json", "oracle": result(1.0)}
    scores = [
        ReleaseScores("full", result(0.25), references),
        ReleaseScores("repaired", result(None, signature="another"), references),
    ]
    lines = releases_table(scores, "preds.json").splitlines()
    assert lines[2].split() == ["in", "percent", "this", "file", "centre", "oracle"]
    assert lines[3].split() == ["full", "repaired"] * 3
    assert lines[6].split() == ["success@0.3", "25.00", "n/a", "50.00", "50.00", "100.00", "100.00"]
    assert lines.count("Note: annotators is not shown: no points.json") == 2
    assert "Signature: gytbench:1.0|task:spatial" in lines
    assert lines[-1] == "Signature: another"
