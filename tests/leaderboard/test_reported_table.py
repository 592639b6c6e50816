"""`gytbench results`: what papers report, beside one's own."""

import json
from pathlib import Path

import pytest

from gytbench.errors import InputError
from gytbench.leaderboard.reported import packaged_reports, read_own, reported_table
from gytbench.leaderboard.results import Reported, ReportedRow
from tests.cli.conftest import Run

PAPER = Reported(
    paper="A paper",
    url="https://example.org/a",
    date="2024-01-01",
    rows=(
        ReportedRow(
            system="Mine",
            table="Table 2",
            task="st",
            metrics={"iou_point": 12.5, "video_map@0.1": 30.0},
            backbone="S3D",
            data="HowTo100M",
        ),
        ReportedRow(system="Other", table="Table 2", task="st", metrics={"iou_point": 7.25}),
    ),
)


def own(path: Path, **changes: object) -> Path:
    metrics = {"iou_point": 0.5, "label_iou": 0.75, "video_map@0.1": None}
    result = {"signature": "gytbench:1.0|task:st", "task": "st", "metrics": metrics, "counts": {}}
    path.write_text(json.dumps(result | changes))
    return path


def test_own_numbers_stand_below_those_of_papers(tmp_path: Path) -> None:
    mine = read_own(own(tmp_path / "my.json"))
    lines = reported_table([PAPER], mine, "st").splitlines()
    assert lines[0].split() == [
        *("in", "percent", "table", "backbone", "data", "supervision", "modality"),
        *("iou_point", "video_map@0.1"),
    ]
    assert lines[2].split() == ["Mine", "Table", "2", "S3D", "HowTo100M", "12.50", "30.00"]
    assert lines[3].split() == ["Other", "Table", "2", "7.25"]
    assert lines[4].split() == ["my.json", "this", "file", "50.00", "n/a"]


def test_without_a_paper_all_own_metrics_are_shown(tmp_path: Path) -> None:
    mine = read_own(own(tmp_path / "my.json"))
    assert reported_table([], mine, "st").splitlines()[0].split()[-3:] == [
        *("iou_point", "label_iou", "video_map@0.1"),
    ]
    assert reported_table([PAPER], [], "temporal") == ""


def test_several_results_of_a_file(tmp_path: Path) -> None:
    one = json.loads(own(tmp_path / "one.json").read_text())
    path = tmp_path / "two.json"
    path.write_text(json.dumps([one, one | {"task": "spatial"}]))
    assert [(each.name, each.task) for each in read_own(path)] == [
        ("two.json", "st"),
        ("two.json", "spatial"),
    ]


@pytest.mark.parametrize("text", ["{}", "[1]", "not json", '{"tubes": []}', "[" * 100_000])
def test_what_is_no_result_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"no result of `gytbench evaluate --json`") as caught:
        read_own(path)
    assert caught.value.faults[0].where == str(path)


def test_the_command(run: Run, tmp_path: Path) -> None:
    code, out, err = run("results", own(tmp_path / "my\x1b.json"), "--task", "spatial")
    assert (code, err) == (0, "")
    assert "spatial (reported, convention unknown, but for files of your own)" in out
    for paper in packaged_reports():
        assert f"{paper.paper}: {paper.url}" in out
        assert all(row.system in out for row in paper.rows if row.task == "spatial")
    assert "my" not in out.partition("Signature")[0]
    code, out, _ = run("results", own(tmp_path / "my.json"))
    assert code == 0
    assert out.startswith("st (reported, convention unknown")
    assert "Signature: gytbench:1.0|task:st\n" in out


def test_the_papers_travel_with_the_package() -> None:
    assert packaged_reports()
