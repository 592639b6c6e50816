"""`gytbench export lmms-eval`: the folder is one that the harness reads, and answers are scored."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from gytbench.benchmark import load_benchmark
from gytbench.predictions import load_predictions

from .conftest import TALL, WIDE, Run


class _Loader(yaml.SafeLoader):
    """Reads the harness's tag as the name of a function."""


_Loader.add_constructor("!function", lambda loader, node: loader.construct_scalar(node))


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    """A folder with the videos of the benchmark."""
    folder = tmp_path / "videos"
    folder.mkdir()
    for video in (WIDE, TALL):
        (folder / f"{video}.mp4").touch()
    return folder


def exported(run: Run, folder: Path, *arguments: object) -> tuple[dict[str, Any], list[Any], Any]:
    """The configuration, the questions and the functions of an exported task."""
    code, out, err = run("export", "lmms-eval", "-o", folder, *arguments)
    assert (code, err) == (0, "")
    (config,) = folder.glob("*.yaml")
    told = yaml.load(config.read_text(), _Loader)
    lines = Path(told["dataset_kwargs"]["data_files"]["test"]).read_text().splitlines()
    assert out == f"{folder}: {len(lines):,} questions\n"
    spec = importlib.util.spec_from_file_location("utils", folder / "utils.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return told, [json.loads(line) for line in lines], module


def result(told: dict[str, Any], questions: list[Any], functions: Any, answer: Any) -> list[float]:
    """What the harness would print: every metric of the answers."""
    named = {
        name: getattr(functions, told[name].removeprefix("utils."))
        for name in ("doc_to_visual", "doc_to_text", "process_results")
    }
    items: dict[str, list[Any]] = {entry["metric"]: [] for entry in told["metric_list"]}
    for doc in questions:
        assert Path(named["doc_to_visual"](doc)[0]).is_file()
        text = named["doc_to_text"](doc, {"pre_prompt": ""})
        assert doc["label"].replace("_", " ") in text
        for metric, item in named["process_results"](doc, [answer(doc)]).items():
            items[metric].append(item)
    return [
        getattr(functions, entry["aggregation"].removeprefix("utils."))(items[entry["metric"]])
        for entry in told["metric_list"]
    ]


def test_spatial_answers_are_scored(run: Run, data: Path, videos: Path, tmp_path: Path) -> None:
    folder = tmp_path / "task"
    task = exported(run, folder, "--videos", videos, "--data", data)
    benchmark = load_benchmark(data=data)
    assert [each["instance"] for each in task[1]] == [one.id for one in benchmark.instances]

    def right(doc: dict[str, Any]) -> str:
        width, height = benchmark.frames[doc["video"]]
        frames = []
        for second, (x1, y1, x2, y2) in benchmark.boxes[doc["video"]].items():
            if doc["start"] <= second < doc["end"]:
                box = [x1 / width, y1 / height, x2 / width, y2 / height]
                frames.append({"time": second, "bbox": box})
        return json.dumps({"start": doc["start"], "end": doc["end"], "frames": frames})

    assert result(*task, right) == [1, 1]
    assert load_predictions(folder / "predictions.json").task == "spatial"
    assert result(*task, lambda _: "I cannot tell.") == [0, 0]


def released_videos(folder: Path, released: Path) -> Path:
    """A folder with a file for every video of the released benchmark."""
    for video in load_benchmark(data=released).videos:
        (folder / f"{video}.webm").touch()
    return folder


def test_temporal_answers_are_scored(
    run: Run, released: Path, videos: Path, tmp_path: Path
) -> None:
    more = ("--videos", released_videos(videos, released), "--data", released)
    task = exported(run, tmp_path / "task", *more, "--task", "temporal")
    cues: dict[tuple[str, str], list[Any]] = {}
    for one in load_benchmark(data=released).cues:
        found = cues.setdefault((one.video, one.step), [])
        found.append({"start": one.start, "end": one.end})

    iou, iod = result(*task, lambda doc: json.dumps(cues.get((doc["video"], doc["label"]), [])))
    assert 0.95 < iou <= iod <= 1


@pytest.mark.parametrize("task", ["st", "spatial", "temporal"])
def test_released(run: Run, released: Path, videos: Path, tmp_path: Path, task: str) -> None:
    benchmark = load_benchmark(data=released)
    released_videos(videos, released)
    more = ("--videos", videos, "--data", released, "--task", task)
    told, questions, _ = exported(run, tmp_path / "task", *more)
    assert told["task"] == f"gytbench_{task}"
    asked = benchmark.cues if task == "temporal" else benchmark.instances
    steps = {(one.video, one.step) for one in asked}
    assert len(questions) == (len(asked) if task == "spatial" else len(steps))


def test_faults(run: Run, data: Path, videos: Path, tmp_path: Path) -> None:
    (videos / f"{WIDE}.mp4").unlink()
    out = tmp_path / "task"
    code, _, err = run("export", "lmms-eval", "-o", out, "--videos", videos, "--data", data)
    assert (code, err) == (2, f"error: {videos}: lacks 1 of 2 videos, first {WIDE}\n")
    assert not out.exists()
    none = tmp_path / "none"
    code, _, err = run("export", "lmms-eval", "-o", out, "--videos", none, "--data", data)
    assert (code, "cannot be read" in err) == (2, True)
    (videos / f"{WIDE}.mp4").touch()
    code, _, err = run("export", "lmms-eval", "-o", videos, "--videos", videos, "--data", data)
    assert (code, err) == (2, f"error: {videos}: is there already; name a new folder\n")
