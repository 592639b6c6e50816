"""Files of points as tables, in the sizes that belong to them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from gytbench.annotation.reading import PointFile, read_points, read_sizes
from gytbench.annotation.reading.detecting import known_sizes
from gytbench.annotation.rows import PointRow
from gytbench.annotation.table import PointTable, Size, build_table
from gytbench.errors import Fault, InputError
from gytbench.predictions.faults import quoted

NATIVE_SIZES = "id2wh.json"
"""Beside a file of mean points: the videos' own sizes."""
FRAME_SIZES = "id2wh_new.json"
"""Beside a file of mean points: the sizes of the annotation frames."""


def load_tables(
    paths: Sequence[Path],
    *,
    sizes: Path | None = None,
    columns: Mapping[str, str] | None = None,
) -> tuple[PointTable, ...]:
    """One table of the annotators' own points in all files, then one of each file of means.

    `sizes` names a JSON file of [width, height] by video, for files that tell none;
    without it, mean points take the released one beside them. `columns` names columns
    of flat files by role, as {"x": "px"}. Raises `InputError` with the faults of all files.
    """
    _check_paths(paths)
    given = read_sizes(sizes) if sizes is not None else None
    files = _read_all(paths, columns or {})
    own_paths = [path for path, file in files if not file.aggregate]
    own = [row for _, file in files if not file.aggregate for row in file.rows]
    tables = []
    if own:
        known = known_sizes(own)
        if sizes is not None and given is not None:
            _check_sizes(own, given | known, sizes)
        name = " and ".join(path.name for path in own_paths)
        tables.append(build_table(own, (given or {}) | known, name))
    for path, file in files:
        if file.aggregate:
            tables.append(_aggregate_table(path, file, sizes, given))
    return tuple(tables)


def _check_paths(paths: Sequence[Path]) -> None:
    if not paths:
        raise InputError("no file of points is given")
    times = Counter(path.absolute() for path in paths)
    twice = [path for path, number in times.items() if number > 1]
    if twice:
        raise InputError(Fault(str(path), "is given twice", "file twice") for path in twice)


def _read_all(paths: Sequence[Path], columns: Mapping[str, str]) -> list[tuple[Path, PointFile]]:
    files, faults = [], []
    for path in paths:
        # A file without annotators' names may be that of one of them.
        unnamed = f"{path.stem} " if len(paths) > 1 else ""
        try:
            files.append((path, read_points(path, columns, unnamed)))
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError(faults)
    return files


def _aggregate_table(
    path: Path, file: PointFile, sizes: Path | None, given: Mapping[str, Size] | None
) -> PointTable:
    beside = path.with_name(NATIVE_SIZES if file.native else FRAME_SIZES)
    if sizes is None and beside.is_file():
        sizes, given = beside, read_sizes(beside)
    if sizes is not None and given is not None:
        _check_sizes(file.rows, given, sizes)
    elif file.native and any(row.width is None for row in file.rows):
        reason = (
            "mean_x and mean_y are pixels of the videos, whose sizes are not known; "
            f"pass them (--sizes), or lay {NATIVE_SIZES} beside the file"
        )
        raise InputError(reason, where=str(path))
    return build_table(file.rows, given, path.name)


def _check_sizes(rows: Iterable[PointRow], sizes: Mapping[str, Size], source: Path) -> None:
    """Raise `InputError` with each video that rows need a size of and that has none."""
    needed = Counter(row.video for row in rows if row.width is None or row.height is None)
    missing = sorted(video for video in needed if video not in sizes)
    if missing:
        raise InputError(
            Fault(
                str(source),
                f"has no size of video {quoted(video)}, which {needed[video]:,} "
                f"{'row needs' if needed[video] == 1 else 'rows need'}",
                "no size",
            )
            for video in missing
        )
