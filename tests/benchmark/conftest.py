"""A benchmark of two videos in the released files' layout, small enough to count by hand."""

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

VIDEO, TALL = "aaaaaaaaaaa", "bb_b-bbbbbb"

CLASSES = """step\tclass\tclass_index
crack_eggs\tcrack_egg\t0
crack_egg\tcrack_egg\t0
pour_it\tpour_it\t1
sauté_it\tfry_it\t2
"""

SRT = """1
00:00:01,500 --> 00:00:03,250
crack_eggs

2
00:00:03,250 --> 00:00:03,250
pour_it

3
00:01:00,000 --> 01:00:00,001
Saut\u00e9 it
"""


def _row(number: int, first: int, last: int, sentence: str) -> dict[str, Any]:
    return {"segment": [first, last], "id": number, "sentence": sentence}


FILES: dict[str, Any] = {
    # Instance 1 is dropped; 0 covers 2..4, 2 covers 4..5, the tall video's covers 0..1.
    "seg.json": {
        VIDEO: [_row(0, 2, 4, "Crack eggs"), _row(1, 9, 9, "pour it"), _row(2, 4, 5, "pour_it")],
        TALL: [_row(0, 0, 1, "saut\u00e9_it")],
    },
    "ground_seg_3to20.json": {VIDEO: [_row(7, 2, 4, "crack eggs")], TALL: []},
    "id2wh_new.json": {VIDEO: [640, 480], TALL: [480, 640]},
    "id2wh.json": {VIDEO: [1280, 720], TALL: [480, 640]},
    "GoundingYouTubeBox.json": {
        VIDEO: {
            "2": {"box": [0, 1, 2, 3], "step": "crack eggs"},
            "5": {"box": [10, 20, 10, 40], "step": "pour it"},
            "77": {"box": [0, 0, 1, 1.5], "step": "outside of all instances"},
        }
    },
    "id2xy_box.json": {VIDEO: {"2": [0, 1, 2, 3]}, TALL: {"0": [1, 1, 480, 640]}},
    "id2xy_box_new_s.json": {VIDEO: {}},
    "vid2step.json": {VIDEO: ["crack eggs", "pour it", "background"], TALL: ["saut\u00e9_it"]},
    "pumpkin_youtube_annotation_full_agg_subset.json": [
        {
            "image_url": f"https://host/x/{VIDEO}_3_crack_eggs.jpg",
            "mean_x": 640.0,
            "mean_y": 180.0,
            "mean_dist": 7.5,
        },
        {
            "image_url": f"https://host/x/{VIDEO}_4_crack_eggs.jpg",
            "mean_x": None,
            "mean_y": None,
            "mean_dist": None,
        },
    ],
    "pumpkin_youtube_FPS_21k_annotation_full_agg_p.json": [
        {"image_url": f"https://host/{TALL}/{TALL}_0_saut\u0075\u0030\u0030\u0065\u0039_it.jpg"}
        | {"x": 12.5, "y": 600.0, "mean_dist": 0.0}
    ],
}


def tar_gz(members: dict[str, bytes]) -> bytes:
    """An archive of regular files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """The data folder of the small benchmark."""
    folder = tmp_path / "data"
    inner = folder / "groundingyoutube"
    inner.mkdir(parents=True)
    for name, content in FILES.items():
        (inner / name).write_text(json.dumps(content))
    (inner / "classes.tsv").write_text(CLASSES, encoding="utf-8")
    (folder / "miningyoutube").mkdir()
    archive = tar_gz({f"./annotations/{VIDEO}.srt": SRT.encode("utf-8-sig")})
    (folder / "miningyoutube" / "test_annotations.tar.gz").write_bytes(archive)
    return folder


Change = Callable[[str, Any], Path]


@pytest.fixture
def change(small: Path) -> Change:
    """Replace a file of the small benchmark by other content (bytes, or what JSON holds)."""

    def write(name: str, content: Any) -> Path:
        path = small / "groundingyoutube" / name
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return path

    return write
