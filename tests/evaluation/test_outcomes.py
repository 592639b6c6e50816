"""Stored outcomes: what is read is what was written, and nothing else is read."""

import io
import zipfile
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gytbench.errors import InputError
from gytbench.evaluation import outcomes
from gytbench.evaluation.outcomes import System, outcomes_file, read_outcomes, system_of
from gytbench.evaluation.resampling import resample
from tests.evaluation.systems import random_file, random_truth, system
from tests.evaluation.twin import benchmark_of, package_score
from tests.reference import Truth
from tests.reference.strategies import spatial_cases, st_cases, temporal_cases

TASKS = ("st", "spatial", "temporal")
Arrays = dict[str, Any]


def example(task: str) -> System:
    rng = np.random.default_rng(0)
    truth = random_truth(rng, 4)
    return system(truth, random_file(rng, truth, task, 0.7), "preds.json")


def arrays_of(task: str) -> Arrays:
    with np.load(io.BytesIO(outcomes_file(example(task))), allow_pickle=False) as found:
        return dict(found)


@settings(max_examples=100, deadline=None)
@given(case=st.one_of(st_cases(), spatial_cases(), temporal_cases()))
def test_there_and_back(tmp_path_factory: pytest.TempPathFactory, case: tuple[Truth, Any]) -> None:
    result = package_score(*case)
    written = system_of(result, benchmark_of(case[0]), "mine")
    assert written.metrics == result.metrics
    path = tmp_path_factory.getbasetemp() / "there_and_back.npz"
    path.write_bytes(outcomes_file(written))
    read = read_outcomes(path)
    assert (read.title, read.signature) == ("mine", result.signature)
    assert (read.videos, read.classes) == (written.videos, written.classes)
    for field in fields(written.outcomes):
        one, two = (getattr(each.outcomes, field.name) for each in (written, read))
        np.testing.assert_array_equal(one, two)
        assert np.asarray(one).dtype == np.asarray(two).dtype
    assert read.metrics == result.metrics


def test_the_same_system_gives_the_same_bytes() -> None:
    assert outcomes_file(example("st")) == outcomes_file(example("st"))


