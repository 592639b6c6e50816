"""The training of a run: from its configuration to its weights, from where it stopped."""

import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from gytbench.errors import InputError
from gytbench.training.batches import Clips, Loaded, Plan, batches
from gytbench.training.config import TrainingConfig
from gytbench.training.gathering import Processes, of_all, take_from_first
from gytbench.training.objective import Losses, Objective
from gytbench.training.optimisation import Optimiser
from gytbench.training.progress import Failures, Log, Row
from gytbench.training.runs import RunFolder, plain, write_tensors

if TYPE_CHECKING:
    from gytbench.training.networks import Network

Tell = Callable[[str], None]

_HEAD = "head."
_ALONE = Processes()


class Outcome(NamedTuple):
    """What a run left behind."""

    steps: int
    """Of the whole run; all are done."""
    fresh: int
    """Of them, those that were not done before."""
    files: tuple[Path, ...]
    """The weights; none where another process writes them."""
    failed: int
    """Samples that could not be read, and were replaced by others."""


class Run:
    """One process's part in a run: all of it, or its share of every batch."""

    def __init__(
        self,
        config: TrainingConfig,
        network: "Network",
        clips: Clips,
        folder: RunFolder,
        *,
        device: str = "cpu",
        processes: Processes = _ALONE,
    ) -> None:
        """`network` is in train mode on the device.

        Raises `InputError` where the configuration does not go with the number of clips or
        of processes.
        """
        self._config, self._network, self._clips = config, network, clips
        self._folder, self._processes = folder, processes
        self._plan = Plan(config, len(clips), processes)
        self._optimiser = Optimiser(network, config.optimisation, self._plan.steps, device)
        self._objective = Objective(config)
        self._device = torch.device(device)
        self._unwritten: list[str] = []
        self._names: list[str] = []

    def go(self, tell: Tell, failures: Iterable[str] = ()) -> Outcome:
        """Do all steps that are left, and write the weights.

        tell: is told where the run goes on. failures: what could not be read before. Raises
        `InputError` as `gytbench.training.starting.train` does.
        """
        self._unwritten.extend(failures)
        with _own_generators(self._config.seed, self._device):
            return self._done(tell)

    def _done(self, tell: Tell) -> Outcome:
        begun = self._resumed(tell)
        first = self._processes.first
        failed = Failures(self._folder.path) if first else None
        with _log(self._config, self._folder.path, begun, first) as log:
            self._write_failures(failed)
            for row in self._rows(begun):
                if log is not None:
                    log.add(row)
                if self._is_kept(row.step):
                    self._write_failures(failed)
                    self._save(row.step, log)
        files = self._publish() if first else ()
        return Outcome(self._plan.steps, self._plan.steps - begun, files, len(failed or ()))

    def _rows(self, begun: int) -> Iterator[Row]:
        """Each step that is left, when it is done."""
        from tqdm import tqdm

        steps = range(begun + 1, self._plan.steps + 1)
        if not steps:
            return
        source = batches(self._clips, self._plan, begun, self._config.workers)
        hidden = None if self._processes.first else True
        total = self._plan.steps
        with (
            closing(source),
            tqdm(None, "steps", total, False, initial=begun, unit="step", disable=hidden) as bar,
        ):
            for number in steps:
                row = self._step(number, source)
                bar.set_postfix(loss=f"{row.loss:.4f}", waiting=f"{row.waiting:.0%}", refresh=False)
                bar.update()
                yield row

    def _step(self, number: int, source: Iterator[Loaded]) -> Row:
        """Do one step, counted from 1."""
        start, waited = time.perf_counter(), 0.0
        rate, found = self._optimiser.rate, []
        self._names = []
        for _ in range(self._plan.accumulate):
            asked = time.perf_counter()
            loaded = next(source)
            waited += time.perf_counter() - asked
            self._unwritten.extend(loaded.failures)
            self._names.extend(loaded.batch.names)
            with _told_of_memory():
                found.append(self._learn(loaded, number))
        if not self._optimiser.step():
            raise self._not_finite("a gradient is not finite", number)
        seconds = time.perf_counter() - start
        total, local, global_ = (_mean(losses) for losses in zip(*found, strict=True))
        assert total is not None
        epoch = self._plan.epoch(number - 1) + 1
        speed = self._plan.samples / seconds
        return Row(number, epoch, total, local, global_, rate, speed, waited / seconds)

    def _learn(self, loaded: Loaded, number: int) -> tuple[float | None, ...]:
        """The losses of a batch, whose gradients are added to the step's."""
        network, batch = self._network, loaded.batch
        with self._optimiser.forward():
            looked, texts = network.look(batch), network.texts(batch.texts)
            losses = self._objective(network.head, looked, texts)
        values = _values(losses)
        if not all(value is None or math.isfinite(value) for value in values):
            raise self._not_finite(f"the loss is {values[0]}", number)
        self._optimiser.backward(losses.total)
        return values

    def _not_finite(self, what: str, number: int) -> InputError:
        """What is wrong with a step, on which samples, and what is left of the run."""
        everyone = "; ".join(name for some in of_all(self._names) for name in some)
        standing = self._folder.standing()
        kept = f"The checkpoint {standing} is from before" if standing else "There is no checkpoint"
        return InputError(
            f"{what} in step {number:,}, on: {everyone}. {kept}. Lower "
            "optimisation.lr, or set optimisation.precision to float32, in another folder; or "
            "take these videos out",
            where=str(self._folder.path),
        )

    def _is_kept(self, done: int) -> bool:
        """Whether there is a checkpoint with so many steps done."""
        every = self._config.save_every
        return self._plan.ends_epoch(done) or bool(every and done % every == 0)

    def _write_failures(self, failed: Failures | None) -> None:
        """Those of all processes, by the first; so all come here with the same steps done."""
        everyone = of_all(self._unwritten)
        self._unwritten = []
        if failed is not None:
            failed.add(failure for some in everyone for failure in some)

    def _save(self, done: int, log: Log | None) -> None:
        if not self._optimiser.is_finite():
            raise self._not_finite("the weights are not finite after", done)
        if log is None:
            return
        # Rows of steps that the checkpoint has are never lost.
        log.sync()
        head = self._network.head.state_dict()
        content = {
            "epoch": done // self._plan.steps_of_epoch,
            "step": done,
            "samples": len(self._clips),
            "state_dict": {name: value.cpu() for name, value in head.items()},
            "backbone": {name: value.cpu() for name, value in _changing(self._network).items()},
            **self._optimiser.state(),
            "random": _random(self._device),
            "config": plain(self._config),
        }
        ends, keep = self._plan.ends_epoch(done), self._config.keep_epochs
        self._folder.save(content, ends_epoch=ends, keep_epochs=keep)

    def _resumed(self, tell: Tell) -> int:
        """Take up the newest checkpoint; how many steps are done with it."""
        content = self._folder.newest(self._config, len(self._clips))
        done = 0 if content is None else content["step"]
        if len(set(of_all(done))) > 1:
            raise InputError(
                "the processes of this run see different checkpoints: give a folder that "
                "all machines share",
                where=str(self._folder.path),
            )
        if content is not None:
            self._take_up(content)
            if self._processes.first:
                tell(
                    f"goes on after step {done:,} of {self._plan.steps:,} (as of {content['file']})"
                )
        take_from_first(self._network.state_dict().values())
        return done

    def _take_up(self, content: dict[str, Any]) -> None:
        try:
            self._network.head.load_state_dict(content["state_dict"])
            changing = _changing(self._network)
            with torch.no_grad():
                for name in {*changing, *content["backbone"]}:
                    changing[name].copy_(content["backbone"][name])
            self._optimiser.load(content)
            _restore_random(content["random"], self._device)
        except (KeyError, ValueError, RuntimeError, TypeError) as error:
            reason = str(error).partition("\n")[0]
            raise InputError(
                f"does not fit this network ({reason}): the weights that the configuration "
                "names may have changed; bring back those there were, or name another folder",
                where=str(self._folder.path / content["file"]),
            ) from None

    def _publish(self) -> tuple[Path, ...]:
        """Write the weights by themselves."""
        files = self._network.files()
        for name, state in files.items():
            write_tensors(self._folder.path / name, {"state_dict": state})
        return tuple(self._folder.path / name for name in files)


