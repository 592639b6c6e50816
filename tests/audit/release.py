"""A tiny release without a fault, in the released layout, to plant faults in."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

WIDE, OTHER = "aaaaaaaaaaa", "bb_b-bbbbbb"

FIRST = "pumpkin_youtube_annotation_full_agg_subset.json"
SECOND = "pumpkin_youtube_FPS_21k_annotation_full_agg_p.json"
PUBLISHED, README, FULL = "GoundingYouTubeBox.json", "id2xy_box.json", "id2xy_box_new_s.json"

CLASSES = "step\tclass\tclass_index\ncrack_egg\tcrack_egg\t0\ncrack_eggs\tcrack_egg\t0\n"
CLASSES += "pour_it\tpour_it\t1\nsauté_it\tsauté_it\t3\n<script>alert(1)</script>\todd\t2\n"

Files = dict[str, Any]


def image(video: str, second: int, step: str) -> str:
    """The address of an annotated frame."""
    return f"https://host/{video}_{second}_{step}.jpg"


# Five points at one place of the frame: boxes of 200 px around it.
_BOXES = {WIDE: {"2": [100, 120, 300, 320]}, OTHER: {"0": [40, 0, 240, 180]}}

_CLEAN: Files = {
    "seg.json": {
        WIDE: [
            {"segment": [2, 4], "id": 0, "sentence": "crack egg"},
        ],
        OTHER: [{"segment": [0, 1], "id": 0, "sentence": "pour it"}],
    },
    "id2wh_new.json": {WIDE: [640, 480], OTHER: [640, 480]},
    "id2wh.json": {WIDE: [1280, 960], OTHER: [640, 480]},
    PUBLISHED: {
        WIDE: {"2": {"box": [100, 120, 300, 320], "step": "crack egg"}},
        OTHER: {"0": {"box": [40, 0, 240, 180], "step": "pour it"}},
    },
    README: _BOXES,
    FULL: _BOXES,
    # The first round is in native pixels, here twice those of the annotation frame.
    FIRST: [
        {
            "image_url": image(WIDE, 2, "crack_egg"),
            "mean_x": 400,
            "mean_y": 440,
            "mean_dist": 0,
        }
    ],
    SECOND: [{"image_url": image(OTHER, 0, "pour_it"), "x": 140, "y": 80, "mean_dist": 0}],
}


def clean() -> Files:
    """The files by name; those that end in .json hold what is to be written as JSON."""
    return deepcopy(_CLEAN)


def write(folder: Path, files: Files) -> Path:
    """The data folder with these files."""
    inner = folder / "groundingyoutube"
    inner.mkdir(parents=True)
    for name, content in files.items():
        (inner / name).write_text(content if isinstance(content, str) else json.dumps(content))
    (inner / "classes.tsv").write_text(CLASSES)
    return folder
