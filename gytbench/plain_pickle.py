"""Read a pickle that is not to be trusted: plain containers, numbers, text, numpy arrays.

Nothing is imported and nothing of the file is called. The names that numpy writes stand for
classes of this module, which check what they are given; every other name is refused.
"""

import io
import pickle
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable
from math import prod
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from gytbench.errors import InputError
from gytbench.inputs import read_limited

MAX_PICKLE = 512 << 20
MAX_ARRAY = 1 << 26
"""Bytes of one array."""

_CODE = re.compile(r"b1|[iuf][1248]")
_ORDERS = "<>=|"

BROKEN_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    ValueError,
    EOFError,
    OSError,
)
"""What zipfile raises for files that are none."""


class UnsafeError(Exception):
    """A pickle holds what it need not hold."""


class _Type:
    """Stands for numpy.dtype: the type of a plain number, and its order of bytes."""

    def __init__(self, code: object, *_flags: object) -> None:
        if not isinstance(code, str) or not _CODE.fullmatch(code) or code == "f1":
            raise UnsafeError("an array of another type than plain numbers")
        self.code, self.order = code, "="

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, tuple) or len(state) < 2 or state[1] not in tuple(_ORDERS):
            raise UnsafeError("an array type with an unknown state")
        self.order = state[1]

    def real(self) -> "np.dtype[Any]":
        """The type of numpy."""
        return np.dtype(self.order + self.code)


class _Array:
    """Stands for numpy.ndarray until all of it is known to fit."""

    def __init__(self, *_arguments: object) -> None:
        self.array: NDArray[Any] = np.empty(0)

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise UnsafeError("an array with an unknown state")
        _, shape, kind, fortran, text = state
        data = _raw(text)
        sides = isinstance(shape, tuple) and all(type(s) is int and s >= 0 for s in shape)
        if not sides or len(shape) > 8 or type(kind) is not _Type or type(data) is not bytes:
            raise UnsafeError("an array with an unknown state")
        real = kind.real()
        if len(data) > MAX_ARRAY or prod(shape) * real.itemsize != len(data):
            raise UnsafeError("an array whose bytes do not fill its shape")
        self.array = np.frombuffer(data, real).reshape(shape, order="F" if fortran else "C")


def _reconstruct(*_arguments: object) -> _Array:
    return _Array()


def _scalar(kind: object, data: object = b"") -> float:
    """A number of numpy, as a plain one."""
    raw = _raw(data)
    if type(kind) is not _Type or type(raw) is not bytes:
        raise UnsafeError("a number with an unknown state")
    real = kind.real()
    if len(raw) != real.itemsize:
        raise UnsafeError("a number whose bytes do not fit")
    value: float = np.frombuffer(raw, real)[0].item()
    return value


def _raw(data: object) -> object:
    """The bytes of an array; Python 2 wrote them as text, of which each letter is a byte."""
    try:
        return data.encode("latin-1") if type(data) is str else data
    except UnicodeEncodeError:
        raise UnsafeError("an array whose bytes are none") from None


