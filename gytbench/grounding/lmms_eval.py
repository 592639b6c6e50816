"""A task folder for lmms-evaluation-harness: its models answer, this package scores.

The folder holds a YAML file, the questions as JSON lines, and a utils.py whose functions call
this module; the harness imports them, so this package must be installed beside it. The layout
is that of the task guide of EvolvingLMMs-Lab/lmms-eval (docs/task_guide.md).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import yaml

from gytbench.benchmark import Benchmark, load_benchmark
from gytbench.errors import InputError
from gytbench.evaluation import evaluate
from gytbench.predictions import Task
from gytbench.predictions.convert import Options, Report, convert_from
from gytbench.writing import write_whole

METRICS: dict[Task, tuple[str, ...]] = {
    "spatial": ("pointing_accuracy", "success@0.3"),
    "st": ("iou_point", "video_map@0.1:0.5"),
    "temporal": ("iou", "iod"),
}
QUESTIONS, CHOICES, PREDICTIONS = "questions.jsonl", "choices.json", "predictions.json"

_SUFFIXES = (".mp4", ".mkv", ".webm", ".avi", ".mov")
_BOX = (
    'boxes [x1, y1, x2, y2] in fractions of the frame, 0 to 1. Answer with JSON only: {"start": '
    'seconds, "end": seconds, "frames": [{"time": second, "bbox": [x1, y1, x2, y2]}]}'
)
_PROMPTS: dict[Task, str] = {
    "spatial": (
        "From {start:g} to {end:g} seconds of this video someone does the following: {label}. "
        "Where does it happen at each second? Give {box}"
    ),
    "st": (
        "When does someone do the following in this video, and where: {label}? Give the interval "
        "in seconds from the start of the video, and for each of its seconds one of the {box}"
    ),
    "temporal": (
        "When does someone do the following in this video: {label}? Answer with JSON only: "
        '[{{"start": seconds, "end": seconds}}], an object for each time; [] if never.'
    ),
}


def write_task(
    folder: Path, benchmark: Benchmark, task: Task, videos: Path, choices: Mapping[str, str]
) -> int:
    """Write the folder of a task, and return the number of its questions.

    videos: the folder of ID.mp4 and the like. choices: `boxes`, `classes`, `subset` and `data`
    of `load_benchmark`, by which answers are scored. Raises `InputError` for a folder that is
    there already, and where a video is missing.
    """
    if folder.exists():
        raise InputError("is there already; name a new folder", where=str(folder))
    asked = list(_questions(benchmark, task, _paths(videos, benchmark)))
    name = f"gytbench_{task}"
    files = {
        f"{name}.yaml": yaml.safe_dump(_config(folder, task), sort_keys=False) + _functions(task),
        QUESTIONS: "".join(json.dumps(each) + "\n" for each in asked),
        CHOICES: json.dumps({"task": task, **choices}, indent=1) + "\n",
        "utils.py": _utils(task),
    }
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise InputError(f"cannot be made: {error.strerror}", where=str(folder)) from None
    for file, content in files.items():
        write_whole(folder / file, content.encode())
    return len(asked)


def _paths(videos: Path, benchmark: Benchmark) -> dict[str, str]:
    try:
        files = sorted(videos.iterdir())
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(videos)) from None
    found = {path.stem: str(path.resolve()) for path in files if path.suffix.lower() in _SUFFIXES}
    missing = [video for video in benchmark.videos if video not in found]
    if missing:
        reason = f"lacks {len(missing):,} of {len(benchmark.videos):,} videos, first {missing[0]}"
        raise InputError(reason, where=str(videos))
    return found


def _questions(
    benchmark: Benchmark, task: Task, paths: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """A question for each instance (spatial), or for each step that occurs in a video."""
    if task == "spatial":
        for one in benchmark.instances:
            about = {"video": one.video, "label": one.label, "path": paths[one.video]}
            yield _question(task, about, instance=one.id, start=one.start, end=one.end)
        return
    occurring = benchmark.cues if task == "temporal" else benchmark.instances
    for video, step in dict.fromkeys((one.video, one.step) for one in occurring):
        yield _question(task, {"video": video, "label": step, "path": paths[video]})


def _question(task: Task, about: dict[str, Any], **more: Any) -> dict[str, Any]:
    told = about | more
    shown = told | {"label": about["label"].replace("_", " ")}
    return told | {"question": _PROMPTS[task].format(**shown, box=_BOX)}


def _config(folder: Path, task: Task) -> dict[str, Any]:
    return {
        "task": f"gytbench_{task}",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str((folder / QUESTIONS).resolve())}},
        "test_split": "test",
        "output_type": "generate_until",
        "generation_kwargs": {"max_new_tokens": 1024, "temperature": 0, "do_sample": False},
        "metadata": [{"version": 1.0}],
    }


def _functions(task: Task) -> str:
    """The entries that name functions, by a tag that only the harness knows."""
    lines = [f"{name}: !function utils.{name}" for name in ("doc_to_visual", "doc_to_text")]
    lines += ["doc_to_target: video", "process_results: !function utils.process_results"]
    lines.append("metric_list:")
    for index, metric in enumerate(METRICS[task]):
        lines.append(f'  - metric: "{metric}"')
        lines.append(f"    aggregation: !function utils.metric_{index}")
        lines.append("    higher_is_better: true")
    return "\n".join(lines) + "\n"


def _utils(task: Task) -> str:
    """The module that the harness imports."""
    text = '''"""Functions of the task; gytbench scores the answers."""

from pathlib import Path

from gytbench.grounding import lmms_eval

FOLDER = Path(__file__).resolve().parent


def doc_to_visual(doc):
    return [doc["path"]]


def doc_to_text(doc, lmms_eval_specific_kwargs=None):
    return doc["question"]


def process_results(doc, results):
    return lmms_eval.answered(FOLDER, doc, results)
'''
    for index, metric in enumerate(METRICS[task]):
        text += f"\n\ndef metric_{index}(items):\n"
        text += f'    return lmms_eval.scored(FOLDER, "{metric}", items)\n'
    return text


def answered(folder: Path, doc: Mapping[str, Any], results: Sequence[Any]) -> dict[str, Any]:
    """The answer to a question, for each metric of the task."""
    asked = {key: doc[key] for key in ("video", "label", "instance", "start", "end") if key in doc}
    item = {**asked, "answer": str(results[0])}
    return dict.fromkeys(METRICS[_choices(folder)["task"]], item)


def scored(folder: Path, metric: str, items: Sequence[Mapping[str, Any]]) -> float:
    """The metric of all answers; predictions.json in the folder holds what was read of them.

    Raises `InputError` where the predictions cannot be scored.
    """
    choices = _choices(folder)
    task = choices.pop("task")
    with TemporaryDirectory() as name:
        answers = Path(name) / "answers.jsonl"
        answers.write_bytes(b"".join(msgspec.json.encode(item) + b"\n" for item in items))
        convert_from("answers", answers, folder / PREDICTIONS, Options(task=task), Report())
    result = evaluate(folder / PREDICTIONS, task, benchmark=load_benchmark(**choices))
    return float(result.metrics[metric] or 0.0)


def _choices(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / CHOICES).read_bytes())
    return found
