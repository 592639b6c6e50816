"""The batches of a run, decoded by other processes while the network computes.

Which samples are in which batch depends on the seed alone, not on how many processes share
the work: so a run goes on at any step without a look at those before it.
"""

import sys
import warnings
from collections.abc import Generator, Iterator, Mapping
from typing import NamedTuple, Protocol

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from gytbench.errors import Fault, InputError
from gytbench.training.config import TrainingConfig
from gytbench.training.drawing import order
from gytbench.training.gathering import Processes
from gytbench.training.samples import Batch, Sample, stacked


class Read(Protocol):
    """A sample, and why those drawn before it could not be read."""

    @property
    def sample(self) -> Sample:
        """The sample."""

    @property
    def failures(self) -> tuple[str, ...]:
        """Of each failure where it was, a colon, and why."""


class Clips(Protocol):
    """All samples of a run; may be pickled, and gives the same in any process."""

    def __len__(self) -> int:
        """Samples of an epoch."""

    def sample(self, epoch: int, index: int) -> Read:
        """One of them. Raises `InputError` where it cannot be read nor replaced."""


class Loaded(NamedTuple):
    """A batch, and what could not be read for it."""

    batch: Batch
    failures: tuple[str, ...]


class Plan:
    """Which samples each step has: batches of an order that is drawn for each epoch."""

    def __init__(self, config: TrainingConfig, count: int, processes: Processes) -> None:
        """`count`: samples of an epoch. Those that fill no whole step are left out of it.

        Raises `InputError` where they are fewer than a step takes, and where the processes
        cannot share a batch evenly.
        """
        options = config.optimisation
        self._seed, self._count, self._processes = config.seed, count, processes
        self._size, self.accumulate = options.batch_size, options.accumulate
        self.samples = self._size * self.accumulate
        """Of a step, over all processes."""
        self.steps_of_epoch = count // self.samples
        self.steps = self.steps_of_epoch * options.epochs
        """Of the whole run."""
        if not self.steps_of_epoch:
            raise InputError(
                f"a step takes {self.samples:,} videos (optimisation.batch_size times "
                f"accumulate), but there are {count:,}: set a smaller batch_size"
            )
        if self._size % processes.number:
            raise InputError(
                f"optimisation.batch_size is {self._size}, which {processes.number} processes "
                "cannot share evenly"
            )

    def epoch(self, step: int) -> int:
        """The epoch of a step; both count from 0."""
        return step // self.steps_of_epoch

    def ends_epoch(self, done: int) -> bool:
        """Whether an epoch ends with so many steps done."""
        return done % self.steps_of_epoch == 0

    def batches(self, step: int) -> Iterator[list[tuple[int, int]]]:
        """This process's share of every batch from a step on: epochs and indices."""
        share = self._size // self._processes.number
        for epoch in range(self.epoch(step), self.epoch(self.steps)):
            indices = order(self._count, self._seed, epoch)
            first = max(0, step - epoch * self.steps_of_epoch) * self.accumulate
            for number in range(first, self.steps_of_epoch * self.accumulate):
                start = number * self._size + self._processes.rank * share
                yield [(epoch, int(index)) for index in indices[start : start + share]]


def batches(clips: Clips, plan: Plan, step: int, workers: int) -> Generator[Loaded, None, None]:
    """The batches of the run from a step on, read ahead by so many processes.

    They start with the first batch, and end with the iterator. Raises `InputError` where a
    sample can neither be read nor replaced, and where one of the processes is killed.
    """
    loader = DataLoader(
        _Samples(clips),
        batch_sampler=plan.batches(step),
        collate_fn=_joined,
        num_workers=workers,
        # Forked, they share the narrations, which may be gigabytes.
        multiprocessing_context="fork" if workers and sys.platform == "linux" else None,
        # A loader seeds its processes; it must not take that from what checkpoints keep.
        generator=torch.Generator(),
    )
    with warnings.catch_warnings():
        # The processes decode alone: no thread of this one holds what they need.
        warnings.filterwarnings("ignore", ".* is multi-threaded, use of fork", DeprecationWarning)
        found = iter(loader)
    while True:
        try:
            content = next(found)
        except StopIteration:
            return
        except RuntimeError as error:
            raise _killed(error) from None
        yield _loaded(content)


class _Content(NamedTuple):
    """A batch on its way between processes: as tensors, which are shared and not copied."""

    batch: Batch
    frames: Tensor | None
    features: Mapping[str, Tensor]
    failures: tuple[str, ...]


class _Samples(Dataset[Read | list[Fault]]):
    def __init__(self, clips: Clips) -> None:
        self._clips = clips

    def __getitem__(self, place: tuple[int, int]) -> Read | list[Fault]:
        """A sample, or what is wrong: an exception would arrive as a traceback."""
        try:
            return self._clips.sample(*place)
        except InputError as error:
            return error.faults


def _joined(found: list[Read | list[Fault]]) -> _Content | list[Fault]:
    reads = []
    for each in found:
        if isinstance(each, list):
            return each
        reads.append(each)
    batch = stacked([read.sample for read in reads])
    return _Content(
        batch._replace(frames=None, features={}),
        None if batch.frames is None else torch.from_numpy(batch.frames),
        {name: torch.from_numpy(values) for name, values in batch.features.items()},
        tuple(failure for read in reads for failure in read.failures),
    )


def _loaded(content: _Content | list[Fault]) -> Loaded:
    if isinstance(content, list):
        raise InputError(content)
    frames, features = content.frames, content.features
    batch = content.batch._replace(
        frames=None if frames is None else frames.numpy(),
        features={name: values.numpy() for name, values in features.items()},
    )
    return Loaded(batch, content.failures)


def _killed(error: RuntimeError) -> Exception:
    """What is wrong where a process that decodes is gone; other errors are themselves."""
    if not str(error).startswith("DataLoader worker"):
        return error
    return InputError(
        "a process that decodes was killed, most often for want of memory: set fewer workers"
    )
