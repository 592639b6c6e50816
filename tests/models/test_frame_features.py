"""Files of features: what is read of them, and what is refused."""

import struct
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from gytbench.errors import InputError
from gytbench.models.frame_features import (
    SIZE,
    features_by_id,
    open_features,
    read_dictionary,
)

from .features import write_h5

VALUES = np.random.default_rng(0).random((SIZE, 7)).astype(np.float32)


def saved(path: Path, values: np.ndarray) -> Path:
    np.save(path, values)
    return path


def whole(path: Path) -> np.ndarray:
    with open_features(path) as features:
        parts = [features.part(at, min(at + 3, features.frames)) for at in range(0, 7, 3)]
    return np.concatenate(parts)


def refused(path: Path) -> str:
    with pytest.raises(InputError) as caught, open_features(path) as features:
        features.part(0, features.frames)
    assert str(caught.value).startswith(f"{path}: ")
    return caught.value.faults[0].reason


@pytest.mark.parametrize("dtype", ["<f2", "<f4", ">f4", "<f8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_numpy_files_are_read_in_parts(tmp_path, dtype, order):
    path = saved(tmp_path / "a.npy", np.asarray(VALUES, dtype=dtype, order=order))
    found = whole(path)
    assert (found.dtype, found.flags.c_contiguous) == (np.float32, True)
    np.testing.assert_array_equal(found, VALUES.astype(dtype).T.astype(np.float32))


def test_a_header_of_python_2_is_read(tmp_path):
    """It wrote long integers with an L; numpy warns of it, and warnings fail this suite."""
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (2048L, 7L), }"
    header += b" " * (-(len(header) + 11) % 16) + b"\n"
    path = tmp_path / "a.npy"
    start = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header))
    path.write_bytes(start + header + VALUES.tobytes())
    np.testing.assert_array_equal(whole(path), VALUES.T)


def test_hdf5_files_are_read_as_numpy_files(tmp_path):
    pytest.importorskip("h5py")
    write_h5(tmp_path / "a.h5", VALUES, labels=[3])
    path = saved(tmp_path / "a.npy", VALUES)
    np.testing.assert_array_equal(whole(tmp_path / "a.h5"), whole(path))


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (np.array([{}], dtype=object), "holds Python objects, which are not read"),
        (np.zeros((SIZE, 3), dtype=np.int64), "holds values of int64"),
        (np.zeros((SIZE, 3), dtype=np.complex64), "holds values of complex64"),
        (np.zeros(SIZE), "has 2048 values, not 2048 x frames"),
        (np.zeros((1024, 3)), "has 1024 x 3 values, not 2048 x frames"),
        (np.zeros((3, SIZE)), "has 3 x 2048 values, not 2048 x frames; transpose it"),
        (np.zeros((SIZE, 0)), "has 0 frames"),
        (np.full((SIZE, 3), np.nan), "frame 0 has a value that is not finite"),
        (np.where(np.arange(4) == 2, -np.inf, np.zeros((SIZE, 4))), "frame 2 has a value"),
        (np.where(np.arange(4) == 3, 1e300, np.zeros((SIZE, 4))), "frame 3 has a value"),
    ],
)
def test_other_arrays_are_refused(tmp_path, values, told):
    assert told in refused(saved(tmp_path / "a.npy", values))


def _claiming(path: Path, shape: str) -> Path:
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}".encode()
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(64))
    return path


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ("(2048, 1000000)", "cut short: its 1000000 frames are not all there"),
        (f"(2048, {10**18})", "frames; 1 to 5,184,000 are read"),
        (f"(2048, {10**40})", "frames; 1 to 5,184,000 are read"),
        ("(2048, -1)", "has -1 frames"),
        ("(" * 500, "not a .npy file, or damaged"),
        ("(2048, 'x')", "not a .npy file, or damaged"),
    ],
)
def test_a_header_that_claims_too_much_is_refused(tmp_path, shape, told):
    assert told in refused(_claiming(tmp_path / "a.npy", shape))


def test_what_is_no_file_of_features_is_refused(tmp_path):
    assert refused(tmp_path / "none.npy") == "no such file of features"
    cut = tmp_path / "cut.npy"
    cut.write_bytes(saved(tmp_path / "a.npy", VALUES).read_bytes()[:-1])
    assert "cut short: its 7 frames" in refused(cut)
    for content in (b"", b"\x93NUMPY", b"\x93NUMPY\x09\x00", b"\x80\x04pickle", b"PK\x03\x04"):
        path = tmp_path / "b.npy"
        path.write_bytes(content)
        assert refused(path) == "not a .npy file, or damaged"


def test_without_h5py_it_says_what_installs_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    path = tmp_path / "a.h5"
    path.write_bytes(b"")
    assert refused(path) == "needs h5py: pip install 'gytbench[hdf5]'"


