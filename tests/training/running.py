"""A small network and small data, and runs of them, in this process or in others."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import torch
from torch import nn

from gytbench.errors import InputError
from gytbench.grounding.adapters.attending import Texts
from gytbench.models.global_local import GlobalLocalHead
from gytbench.training.clips import Read
from gytbench.training.config import TrainingConfig
from gytbench.training.gathering import Processes, average, joined
from gytbench.training.loop import Outcome, Run
from gytbench.training.networks import Looked
from gytbench.training.objective import Objective
from gytbench.training.runs import RunFolder
from gytbench.training.samples import Batch, Sample, stacked

FRAMES, WORDS, WIDTH = 4, 5, 6
ALONE = Processes()


class SmallNetwork(nn.Module):
    """A linear map of pixels below the head; a text's letters are its words."""

    size = 3

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.cells = nn.Linear(3, WIDTH)
            self.letters = nn.Embedding(27, WIDTH)
            self.norm = nn.BatchNorm1d(WIDTH)
            self.frozen = nn.Linear(3, 3).requires_grad_(False)
            self.head = GlobalLocalHead(WIDTH, WIDTH, video=WIDTH, text=WIDTH)

    def look(self, batch: Batch) -> Looked:
        pixels = torch.from_numpy(batch.frames).to(self.cells.weight.dtype).flatten(2, 3) / 255
        cells = self.cells(pixels)
        present = torch.from_numpy(batch.present)
        return Looked(cells.mean(dim=2), cells, cells.detach(), present)

    def texts(self, texts: tuple[str, ...]) -> Texts:
        ids = torch.zeros(len(texts), WORDS, dtype=torch.long)
        for row, text in zip(ids, texts, strict=True):
            for place, letter in enumerate(text[:WORDS]):
                row[place] = ord(letter) - ord("a") + 1
        words = self.letters(ids)
        # Statistics of a batch are those of one process: they are kept, and change nothing.
        self.norm(words[:, 0].detach())
        return Texts(words, ids != 0, words.amax(dim=1))

    def files(self) -> dict[str, dict[str, torch.Tensor]]:
        return {"head.pth.tar": self.head.state_dict()}


class SmallClips:
    """A colour and letters for each index, with noise; what is asked for is written down."""

    def __init__(self, count: int = 9, asked: Path | None = None) -> None:
        self.count, self.asked = count, asked
        self.dies_after = self.refuses_after = self.given = 0

    def __len__(self) -> int:
        return self.count

    def sample(self, epoch: int, index: int) -> Read:
        if self.asked is not None:
            with self.asked.open("a") as file:
                file.write(f"{epoch} {index}\n")
        self.given += 1
        if self.given == self.dies_after:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.given == self.refuses_after:
            raise InputError("no sample could be read", where="videos")
        drawn = np.random.default_rng(index)
        noise = np.random.default_rng((epoch, index)).integers(0, 26, (FRAMES, 3, 3, 3))
        frames = (drawn.integers(0, 230, 3) + noise).astype(np.uint8)
        present = np.arange(FRAMES) >= index % 3
        text = "".join(chr(ord("a") + letter) for letter in drawn.integers(0, 26, 1 + index % 4))
        failures = (f"video {index}: is cut short",) if index == 2 else ()
        return Read(Sample(f"{index}.mp4, {epoch}.0 to 9.0 s", text, present, frames), failures)


def configured(**parts: dict[str, Any] | str | int) -> TrainingConfig:
    """A configuration for the small things, with some of its values replaced."""
    values: dict[str, Any] = {
        "data": {"videos": "v", "captions": "c", "frames": FRAMES},
        "model": {"backbone": "small"},
        "selection": {"keep": 2},
        "optimisation": {"batch_size": 4, "epochs": 3, "lr": 0.01, "warmup_steps": 2},
        "workers": 0,
        "tensorboard": False,
    }
    for name, part in parts.items():
        values[name] = values.get(name, {}) | part if isinstance(part, dict) else part
    return msgspec.convert(values, TrainingConfig)


def run(out: Path, config: TrainingConfig, **parts: Any) -> Outcome:
    """A run in this process, alone."""
    network = parts.pop("network", None) or SmallNetwork()
    clips = parts.pop("clips", None) or SmallClips()
    return Run(config, network, clips, RunFolder(out)).go(parts.pop("tell", lambda _: None))


def gradients(config: TrainingConfig, processes: Processes = ALONE) -> dict[str, torch.Tensor]:
    """The losses of one batch of four, and its gradients, of this process's share of it."""
    network = SmallNetwork().double()
    share = 4 // processes.number
    own = range(processes.rank * share, (processes.rank + 1) * share)
    batch = stacked([SmallClips().sample(0, index).sample for index in own])
    losses = Objective(config)(network.head, network.look(batch), network.texts(batch.texts))
    losses.total.backward()
    named = {name: each.grad for name, each in network.named_parameters() if each.grad is not None}
    average(named.values())
    told = zip(losses._fields, losses, strict=True)
    return named | {name: value.detach() for name, value in told if value is not None}


class Order(NamedTuple):
    """What another process is told to do."""

    out: Path
    parts: dict[str, Any] | None = None
    """Of the configuration."""
    dies_after: int = 0
    """Killed while it reads so many samples."""
    refuses_after: int = 0
    """Cannot read so many."""
    dies_saving: int = 0
    """Killed in the middle of writing so many checkpoints."""
    gradients: list[dict[str, Any]] | None = None
    """Only those of one batch, for each of several configurations."""


class Ended(NamedTuple):
    """What another process left."""

    code: int
    out: str
    err: str


def all_ended(orders: Sequence[Order], *, together: bool = False) -> list[Ended]:
    """Processes that carry out orders at once, each for itself or all in one run."""
    port = str(_free_port())
    processes = []
    for rank, order in enumerate(orders):
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        if together:
            environment |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "RANK": str(rank)}
            environment |= {"LOCAL_RANK": str(rank), "WORLD_SIZE": str(len(orders))}
        told = msgspec.json.encode(order, enc_hook=str)
        command = [sys.executable, "-m", "tests.training.running", told]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        processes.append(subprocess.Popen(command, env=environment, text=True, **pipes))
    texts = [process.communicate(timeout=60) for process in processes]
    return [Ended(each.returncode, *text) for each, text in zip(processes, texts, strict=True)]


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def main(text: str) -> None:
    """Carry out an order, alone or as one of several processes."""
    order = msgspec.json.decode(text, type=Order, dec_hook=lambda kind, value: kind(value))
    clips = SmallClips(asked=order.out.parent / f"{order.out.name}.asked")
    clips.dies_after, clips.refuses_after = order.dies_after, order.refuses_after
    _die_at_sync(order.dies_saving)
    with joined("cpu") as processes:
        if order.gradients:
            found = [gradients(configured(**parts), processes) for parts in order.gradients]
            torch.save(found, order.out / f"{processes.rank}.pt")
            return
        if order.refuses_after and not processes.first:
            clips.refuses_after = 0
        folder = RunFolder(order.out)
        config, network = configured(**order.parts or {}), SmallNetwork()
        Run(config, network, clips, folder, processes=processes).go(print)


def _die_at_sync(number: int) -> None:
    """A checkpoint is synchronised once it is written, before it has its name.

    For a test it need not be, which takes long.
    """
    from gytbench.training import runs

    class Disk:
        count = 0

        def fsync(self, _: int) -> None:
            self.count += 1
            if self.count == number:
                os.kill(os.getpid(), signal.SIGKILL)

    runs.os = Disk()


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except InputError as error:
        sys.exit(f"error: {error}")
