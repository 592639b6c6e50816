"""The command line in this process, on a benchmark of two videos in the released layout."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner

from gytbench.cli.main import main

WIDE, TALL = "aaaaaaaaaaa", "bb_b-bbbbbb"


class Printed(NamedTuple):
    """What a command left: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


Run = Callable[..., Printed]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command; anything but an exit code is a traceback, and fails the test."""
    monkeypatch.delenv("GYTBENCH_DATA", raising=False)

    def invoke(*args: object) -> Printed:
        result = CliRunner().invoke(main, [str(arg) for arg in args])
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return Printed(result.exit_code, result.stdout, result.stderr)

    return invoke


def row(number: int, first: int, last: int, sentence: str) -> dict[str, Any]:
    """A row of seg.json: the seconds from first to last."""
    return {"segment": [first, last], "id": number, "sentence": sentence}


def image(video: str, second: int, step: str) -> str:
    """The address of an annotated frame."""
    return f"https://host/{video}_{second}_{step}.jpg"


FILES: dict[str, Any] = {
    "seg.json": {
        WIDE: [row(0, 2, 4, "crack eggs"), row(1, 9, 9, "pour it"), row(2, 4, 5, "pour it")],
        TALL: [row(0, 0, 1, "fry it")],
    },
    "ground_seg_3to20.json": {WIDE: [row(5, 4, 5, "pour it")], TALL: []},
    "id2wh_new.json": {WIDE: [640, 480], TALL: [480, 640]},
    "id2wh.json": {WIDE: [1280, 720], TALL: [480, 640]},
    "GoundingYouTubeBox.json": {
        WIDE: {
            "2": {"box": [220, 140, 420, 340], "step": "crack eggs"},
            "4": {"box": [0, 0, 100, 100], "step": "pour it"},
        },
        TALL: {"0": {"box": [140, 220, 340, 420], "step": "fry it"}},
    },
    "id2xy_box.json": {WIDE: {"2": [220, 140, 420, 340]}, TALL: {}},
    "id2xy_box_new_s.json": {WIDE: {"2": [220, 140, 420, 340]}, TALL: {"0": [1, 1, 2, 2]}},
    "pumpkin_youtube_annotation_full_agg_subset.json": [],
    "pumpkin_youtube_FPS_21k_annotation_full_agg_p.json": [
        {"image_url": image(WIDE, 2, "crack_eggs"), "x": 320, "y": 240, "mean_dist": 5},
        {"image_url": image(WIDE, 4, "pour_it"), "x": 50, "y": 50, "mean_dist": 5},
        {"image_url": image(TALL, 0, "fry_it"), "x": 240, "y": 320, "mean_dist": 5},
    ],
}

CLASSES = """step\tclass\tclass_index
crack_eggs\tcrack_egg\t0
crack_egg\tcrack_egg\t0
pour_it\tpour_it\t1
fry_it\tfry_it\t2
"""

CUES = """1
00:00:02,000 --> 00:00:04,500
crack_eggs

2
00:00:04,500 --> 00:00:06,000
pour_it
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The data folder."""
    folder = tmp_path / "data"
    inner, cues = folder / "groundingyoutube", folder / "miningyoutube" / "annotations"
    inner.mkdir(parents=True)
    cues.mkdir(parents=True)
    for name, content in FILES.items():
        (inner / name).write_text(json.dumps(content))
    (inner / "classes.tsv").write_text(CLASSES)
    (cues / f"{WIDE}.srt").write_text(CUES)
    return folder


def tube(**fields: Any) -> dict[str, Any]:
    """A tube that is right, with fields replaced or added."""
    return {"video": WIDE, "label": "crack_egg", "start": 2, "end": 5} | fields


def predictions(folder: Path, *tubes: Any, name: str = "preds.json", **header: Any) -> Path:
    """A file of predictions."""
    path = folder / name
    content = {"format": "gytbench-predictions/1", "task": "st", **header, "tubes": list(tubes)}
    path.write_text(json.dumps(content))
    return path