def test_hdf5_files_of_something_else_are_refused(tmp_path):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "a.h5"
    path.write_bytes(b"nothing")
    assert "not an HDF5 file, or damaged" in refused(path)
    write_h5(tmp_path / "other.h5", VALUES)
    cases = {
        "has no array 'data'": lambda file: file.create_group("data"),
        "leads elsewhere": lambda file: file.update(x=VALUES, data=h5py.SoftLink("/x")),
        "'data' leads elsewhere": lambda file: file.__setitem__(
            "data", h5py.ExternalLink("other.h5", "/data")
        ),
        "has 1024 x 3 values": lambda file: file.__setitem__("data", np.zeros((1024, 3))),
        "holds values of int64": lambda file: file.__setitem__("data", np.zeros((SIZE, 3), int)),
        "not finite": lambda file: file.__setitem__("data", np.full((SIZE, 3), np.nan)),
        "is stored in other files": lambda file: file.create_dataset(
            "data", (SIZE, 3), "f4", external=[("other.h5", 0, SIZE * 12)]
        ),
        "frames; 1 to": lambda file: file.create_dataset("data", (SIZE, 10**9), "f4", chunks=True),
    }
    for told, make in cases.items():
        with h5py.File(path, "w") as file:
            make(file)
        assert told in refused(path)


def test_hdf5_as_another_library_would_show_it(tmp_path, monkeypatch):
    """The same rules on a stand-in for h5py, for machines that do not have it."""
    monkeypatch.setitem(sys.modules, "h5py", fake_h5py())
    path = tmp_path / "a.h5"
    path.write_bytes(b"")
    entries["data"] = Stored(VALUES)
    np.testing.assert_array_equal(whole(path), VALUES.T)
    for stored, told in (
        (Stored(VALUES, link=SoftLink()), "leads elsewhere"),
        (Stored(VALUES, virtual=True), "stored in other files"),
        (Stored(VALUES[:5]), "has 5 x 7 values"),
        (None, "has no array 'data'"),
    ):
        entries["data"] = stored
        assert told in refused(path)


class HardLink:
    """A link of h5py to an entry of the file itself."""


class SoftLink:
    """A link of h5py to somewhere else."""


class Stored:
    """A dataset of h5py."""

    def __init__(self, values, link=None, virtual=False):
        self.values, self.link = values, link or HardLink()
        self.shape, self.dtype, self.is_virtual, self.external = (
            values.shape,
            values.dtype,
            virtual,
            None,
        )

    def __getitem__(self, at):
        return self.values[at]


entries: dict = {}


def fake_h5py():
    class File:
        def __init__(self, path, mode):
            assert mode == "r"
            assert Path(path).is_file()

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def get(self, name, getlink=False):
            found = entries.get(name)
            return found.link if getlink and found else found

    return types.SimpleNamespace(File=File, HardLink=HardLink, Dataset=Stored)


def test_of_each_id_one_file_counts(tmp_path):
    for name in ("b.h5", "a.npy", "b.npy", "c.HDF5", ".d.npy", "a.mp4", "readme"):
        (tmp_path / name).touch()
    found = {id_: path.name for id_, path in features_by_id(tmp_path).items()}
    assert found == {"a": "a.npy", "b": "b.npy", "c": "c.HDF5"}
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InputError, match=r"holds no features: no \.npy or \.h5"):
        features_by_id(empty)
    with pytest.raises(InputError, match="cannot be read"):
        features_by_id(tmp_path / "a.npy")


def test_the_dictionary_keeps_its_order(tmp_path):
    path = tmp_path / "dict.txt"
    path.write_bytes(b"\xef\xbb\xbfcut_egg \r\nadd_salt \r\nbackground \r\n\r\n")
    assert read_dictionary(path) == ("cut_egg", "add_salt", "background")


def test_the_published_dictionary(released):
    """512 classes as the benchmark counts them, and the background."""
    from gytbench.benchmark import load_benchmark

    names = read_dictionary(released / "miningyoutube" / "weakYouTube_dict.txt")
    assert names[:-1] == load_benchmark(data=released).classes.names
    assert (len(names), names[512]) == (513, "background")
    with pytest.raises(InputError, match=r"line 1: not one name; .* has another order"):
        read_dictionary(released / "miningyoutube" / "mapping_without_meta.txt")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"cut\n0 stir\nbackground\n", "line 2: not one name"),
        (b"cut\nCut\nbackground\n", "line 2: 'cut' stands in line 1 already"),
        (b"cut\nstir\n", "has no 'background'"),
        (b"", "has no 'background'"),
        (b"cut\xff\nbackground\n", "not UTF-8: byte 3"),
    ],
)
def test_another_file_is_no_dictionary(tmp_path, content, told):
    path = tmp_path / "dict.txt"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"{path}.*{told}"):
        read_dictionary(path)
