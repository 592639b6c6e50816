"""TorchScript archives, such as OpenAI's CLIP files, read as data: their code is never loaded.

An archive is a zip file: data.pkl has the modules as a pickle, data/N the bytes of the
tensors, code/ the program, which is left alone.
"""

import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gytbench.models.unpickling import Ignored, WouldRunCodeError

# Facts about the model that OpenAI's archives keep beside its weights.
_NO_WEIGHTS = frozenset({"input_resolution", "context_length", "vocab_size"})

_STORAGES = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}


def is_torchscript(path: Path) -> bool:
    """Whether a zip file has the parts of a TorchScript archive."""
    with zipfile.ZipFile(path) as archive:
        names = {name.partition("/")[2] for name in archive.namelist()}
    return {"constants.pkl", "data.pkl"} <= names


def read_torchscript(path: Path) -> dict[str, Tensor]:
    """The tensors of an archive by the dotted paths of their attributes.

    Raises `WouldRunCodeError` for a pickle that names anything but what TorchScript
    writes, and other exceptions of any kind for files that are damaged.
    """
    with zipfile.ZipFile(path) as archive:
        entry = next(name for name in archive.namelist() if name.partition("/")[2] == "data.pkl")
        root = _Unpickler(archive, entry.partition("/")[0]).load()
    if not isinstance(root, _Module):
        raise ValueError("it holds no module")
    return dict(_attributes(root))


class _Module:
    """A module of the archive: its attributes, and none of its code."""

    def __setstate__(self, state: object) -> None:
        # An archive may give any state to a module that defines how to read it.
        self.attributes = state if isinstance(state, dict) else {}


# The version in Python, for the one in C reserves what memory a file asks for.
class _Unpickler(pickle._Unpickler):
    """Makes nothing but tensors, containers and `_Module`."""

    def __init__(self, archive: zipfile.ZipFile, folder: str) -> None:
        super().__init__(io.BytesIO(archive.read(f"{folder}/data.pkl")))
        self._archive = archive
        self._folder = folder
        self._read: dict[str, Tensor] = {}

    def find_class(self, module: str, name: str, /) -> Any:
        """The stand-in for a name; nothing is imported."""
        if module == "__torch__" or module.startswith("__torch__."):
            return _Module
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch.jit._pickle" or (module, name) == ("torch", "device"):
            return Ignored
        raise WouldRunCodeError(f"{module}.{name}")

    def persistent_load(self, pid: Any) -> Tensor:
        """The values of a storage, all of them in a row."""
        _, dtype, key, _, count = pid
        if key not in self._read:
            data = bytearray(self._archive.read(f"{self._folder}/data/{key}"))
            if len(data) != count * dtype.itemsize:
                raise ValueError(f"storage {key} has {len(data)} bytes")
            empty = torch.empty(0, dtype=dtype)
            self._read[key] = torch.frombuffer(data, dtype=dtype) if data else empty
        return self._read[key]


def _tensor(
    values: Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: object
) -> Tensor:
    """A tensor of a storage; torch itself refuses one that would reach beyond."""
    return torch.as_strided(values, size, stride, offset)


def _attributes(root: _Module) -> Iterator[tuple[str, Tensor]]:
    """The tensors of a module and those in it; each module once, whatever points to it."""
    waiting, seen = [("", root)], {id(root)}
    while waiting:
        path, module = waiting.pop()
        for name, value in module.attributes.items():
            if isinstance(value, Tensor) and name not in _NO_WEIGHTS:
                yield f"{path}{name}", value
            elif isinstance(value, _Module) and id(value) not in seen:
                seen.add(id(value))
                waiting.append((f"{path}{name}.", value))
