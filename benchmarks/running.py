"""Where the time of a run goes, system by system: decoding, model, the rest.

`python -m benchmarks.running [DEVICE]`. Weights are random, in the real shapes; the videos
are made here.
"""

import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from tabulate import tabulate

from benchmarks.video_reading import write_video
from gytbench.grounding.features import Looker, Video, Watch
from gytbench.grounding.systems import Loaded, Options, prepare
from gytbench.models.clip import Clip
from gytbench.models.clip_blocks import Transformer
from gytbench.models.clip_vit import VisionTransformer
from gytbench.models.s3d import S3D

QUERIES = ("crack egg", "beat egg", "pour oil", "fold omelette")
SECONDS = 30
BATCH = 16


def main() -> None:
    """Run each system on one video, twice, and show the second time."""
    device = sys.argv[1] if len(sys.argv) > 1 else "cpu"
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        video = folder / "video.mp4"
        write_video(video, SECONDS)
        systems = _systems(folder, device)
        rows = [_row(name, options, video) for name, options in systems.items()]
    heads = ["system", "videos/min", "times real time", "decoding", "model", "waiting"]
    sys.stdout.write(
        f"A video of {SECONDS} s, 640x360, H.264, on {_device(device)}; shares of the time of "
        f"the run, which decodes while the model is busy\n\n"
        f"{tabulate(rows, headers=heads, floatfmt='.1f')}\n"
    )


def _row(name: str, options: Options, path: Path) -> list[object]:
    loaded = prepare(name, options).start("spatial").where
    _ground(loaded, path, Watch())  # the first time makes more than a run's later videos
    watch = Watch()
    begin = time.perf_counter()
    _ground(loaded, path, watch)
    wall = time.perf_counter() - begin
    decoding, model = watch.spent["decoding"], watch.spent["model"]
    shares = [f"{seconds / wall:.0%}" for seconds in (decoding, model, max(0, wall - model))]
    return [name, 60 / wall, SECONDS / wall, *shares]


def _ground(loaded: Loaded, path: Path, watch: Watch) -> None:
    """Features of a whole video, its scores, and a heatmap of each second for each query."""
    stretch = Looker(BATCH).whole(loaded, Video(path.stem, path, watch), "st", QUERIES)
    with watch.on("model"):
        if loaded.able.when:
            loaded.grounder.frame_scores(stretch, QUERIES)
        for query in QUERIES:
            loaded.grounder.heatmaps(stretch, query)


def _systems(folder: Path, device: str) -> dict[str, Options]:
    """The systems with weights of their own shapes."""
    files = {
        "clip": {"checkpoint": _saved(folder / "clip.pt", _clip)},
        "mil-nce": {
            "checkpoint": _saved(folder / "s3d.pth", lambda: S3D(1000)),
            "dictionary": folder / "words.npy",
        },
        "motion": {},
        "conse": {},
    }
    np.save(folder / "words.npy", np.array(["crack", "egg", "beat", "pour", "oil"]))
    half = device != "cpu"
    return {
        name: Options(files=own, device=device, half=half and name in ("clip", "mil-nce", "conse"))
        for name, own in files.items()
    }


def _clip() -> Clip:
    """CLIP ViT-B/32."""
    visual = VisionTransformer(width=768, layers=12, patch=32, grid=7, embedding=512)
    text = Transformer(512, 12, "quick_gelu")
    return Clip(visual, text, (49408, 512), 77, 512)


def _saved(path: Path, make: Callable[[], torch.nn.Module]) -> Path:
    torch.manual_seed(0)
    model = make()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.02)
    torch.save(model.state_dict(), path)
    return path


def _device(device: str) -> str:
    if device.startswith("cuda"):
        return f"{torch.cuda.get_device_name(device)}, half precision"
    return f"{platform.machine()} with {torch.get_num_threads()} threads"


if __name__ == "__main__":
    main()