def _encode(text: object, encoding: object = "latin1") -> bytes:
    """The bytes that old protocols write as text."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise UnsafeError("bytes with an unknown state")
    return text.encode("latin-1")


def _bytes(*arguments: object) -> bytes:
    """No bytes at all, which old protocols write as a call."""
    if arguments:
        raise UnsafeError("bytes with an unknown state")
    return b""


def _frombuffer(data: object, kind: object, shape: object, order: object) -> _Array:
    """An array as the newest protocol writes it."""
    made = _Array()
    made.__setstate__((1, shape, kind, order == "F", data))
    return made


def _ordered(*arguments: object) -> dict[Any, Any]:
    if arguments:
        raise UnsafeError("a dictionary with an unknown state")
    return {}


def _set(members: object = ()) -> set[Any]:
    if not isinstance(members, list | tuple):
        raise UnsafeError("a set with an unknown state")
    _check_keys(members)
    return set(members)


_KNOWN: dict[str, Callable[..., Any]] = {
    "numpy.ndarray": _Array,
    "numpy.dtype": _Type,
    "numpy.core.multiarray._reconstruct": _reconstruct,
    "numpy._core.multiarray._reconstruct": _reconstruct,
    "numpy.core.multiarray.scalar": _scalar,
    "numpy._core.multiarray.scalar": _scalar,
    "numpy.core.numeric._frombuffer": _frombuffer,
    "numpy._core.numeric._frombuffer": _frombuffer,
    "_codecs.encode": _encode,
    "builtins.bytes": _bytes,
    "__builtin__.bytes": _bytes,
    "collections.OrderedDict": _ordered,
    "builtins.set": _set,
    "__builtin__.set": _set,
    "builtins.frozenset": _set,
    "__builtin__.frozenset": _set,
}

_PurePython: Any = pickle._Unpickler
_SCALARS = (str, bytes, int, float, bool, type(None))


def _check_keys(keys: Iterable[object]) -> None:
    """Only short keys: the hash of tuples in tuples may take as good as forever."""
    for key in keys:
        parts = key if type(key) is tuple and len(key) <= 16 else (key,)
        if not all(type(part) in _SCALARS for part in parts):
            raise UnsafeError("a key that is no text and no number")


class _Reader(_PurePython):  # type: ignore[misc]
    """The unpickler in Python: its memo takes no more memory than the file has entries."""

    dispatch: ClassVar[dict[int, Any]] = dict(_PurePython.dispatch)

    def find_class(self, module: str, name: str) -> Any:
        """What stands for a name; raises `UnsafeError` for any that is not known."""
        found = _KNOWN.get(f"{module}.{name}")
        if found is None:
            raise UnsafeError(f"the name {f'{module}.{name}'[:100]!r}")
        return found

    def get_extension(self, code: int) -> None:
        """No number stands for a name."""
        raise UnsafeError(f"the extension {code}")

    def persistent_load(self, _id: object) -> None:
        """Nothing lies outside the file."""
        raise UnsafeError("a reference to a tensor or to another file")

    def build(self) -> None:
        """State is for arrays only: set on a function or class, it would stay after reading."""
        if type(self.stack[-2]) not in (_Array, _Type):
            raise UnsafeError("state for something that is no array")
        _PurePython.load_build(self)

    def new(self) -> None:
        """Objects are made by calling only."""
        raise UnsafeError("an object that is made without its constructor")

    def byte_array(self) -> None:
        """Bytes as numpy writes them in protocol 5; no buffer is made before they are there."""
        length = int.from_bytes(self.read(8), "little")
        if length > MAX_ARRAY:
            raise UnsafeError("an array that is too large")
        self.append(self.read(length))

    def call(self) -> None:
        """Call what stands for a name, and nothing else."""
        function = self.stack[-2]
        if not any(function is known for known in _KNOWN.values()):
            raise UnsafeError("a call")
        _PurePython.load_reduce(self)

    def set_item(self) -> None:
        """One member of a dictionary."""
        _check_keys([self.stack[-2]])
        _PurePython.load_setitem(self)

    def set_items(self) -> None:
        """Several members of a dictionary."""
        _check_keys(self.stack[::2])
        _PurePython.load_setitems(self)

    def new_dict(self) -> None:
        """A dictionary in one piece."""
        _check_keys(self.stack[::2])
        _PurePython.load_dict(self)

    def add_items(self) -> None:
        """Members of a set."""
        _check_keys(self.stack)
        _PurePython.load_additems(self)

    def new_frozenset(self) -> None:
        """A set in one piece."""
        _check_keys(self.stack)
        _PurePython.load_frozenset(self)

    dispatch[pickle.SETITEM[0]] = set_item
    dispatch[pickle.SETITEMS[0]] = set_items
    dispatch[pickle.DICT[0]] = new_dict
    dispatch[pickle.ADDITEMS[0]] = add_items
    dispatch[pickle.FROZENSET[0]] = new_frozenset
    dispatch[pickle.BUILD[0]] = build
    dispatch[pickle.REDUCE[0]] = call
    dispatch[pickle.NEWOBJ[0]] = new
    dispatch[pickle.NEWOBJ_EX[0]] = new
    dispatch[pickle.OBJ[0]] = new
    dispatch[pickle.INST[0]] = new
    dispatch[pickle.BYTEARRAY8[0]] = byte_array


def plain_array(value: Any) -> Any:
    """The array that was read, where the value is one."""
    return value.array if isinstance(value, _Array) else value


def unpickled(data: bytes, where: str, encoding: Literal["ascii", "latin1"] = "ascii") -> Any:
    """The content of a pickle; arrays in it are seen through `plain_array`.

    encoding: of the text that Python 2 wrote; arrays that it wrote need "latin1". Raises
    `InputError` for names, calls and state beyond those of plain data, and for what is no
    pickle.
    """
    try:
        return _Reader(io.BytesIO(data), encoding=encoding).load()
    except UnsafeError as error:
        reason = f"refused: the pickle holds {error}; only plain data and arrays are read"
        raise InputError(reason, where=where) from None
    except Exception as error:
        # A file that was made to do harm may break the unpickler in any way.
        reason = f"not a pickle that can be read ({type(error).__name__})"
        raise InputError(reason, where=where) from None


def read_pickle(path: Path) -> Any:
    """The content of a pickle file, or of the pickle in a file of torch.save.

    Raises `InputError` as `unpickled` does, and for a file beyond 512 MiB.
    """
    data = read_limited(path, MAX_PICKLE)
    if not data.startswith(b"PK"):
        return unpickled(data, str(path))
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            inner = [name for name in archive.namelist() if name.endswith("/data.pkl")]
            if len(inner) != 1:
                raise InputError("a zip file without one data.pkl", where=str(path))
            with archive.open(inner[0]) as file:
                found = file.read(MAX_PICKLE + 1)
    except BROKEN_ZIP as error:
        raise InputError(f"not a zip file that can be read ({error})", str(path)) from None
    if len(found) > MAX_PICKLE:
        raise InputError(f"holds more than {MAX_PICKLE >> 20} MiB", where=str(path))
    return unpickled(found, f"{path}: {inner[0]}")
