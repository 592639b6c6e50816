"""Files of a data folder, read once, and whether they are the released ones."""

import hashlib
from pathlib import Path
from typing import NamedTuple

from gytbench.benchmark.classes import ClassMap, read_classes
from gytbench.benchmark.decoding import FETCH_HINT, read_bytes
from gytbench.benchmark.releases import is_fetched, local_name, manifest, place
from gytbench.errors import InputError
from gytbench.resources import annotations_folder

MAX_BYTES = 512 << 20

_CLASSES = "groundingyoutube/classes.tsv"


class DataFile(NamedTuple):
    """A file read once, for its content and its checksum."""

    name: str
    """Its place in a data folder, such as "groundingyoutube/seg.json"."""
    path: Path
    data: bytes

    @property
    def sha256(self) -> str:
        """Of its content, in hex."""
        return hashlib.sha256(self.data).hexdigest()


def read_file(folder: Path, name: str, most: int = MAX_BYTES) -> DataFile:
    """A file of a data folder by its place there.

    Raises `InputError` where it cannot be read, with where to get it, and where it is
    larger than `most` bytes.
    """
    path = place(folder, name)
    if path.is_file() and path.stat().st_size > most:
        raise InputError(f"holds more than {most / 2**20:g} MiB", where=str(path))
    dataset = name.partition("/")[0]
    card = f"`gytbench data card {dataset}` tells where to get it"
    return DataFile(name, path, read_bytes(path, FETCH_HINT if is_fetched(dataset) else card))


def read_class_file(folder: Path) -> DataFile:
    """The folder's own class map where it has one (another benchmark's), else the package's."""
    own = place(folder, _CLASSES)
    path = own if own.is_file() else _packaged_classes()
    return DataFile(_CLASSES, path, read_bytes(path))


def class_map(file: DataFile, kind: str) -> ClassMap:
    """The class map of a file; raises as `read_classes`."""
    try:
        text = file.data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"not UTF-8: byte {error.start}", where=str(file.path)) from None
    return read_classes(text, kind, file.path)


def folder_classes(folder: Path, kind: str = "mining512") -> ClassMap:
    """The class map that the files of a data folder are read with; raises as `read_classes`."""
    return class_map(read_class_file(folder), kind)


def origin(dataset: str, *files: DataFile) -> str:
    """The dataset's name where all files are the released ones, else a name for what they are."""
    if all(file.sha256 == _expected_sha256(file.name) for file in files):
        return dataset
    return local_name(file.sha256 for file in files)


def _expected_sha256(name: str) -> str:
    """Empty for a file whose publisher's checksum is not known."""
    if name == _CLASSES:
        return hashlib.sha256(_packaged_classes().read_bytes()).hexdigest()
    return next((file.sha256 for file in manifest() if file.path == name), "")


def _packaged_classes() -> Path:
    return annotations_folder() / "classes.tsv"
