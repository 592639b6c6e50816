"""The released annotation files, read with the standard library (sections 1 and 4)."""

import csv
import json
import os
import re
import tarfile
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

from .model import Cue, Frame, Instance, RawBox, Truth
from .reading import File

RELEASES = {
    "published": "GoundingYouTubeBox.json",
    "readme": "id2xy_box.json",
    "full": "id2xy_box_new_s.json",
}
TIME = re.compile(r"(\d+):(\d+):(\d+),(\d+) --> (\d+):(\d+):(\d+),(\d+)")


def data_folder() -> Path:
    """Where the files are looked for: GYTBENCH_DATA, else ../shared/data beside the checkout."""
    named = os.environ.get("GYTBENCH_DATA")
    return Path(named) if named else Path(__file__).resolve().parents[3] / "shared" / "data"


def normalised(name: str) -> str:
    """Names compare after lower-casing and turning spaces into underscores."""
    return name.strip().lower().replace(" ", "_")


def load(folder: Path, release: str = "published") -> Truth:
    """The ground truth of all three tasks, with classes of the MiningYouTube dictionary."""
    grounding = folder / "groundingyoutube"
    class_of = _class_map(grounding / "classes.tsv")
    frames: dict[str, Frame] = {
        video: (size[0], size[1]) for video, size in _json(grounding / "id2wh_new.json").items()
    }
    return Truth(
        frames=frames,
        instances=_instances(_json(grounding / "seg.json"), class_of),
        boxes=_boxes(_json(grounding / RELEASES[release])),
        cues=_cues(folder / "miningyoutube" / "test_annotations.tar.gz", class_of),
    )


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _class_map(path: Path) -> dict[str, str]:
    """Step name -> class name."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t")
        return {normalised(row["step"]): row["class"] for row in rows}


def _instances(segments: Any, class_of: dict[str, str]) -> list[Instance]:
    """Rows [s, e] with both ends included are [s, e + 1); rows with e <= s are dropped."""
    return [
        Instance(
            video,
            row["id"],
            row["segment"][0],
            row["segment"][1] + 1,
            class_of[normalised(row["sentence"])],
        )
        for video, rows in segments.items()
        for row in rows
        if row["segment"][1] > row["segment"][0]
    ]


def _boxes(released: Any) -> dict[str, dict[int, RawBox]]:
    """The boxes are bare, or in a {"box", "step"}."""
    return {
        video: {
            int(second): tuple(entry["box"] if isinstance(entry, dict) else entry)
            for second, entry in seconds.items()
        }
        for video, seconds in released.items()
    }


def _cues(archive: Path, class_of: dict[str, str]) -> list[Cue]:
    """The cues of every subtitle file; those with end <= start are dropped."""
    cues = []
    with tarfile.open(archive) as members:
        for member in members:
            content = members.extractfile(member) if member.name.endswith(".srt") else None
            if content is None:
                continue
            lines = content.read().decode("utf-8-sig").splitlines()
            for line, text in pairwise(lines):
                if found := TIME.match(line):
                    start, end = _seconds(*found.groups()[:4]), _seconds(*found.groups()[4:])
                    if end > start:
                        label = class_of[normalised(text)]
                        cues.append(Cue(Path(member.name).stem, start, end, label))
    return cues


def _seconds(hours: str, minutes: str, seconds: str, milliseconds: str) -> float:
    whole = (int(hours) * 60 + int(minutes)) * 60 + int(seconds)
    return float(whole + Fraction(int(milliseconds), 1000))


# --- predictions whose scores are known (section 9) -------------------------------------------


def oracle(truth: Truth) -> File:
    """The ground truth as prediction; degenerate boxes cannot be predicted."""
    tubes = []
    for instance in truth.instances:
        boxes = truth.boxes.get(instance.video, {})
        times = range(int(instance.start), int(instance.end))
        found = [boxes.get(second) for second in times]
        tubes.append(
            _tube(instance, truth.frames[instance.video])
            | {
                "boxes": [
                    box if box and box[2] > box[0] and box[3] > box[1] else None for box in found
                ]
            }
        )
    return _file("st", tubes)


def centre_square(truth: Truth, side: int = 200) -> File:
    """True times and labels; the frame centre as point, a square around it as box."""
    tubes = []
    for instance in truth.instances:
        width, height = truth.frames[instance.video]
        x, y, half = width / 2, height / 2, side / 2
        count = int(instance.end) - int(instance.start)
        tubes.append(
            _tube(instance, (width, height))
            | {
                "points": [[x, y]] * count,
                "boxes": [[x - half, y - half, x + half, y + half]] * count,
            }
        )
    return _file("st", tubes)


def temporal_oracle(truth: Truth) -> File:
    """The cues as prediction."""
    tubes = [
        {"video": cue.video, "label": cue.label, "start": cue.start, "end": cue.end}
        for cue in truth.cues
    ]
    return _file("temporal", tubes)


def _tube(instance: Instance, frame: Frame) -> dict[str, Any]:
    return {
        "video": instance.video,
        "label": instance.label,
        "start": instance.start,
        "end": instance.end,
        "instance": instance.id,
        "frame_size": list(frame),
    }


def _file(task: str, tubes: list[dict[str, Any]]) -> File:
    return {
        "format": "gytbench-predictions/1",
        "task": task,
        "model": {"name": "reference"},
        "tubes": tubes,
    }
