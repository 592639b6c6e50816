"""The separable 3D network S3D-G and its text tower, as trained by MIL-NCE.

Source: Xie et al. 2018 (S3D-G), Miech et al. 2020 (MIL-NCE); weights and names of
antoine77340/S3D_HowTo100M and antoine77340/MIL-NCE_HowTo100M. Entry names and shapes
are those of the released checkpoints, so that these load by name.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from gytbench.errors import InputError
from gytbench.models.checkpoints import load_strict, read_checkpoint
from gytbench.models.devices import check_device

CELL_WIDTH = 1024
"""Channels of a cell of the last feature map, mixed_5c."""
WORD_WIDTH = 2048
"""Width of a word's vector."""
EMBEDDING_WIDTH = 512
"""Width of the space that videos and texts share."""

OPTIONAL = ("*.num_batches_tracked",)
"""Entries that a checkpoint may lack: nothing is computed from them in eval mode."""

Triple = tuple[int, int, int]

# Of each block, the channels of its four branches; where two, of their two convolutions.
_BLOCKS = {
    "mixed_3b": (192, 64, (96, 128), (16, 32), 32),
    "mixed_3c": (256, 128, (128, 192), (32, 96), 64),
    "mixed_4b": (480, 192, (96, 208), (16, 48), 64),
    "mixed_4c": (512, 160, (112, 224), (24, 64), 64),
    "mixed_4d": (512, 128, (128, 256), (24, 64), 64),
    "mixed_4e": (512, 112, (144, 288), (32, 64), 64),
    "mixed_4f": (528, 256, (160, 320), (32, 128), 128),
    "mixed_5b": (832, 256, (160, 320), (32, 128), 128),
    "mixed_5c": (832, 384, (192, 384), (48, 128), 128),
}


class S3DTrunk(nn.Module):
    """The video network up to its last feature map, mixed_5c."""

    def __init__(self, space_to_depth: bool = True) -> None:
        super().__init__()
        self.space_to_depth = space_to_depth
        if space_to_depth:
            self.conv1 = _Convolution(24, 64, (2, 4, 4), padding=(1, 2, 2))
        else:
            self.conv1 = _Convolution(3, 64, (3, 7, 7), stride=2, padding=(1, 3, 3))
        self.maxpool_2a = _ZeroPaddedPool((1, 3, 3), (1, 2, 2))
        self.conv_2b = _Convolution(64, 64, (1, 1, 1))
        self.conv_2c = _SeparableConvolution(64, 192)
        self.gating = _SelfGating(192)
        self.maxpool_3a = _ZeroPaddedPool((1, 3, 3), (1, 2, 2))
        self.maxpool_4a = _ZeroPaddedPool((3, 3, 3), (2, 2, 2))
        self.maxpool_5a = _ZeroPaddedPool((2, 2, 2), (2, 2, 2))
        for name, channels in _BLOCKS.items():
            self.add_module(name, _Inception(*channels))
        self._trunk = [name for name, _ in self.named_children()]

    def prepared(self, device: str, half: bool) -> Self:
        """Itself in eval mode on a device; in half, only the trunk is: the rest is small.

        Raises `InputError` for a device that is not there.
        """
        check_device(device)
        if half:
            for name in self._trunk:
                self.get_submodule(name).half()
        return self.eval().requires_grad_(False).to(device)

    def feature_map(self, video: Tensor) -> Tensor:
        """mixed_5c: n x 1024 x frames / 8 x height / 32 x width / 32.

        `video` is n x 3 x frames x height x width, RGB in [0, 1], the last three even.
        It is computed in the precision of the weights and returned in float32.
        """
        video = video.to(self.conv_2b.conv1.weight.dtype)
        if self.space_to_depth:
            # An even kernel padded on both sides gives one output too many on each axis.
            x = self.conv1(_blocks_as_channels(video))[:, :, 1:, 1:, 1:]
        else:
            x = self.conv1(video)
        x = self.conv_2c(self.conv_2b(self.maxpool_2a(x)))
        x = self.maxpool_3a(self.gating(x))
        for name in _BLOCKS:
            if name in ("mixed_4b", "mixed_5b"):
                x = getattr(self, f"maxpool_{name[-2]}a")(x)
            x = getattr(self, name)(x)
        cells: Tensor = x.float()
        return cells


class WordTower(nn.Module):
    """A vector for each word by itself, without regard to its neighbours."""

    def __init__(self, rows: int) -> None:
        super().__init__()
        self.word_embd = nn.Embedding(rows, 300)
        self.fc1 = nn.Linear(300, WORD_WIDTH)

    def word_vectors(self, ids: Tensor) -> Tensor:
        """n x words x 2048 of token ids n x words; a pad (id 0) has a vector too."""
        return functional.relu(self.fc1(self.word_embd(ids)))


class TextTower(WordTower):
    """The text side of MIL-NCE."""

    def __init__(self, rows: int) -> None:
        super().__init__(rows)
        self.fc2 = nn.Linear(WORD_WIDTH, EMBEDDING_WIDTH)

    def forward(self, ids: Tensor) -> Tensor:
        """n x 512 of token ids n x words.

        The maximum over words counts pads, as in the reference: a text's embedding
        depends on whether it has any.
        """
        embedding: Tensor = self.fc2(self.word_vectors(ids).amax(dim=1))
        return embedding


class S3D(S3DTrunk):
    """Videos and texts in one space of 512 dimensions; similarity is the dot product."""

    def __init__(self, rows: int, space_to_depth: bool = True) -> None:
        super().__init__(space_to_depth)
        self.fc = nn.Linear(CELL_WIDTH, EMBEDDING_WIDTH)
        self.text_module = TextTower(rows)

    def forward(self, video: Tensor) -> Tensor:
        """Video embeddings, n x 512; `video` as in `feature_map`."""
        embedding: Tensor = self.fc(self.feature_map(video).mean(dim=(2, 3, 4)))
        return embedding


