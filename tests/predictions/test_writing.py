"""A file under the target's name is always whole, and holds what a reader accepts."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco

from gytbench.errors import InputError
from gytbench.predictions import EncodedHeatmap, PredictionWriter, Tube, load_predictions

from .making import FORMS, tube


def fail_after(writer: PredictionWriter) -> None:
    """Write some tubes, then fail."""
    writer.write([tube()] * 3000)
    raise ZeroDivisionError


@pytest.mark.parametrize("form", FORMS)
def test_nothing_is_left_when_the_block_raises(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"preds{form}"
    with pytest.raises(ZeroDivisionError), PredictionWriter(path, task="st") as writer:
        fail_after(writer)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", FORMS)
def test_an_old_file_stays_until_the_new_one_is_whole(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"preds{form}"
    path.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), PredictionWriter(path, task="st") as writer:
        fail_after(writer)
    assert path.read_bytes() == b"old"
    with PredictionWriter(path, task="st") as writer:
        writer.write([tube()])
        assert path.read_bytes() == b"old"
    assert len(load_predictions(path).tubes) == 1
    assert list(tmp_path.iterdir()) == [path]


KILLED = """
import sys
from gytbench.predictions import PredictionWriter
new, old = sys.argv[1:]
tubes = [{"video": "a", "label": "b", "start": 0, "end": 2, "points": [[1, 2], None]}] * 5000
with PredictionWriter(new, task="st") as first, PredictionWriter(old, task="st") as second:
    while True:
        first.write(tubes)
        second.write(tubes)
        print("written", flush=True)
"""


@pytest.mark.parametrize("form", [".json", ".jsonl.gz", ".parquet"])
def test_killed_while_writing(tmp_path: Path, form: str) -> None:
    new, old = tmp_path / f"new{form}", tmp_path / f"old{form}"
    old.write_bytes(b"old")
    command = [sys.executable, "-c", KILLED, str(new), str(old)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert not new.exists()
    assert old.read_bytes() == b"old"


FULL = """
import resource, sys
from gytbench.errors import InputError
from gytbench.predictions import PredictionWriter
limit = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
numbers = iter(range(10**9))
def tubes():
    for number in numbers:
        # Nothing to compress: the disk has to be full soon.
        yield {"video": f"{hash(str(number))}", "label": "b", "start": 0, "end": 2}
        if number == 20_000:
            return
try:
    with PredictionWriter(sys.argv[1], task="st") as writer:
        writer.write(tubes())
except InputError as error:
    print(error)
