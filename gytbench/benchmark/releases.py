"""The released files: their manifest, where they lie here, and whether they are right."""

import hashlib
import os
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

from gytbench.errors import InputError
from gytbench.resources import annotations_folder

DATA_VARIABLE = "GYTBENCH_DATA"

State = Literal["ok", "missing", "wrong size", "wrong checksum"]


class ReleasedFile(NamedTuple):
    """One line of the manifest: a file at a pinned commit of its publisher."""

    path: str
    """Its place in a data folder, such as "groundingyoutube/seg.json"."""
    url: str
    size: int
    sha256: str
    licence: str
    """What its publisher states."""
    needed_by: tuple[str, ...]
    """The tasks and options that read it."""


class Checked(NamedTuple):
    """What `verify` found of one file."""

    file: ReleasedFile
    state: State


@cache
def manifest() -> tuple[ReleasedFile, ...]:
    """All released files, in the manifest's order."""
    with (annotations_folder() / "releases.toml").open("rb") as file:
        rows = tomllib.load(file)["file"]
    return tuple(ReleasedFile(**row | {"needed_by": tuple(row["needed_by"])}) for row in rows)


def released_sha256(path: str) -> str:
    """The checksum that the manifest states for a file of the layout."""
    return next(file.sha256 for file in manifest() if file.path == path)


def local_name(sha256s: Iterable[str]) -> str:
    """What the signature calls data that is not the released one: "local@" and 8 hex digits."""
    return "local@" + hashlib.sha256(" ".join(sha256s).encode()).hexdigest()[:8]


def place(folder: Path, path: str) -> Path:
    """Where a file of the layout lies in a data folder.

    The folder may also be the groundingyoutube one itself, as in the authors'
    repository; other datasets then lie beside it.
    """
    if not _is_inner(folder):
        return folder / path
    dataset, _, name = path.partition("/")
    return folder / name if dataset == "groundingyoutube" else folder.parent / path


def is_fetched(dataset: str) -> bool:
    """Whether `gytbench data fetch` gets the files of a dataset."""
    return any(file.path.startswith(f"{dataset}/") for file in manifest())


def find_data(data: Path | None = None, dataset: str = "groundingyoutube") -> Path:
    """The data folder: the one given, else GYTBENCH_DATA, else the cache.

    The first of these that is set decides; it holds a folder named for the dataset, or is
    ``groundingyoutube/`` itself. Raises `InputError` where it does not.
    """
    folder = data_target(data)
    if is_folder(place(folder, dataset)):
        return folder
    lacks = " and no seg.json" if dataset == "groundingyoutube" else ""
    card = f"`gytbench data card {dataset}` tells where the files are"
    hint = "`gytbench data fetch` gets the files" if is_fetched(dataset) else card
    raise InputError(
        f"holds no {dataset}/ folder{lacks}. The first of these that is given "
        f"counts: --data ({data or 'not given'}), {DATA_VARIABLE} "
        f"({_from_environment() or 'not given'}), the cache ({_cache()}). "
        f"{hint}",
        where=str(folder),
    )


def data_target(data: Path | None = None) -> Path:
    """The folder that `find_data` would take, whether or not there is anything in it yet."""
    return data or _from_environment() or _cache()


def verify(folder: Path, files: tuple[ReleasedFile, ...] | None = None) -> list[Checked]:
    """The state of every file of the manifest in a data folder."""
    files = manifest() if files is None else files
    return [Checked(file, check(place(folder, file.path), file)) for file in files]


def check(path: Path, file: ReleasedFile) -> State:
    """Whether the file at `path` is the released one."""
    try:
        if not path.is_file():
            return "missing"
        if path.stat().st_size != file.size:
            return "wrong size"
        with path.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from None
    return "ok" if digest == file.sha256 else "wrong checksum"


def is_folder(path: Path) -> bool:
    """Whether it is a folder that can be looked into."""
    try:
        return path.is_dir()
    except OSError:
        return False


def _is_inner(folder: Path) -> bool:
    return (
        is_folder(folder)
        and not (folder / "groundingyoutube").is_dir()
        and (folder / "seg.json").is_file()
    )


def _from_environment() -> Path | None:
    value = os.environ.get(DATA_VARIABLE)
    return Path(value).expanduser() if value else None


def _cache() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("gytbench", appauthor=False) / "data"
