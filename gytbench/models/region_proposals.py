"""Where objects may be: the region proposals of Mask R-CNN, R50-FPN (Ren et al. 2015).

The network that RegionCLIP takes its regions from, with detectron2's names of its weights:
a ResNet-50 as MSRA published it (stride in the first convolution of a block, frozen batch
normalisation), a feature pyramid (Lin et al. 2017), and three anchors for each of its cells.
"""

from math import log, sqrt
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from gytbench.models.checkpoints import load_strict, read_checkpoint
from gytbench.models.clip_resnet import FrozenBatchNorm
from gytbench.models.devices import check_device
from gytbench.models.suppression import suppressed_by_class

LEVELS = (2, 3, 4, 5, 6)
"""Of the pyramid; a cell of level n stands for 2^n pixels of a side."""

_ANCHOR_SIDES = (32, 64, 128, 256, 512)
_RATIOS = (0.5, 1.0, 2.0)
_BLOCKS = (3, 4, 6, 3)
_WIDTH = 256
_PADDED_TO = 32
_PER_LEVEL = 1000
_MAX_IOU = 0.9
_MAX_GROWTH = log(1000 / 16)
# Blue, green, red; the deviation is 1.
_MEAN = (103.53, 116.28, 123.675)

# The heads of Mask R-CNN, and values that follow from the configuration.
_BESIDE = ("roi_heads.*", "proposal_generator.anchor_generator.*", "pixel_mean", "pixel_std")