"""


@pytest.mark.parametrize("limit", [0, 200_000])
@pytest.mark.parametrize("form", FORMS)
def test_a_full_disk_is_one_message(tmp_path: Path, form: str, limit: int) -> None:
    # A limit on the size of files stands for the disk: writing beyond it fails as there.
    path = tmp_path / f"preds{form}"
    command = [sys.executable, "-c", FULL, str(path), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.startswith(f"{path}: cannot be written: ")
    assert "File too large" in done.stdout
    assert done.stdout.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_target_that_cannot_be_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    with (
        pytest.raises(InputError, match=r"preds\.json: cannot be written: No space left"),
        PredictionWriter(tmp_path / "preds.json", task="st"),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("missing/preds", "cannot be written: No such file or directory"),
        ("file/preds", "cannot be written: Not a directory"),
        ("folder", "this is a folder; name the file to write"),
        ("x" * 250, "cannot be written: File name too long"),
    ],
)
def test_a_target_that_cannot_be(tmp_path: Path, form: str, place: str, reason: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / f"folder{form}").mkdir()
    before = sorted(tmp_path.iterdir())
    path = tmp_path / (place + form)
    with pytest.raises(InputError) as error, PredictionWriter(path, task="st"):
        pytest.fail("the block runs although nothing can be written")
    assert str(error.value).startswith(f"{path}: ")
    assert reason.partition(": ")[0] in str(error.value)
    if form != ".parquet":
        assert str(error.value) == f"{path}: {reason}"
    assert sorted(tmp_path.iterdir()) == before


def test_the_name_must_have_a_known_suffix(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"preds\.txt: the file name must end in one of \.json, "):
        PredictionWriter(tmp_path / "preds.txt", task="st")


WRONG: list[tuple[Any, str]] = [
    ({"video": "a", "label": "b", "start": 0}, "$.tubes[1]: the key `end` is missing"),
    (tube(pionts=[]), "$.tubes[1]: unknown key 'pionts'; keep your own under `meta` or `model`"),
    (tube(start="2"), "$.tubes[1].start: expected number, got string"),
    (tube(start=-1), "$.tubes[1].start: expected number >= 0.0"),
    (tube(points=[[1, 2, 3]]), "$.tubes[1].points[0]: expected array of length 2"),
    (
        tube(scores=[1, float("nan")]),
        "$.tubes[1].scores[1]: expected number, got null (a number that is not finite counts "
        "as null)",
    ),
    (
        tube(boxes=[None, [0, 0, float("inf"), 1]]),
        "$.tubes[1].boxes[1][2]: expected number, got null (a number that is not finite counts "
        "as null)",
    ),
    (tube(label=b"crack_egg"), "$.tubes[1].label: expected string, got bytes"),
    (tube(meta={"net": object()}), "$.tubes[1]: object cannot be written as JSON"),
    (tube(video="\ud800"), "$.tubes[1]: 'utf-8' codec can't encode character"),
    (tube(frame_size=[0, 10]), "$.tubes[1].frame_size[0]: expected number >= 1.0"),
    (tube(heatmaps=[None, [[1], [1, 2]]]), "$.tubes[1].heatmaps[1]: its rows have different"),
    (
        tube(masks=[{"size": [2, 2], "counts": [3]}]),
        "$.tubes[1].masks[0]: its run lengths do not add up to 2 x 2 pixels",
    ),
    (17, "$.tubes[1]: must be an object, not a number"),
]


@pytest.mark.parametrize("form", [".json", ".parquet"])
@pytest.mark.parametrize(("bad", "reason"), WRONG)
def test_a_bad_tube_is_named(tmp_path: Path, form: str, bad: Any, reason: str) -> None:
    path = tmp_path / f"preds{form}"
    with pytest.raises(InputError) as error, PredictionWriter(path, task="st") as writer:
        writer.write([tube(), bad, tube()])
    assert str(error.value).startswith(f"{path}: {reason}")
    assert list(tmp_path.iterdir()) == []


def test_all_faults_of_a_bad_tube_are_told(tmp_path: Path) -> None:
    with (
        pytest.raises(InputError) as error,
        PredictionWriter(tmp_path / "preds.json", task="st") as writer,
    ):
        writer.write([tube(start="2", score=None, points=[[1, 2], [3], 4])])
    assert [fault.where.partition(": ")[2] for fault in error.value.faults] == [
        "$.tubes[0].start",
        "$.tubes[0].score",
        "$.tubes[0].points[1]",
        "$.tubes[0].points[2]",
    ]


def test_a_tube_made_by_hand_is_checked_too(tmp_path: Path) -> None:
    # The constructor of Tube checks nothing.
    bad = Tube(video="a", label="b", start=0, end=2, score=float("nan"))
    with (
        pytest.raises(InputError, match=r"\$\.tubes\[0\]\.score: expected number, got null"),
        PredictionWriter(tmp_path / "preds.json", task="st") as writer,
    ):
        writer.write([bad])


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"task": "spacial"}, '$.task: must be "st" or "spatial" or "temporal"'),
        ({"task": "st", "frame_size": (640, -480)}, "$.frame_size[1]: expected number >= 1.0"),
        ({"task": "st", "frame_size": (640,)}, "$.frame_size: expected array of length 2"),
        ({"task": "st", "model": {"net": object()}}, "$: object cannot be written as JSON"),
    ],
)
def test_a_bad_header_is_refused_before_anything_is_written(
    tmp_path: Path, header: dict[str, Any], reason: str
) -> None:
    path = tmp_path / "preds.json"
    with pytest.raises(InputError) as error:
        PredictionWriter(path, **header)
    assert str(error.value) == f"{path}: {reason}"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", [".json", ".parquet"])
def test_arrays_stand_for_lists(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"preds{form}"
    with PredictionWriter(path, task="st") as writer:
        writer.write(
            [
                tube(
                    start=np.float32(2),
                    score=np.float64(0.5),
                    instance=np.int64(7),
                    times=np.array([2, 4]),
                    points=np.array([[1, 2], [3, 4]]),
                    heatmaps=[np.array([[0.5, 1.0]], dtype=np.float32), None],
                )
            ]
        )
    (read,) = load_predictions(path).tubes
    assert (read.start, read.score, read.instance, read.times) == (2, 0.5, 7, [2, 4])
    assert read.points == [(1, 2), (3, 4)]
    assert read.heatmaps is not None
    if form == ".json":
        assert read.heatmaps == [[[0.5, 1.0]], None]
    else:
        assert isinstance(read.heatmaps[0], EncodedHeatmap)


@pytest.mark.parametrize("form", [".json", ".parquet"])
def test_masks_as_pycocotools_gives_them(tmp_path: Path, form: str) -> None:
    # Its counts are bytes; they go into the file as they are, not as base64 of them.
    encoded = coco.encode(np.asfortranarray(np.eye(3, dtype=np.uint8)))
    assert isinstance(encoded["counts"], bytes)
    path = tmp_path / f"preds{form}"
    with PredictionWriter(path, task="st") as writer:
        writer.write([tube(times=[2], masks=[encoded])])
    (read,) = load_predictions(path).tubes
    assert read.masks is not None
    assert read.masks[0] is not None
    # Down the columns of the unit matrix: 1, 000, 1, 000, 1.
    runs = [0, 1, 3, 1, 3, 1]
    assert read.masks[0].counts == (encoded["counts"].decode() if form == ".json" else runs)


def test_writing_needs_the_block(tmp_path: Path) -> None:
    writer = PredictionWriter(tmp_path / "preds.json", task="st")
    with pytest.raises(RuntimeError, match="with"):
        writer.write([tube()])
    with writer:
        writer.write([tube()])
    with pytest.raises(RuntimeError, match="with"):
        writer.write([tube()])


def test_an_error_of_the_tubes_own_making_is_left_alone(tmp_path: Path) -> None:
    def tubes() -> Iterator[dict[str, Any]]:
        yield tube()
        raise ConnectionError("the model server is gone")

    with (
        pytest.raises(ConnectionError, match="the model server"),
        PredictionWriter(tmp_path / "preds.json", task="st") as writer,
    ):
        writer.write(tubes())
    assert list(tmp_path.iterdir()) == []
