"""`gytbench demo`."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from gytbench.cli.main import main


def test_it_scores_every_task_and_leaves_files_that_score_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shown = CliRunner().invoke(main, ["demo"])
    assert shown.exit_code == 0, shown.output
    for task in ("st", "spatial", "temporal"):
        command = f"evaluate gytbench-demo/{task}.json --data gytbench-demo/data"
        again = CliRunner().invoke(main, command.split())
        assert again.exit_code == 0
        # Below the title, the table is the same to the letter.
        assert again.output.split("\n", 1)[1].strip() in shown.output


def test_it_is_the_same_every_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        CliRunner().invoke(main, ["demo", "-o", str(tmp_path / name)])
    one, two = (
        {p.relative_to(tmp_path / n): p.read_bytes() for p in (tmp_path / n).rglob("*.*")}
        for n in ("one", "two")
    )
    assert one == two
    assert len(one) > 15


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    shown = CliRunner().invoke(main, ["demo", "-o", str(tmp_path / "file")])
    assert shown.exit_code == 2
    assert "cannot be written" in shown.output


def test_it_has_the_quirks_of_the_released_files(tmp_path: Path) -> None:
    CliRunner().invoke(main, ["demo", "-o", str(tmp_path)])
    folder = tmp_path / "data" / "groundingyoutube"
    rows = [
        row for video in json.loads((folder / "seg.json").read_text()).values() for row in video
    ]
    assert any(row["segment"][0] == row["segment"][1] for row in rows)
    boxes = [
        box
        for video in json.loads((folder / "id2xy_box_new_s.json").read_text()).values()
        for box in video.values()
    ]
    # Clipped with width and height exchanged.
    assert max(box[2] for box in boxes) == 480
    assert max(box[3] for box in boxes) > 480
    assert [480, 640] in json.loads((folder / "id2wh_new.json").read_text()).values()
