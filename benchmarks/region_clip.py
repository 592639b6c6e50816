"""What a frame costs RegionCLIP, part by part, on random weights in the published sizes.

`python -m benchmarks.region_clip [DEVICE] [REGIONS ...]`. Frames are of 16:9, as they are after
resizing. Parts are in float32 on a CPU, in bfloat16 on a GPU, and beside the rate of a large
matrix product.
"""

import platform
import resource
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import torch
from tabulate import tabulate
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.measuring import timed
from gytbench.models.clip import Clip
from gytbench.models.clip_blocks import Transformer
from gytbench.models.clip_resnet import ModifiedResNet
from gytbench.models.prompts import PLAIN
from gytbench.models.region_clip import AT_ONCE, RegionClip, text_embeddings
from gytbench.models.region_proposals import RegionProposals

SIZES: dict[str, dict[str, Any]] = {
    "RN50": {"width": 64, "layers": (3, 4, 6, 3), "grid": 7, "embedding": 1024},
    "RN50x4": {"width": 80, "layers": (4, 6, 10, 6), "grid": 9, "embedding": 640},
}
TEXT_WIDTHS = {"RN50": 512, "RN50x4": 640}
FRAME = (750, 1333)
REGIONS = (100, 1000)
POOL = 16


class Place(NamedTuple):
    """Where and in what precision it runs."""

    device: str
    dtype: torch.dtype

    def drawn(self, *shape: int) -> Tensor:
        """Numbers from 0 to 1."""
        return torch.rand(*shape, device=self.device, dtype=self.dtype)

    def ready(self, model: nn.Module) -> Any:
        """The model with random weights."""
        for each in (*model.parameters(), *model.buffers()):
            if each.is_floating_point():
                each.data.uniform_(0.5, 1) if each.ndim < 2 else each.data.normal_(std=0.02)
        return model.eval().requires_grad_(False).to(self.device, self.dtype)

    def waited(self, call: Callable[[], Tensor]) -> Tensor:
        """A call's value, when it is there."""
        value = call()
        if self.device != "cpu":
            torch.cuda.synchronize(self.device)
        return value


def main() -> None:
    """Print a table for each size."""
    device = sys.argv[1] if len(sys.argv) > 1 else "cpu"
    counts = tuple(map(int, sys.argv[2:])) or REGIONS
    place = Place(device, torch.float32 if device == "cpu" else torch.bfloat16)
    name = f"{platform.machine()}, {torch.get_num_threads()} threads"
    if device != "cpu":
        name = torch.cuda.get_device_name(device)
    torch.manual_seed(0)
    with torch.inference_mode():
        rate = _matrix_rate(place)
        print(f"{name}, {place.dtype}: large matrix products at {rate / 1e12:.2f} TFLOP/s")
        for size in SIZES:
            rows = [_row(part, call, place, rate) for part, call in _parts(size, counts, place)]
            heads = ["part", "seconds", "GFLOP", "share of rate", "peak MiB so far"]
            table = tabulate(rows, heads, floatfmt=("", ".4f", ".1f", ".0%", ".0f"))
            print(f"\n{size}, a frame of {FRAME[1]}x{FRAME[0]}\n\n{table}")


def _parts(
    size: str, counts: tuple[int, ...], place: Place
) -> Iterator[tuple[str, Callable[[], Tensor]]]:
    """What is timed; all that is done for a frame, and for a pool of descriptions."""
    backbone = ModifiedResNet(**SIZES[size])
    model: RegionClip = place.ready(RegionClip(backbone))
    pixels = place.drawn(3, *FRAME)
    yield "trunk", lambda: model.image_map(pixels)
    image_map = model.image_map(pixels)
    for count in counts:
        corners = torch.rand(count, 2, 2) * torch.tensor([*FRAME[::-1]])
        boxes = torch.cat([corners.amin(dim=1), corners.amax(dim=1)], dim=1).to(place.device)
        yield f"RoIAlign, {count} regions", partial(_cropped, model, image_map, boxes)
        yield (
            f"RoIAlign and head, {count} regions",
            partial(model.region_features, image_map, boxes),
        )
    proposer: RegionProposals = place.ready(RegionProposals())
    yield "proposal network", lambda: proposer(255 * pixels, max(counts))
    text = Transformer(TEXT_WIDTHS[size], 12, "quick_gelu")
    table = (49408, TEXT_WIDTHS[size])
    tower: Clip = place.ready(Clip(backbone, text, table, 77, SIZES[size]["embedding"]))
    queries = [f"step {number}" for number in range(POOL)]
    yield f"text, {POOL} descriptions, once", partial(text_embeddings, tower, queries, PLAIN)
    units, features = (place.drawn(n, SIZES[size]["embedding"]) for n in (POOL, max(counts)))
    yield f"similarity, {max(counts)} regions", lambda: features @ units.T


def _cropped(model: RegionClip, image_map: Tensor, boxes: Tensor) -> Tensor:
    for start in range(0, len(boxes), AT_ONCE):
        crops = model.crops(image_map, boxes[start : start + AT_ONCE])
    return crops


def _row(part: str, call: Callable[[], Tensor], place: Place, rate: float) -> list[object]:
    with FlopCounterMode(display=False) as counter:
        call()
    _, seconds = timed(lambda: place.waited(call), repeat=2)
    flops = counter.get_total_flops()
    return [part, seconds, flops / 1e9, flops / seconds / rate, _peak_mib(place.device)]


def _matrix_rate(place: Place) -> float:
    """Floating-point operations a second of a product of square matrices."""
    side = 2048 if place.device == "cpu" else 8192
    matrix = place.drawn(side, side)
    place.waited(lambda: matrix @ matrix)
    _, seconds = timed(lambda: place.waited(lambda: matrix @ matrix), repeat=5)
    return 2 * side**3 / seconds


def _peak_mib(device: str) -> float:
    if device != "cpu":
        return torch.cuda.max_memory_allocated(device) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
