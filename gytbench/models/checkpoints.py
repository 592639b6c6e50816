"""Reading checkpoints of strangers: tensors by name, and no code of theirs is run."""

import pickletools
import re
import warnings
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gytbench.errors import Fault, InputError
from gytbench.models.recognising import looks_like
from gytbench.models.torchscript import is_torchscript, read_torchscript
from gytbench.models.unpickling import Ignored, WouldRunCodeError

WRAPPERS = ("state_dict", "model_state_dict", "model_ema", "model")
"""The entries of a training run's checkpoint that may hold the weights; the first counts."""

# What training scripts store beside the weights; each becomes an object without content.
_BESIDE_WEIGHTS = (
    "argparse.Namespace",
    "numpy.core.multiarray.scalar",
    "numpy._core.multiarray.scalar",
    "numpy.core.multiarray._reconstruct",
    "numpy._core.multiarray._reconstruct",
    "numpy.ndarray",
    "numpy.dtype",
    "_codecs.encode",
)
# Archives of weights are stored as they are; compressed parts that grow more hide something.
_MAX_GROWTH = 100
_LISTED = 10


def read_checkpoint(path: Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint by name, on the CPU, in the types they were stored in.

    Reads what torch.save wrote (a state dict, or one under the first of `WRAPPERS` that
    holds tensors), .safetensors files, and TorchScript archives such as OpenAI's CLIP
    files, whose names are the paths of attributes. A prefix "module." that every name
    has is taken off; entries that are no tensors are left out. Raises `InputError` for
    files that are missing, cut short, no checkpoints, without tensors, larger than they
    seem, or that would run code to be read: that code is not run.
    """
    if not path.is_file():
        raise InputError("no such file", where=str(path))
    if not path.stat().st_size:
        raise InputError("the file is empty", where=str(path))
    stored = _stored(path)
    state = _without_module(_tensors(stored))
    if not state:
        raise InputError(
            f"holds no tensors by name, neither directly nor under {', '.join(WRAPPERS)}",
            where=str(path),
        )
    _check_plain(state, str(path))
    return state


def load_strict(
    module: nn.Module, state: Mapping[str, Tensor], where: str, *, optional: Sequence[str] = ()
) -> None:
    """Fill a module with tensors by name, in its own precision; it may be on torch's meta device.

    Every entry of the module must be there, in its shape, and nothing else, except for
    names that match one of the patterns (as of `fnmatch`) in `optional`, which may be
    missing or extra. Raises `InputError` that lists what does not fit, and says whose
    checkpoint it looks like, before the module is changed; `where` names the file.
    """
    expected = module.state_dict()
    shared = [name for name in expected if name in state]
    wrong = [
        f"{name} {_shape(state[name])} for {_shape(expected[name])}"
        for name in shared
        if state[name].shape != expected[name].shape
    ]
    faults = [
        *_listing(where, "lacks", _required(expected, state, optional)),
        *_listing(where, "has, beyond this model,", _required(state, expected, optional)),
        *_listing(where, "has in another shape than this model", wrong),
    ]
    if faults:
        found, wanted = looks_like(state), looks_like(expected)
        if found and found != wanted:
            faults.insert(0, Fault(where, f"looks like a checkpoint of {found}", "checkpoint"))
        raise InputError(faults)
    values = {name: state[name].to(expected[name].dtype) for name in shared}
    without_memory = any(value.is_meta for value in expected.values())
    module.load_state_dict(values, strict=False, assign=without_memory)


def _required(
    names: Iterable[str], among: Mapping[str, Tensor], optional: Sequence[str]
) -> list[str]:
    """The names that are not among others though no pattern lets them differ."""
    return [
        name
        for name in names
        if name not in among and not any(fnmatchcase(name, pattern) for pattern in optional)
    ]


def _listing(where: str, what: str, names: Sequence[str]) -> list[Fault]:
    if not names:
        return []
    more = len(names) - _LISTED
    listed = ", ".join(names[:_LISTED]) + (f", and {more} more" if more > 0 else "")
    noun = "entry" if len(names) == 1 else "entries"
    return [Fault(where, f"{what} {len(names)} {noun}: {listed}", kind="checkpoint")]


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "scalar"


def _stored(path: Path) -> object:
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    if not zipfile.is_zipfile(path):
        return _read_torch(path)
    _check_growth(path)
    if not is_torchscript(path):
        return _read_torch(path)
    try:
        return read_torchscript(path)
    except WouldRunCodeError as error:
        raise _would_run(path, error.name) from None
    except Exception as error:  # a pickle from outside can fail in any way
        raise InputError(f"not a TorchScript archive of weights: {error}", str(path)) from None


def _read_safetensors(path: Path) -> object:
    try:
        import safetensors
        from safetensors.torch import load_file
    except ImportError:
        raise InputError("needs safetensors: pip install 'gytbench[models]'") from None
    try:
        return load_file(path)
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise InputError(f"not a safetensors file: {error}", where=str(path)) from None


def _read_torch(path: Path) -> object:
    ignored: list[Any] = [(Ignored, name) for name in _BESIDE_WEIGHTS]
    try:
        with warnings.catch_warnings(), torch.serialization.safe_globals(ignored):
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a pickle from outside can fail in any way
        name = _would_import(path, str(error))
        if name:
            raise _would_run(path, name) from None
        raise InputError(_why_not(path), where=str(path)) from None


def _would_run(path: Path, name: str) -> InputError:
    return InputError(
        f"reading it would run code ({name}), which was not run; "
        "store the weights alone: torch.save(model.state_dict(), ...)",
        where=str(path),
    )


def _would_import(path: Path, message: str) -> str | None:
    """What torch.load refused to import, by its message and, where that is silent, the file."""
    refused = re.search(r"GLOBAL ([\w.]+)", message)
    name = refused.group(1).rstrip(".") if refused else None
    if zipfile.is_zipfile(path):
        return name
    imported = _imported(path)
    if imported is None:  # any text may begin like an import
        return None
    return name or next(iter(imported), None)


def _imported(path: Path) -> list[str] | None:
    """The names that the first pickle of a file imports; None if it is not one."""
    names: list[str] = []
    strings: list[str] = []
    with path.open("rb") as file:
        try:
            for opcode, argument, _ in pickletools.genops(file):
                if opcode.name in ("GLOBAL", "INST"):
                    names.append(str(argument).replace(" ", "."))
                elif opcode.name == "STACK_GLOBAL":
                    names.append(".".join(strings))
                elif isinstance(argument, str):
                    strings = [*strings[-1:], argument]
        except Exception:  # bytes that are no pickle can fail in any way
            return None
    return names


def _why_not(path: Path) -> str:
    with path.open("rb") as file:
        archive = file.read(2) == b"PK"
    if archive and not zipfile.is_zipfile(path):
        return "cut short: the end of the archive is missing; fetch it again"
    return "not a checkpoint that torch.save wrote, or damaged"


def _check_growth(path: Path) -> None:
    """Refuse an archive whose compressed parts would grow to far more than the file."""
    try:
        with zipfile.ZipFile(path) as archive:
            packed = [e for e in archive.infolist() if e.compress_type != zipfile.ZIP_STORED]
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise InputError(f"a damaged archive: {error}", where=str(path)) from None
    if sum(entry.file_size for entry in packed) > _MAX_GROWTH * path.stat().st_size:
        raise InputError(
            f"its compressed parts would grow to more than {_MAX_GROWTH} times the file: "
            "not a checkpoint that torch.save wrote",
            where=str(path),
        )


def _tensors(stored: object) -> dict[str, Tensor]:
    """The tensors by name of what a file holds, from a wrapper if there is one."""
    if not isinstance(stored, Mapping):
        return {}
    for wrapper in WRAPPERS:
        inside = _named(stored.get(wrapper))
        if inside:
            return inside
    return _named(stored)


def _named(stored: object) -> dict[str, Tensor]:
    if not isinstance(stored, Mapping):
        return {}
    return {
        name: value.detach()
        for name, value in stored.items()
        if isinstance(name, str) and isinstance(value, Tensor)
    }


def _without_module(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same without the prefix that torch's data parallelism puts before every name."""
    prefix = "module."
    if not all(name.startswith(prefix) for name in state):
        return state
    return {name.removeprefix(prefix): value for name, value in state.items()}


def _check_plain(state: Mapping[str, Tensor], where: str) -> None:
    """Refuse tensors that are not dense, or that claim more values than are stored."""
    for name, value in state.items():
        if value.layout is not torch.strided or value.is_quantized or value.device.type != "cpu":
            raise InputError(f"{name} is no plain tensor", where=where)
        if value.numel() * value.element_size() > value.untyped_storage().nbytes():
            raise InputError(f"{name} claims more values than are stored", where=where)