def refused(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_outcomes(path)
    (fault,) = caught.value.faults
    assert fault.where == str(path)
    return fault.reason


def packed(arrays: Arrays) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def put(array: Any, value: float, *at: int) -> Any:
    changed = np.array(array)
    changed[at] = value
    return changed


Change = Callable[[Arrays], Arrays]
HOSTILE: list[tuple[str, Change, str]] = [
    ("st", lambda _: {"format": np.array("gytbench-outcomes/2")}, "its format is"),
    ("st", lambda _: {"signature": np.array("x")}, "not a signature of protocol"),
    ("st", lambda _: {"extra": np.zeros(1)}, "unknown array 'extra'"),
    ("st", lambda _: {"videos": np.array(["a", "a", "b", "c"])}, "a video is named twice"),
    ("st", lambda _: {"videos": np.arange(4)}, "videos is of the type int64"),
    ("st", lambda _: {"videos": np.array(["a"])}, "frames has the shape (4, 4)"),
    ("st", lambda _: {"title": np.array(["a"])}, "title has the shape (1,)"),
    ("st", lambda a: {"frames": a["frames"].astype(float)}, "frames is of the type float64"),
    ("st", lambda a: {"frames": a["frames"][:, :3]}, "frames has the shape (4, 3)"),
    ("st", lambda a: {"frames": a["frames"].ravel()}, "frames has the shape (16,)"),
    ("st", lambda a: {"frames": put(a["frames"], -1, 0, 3)}, "values that no evaluation"),
    ("st", lambda a: {"frames": put(a["frames"], 99, 0, 3)}, "values that no evaluation"),
    ("st", lambda a: {"class_frames": a["class_frames"] + [0, 0, 1, 0]}, "values that no"),
    ("st", lambda a: {"positives": put(a["positives"], 1 << 60, 0, 0)}, "values that no"),
    ("st", lambda a: {"positives": a["positives"] * 0}, "values that no evaluation"),
    ("st", lambda a: {"tube_video": a["tube_video"] + 4}, "values that no evaluation"),
    ("st", lambda a: {"tube_label": a["tube_label"] - 4}, "values that no evaluation"),
    ("st", lambda a: {"tube_score": put(a["tube_score"], np.nan, 0)}, "values that no"),
    ("st", lambda _: {"has_regions": np.array([True])}, "has_regions has the shape (1,)"),
    ("spatial", lambda a: {"video": a["video"] + 4}, "values that no evaluation"),
    ("spatial", lambda a: {"label": a["label"] + 4}, "values that no evaluation"),
    ("spatial", lambda a: {"score": put(a["score"], np.inf, 0)}, "values that no evaluation"),
    ("temporal", lambda a: {"durations": put(a["durations"], np.nan, 0, 0, 0)}, "values"),
    ("temporal", lambda a: {"durations": put(a["durations"], 99.0, 0, 0, 2)}, "values"),
    ("temporal", lambda a: {"segment_video": a["segment_video"] + 4}, "values that no"),
    ("temporal", lambda a: {"segment_label": a["segment_label"] + 4}, "values that no"),
    ("temporal", lambda a: {"segment_iou": a["segment_iou"] + 1.5}, "values that no"),
]


@pytest.mark.parametrize(("task", "change", "told"), HOSTILE)
def test_arrays_that_are_wrong(tmp_path: Path, task: str, change: Change, told: str) -> None:
    arrays = arrays_of(task)
    assert told in refused(tmp_path / "a.npz", packed(arrays | change(arrays)))


def test_arrays_that_are_missing(tmp_path: Path) -> None:
    for name in arrays_of("st"):
        rest = {key: array for key, array in arrays_of("st").items() if key != name}
        told = refused(tmp_path / "a.npz", packed(rest))
        assert told == f"not a file of outcomes: the array {name!r} is missing"


@pytest.mark.parametrize("limit", ["_MOST_VIDEOS", "_MOST_CELLS"])
def test_too_many_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    monkeypatch.setattr(outcomes, limit, 3)
    told = refused(tmp_path / "a.npz", packed(arrays_of("st")))
    assert told.endswith("more videos or classes than any benchmark has")


def test_objects_are_not_unpickled(tmp_path: Path) -> None:
    arrays = arrays_of("st") | {"videos": np.array([{}, [], 1, 2], dtype=object)}
    assert "a header that this version does not write" in refused(
        tmp_path / "a.npz", packed(arrays)
    )


def test_sizes_are_limited_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = packed(arrays_of("st"))
    many = packed({f"array{number}": np.zeros(1) for number in range(21)})
    assert "more than 512 MiB or 20 arrays" in refused(tmp_path / "a.npz", many)
    monkeypatch.setattr(outcomes, "MAX_BYTES", 1000)
    assert "more than" in refused(tmp_path / "a.npz", content)


def zipped(content: bytes, method: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("format.npy", content)
    return file.getvalue()


def test_headers_that_lie(tmp_path: Path) -> None:
    file = io.BytesIO()
    np.save(file, np.zeros(3))
    content, path = file.getvalue(), tmp_path / "a.npz"
    assert "shorter or longer" in refused(path, zipped(content[:-1]))
    assert "shorter or longer" in refused(path, zipped(content.replace(b"(3,)", b"(9,)")))
    assert "a header that" in refused(path, zipped(content.replace(b"(3,)", b"(-3)")))
    assert "a header that" in refused(path, zipped(content.replace(b"<f8", b"|O8")))
    assert "a header that" in refused(path, zipped(b""))
    assert "its compression" in refused(path, zipped(content, zipfile.ZIP_BZIP2))


def test_files_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    whole = outcomes_file(example("st"))
    assert refused(path, b"") == "not an .npz file, or a damaged one"
    assert refused(path, whole[: len(whole) // 2]) == "not an .npz file, or a damaged one"
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_outcomes(tmp_path / "missing.npz")
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        read_outcomes(tmp_path)


@settings(max_examples=300, deadline=None)
@given(task=st.sampled_from(TASKS), at=st.integers(0, 10**6), byte=st.integers(0, 255))
def test_a_changed_byte_is_refused_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, task: str, at: int, byte: int
) -> None:
    content = bytearray(packed(arrays_of(task)))
    content[at % len(content)] = byte
    path = tmp_path_factory.getbasetemp() / "changed.npz"
    path.write_bytes(content)
    try:
        read = read_outcomes(path)
    except InputError:
        return
    assert all(0 <= score <= 1 for score in read.metrics.values() if score is not None)


@settings(max_examples=100, deadline=None)
@given(task=st.sampled_from(TASKS), draw=st.data())
def test_changed_values_are_refused_or_score_within_bounds(
    tmp_path_factory: pytest.TempPathFactory, task: str, draw: st.DataObject
) -> None:
    arrays = arrays_of(task)
    numbers = [name for name, array in arrays.items() if array.dtype.kind in "if"]
    for name in draw.draw(st.lists(st.sampled_from(numbers), min_size=1, max_size=3)):
        at = draw.draw(st.integers(0, arrays[name].size - 1))
        arrays[name].flat[at] = draw.draw(st.sampled_from([-1, 0, 1, 2, 100, 1 << 45]))
    path = tmp_path_factory.getbasetemp() / "values.npz"
    path.write_bytes(packed(arrays))
    try:
        read = read_outcomes(path)
    except InputError:
        return
    weights = np.array([[1.0, 1, 1, 1], [0, 2, 1, 1]])
    for values in resample(read.outcomes, weights).values():
        assert ((values > -1e-9) & (values < 1 + 1e-9) | np.isnan(values)).all()
    assert all(0 <= score <= 1 for score in read.metrics.values() if score is not None)


@pytest.mark.parametrize("names", ["videos", "classes"])
def test_a_benchmark_without_names(tmp_path: Path, names: str) -> None:
    arrays = arrays_of("spatial") | {names: np.array([], dtype=np.str_)}
    told = refused(tmp_path / "a.npz", packed(arrays))
    assert told.endswith("it names no video, or no class")


@pytest.mark.parametrize("task", TASKS)
def test_nothing_in_the_videos(tmp_path: Path, task: str) -> None:
    """No ground truth and no tube: sound, with nothing defined."""
    arrays = arrays_of(task)
    for name, array in arrays.items():
        if name.startswith(("tube", "segment")) or name in ("video", "label", "hit", "success"):
            arrays[name] = array[..., :0]
        elif array.dtype.kind in "if":
            arrays[name] = array[:0] if name == "score" else array * 0
    (tmp_path / "a.npz").write_bytes(packed(arrays))
    read = read_outcomes(tmp_path / "a.npz")
    assert set(read.metrics.values()) == {None}
    found = resample(read.outcomes, np.ones((3, 4)))
    assert all(np.isnan(values).all() for values in found.values())
