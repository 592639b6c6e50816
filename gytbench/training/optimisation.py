"""From losses to weights: AdamW, with a learning rate that rises, then falls to zero.

Source: the schedule of brian7685/GroundingYouTube: linear from zero, then half a cosine,
step by step over the whole run.
"""

import math
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, nn

from gytbench.errors import InputError
from gytbench.training.config import Optimisation
from gytbench.training.gathering import average

_HALVES = {"bfloat16": torch.bfloat16, "float16": torch.float16}


def share_of_rate(step: int, warmup: int, steps: int) -> float:
    """The part of the learning rate that a step has, steps counted from 0; 0 at the end.

    The first step of a warm-up has 0, as published.
    """
    if step < warmup:
        return step / warmup
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warmup) / max(1, steps - warmup))))


class Optimiser:
    """Changes the trained parameters of a network, by the gradients of all processes."""

    def __init__(self, network: nn.Module, options: Optimisation, steps: int, device: str) -> None:
        """`steps`: of the whole run. Raises `InputError` where the warm-up does not end in it."""
        if options.warmup_steps >= steps:
            raise InputError(
                f"optimisation.warmup_steps is {options.warmup_steps:,}, but the run has "
                f"{steps:,} steps: the learning rate would never be reached; set fewer"
            )
        self.parameters = [each for each in network.parameters() if each.requires_grad]
        self._options, self._steps = options, steps
        self._device = torch.device(device).type
        self._adam = torch.optim.AdamW(
            self.parameters, lr=options.lr, weight_decay=options.weight_decay
        )
        self._scaler = torch.amp.GradScaler(self._device, enabled=options.precision == "float16")
        self._done = 0

    @property
    def rate(self) -> float:
        """The learning rate of the next step."""
        options = self._options
        return options.lr * share_of_rate(self._done, options.warmup_steps, self._steps)

    def forward(self) -> AbstractContextManager[Any]:
        """The context of the forward pass: its precision."""
        half = _HALVES.get(self._options.precision)
        return torch.autocast(self._device, half, enabled=half is not None)

    def backward(self, loss: Tensor) -> None:
        """Add a batch's gradients to those of the step."""
        self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]

    def step(self) -> bool:
        """Change the weights; false, and unchanged, where gradients are not finite.

        With float16 such gradients come of their scale, which is mended: that is a step too.
        """
        gradients = [each.grad for each in self.parameters if each.grad is not None]
        average(gradients)
        scaled = self._scaler.is_enabled()
        if not scaled and not _finite(gradients):
            return False
        for group in self._adam.param_groups:
            group["lr"] = self.rate
        self._scaler.step(self._adam)
        self._scaler.update()
        self._adam.zero_grad(set_to_none=True)
        self._done += 1
        return True

    def is_finite(self) -> bool:
        """Whether all weights are."""
        return _finite(self.parameters)

    def state(self) -> dict[str, Any]:
        """All that the next step depends on but the weights."""
        return {
            "optimizer": self._adam.state_dict(),
            "scheduler": {"last_epoch": self._done},
            "scaler": self._scaler.state_dict(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take up what `state` gave."""
        self._adam.load_state_dict(state["optimizer"])
        self._done = state["scheduler"]["last_epoch"]
        if self._scaler.is_enabled():
            self._scaler.load_state_dict(state["scaler"])


def _finite(tensors: "list[Tensor] | list[nn.Parameter]") -> bool:
    """Whether all values are, asked of the device once."""
    if not tensors:
        return True
    with torch.no_grad():
        return bool(torch.stack([torch.isfinite(each).all() for each in tensors]).all())