def load_s3d(path: Path, device: str = "cpu", half: bool = False) -> S3D:
    """S3D in eval mode, of `s3d_howto100m.pth` or a MIL-NCE_HowTo100M checkpoint.

    Raises `InputError` for a file that holds something else.
    """
    state = read_checkpoint(path)
    model = S3D(table_rows(state, path), has_space_to_depth(state, path))
    load_strict(model, state, str(path), optional=OPTIONAL)
    return model.prepared(device, half)


def has_space_to_depth(state: Mapping[str, Tensor], path: Path) -> bool:
    """Which of the two first layers a checkpoint has, told by the shape of its kernel."""
    return _shape(state, "conv1.conv1.weight", path) != (64, 3, 3, 7, 7)


def table_rows(state: Mapping[str, Tensor], path: Path) -> int:
    """How many rows the table of word vectors has: one for each word and one for the pad."""
    shape = _shape(state, "text_module.word_embd.weight", path)
    return shape[0] if shape else 0


def as_video(clips: np.ndarray, device: str) -> Tensor:
    """Pixels as the network takes them: n x 3 x frames x height x width in [0, 1].

    `clips` is uint8 RGB, n x frames x height x width x 3. There is no mean or deviation.
    """
    pixels = torch.from_numpy(np.ascontiguousarray(clips)).to(device)
    return pixels.permute(0, 4, 1, 2, 3).float() / 255


def _shape(state: Mapping[str, Tensor], name: str, path: Path) -> tuple[int, ...]:
    if name not in state:
        raise InputError(f"no entry {name}: not a checkpoint of S3D", where=str(path))
    return tuple(state[name].shape)


class _Convolution(nn.Module):
    """Convolution, normalisation, ReLU."""

    def __init__(
        self, into: int, out: int, kernel: Triple, stride: int = 1, padding: Triple = (0, 0, 0)
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(into, out, kernel, stride, padding, bias=False)
        self.bn1 = nn.BatchNorm3d(out)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.bn1(self.conv1(x)))


class _SeparableConvolution(nn.Module):
    """A 3 x 3 x 3 convolution as one over space and one over time, a ReLU after each."""

    def __init__(self, into: int, out: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(into, out, (1, 3, 3), padding=(0, 1, 1), bias=False)
        self.bn1 = nn.BatchNorm3d(out)
        self.conv2 = nn.Conv3d(out, out, (3, 1, 1), padding=(1, 0, 0), bias=False)
        self.bn2 = nn.BatchNorm3d(out)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(self.bn1(self.conv1(x)))
        return functional.relu(self.bn2(self.conv2(x)))


class _SelfGating(nn.Module):
    """Weighs each channel by a sigmoid of the averages of all."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        weights: Tensor = self.fc(x.mean(dim=(2, 3, 4))).sigmoid()
        return x * weights[:, :, None, None, None]


class _ZeroPaddedPool(nn.Module):
    """Maximum pooling as TensorFlow pads it, with zeros counted as values.

    The padding is kernel - stride whatever the input's size, the odd one at the end.
    """

    def __init__(self, kernel: Triple, stride: Triple) -> None:
        super().__init__()
        time, height, width = (
            ((k - s) // 2, (k - s) - (k - s) // 2) for k, s in zip(kernel, stride, strict=True)
        )
        self.padding = (*width, *height, *time)
        self.pool = nn.MaxPool3d(kernel, stride, ceil_mode=True)

    def forward(self, x: Tensor) -> Tensor:
        pooled: Tensor = self.pool(functional.pad(x, self.padding))
        return pooled


class _Inception(nn.Module):
    """Four branches side by side, each with its own gating."""

    def __init__(
        self, into: int, plain: int, middle: tuple[int, int], small: tuple[int, int], pooled: int
    ) -> None:
        super().__init__()
        self.conv_b0 = _Convolution(into, plain, (1, 1, 1))
        self.conv_b1_a = _Convolution(into, middle[0], (1, 1, 1))
        self.conv_b1_b = _SeparableConvolution(*middle)
        self.conv_b2_a = _Convolution(into, small[0], (1, 1, 1))
        self.conv_b2_b = _SeparableConvolution(*small)
        self.maxpool_b3 = nn.MaxPool3d(3, stride=1, padding=1)
        self.conv_b3_b = _Convolution(into, pooled, (1, 1, 1))
        self.gating_b0 = _SelfGating(plain)
        self.gating_b1 = _SelfGating(middle[1])
        self.gating_b2 = _SelfGating(small[1])
        self.gating_b3 = _SelfGating(pooled)

    def forward(self, x: Tensor) -> Tensor:
        branches = (
            self.gating_b0(self.conv_b0(x)),
            self.gating_b1(self.conv_b1_b(self.conv_b1_a(x))),
            self.gating_b2(self.conv_b2_b(self.conv_b2_a(x))),
            self.gating_b3(self.conv_b3_b(self.maxpool_b3(x))),
        )
        return torch.cat(branches, dim=1)


def _blocks_as_channels(video: Tensor) -> Tensor:
    """Blocks of 2 x 2 x 2 pixels as channels, ordered time, row, column, colour."""
    n, colours, frames, height, width = video.shape
    blocks = video.view(n, colours, frames // 2, 2, height // 2, 2, width // 2, 2)
    channels = blocks.permute(0, 3, 5, 7, 1, 2, 4, 6)
    return channels.reshape(n, 8 * colours, frames // 2, height // 2, width // 2)
