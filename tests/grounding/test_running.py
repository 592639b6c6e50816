"""Runs over folders of videos: whole, in shares, killed and taken up again, and what fails."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gytbench
from gytbench.errors import InputError
from gytbench.grounding.answering import Choices
from gytbench.grounding.running import Outcome, Shard, run
from gytbench.grounding.systems import Options
from gytbench.grounding.work import Job
from gytbench.predictions import Tube, load_predictions
from gytbench.videos import open_frames

from .making import Ground, make_ground


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return make_ground(tmp_path_factory.mktemp("ground"))


@pytest.fixture(autouse=True)
def _installed(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ground.site)


def job(ground: Ground, task: Any = "st", **changes: Any) -> Job:
    made = Job("yellow", ground.videos, Choices(task), Options(), {"data": ground.data})
    return replace(made, **changes)


def tubes(path: Path) -> Sequence[Tube]:
    return load_predictions(path).tubes


def logged(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def test_it_points_at_what_moves_in_the_demo(ground: Ground, tmp_path: Path) -> None:
    path = tmp_path / "preds.json"
    outcome = run(job(ground, "spatial"), path)
    result = gytbench.evaluate(path, data=ground.data)
    assert (outcome.answered, outcome.missing, outcome.failed) == (6, 0, {})
    assert outcome.tubes == len(tubes(path)) > 40
    assert result.metrics["pointing_accuracy"] > 0.9
    assert load_predictions(path).model["grounder"] == "yellow"
    assert not path.with_name("preds.json.run").exists()


def test_the_threshold_takes_the_background_out(ground: Ground, tmp_path: Path) -> None:
    everything, found = tmp_path / "all.json", tmp_path / "found.json"
    run(job(ground), everything)
    run(job(ground, choices=Choices("st", tau=100.0)), found)
    without = gytbench.evaluate(everything, data=ground.data)
    with_tau = gytbench.evaluate(found, data=ground.data)
    assert with_tau.counts["seconds_predicted"] < without.counts["seconds_predicted"] / 1.5
    for tube in tubes(found):
        assert min(tube.scores or ()) >= 100
        assert tube.score == pytest.approx(np.mean(tube.scores or ()))


def test_the_transcript_is_kept_in_its_order(ground: Ground, tmp_path: Path) -> None:
    path = tmp_path / "preds.json"
    run(job(ground, "temporal"), path)
    benchmark = gytbench.load_benchmark(data=ground.data)
    for video in benchmark.videos:
        said = [tube.label for tube in tubes(path) if tube.video == video]
        cues = sorted((c for c in benchmark.cues if c.video == video), key=lambda c: c.start)
        assert said == [cue.label for cue in cues]


@pytest.mark.parametrize("task", ["st", "spatial", "temporal"])
def test_batches_and_shares_change_nothing(ground: Ground, tmp_path: Path, task: str) -> None:
    one = tmp_path / "one.json"
    run(job(ground, task, batch_size=1), one)
    many = tmp_path / "many.json"
    run(job(ground, task, batch_size=33), many)
    assert many.read_bytes() == one.read_bytes()
    shared = tmp_path / "shared.json"
    for number in (3, 1, 2):
        assert not shared.exists()
        outcome = run(job(ground, task, batch_size=5), shared, shard=Shard(number, 3))
    assert outcome.missing == 0
    assert shared.read_bytes() == one.read_bytes()


def test_a_share_tells_what_others_have_to_do(ground: Ground, tmp_path: Path) -> None:
    path = tmp_path / "preds.json"
    outcome = run(job(ground), path, shard=Shard(2, 4))
    assert (outcome.fresh, outcome.answered, outcome.missing) == (2, 2, 4)
    again = run(job(ground), path, shard=Shard(2, 4))
    assert (again.fresh, again.answered, again.missing) == (0, 2, 4)
    assert not path.exists()


def test_kept_features_are_not_made_again(ground: Ground, tmp_path: Path) -> None:
    log = tmp_path / "log"
    options = Options(settings={"log": str(log)})
    first = job(ground, options=options, features=tmp_path / "features")
    run(first, tmp_path / "one.json")
    made = len(logged(log))
    assert made > 0
    run(replace(first, choices=Choices("st", tau=90.0)), tmp_path / "two.json")
    run(replace(first, pool="all"), tmp_path / "three.json")
    run(replace(first, choices=Choices("spatial")), tmp_path / "four.json")
    assert len(logged(log)) == made
    run(
        replace(first, options=Options(settings={"log": str(log), "slow": 1e-6})),
        tmp_path / "5.json",
    )
    assert len(logged(log)) == 2 * made
    fresh = tmp_path / "fresh.json"
    run(job(ground, choices=Choices("st", tau=90.0), options=options), fresh)
    assert fresh.read_bytes() == (tmp_path / "two.json").read_bytes()


def test_a_video_is_looked_at_once_for_times_and_places(ground: Ground, tmp_path: Path) -> None:
    log = tmp_path / "log"
    options = Options(settings={"log": str(log)})
    run(job(ground, options=options), tmp_path / "preds.json")
    seconds = sum(open_frames(path).seconds[-1] + 1 for path in ground.videos.iterdir())
    assert sum(int(line.split()[1]) for line in logged(log)) == seconds


PROGRAM = """
import json, sys

