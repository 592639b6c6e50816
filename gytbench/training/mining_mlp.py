"""Training of MiningYouTube's multilayer perceptron on labelled frames."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from gytbench.errors import InputError
from gytbench.metrics.arrays import Ints
from gytbench.models.devices import check_device
from gytbench.models.mining_mlp import MiningMlp
from gytbench.training.frame_labels import LabelledFrames, Pool


@dataclass(frozen=True)
class MlpTraining:
    """How it is trained; the defaults are those of alexanderrichard/action-sets.

    They were made for fewer classes: as the loss is a sum over classes, 513 want shorter steps.
    """

    epochs: int = 2
    lr: float = 0.1
    batch_size: int = 512
    seed: int = 0


class Epoch(NamedTuple):
    """What an epoch came to, each batch judged before it was learned from."""

    frames: int
    loss: float
    """Mean over its frames."""
    accuracy: float
    """The share of its frames whose most likely class is one of their own."""
    blind: float
    """The loss of saying of every frame how common each class is: a network that has learned
    something is below it."""


def train_mlp(
    frames: LabelledFrames,
    options: MlpTraining,
    device: str = "cpu",
    tell: Callable[[Epoch], object] = lambda _: None,
) -> MiningMlp:
    """Train a network from nothing, by stochastic gradient descent; `tell` gets each epoch.

    The loss of a frame is the sum over the classes of the negative log probability of
    whether each is there. The same seed and files give the same network on one machine.
    Frames are shuffled within what `frames` has in memory at once. Raises `InputError` for
    files that do not serve, and where the loss is no number any more.
    """
    check_device(device)
    generator = np.random.default_rng(options.seed)
    network = _fresh(frames.classes, options.seed).to(device)
    descent = torch.optim.SGD(network.parameters(), lr=options.lr)
    for _ in range(options.epochs):
        totals = _Totals(frames.classes)
        for features, there in _batches(frames, generator, options.batch_size, device):
            logits = network(features)
            wrong = functional.binary_cross_entropy_with_logits(logits, there, reduction="sum")
            descent.zero_grad()
            (wrong / len(there)).backward()  # type: ignore[no-untyped-call]
            descent.step()
            totals.add(logits, there, wrong.item())
        tell(totals.epoch())
    return network


def _fresh(classes: int, seed: int) -> MiningMlp:
    """A network with random weights, which leave torch's own random numbers as they were."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return MiningMlp(classes)


class _Totals:
    """What an epoch comes to."""

    def __init__(self, classes: int) -> None:
        self._frames, self._loss, self._right = 0, 0.0, 0
        self._common = torch.zeros(classes)

    def add(self, logits: Tensor, there: Tensor, loss: float) -> None:
        """Count a batch; raises `InputError` where its loss, a sum over frames, is no number."""
        self._frames += len(there)
        if not math.isfinite(loss):
            reason = f"after {self._frames:,} frames the loss is no number any more; take less"
            raise InputError(reason, where="--lr")
        self._loss += loss
        self._right += int(there.gather(1, logits.argmax(dim=1, keepdim=True)).sum())
        self._common += there.sum(dim=0).cpu()

    def epoch(self) -> Epoch:
        shares = self._common / self._frames
        blind = float(functional.binary_cross_entropy(shares, shares, reduction="sum"))
        return Epoch(self._frames, self._loss / self._frames, self._right / self._frames, blind)


def _batches(
    frames: LabelledFrames, generator: np.random.Generator, size: int, device: str
) -> Iterator[tuple[Tensor, Tensor]]:
    """Features (frames x SIZE) and which classes are there (frames x classes, 0 or 1)."""
    from tqdm import tqdm

    with tqdm(None, "files", len(frames.files), leave=False, disable=None) as bar:
        for pool in frames.pools(generator, bar.update):
            order = generator.permutation(len(pool.there))
            for start in range(0, len(order), size):
                yield _tensors(pool, order[start : start + size], device)


def _tensors(pool: Pool, rows: Ints, device: str) -> tuple[Tensor, Tensor]:
    features, there = torch.from_numpy(pool.features[rows]), torch.from_numpy(pool.there[rows])
    return features.to(device), there.to(device, torch.float32)
