"""Getting the released files: from their publishers, or from a folder or clone on this machine.

Every file is checked for size and SHA-256 before it takes its place, and takes
it in one step. A download that was cut off goes on where it stopped.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gytbench.benchmark.downloading import Advance, OfflineError, download, unreachable, writing
from gytbench.benchmark.releases import ReleasedFile, check, is_folder, manifest, place
from gytbench.errors import Fault, InputError

_Get = Callable[[ReleasedFile, Path, Advance], None]
"""Writes a file, checked, to the path it is given."""


def fetch(
    folder: Path, source: Path | None = None, files: Sequence[ReleasedFile] | None = None
) -> list[ReleasedFile]:
    """Bring a data folder up to date with the manifest; return the files that were written.

    Files that are right already stay untouched. With `source`, a folder or a
    clone of a publisher's repository, nothing is downloaded: a file is looked
    for by our path, by its publisher's path, then by its name at any depth.
    Shows a progress bar on standard error where that is a terminal. Raises
    `InputError` with a fault for every file that could not be had; the others
    are in place by then.
    """
    if source is not None and not is_folder(source):
        raise InputError("no such folder to copy from", where=str(source))
    files = manifest() if files is None else files
    wanted = [file for file in files if check(place(folder, file.path), file) != "ok"]
    get = download if source is None else _copier(source)
    faults: list[Fault] = []
    with _progress(sum(file.size for file in wanted)) as advance:
        for file in wanted:
            try:
                _bring(file, place(folder, file.path), get, advance)
            except InputError as error:
                faults += error.faults
            except OfflineError as error:
                faults += unreachable(file, error).faults
                break
    if faults:
        raise InputError(faults)
    return wanted


def _bring(file: ReleasedFile, target: Path, get: _Get, advance: Advance) -> None:
    """Put one file in its place, in one step."""
    part = target.with_name(target.name + ".part")
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    get(file, part, advance)
    with writing(target):
        part.replace(target)


@contextmanager
def _progress(total: int) -> Iterator[Advance]:
    from tqdm import tqdm

    # disable=None: no bar where standard error is not a terminal.
    with tqdm(total=total, unit="B", unit_scale=True, desc="fetch", disable=None) as bar:
        yield bar.update


def _copier(source: Path) -> _Get:
    """Copies from a folder."""
    by_name: dict[str, list[Path]] = {}

    def candidates(file: ReleasedFile) -> Iterator[Path]:
        upstream = _upstream_path(file.url)
        yield place(source, file.path)
        yield source / upstream
        if not by_name:
            # The walk is slow in a large folder: once, and only when it is needed.
            for path in source.rglob("*"):
                by_name.setdefault(path.name, []).append(path)
        for name in dict.fromkeys((Path(file.path).name, Path(upstream).name)):
            yield from by_name.get(name, [])

    def copy(file: ReleasedFile, part: Path, advance: Advance) -> None:
        found = next((path for path in candidates(file) if check(path, file) == "ok"), None)
        if found is None:
            reason = f"{source} does not hold it, or not with the right checksum"
            raise InputError([Fault(file.path, reason, "missing")])
        with writing(part):
            part.write_bytes(found.read_bytes())
        advance(file.size)

    return copy


def _upstream_path(url: str) -> str:
    """The path in its publisher's repository: what follows host, owner, name and commit."""
    return url.partition("://")[2].split("/", 4)[-1]