print('{"ready": "gytbench-exec/1"}', flush=True)
for line in sys.stdin:
    request = json.loads(line)
    with open(sys.argv[1], "a") as log:
        log.write(request["video"] + "\\n")
    answer = {"second": 3, "query": request["asked"][0]["query"], "score": 0.5, "box": [0, 0, 1, 1]}
    print(json.dumps({"video": request["video"], **answer}))
    print(json.dumps({"video": request["video"], "done": True}), flush=True)
"""


def test_a_program_is_asked_once_for_times_and_places(ground: Ground, tmp_path: Path) -> None:
    program, log, path = tmp_path / "program.py", tmp_path / "log", tmp_path / "preds.json"
    program.write_text(PROGRAM)
    options = Options(settings={"command": [sys.executable, str(program), str(log)]})
    run(job(ground, name="exec", options=options), path)
    assert sorted(logged(log)) == sorted(source.stem for source in ground.videos.iterdir())
    assert [(tube.start, tube.end, tube.boxes) for tube in tubes(path)] == [
        (3, 4, [(0, 0, 1, 1)])
    ] * 6


def test_kept_features_go_by_content_not_by_name(ground: Ground, tmp_path: Path) -> None:
    videos = tmp_path / "videos"
    videos.mkdir()
    for path in ground.videos.iterdir():
        (videos / path.name).write_bytes(path.read_bytes())
    given = job(ground, "spatial", videos=videos, features=tmp_path / "features")
    run(given, tmp_path / "one.json")
    one, two = videos / "demo-eggs_1.mp4", videos / "demo-eggs_2.mp4"
    content = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(content)
    run(given, tmp_path / "two.json")
    run(replace(given, features=None), tmp_path / "three.json")
    assert (tmp_path / "two.json").read_bytes() == (tmp_path / "three.json").read_bytes()
    assert (tmp_path / "two.json").read_bytes() != (tmp_path / "one.json").read_bytes()


def test_damaged_features_are_made_again(ground: Ground, tmp_path: Path) -> None:
    given = job(ground, features=tmp_path / "features")
    run(given, tmp_path / "one.json")
    stored = sorted((tmp_path / "features").iterdir())
    assert len(stored) == 6
    for number, path in enumerate(stored):
        path.write_bytes(path.read_bytes()[: number * 100])
    run(given, tmp_path / "two.json")
    assert (tmp_path / "two.json").read_bytes() == (tmp_path / "one.json").read_bytes()


def test_videos_that_fail_are_told_and_tried_again(ground: Ground, tmp_path: Path) -> None:
    videos, path = tmp_path / "videos", tmp_path / "preds.json"
    videos.mkdir()
    for source in ground.videos.iterdir():
        (videos / source.name).write_bytes(source.read_bytes())
    broken, gone = videos / "demo-eggs_2.mp4", videos / "demo-eggs_4.mp4"
    kept = broken.read_bytes()
    broken.write_bytes(b"no video at all")
    gone.rename(tmp_path / "elsewhere.mp4")
    given = job(ground, "spatial", videos=videos)
    outcome = run(given, path)
    assert set(outcome.failed) == {"demo-eggs_2", "demo-eggs_4"}
    assert "cannot be decoded as a video" in outcome.failed["demo-eggs_2"]
    assert "no demo-eggs_4.*" in outcome.failed["demo-eggs_4"]
    assert {tube.video for tube in tubes(path)} == {
        "demo-eggs_1",
        "demo-eggs_3",
        "demo-eggs_5",
        "demo_tall-1",
    }
    assert load_predictions(path).model["failed"] == dict(outcome.failed)
    broken.write_bytes(kept)
    (tmp_path / "elsewhere.mp4").rename(gone)
    mended = run(given, path)
    assert (mended.fresh, mended.failed) == (2, {})
    whole = tmp_path / "whole.json"
    run(job(ground, "spatial"), whole)
    assert tubes(path) == tubes(whole)


def test_another_run_does_not_take_up_the_parts(ground: Ground, tmp_path: Path) -> None:
    path = tmp_path / "preds.json"
    run(job(ground), path, shard=Shard(1, 2))
    with pytest.raises(InputError, match=r"tau null, now 50\.0"):
        run(job(ground, choices=Choices("st", tau=50.0)), path, shard=Shard(2, 2))
    assert run(job(ground), path, shard=Shard(2, 2)).missing == 0


def _command(ground: Ground, output: Path, *more: str) -> list[str]:
    words = f"gytbench run-baseline yellow --videos {ground.videos} -o {output}".split()
    return [*words, *more]


def test_a_killed_run_goes_on_where_it_was(ground: Ground, tmp_path: Path) -> None:
    whole, killed, log = tmp_path / "whole.json", tmp_path / "killed.json", tmp_path / "log"
    slow = ("--set", "slow=0.05", "--set", f"log={log}")
    subprocess.run(_command(ground, whole, *slow), env=ground.environment(), check=True)
    batches = len(logged(log))
    log.unlink()
    for parts in (1, 3):
        process = subprocess.Popen(_command(ground, killed, *slow), env=ground.environment())
        _wait_for(lambda count=parts: len(_parts(killed)) >= count)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not killed.exists()
        assert len(_parts(killed)) >= parts
    subprocess.run(_command(ground, killed, *slow), env=ground.environment(), check=True)
    assert killed.read_bytes() == whole.read_bytes()
    # Only the videos that were under way when it was killed are done again.
    assert batches <= len(logged(log)) < 2 * batches


def _parts(output: Path) -> list[Path]:
    return list(output.with_name(f"{output.name}.run").glob("video *.json"))


def _wait_for(come: Any) -> None:
    end = time.monotonic() + 60
    while not come():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_part_that_was_cut_off_counts_as_none(ground: Ground, tmp_path: Path) -> None:
    path = tmp_path / "preds.json"
    run(job(ground), path, shard=Shard(1, 2))
    part = _parts(path)[0]
    part.write_bytes(part.read_bytes()[:-10])
    assert run(job(ground), path, shard=Shard(1, 2)).fresh == 1


def test_times_of_a_floor_with_places_of_a_system(ground: Ground, tmp_path: Path) -> None:
    path = tmp_path / "preds.json"
    outcome = run(job(ground, name="oracle-time+yellow"), path)
    result = gytbench.evaluate(path, data=ground.data)
    assert outcome.failed == {}
    assert result.metrics["label_iou"] == 1
    assert result.metrics["pointing_given_label"] > 0.9


def test_a_task_that_a_system_does_not_do(ground: Ground, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does the task st or spatial, not 'temporal'"):
        run(job(ground, "temporal", name="oracle-time+yellow"), tmp_path / "preds.json")


def test_what_is_written_says_how_it_was_made(ground: Ground, tmp_path: Path) -> None:
    path = tmp_path / "preds.json"
    run(job(ground, choices=Choices("st", tau=60.0)), path)
    model = json.loads(path.read_text())["model"]
    assert model["name"] == "yellow"
    assert (model["tau"], model["pool"]) == (60, "instances")
    assert model["settings"] == {"slow": 0.0, "log": ""}
    assert "device" not in model


def test_outcome_counts_the_work(ground: Ground, tmp_path: Path) -> None:
    outcome: Outcome = run(job(ground), tmp_path / "preds.json")
    assert set(outcome.spent) == {"decoding", "model", "writing"}
    assert all(seconds > 0 for seconds in outcome.spent.values())
    assert outcome.wall > 0
