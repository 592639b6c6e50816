"""The folder of an entry made from prediction files, and the archive that it is sent in."""

import gzip
import hashlib
import json
import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec

from gytbench.errors import InputError
from gytbench.leaderboard.board import Board, name_fault
from gytbench.leaderboard.checking import FORMS, MAX_FOLDER_BYTES, Entry, file_of, read_entry
from gytbench.leaderboard.fetching import MAX_FETCHED_BYTES, keeping
from gytbench.leaderboard.fields import BLANK, FIELDS
from gytbench.leaderboard.submission import FILE, PredictionsOf, Submission
from gytbench.predictions import PredictionWriter, Task, load_predictions
from gytbench.writing import open_whole

_COPIED = 1 << 20


def make_entry(
    board: Board,
    name: str,
    predictions: Sequence[Path],
    about: Mapping[str, Any],
    *,
    urls: Mapping[Task, str] | None = None,
    form: str | None = None,
) -> Path:
    """Make the folder of a new entry, and return it.

    predictions: one file for each task, of any form that is read; they are written anew,
    without `meta`, which no score depends on. about: fields of `Submission` by name; those
    left out are to be filled in. urls: of tasks whose predictions lie elsewhere; what is to be
    put there goes to the board's cache. form: one of `FORMS` [default: as the file given].
    Raises `InputError` for a name that is not free, two files of a task, files that cannot be
    read, and predictions that are too large to lie in the folder.
    """
    folder = _free(board, name)
    try:
        board.cache.mkdir(exist_ok=True)
        board.submissions.mkdir(exist_ok=True)
        # Made aside: a folder under the entry's name is always whole.
        with tempfile.TemporaryDirectory(dir=board.cache) as aside:
            made = Path(aside) / name
            made.mkdir()
            files = _write_predictions(made, predictions, form)
            given = _place(board, made, files, urls or {})
            # What is no text on the command line stays an escape, which the check names.
            (made / FILE).write_bytes(_yaml(about, given).encode("utf-8", "backslashreplace"))
            made.rename(folder)
    except OSError as error:
        reason = f"cannot be written: {error.strerror or error}"
        raise InputError(reason, where=str(folder)) from None
    return folder


def _free(board: Board, name: str) -> Path:
    """The folder that an entry of this name will have."""
    wrong = name_fault(name, str(board.submissions))
    if wrong is not None:
        raise InputError([wrong])
    folder = board.submissions / name
    if folder.exists() or folder.is_symlink():
        raise InputError("is there already; take another name, or remove it", where=str(folder))
    return folder


def _write_predictions(
    folder: Path, predictions: Sequence[Path], form: str | None
) -> dict[Task, Path]:
    """Write the predictions anew, compactly, a file for each task."""
    files: dict[Task, Path] = {}
    for path in predictions:
        read = load_predictions(path)
        if read.task in files:
            reason = f"is a second file of the task {read.task}; give one for each task"
            raise InputError(reason, where=str(path))
        suffix = form or (".parquet" if path.suffix == ".parquet" else ".json.gz")
        target = folder / f"{read.task}{suffix}"
        writer = PredictionWriter(
            target, task=read.task, model=read.model, frame_size=read.frame_size
        )
        with writer:
            writer.write(msgspec.structs.replace(tube, meta=None) for tube in read.tubes)
        files[read.task] = target
    return files


def _place(
    board: Board, folder: Path, files: Mapping[Task, Path], urls: Mapping[Task, str]
) -> dict[Task, PredictionsOf]:
    """What submission.yaml says of the files; raises `InputError` where there is no room."""
    for task in urls:
        if task not in files:
            raise InputError(f"--url names the task {task}, of which no predictions are given")
    given = {task: _given(board, task, path, urls) for task, path in files.items()}
    _check_room(folder)
    return given


