"""The folder of a training run: checkpoints, whole or not there, and the one to go on from."""

import io
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import torch

from gytbench.errors import Fault, InputError
from gytbench.training.config import TrainingConfig
from gytbench.writing import open_whole

LAST = "last.pth.tar"
"""The checkpoint within an epoch."""

# What may change between one part of a run and the next: it does not decide the weights.
_FREE = frozenset(("title", "workers", "save_every", "keep_epochs", "tensorboard"))

_EPOCH = re.compile(r"epoch(\d{4,})\.pth\.tar")
_KINDS = {
    "epoch": int,
    "step": int,
    "samples": int,
    "state_dict": dict,
    "backbone": dict,
    "optimizer": dict,
    "scheduler": dict,
    "scaler": dict,
    "random": dict,
    "config": dict,
}


class RunFolder:
    """Where a run writes, and what is there of it.

    A checkpoint is a dictionary as brian7685/GroundingYouTube saved it, under the same name
    after each epoch: epoch (how many are done), state_dict (of the head), optimizer, scheduler;
    and ours: step, backbone (what else is trained), scaler, random, samples, config.
    """

    def __init__(self, path: Path) -> None:
        """Makes the folder; raises `InputError` where it cannot be made."""
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot be made: {error.strerror}", where=str(path)) from None

    def save(self, content: Mapping[str, Any], *, ends_epoch: bool, keep_epochs: int = 0) -> None:
        """Write a checkpoint, that of an epoch or the last one.

        keep_epochs: once that of an epoch is on the disk, how many of the newest ones stay;
        0 = all. Raises `InputError` where it cannot be written, which names the one that is
        still there.
        """
        name = f"epoch{content['epoch']:04d}.pth.tar" if ends_epoch else LAST
        try:
            write_tensors(self.path / name, content)
        except InputError as error:
            kept = self.standing()
            hint = f"{kept} is whole" if kept else "there is no earlier checkpoint"
            advice = f"{hint}; make room, and the same command goes on from there"
            raise InputError([*error.faults, Fault(str(self.path), advice)]) from None
        if ends_epoch and keep_epochs:
            for old in self._epochs()[:-keep_epochs]:
                # One that stays takes room, and is tried again after the next epoch.
                with suppress(OSError):
                    (self.path / old).unlink()

    def standing(self) -> str:
        """The name of the file that a run would go on from; empty where there is none."""
        found = self._newest()
        return found[0] if found else ""

    def newest(self, config: TrainingConfig, samples: int) -> dict[str, Any] | None:
        """The checkpoint to go on from, with its name as `file`; None where there is none yet.

        `samples`: of an epoch. Raises `InputError` for a file that is damaged or of
        something else, and where the run was begun with another configuration or other data.
        """
        found = self._newest()
        if found is None:
            return None
        name, content = found
        where = str(self.path / name)
        changes = list(_changes(content["config"], plain(config)))
        if changes:
            raise InputError(
                f"this run was begun with another configuration ({'; '.join(changes)}): "
                "set it back, or name another folder",
                where=where,
            )
        if content["samples"] != samples:
            raise InputError(
                f"this run was begun with {content['samples']:,} videos, and now there are "
                f"{samples:,}: bring back those there were, or name another folder",
                where=where,
            )
        return {**content, "file": name}

    def _newest(self) -> tuple[str, dict[str, Any]] | None:
        epochs = self._epochs()
        last = self._read(LAST, epochs[-1:]) if (self.path / LAST).exists() else None
        if last is not None and (not epochs or last["epoch"] >= _number(epochs[-1])):
            return LAST, last
        if not epochs:
            return None
        before = epochs[-2:-1]
        if last is not None and (not before or last["epoch"] >= _number(before[0])):
            before = [LAST]
        return epochs[-1], self._read(epochs[-1], before)

    def _epochs(self) -> list[str]:
        names = (path.name for path in self.path.iterdir())
        return sorted((name for name in names if _EPOCH.fullmatch(name)), key=_number)

    def _read(self, name: str, before: list[str]) -> dict[str, Any]:
        """A checkpoint; `before` names the one that would be taken without it."""
        path = self.path / name
        try:
            content = torch.load(path, map_location="cpu", weights_only=True)
        except Exception:  # bytes that are no pickle can fail in any way
            content = None
        if not isinstance(content, dict) or not all(
            isinstance(content.get(key), kind) for key, kind in _KINDS.items()
        ):
            instead = f"goes on from {before[0]}" if before else "starts anew"
            raise InputError(
                "damaged, or not a checkpoint of a training run: remove it, and the same "
                f"command {instead}",
                where=str(path),
            )
        return content


def write_tensors(path: Path, content: Mapping[str, Any]) -> None:
    """Write what torch.save can to a file, on the disk before it has its name.

    Raises `InputError` where the path cannot be written to.
    """
    # torch hides what is wrong with a disk that it writes to itself.
    buffer = io.BytesIO()
    torch.save(dict(content), buffer)
    with open_whole(path) as file:
        file.write(buffer.getbuffer())
        file.flush()
        os.fsync(file.fileno())


def plain(config: TrainingConfig) -> dict[str, Any]:
    """A configuration as plain values, named as in YAML."""
    values: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(config))
    return values


def _number(name: str) -> int:
    found = _EPOCH.fullmatch(name)
    assert found is not None
    return int(found.group(1))


def _changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """What differs, in words: optimisation.lr 0.1, now 0.2."""
    old, new = _flat(before), _flat(now)
    for name in sorted({*old, *new} - _FREE):
        if old.get(name) != new.get(name):
            yield f"{name} {old.get(name)}, now {new.get(name)}"


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat
