"""State dicts filled by the rule of the reference outputs (facts/golden/README.md)."""

import json
import zlib
from collections.abc import Iterable
from math import prod, sqrt
from pathlib import Path

import numpy as np
import torch

Shapes = Iterable[tuple[str, tuple[int, ...]]]

INTEGER_ENTRIES = ("num_batches_tracked", "position_ids")


def table(facts: Path, name: str) -> list[tuple[str, tuple[int, ...]]]:
    """The names and shapes of facts/state_dict_NAME.json."""
    rows = json.loads((facts / f"state_dict_{name}.json").read_text())
    return [(key, tuple(shape)) for key, shape in rows]


def shapes(module: torch.nn.Module) -> list[tuple[str, tuple[int, ...]]]:
    """The names and shapes of a module's state dict."""
    return [(key, tuple(value.shape)) for key, value in module.state_dict().items()]


def filled(names_and_shapes: Shapes) -> dict[str, torch.Tensor]:
    """A state dict filled by the rule; `num_batches_tracked` and `position_ids` are integers."""
    return {name: torch.from_numpy(_entry(name, shape)) for name, shape in names_and_shapes}


def fill(module: torch.nn.Module) -> torch.nn.Module:
    """The module itself, filled by the rule and in eval mode."""
    module.load_state_dict(filled(shapes(module)))
    return module.eval()


def _entry(name: str, shape: tuple[int, ...]) -> np.ndarray:
    if name.endswith("position_ids"):
        return np.arange(prod(shape)).reshape(shape)
    if name.endswith(INTEGER_ENTRIES):
        return np.zeros(shape, dtype=np.int64)
    drawn = np.random.Generator(np.random.PCG64(zlib.crc32(name.encode())))
    if name.endswith(".running_var"):
        values = 0.5 + drawn.random(shape)
    elif name.endswith((".running_mean", "bias")):
        values = 0.1 * drawn.standard_normal(shape)
    elif len(shape) == 1:
        values = 1 + 0.1 * drawn.standard_normal(shape)
    else:
        values = drawn.standard_normal(shape) / sqrt(prod(shape[1:]))
    return np.asarray(values, dtype=np.float32)