def _given(board: Board, task: Task, path: Path, urls: Mapping[Task, str]) -> PredictionsOf:
    """What submission.yaml says of a file, which moves to the cache where it lies elsewhere."""
    size = path.stat().st_size
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    if task not in urls:
        return PredictionsOf(file=path.name, sha256=sha256, size=size)
    if size > MAX_FETCHED_BYTES:
        most = MAX_FETCHED_BYTES >> 20
        raise InputError(f"{task}: takes {size:,} bytes, more than the {most} MiB that are fetched")
    with path.open("rb") as file, keeping(board, sha256) as kept:
        shutil.copyfileobj(file, kept, _COPIED)
    path.unlink()
    return PredictionsOf(url=urls[task], sha256=sha256, size=size)


def _check_room(folder: Path) -> None:
    sizes = {path.name: path.stat().st_size for path in sorted(folder.iterdir())}
    if sum(sizes.values()) > MAX_FOLDER_BYTES:
        each = ", ".join(f"{name} {size >> 20} MiB" for name, size in sizes.items())
        hint = "give --url TASK=URL: where you will put the file; `gytbench submit pack` writes it"
        raise InputError(
            f"predictions take more than {MAX_FOLDER_BYTES >> 20} MiB ({each}): {hint}"
        )


def _yaml(about: Mapping[str, Any], given: Mapping[Task, PredictionsOf]) -> str:
    """submission.yaml: what is known, and what is to be filled in, field by field."""
    lines = [
        f"# What the leaderboard says of this entry. Fill in where it says {BLANK},",
        "# then run `gytbench submit check`.",
    ]
    for field in msgspec.structs.fields(Submission):
        if field.name == "predictions":
            continue
        lines += ["", f"# {field.name}: {FIELDS[field.name]}"]
        blank = BLANK if field.required else ""
        lines.append(f"{field.name}: {_quoted(about.get(field.name, blank))}")
    lines += ["", "# predictions: written by `gytbench submit init`", "predictions:"]
    for task, named in given.items():
        lines.append(f"  {task}:")
        lines += [f"    {key}: {_quoted(value)}" for key, value in _said(named)]
    return "\n".join(lines) + "\n"


def _said(named: PredictionsOf) -> Iterator[tuple[str, str | int]]:
    yield ("url", named.url) if named.url else ("file", named.file)
    yield "sha256", named.sha256
    yield "size", named.size


def _quoted(value: Any) -> str:
    """A value as JSON, which YAML reads as well."""
    return json.dumps(value, ensure_ascii=False)


def pack_entry(board: Board, name: str, output: Path) -> list[Path]:
    """Write an entry as a .tar.gz, and beside it what is to be put at its addresses.

    The same entry gives the same bytes. Returns the files written, the archive first. Raises
    `InputError` for what is wrong with folder or submission.yaml, and for predictions that are
    given by address and are not in the board's cache.
    """
    entry = read_entry(board, name)
    if not output.name.endswith((".tar.gz", ".tgz")):
        raise InputError("the name must end in .tar.gz", where=str(output))
    if output.resolve().parent.is_relative_to(entry.folder.resolve()):
        raise InputError("would lie in the entry itself", where=str(output))
    files = {
        task: file_of(given, entry, board, fetch=False)
        for task, given in entry.submission.predictions.items()
    }
    uploads = {
        path: output.parent / f"{name}-{task}{_form(path)}"
        for task, path in files.items()
        if entry.submission.predictions[task].url
    }
    with open_whole(output) as file:
        file.write(_archive(entry))
    for source, target in uploads.items():
        with source.open("rb") as opened, open_whole(target) as file:
            shutil.copyfileobj(opened, file, _COPIED)
    return [output, *uploads.values()]


def _form(path: Path) -> str:
    return next(each for each in FORMS if path.name.endswith(each))


def _archive(entry: Entry) -> bytes:
    """The entry's files as a .tar.gz, without whatever differs from one machine to the next."""
    named = (each.file for each in entry.submission.predictions.values() if each.file)
    packed = BytesIO()
    with (
        gzip.GzipFile("", "wb", 6, packed, mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for file in sorted({FILE, *named}):
            data = (entry.folder / file).read_bytes()
            member = tarfile.TarInfo(f"{entry.name}/{file}")
            member.size = len(data)
            archive.addfile(member, BytesIO(data))
    return packed.getvalue()