class _Conv(nn.Conv2d):
    """A convolution followed by its normalisation."""

    def __init__(self, into: int, out: int, side: int, stride: int = 1) -> None:
        super().__init__(into, out, side, stride, padding=side // 2, bias=False)
        self.norm = FrozenBatchNorm(out)

    def forward(self, x: Tensor) -> Tensor:
        normed: Tensor = self.norm(super().forward(x))
        return normed


class _Block(nn.Module):
    """A residual block that strides in its first convolution."""

    def __init__(self, into: int, planes: int, stride: int) -> None:
        super().__init__()
        out = 4 * planes
        self.shortcut = _Conv(into, out, 1, stride) if into != out else nn.Identity()
        self.conv1 = _Conv(into, planes, 1, stride)
        self.conv2 = _Conv(planes, planes, 3)
        self.conv3 = _Conv(planes, out, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.conv1(x))
        y = functional.relu(self.conv2(y))
        return functional.relu(self.conv3(y) + self.shortcut(x))


class _Stem(nn.Module):
    """From pixels to the map of stride 4."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = _Conv(3, 64, 7, 2)

    def forward(self, pixels: Tensor) -> Tensor:
        x = functional.relu(self.conv1(pixels))
        return functional.max_pool2d(x, 3, stride=2, padding=1)


class _BottomUp(nn.Module):
    """ResNet-50: the maps of strides 4, 8, 16 and 32."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = _Stem()
        into = 64
        for stage, count in enumerate(_BLOCKS):
            planes = 64 * 2**stage
            strides = [1 if stage == 0 else 2, *(1 for _ in range(count - 1))]
            widths = [into, *(4 * planes for _ in range(count - 1))]
            blocks = [_Block(*each) for each in zip(widths, [planes] * count, strides, strict=True)]
            self.add_module(f"res{stage + 2}", nn.Sequential(*blocks))
            into = 4 * planes

    def forward(self, pixels: Tensor) -> list[Tensor]:
        x = self.stem(pixels)
        maps = []
        for stage in (2, 3, 4, 5):
            x = self.get_submodule(f"res{stage}")(x)
            maps.append(x)
        return maps


class _Pyramid(nn.Module):
    """Maps of one width, each with what the coarser ones know."""

    def __init__(self) -> None:
        super().__init__()
        for stage in (2, 3, 4, 5):
            self.add_module(f"fpn_lateral{stage}", nn.Conv2d(128 * 2 ** (stage - 1), _WIDTH, 1))
            self.add_module(f"fpn_output{stage}", nn.Conv2d(_WIDTH, _WIDTH, 3, padding=1))
        self.bottom_up = _BottomUp()

    def forward(self, pixels: Tensor) -> list[Tensor]:
        """The maps of `LEVELS`, n x 256 x rows x columns; the last is every second cell."""
        coarser: Tensor | None = None
        maps: list[Tensor] = []
        for stage, own in zip((5, 4, 3, 2), reversed(self.bottom_up(pixels)), strict=True):
            x = self.get_submodule(f"fpn_lateral{stage}")(own)
            if coarser is not None:
                x = x + functional.interpolate(coarser, scale_factor=2.0, mode="nearest")
            maps.insert(0, self.get_submodule(f"fpn_output{stage}")(x))
            coarser = x
        return [*maps, maps[-1][..., ::2, ::2]]


class _Head(nn.Module):
    """For each cell and anchor how likely it is an object, and how the anchor is to move."""

    def __init__(self) -> None:
        super().__init__()
        anchors = len(_RATIOS)
        self.conv = nn.Conv2d(_WIDTH, _WIDTH, 3, padding=1)
        self.objectness_logits = nn.Conv2d(_WIDTH, anchors, 1)
        self.anchor_deltas = nn.Conv2d(_WIDTH, 4 * anchors, 1)

    def forward(self, level: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (m) and shifts (m x 4) of the m anchors of one image, as `anchors` has them."""
        x = functional.relu(self.conv(level))
        logits = self.objectness_logits(x)[0].permute(1, 2, 0).flatten()
        shifts = self.anchor_deltas(x)[0].permute(1, 2, 0).reshape(-1, 4)
        return logits.float(), shifts.float()


class _Generator(nn.Module):
    """The head under the name that it has in the published files."""

    def __init__(self) -> None:
        super().__init__()
        self.rpn_head = _Head()

    def forward(self, maps: list[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Boxes (n x 4), logits and levels (n) of the best of each of the maps of `LEVELS`."""
        found = []
        for number, level in zip(LEVELS, maps, strict=True):
            logits, shifts = self.rpn_head(level)
            found.append(best_of_level(logits, shifts, anchors(number, level)))
        boxes, best = (torch.cat(parts) for parts in zip(*found, strict=True))
        levels = torch.cat([torch.full_like(own, n) for n, (_, own) in enumerate(found)])
        return boxes, best, levels


class RegionProposals(nn.Module):
    """Mask R-CNN up to its proposals."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = _Pyramid()
        self.proposal_generator = _Generator()

    def forward(self, pixels: Tensor, count: int) -> Tensor:
        """The best boxes of an image, at most `count` x (x1, y1, x2, y2) in its pixels.

        pixels: 3 x height x width, RGB from 0 to 255. Boxes lie within the image and have
        an area; the likeliest object comes first. There may be none. Raises
        FloatingPointError where the weights or half precision make no numbers.
        """
        height, width = pixels.shape[-2:]
        maps = self.backbone(self._prepared(pixels))
        boxes, logits, levels = self.proposal_generator(maps)
        boxes = clipped(boxes, width, height)
        kept = (boxes[:, 2:] > boxes[:, :2]).all(dim=1)
        boxes, logits, levels = boxes[kept], logits[kept], levels[kept]
        return boxes[suppressed_by_class(boxes, logits, levels, _MAX_IOU)[:count]]

    def _prepared(self, pixels: Tensor) -> Tensor:
        """1 x 3 x rows x columns: blue first, centred, filled up with 0 to whole cells."""
        weight = self.backbone.bottom_up.stem.conv1.weight
        mean = pixels.new_tensor(_MEAN)[:, None, None]
        height, width = pixels.shape[-2:]
        margins = (0, -width % _PADDED_TO, 0, -height % _PADDED_TO)
        return functional.pad(pixels.flip(0) - mean, margins)[None].to(weight.dtype)


def anchors(number: int, level: Tensor) -> Tensor:
    """The anchors of a level's cells, (rows * columns * 3) x (x1, y1, x2, y2) in pixels.

    Row by row, of each cell the widest first. They are centred on the cells' upper left
    corners, and may reach beyond the image.
    """
    rows, columns = (torch.arange(side, device=level.device) for side in level.shape[-2:])
    area = _ANCHOR_SIDES[number - LEVELS[0]] ** 2
    widths = [sqrt(area / ratio) for ratio in _RATIOS]
    halves = [(w / 2, w * ratio / 2) for w, ratio in zip(widths, _RATIOS, strict=True)]
    around = torch.tensor([(-w, -h, w, h) for w, h in halves], device=level.device)
    y, x = torch.meshgrid(rows * 2**number, columns * 2**number, indexing="ij")
    centres = torch.stack([x, y, x, y], dim=-1)
    return (centres[:, :, None] + around).reshape(-1, 4)


def best_of_level(logits: Tensor, shifts: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
    """The likeliest 1,000 of a level's anchors: boxes after their shifts, and logits.

    Raises FloatingPointError where the network gave no numbers.
    """
    if not (torch.isfinite(logits).all() and torch.isfinite(shifts).all()):
        raise FloatingPointError("the proposal network gives no number (NaN)")
    best, places = logits.topk(min(_PER_LEVEL, len(logits)))
    return shifted(boxes[places], shifts[places]), best


def shifted(boxes: Tensor, shifts: Tensor) -> Tensor:
    """Boxes (n x 4) moved and stretched by shifts, n x (dx, dy, dw, dh).

    dx and dy are in widths and heights of the box; width and height grow to their exponential
    of dw and dh, which count for log(1000 / 16) at most.
    """
    sides = boxes[:, 2:] - boxes[:, :2]
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2 + shifts[:, :2] * sides
    halves = sides * shifts[:, 2:].clamp(max=_MAX_GROWTH).exp() / 2
    return torch.cat([centres - halves, centres + halves], dim=1)


def clipped(boxes: Tensor, width: int, height: int) -> Tensor:
    """Boxes (n x 4), cut to the image; outside of it they have no area."""
    limits = boxes.new_tensor([width, height, width, height])
    return torch.minimum(boxes.clamp(min=0), limits)


def load_region_proposals(path: Path, device: str = "cpu", half: bool = False) -> RegionProposals:
    """The proposal network of a Mask R-CNN checkpoint of detectron2, R50-FPN, in eval mode.

    Its other heads may be in the file. Raises `InputError` for a file that holds something
    else, naming what lacks, and for a device that is not there.
    """
    check_device(device)
    with torch.device("meta"):
        model = RegionProposals()
    load_strict(model, read_checkpoint(path), str(path), optional=_BESIDE)
    model.eval().requires_grad_(False)
    return (model.half() if half else model).to(device)
