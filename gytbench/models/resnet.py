"""The ResNet of the detectors (He et al. 2016), with torchvision's names of its weights.

Its batch normalisation keeps to stored statistics, as DETR's (Carion et al. 2020) does.
"""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from gytbench.models.clip_resnet import FrozenBatchNorm

CHANNELS = 2048
"""Channels of the last map."""

STRIDE = 32
"""Pixels of a side that a cell of the last map stands for."""

_EXPANSION = 4


class Bottleneck(nn.Module):
    """A residual block; where it halves the map, its 3 x 3 convolution strides."""

    def __init__(self, into: int, planes: int, stride: int) -> None:
        super().__init__()
        out = planes * _EXPANSION
        self.conv1 = nn.Conv2d(into, planes, 1, bias=False)
        self.bn1 = FrozenBatchNorm(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, stride=stride, padding=1, bias=False)
        self.bn2 = FrozenBatchNorm(planes)
        self.conv3 = nn.Conv2d(planes, out, 1, bias=False)
        self.bn3 = FrozenBatchNorm(out)
        self.downsample: nn.Module = nn.Identity()
        if stride > 1 or into != out:
            shortcut = nn.Conv2d(into, out, 1, stride=stride, bias=False)
            self.downsample = nn.Sequential(shortcut, FrozenBatchNorm(out))

    def forward(self, x: Tensor) -> Tensor:
        """n x 4 * planes x height / stride x width / stride, of n x into x height x width."""
        y = functional.relu(self.bn1(self.conv1(x)))
        y = functional.relu(self.bn2(self.conv2(y)))
        return functional.relu(self.bn3(self.conv3(y)) + self.downsample(x))


class ResNetBody(nn.Module):
    """A ResNet without its classifier; `layers` are the blocks of its four stages.

    (3, 4, 6, 3) is ResNet-50, (3, 4, 23, 3) is ResNet-101.
    """

    def __init__(self, layers: Sequence[int] = (3, 4, 23, 3)) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = FrozenBatchNorm(64)
        self.layer1 = _stage(64, 64, layers[0], stride=1)
        self.layer2 = _stage(256, 128, layers[1], stride=2)
        self.layer3 = _stage(512, 256, layers[2], stride=2)
        self.layer4 = _stage(1024, 512, layers[3], stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """The last map, n x 2048 x height / 32 x width / 32, of n x 3 x height x width.

        Sides are rounded up: each halving of 2k - 1 cells leaves k.
        """
        x = functional.relu(self.bn1(self.conv1(x)))
        x = functional.max_pool2d(x, 3, stride=2, padding=1)
        features: Tensor = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return features


def _stage(into: int, planes: int, blocks: int, stride: int) -> nn.Sequential:
    first = Bottleneck(into, planes, stride)
    return nn.Sequential(
        first, *(Bottleneck(planes * _EXPANSION, planes, 1) for _ in range(blocks - 1))
    )
