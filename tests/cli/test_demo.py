"""`gytbench demo`."""

import json
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import av
import pytest
from click.testing import CliRunner

import gytbench
from gytbench.cli import demo
from gytbench.cli.main import main
from gytbench.grounding import running, work
from gytbench.predictions import load_predictions, save_predictions

OUTPUT = "gytbench-demo"


class Shown(NamedTuple):
    """What a demo printed, and the folder that it wrote."""

    output: str
    folder: Path


def _without(names: Sequence[str], patch: pytest.MonkeyPatch) -> None:
    """Have the demo take packages for missing."""
    patch.setattr(demo, "find_spec", lambda name: None if name in names else find_spec(name))


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """A demo without the extra [conse], which would take a minute, in the current folder."""
    folder = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        _without(["efficientnet_lite_pytorch"], patch)
        patch.chdir(folder)
        result = CliRunner().invoke(main, ["demo"])
        assert result.exit_code == 0, result.output
        yield Shown(result.output, folder / OUTPUT)


def _scored_again(task: str, shown: Shown, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(shown.folder.parent)
    command = f"evaluate {OUTPUT}/{task}.json --data {OUTPUT}/data"
    again = CliRunner().invoke(main, command.split())
    assert again.exit_code == 0
    # Below the title, the table is the same to the letter.
    return again.output.split("\n", 1)[1].strip()


@pytest.mark.parametrize("name", ["st", "spatial", "temporal", "grounded"])
def test_it_scores_files_that_score_the_same(
    shown: Shown, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    assert _scored_again(name, shown, monkeypatch) in shown.output
    assert f"gytbench evaluate {OUTPUT}/{name}.json --data {OUTPUT}/data\n" in shown.output


def test_the_command_that_grounds_does_so_again(
    shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shown.folder.parent)
    (command,) = (line for line in shown.output.splitlines() if "run-baseline" in line)
    path = shown.folder / "grounded.json"
    before = path.read_bytes()
    path.unlink()
    assert CliRunner().invoke(main, command.split()[1:]).exit_code == 0
    assert path.read_bytes() == before


def test_there_is_a_video_for_every_video(shown: Shown) -> None:
    benchmark = gytbench.load_benchmark(data=shown.folder / "data")
    videos = {path.stem: path for path in (shown.folder / "videos").iterdir()}
    assert set(videos) == set(benchmark.videos)
    for name, path in videos.items():
        with av.open(str(path)) as container:
            (stream,) = container.streams
            assert stream.codec_context.name in ("h264", "mpeg4")
            frames = sum(1 for _ in container.decode(video=0))
        last = max(i.end for i in benchmark.instances if i.video == name)
        assert frames / float(stream.average_rate) >= last
        width, height = benchmark.frames[name]
        # Four to one: a turned frame would show.
        assert (stream.width * 4, stream.height * 4) == (width, height)


def test_what_grounded_the_videos_found_what_moves(shown: Shown) -> None:
    path = shown.folder / "grounded.json"
    assert load_predictions(path).model["name"] == "motion"
    result = gytbench.evaluate(path, data=shown.folder / "data")
    assert result.metrics["pointing_accuracy"] > 0.6  # the centre has 0.43


def test_nothing_of_the_run_is_left(shown: Shown) -> None:
    names = {path.name for path in shown.folder.iterdir()}
    assert names == {"data", "videos", "st.json", "spatial.json", "temporal.json", "grounded.json"}


def test_it_is_the_same_every_time(
    shown: Shown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _without(["torch"], monkeypatch)
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(main, ["demo"]).output == shown.output
    one, two = (
        {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*.*")}
        for folder in (shown.folder, tmp_path / OUTPUT)
    )
    assert one == two
    assert len(one) > 20


def test_with_the_extra_conse_its_system_grounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = []

    def run(job: work.Job, output: Path, **_: Any) -> None:
        jobs.append(job)
        save_predictions(load_predictions(output.with_name("st.json")), output)

    monkeypatch.setattr(running, "run", run)
    monkeypatch.setattr(demo, "find_spec", lambda name: name)
    result = CliRunner().invoke(main, ["demo", "-o", str(tmp_path)])
    assert result.exit_code == 0
    assert [(job.name, job.choices.task) for job in jobs] == [("conse", "st")]
    assert "gytbench run-baseline conse --videos " in result.output


def test_without_pyav_it_says_how_to_get_videos(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _without(["av"], monkeypatch)
    result = CliRunner().invoke(main, ["demo", "-o", str(tmp_path)])
    assert result.exit_code == 0
    assert "pip install 'gytbench[video]'" in result.output
    assert "run-baseline" not in result.output
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"data", "st.json", "spatial.json", "temporal.json"}


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    shown = CliRunner().invoke(main, ["demo", "-o", str(tmp_path / "file")])
    assert shown.exit_code == 2
    assert "cannot be written" in shown.output


def test_it_has_the_quirks_of_the_released_files(shown: Shown) -> None:
    folder = shown.folder / "data" / "groundingyoutube"
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