def _changing(network: "Network") -> dict[str, Tensor]:
    """What a step may change outside the head, by name: parameters, and statistics of norms."""
    names = {name for name, each in network.named_parameters() if each.requires_grad}
    for prefix, module in network.named_modules():
        if module.training:
            for name, _ in module.named_buffers(recurse=False):
                names.add(f"{prefix}.{name}".removeprefix("."))
    return {
        name: value
        for name, value in network.state_dict().items()
        if name in names and not name.startswith(_HEAD)
    }


@contextmanager
def _log(config: TrainingConfig, folder: Path, begun: int, wanted: bool) -> Iterator[Log | None]:
    """The log of the process that writes it."""
    if not wanted:
        yield None
        return
    with closing(Log(folder, begun, tensorboard=config.tensorboard)) as log:
        yield log


@contextmanager
def _told_of_memory() -> Iterator[None]:
    try:
        yield
    except torch.OutOfMemoryError as error:
        reason = str(error).partition(".")[0]
        raise InputError(
            f"the device has too little memory ({reason}): set optimisation.batch_size lower, "
            "checkpoint_activations: true, or precision: bfloat16"
        ) from None


def _values(losses: Losses) -> tuple[float | None, ...]:
    return tuple(None if loss is None else float(loss.detach()) for loss in losses)


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


@contextmanager
def _own_generators(seed: int, device: torch.device) -> Iterator[None]:
    """Torch's generators from the seed on; the caller's are afterwards as they were."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


def _random(device: torch.device) -> dict[str, Any]:
    """The states of torch's generators."""
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    return states


def _restore_random(states: dict[str, Any], device: torch.device) -> None:
    torch.set_rng_state(states["cpu"])
    # A run may go on on another kind of device.
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)
