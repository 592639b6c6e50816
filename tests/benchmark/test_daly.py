"""DALY from small files in its publisher's layout: the publisher's own is not in hand."""

import os
import pickle
import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

import gytbench
from gytbench.benchmark import Benchmark, load_benchmark
from gytbench.errors import InputError


def keyframe(frame: int, *box: float, **changes: Any) -> dict[str, Any]:
    """A keyframe of a video of 25 frames a second."""
    corners = box or (0.25, 0.2, 0.75, 0.8)
    return {
        "time": frame / 25,
        "frameNumber": frame,
        "boundingBox": np.array([corners], dtype=np.float32),
        "objects": np.zeros((0, 7)),
        "pose": np.zeros((1, 10, 3), dtype=np.float32),
    } | changes


def instance(begin: float, end: float, *keyframes: Any, **flags: bool) -> dict[str, Any]:
    """An action from begin to end, in seconds."""
    return {"beginTime": begin, "endTime": end, "flags": flags, "keyframes": list(keyframes)}


CONTENT: dict[str, Any] = {
    "splits": [["b.mp4"], ["a.mp4", "c.mp4"]],
    "labels": ["BrushingTeeth", "TakingPhotosOrVideos", "Drinking"],
    "joints": ["head"],
    "objectList": ["cup"],
    "metadata": {
        name: {"duration": 60.0, "nbframes_ffmpeg": 1500, "fps": 25.0}
        for name in ("a.mp4", "b.mp4", "c.mp4")
    },
    "annot": {
        "a.mp4": {"suggestedClass": "Drinking", "annot": {}},
        "b.mp4": {
            "suggestedClass": "BrushingTeeth",
            "annot": {
                "TakingPhotosOrVideos": [
                    instance(1.0, 2.0, keyframe(30, 0.0, 0.0, 0.5, 0.5), keyframe(60)),
                    instance(3.0, 3.0),
                ],
                "BrushingTeeth": [instance(0.0, 1.0, keyframe(5), isOutsideFOV=True)],
            },
        },
        "c.mp4": {"annot": {"Drinking": [instance(0.0, 4.0)]}},
    },
}


def old(value: Any) -> bytes:
    """A value as Python 2 pickles it: text is bytes, and so is what an array holds."""
    if isinstance(value, np.ndarray):
        kind = b"cnumpy\ndtype\n(" + old(value.dtype.str[1:]) + b"K\x00K\x01tR"
        kind += old((3, "<", None, None, None, -1, -1, 0)) + b"b"
        data = old(value.tobytes().decode("latin-1"))
        head = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n" + old((0,)) + old("b")
        return head + b"tR(K\x01" + old(value.shape) + kind + b"\x89" + data + b"tb"
    if isinstance(value, str):
        return b"T" + struct.pack("<i", len(value)) + value.encode("latin-1")
    if isinstance(value, bool) or value is None:
        return {True: b"\x88", False: b"\x89", None: b"N"}[value]
    if isinstance(value, int):
        return b"J" + struct.pack("<i", value)
    if isinstance(value, float):
        return b"G" + struct.pack(">d", value)
    if isinstance(value, dict):
        return b"(" + b"".join(old(key) + old(each) for key, each in value.items()) + b"d"
    return b"(" + b"".join(map(old, value)) + (b"l" if isinstance(value, list) else b"t")


def write(folder: Path, content: Any, data: bytes = b"") -> Path:
    path = folder / "daly" / "daly1.1.0.pkl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data or b"\x80\x02" + old(content) + b".")
    return folder


def load(folder: Path, **choices: str) -> Benchmark:
    return load_benchmark(dataset="daly", data=folder, **choices)


def test_the_made_file_is_what_python_writes() -> None:
    again = pickle.loads(b"\x80\x02" + old(CONTENT) + b".", encoding="latin1")
    shown = again["annot"]["b.mp4"]["annot"]["BrushingTeeth"][0]["keyframes"][0]
    assert shown["boundingBox"].dtype == np.float32
    np.testing.assert_array_equal(shown["boundingBox"], np.float32([[0.25, 0.2, 0.75, 0.8]]))
    assert again["splits"] == CONTENT["splits"]


def test_instances(tmp_path: Path) -> None:
    truth = load(write(tmp_path, CONTENT))
    told = [(i.video, i.id, i.start, i.end, i.step, i.label) for i in truth.instances]
    # Frames count from 1: 1 to 2 s at 25 a second are frames 26 to 50, and keyframe 60 is beyond.
    assert told == [
        ("b", 0, 26, 61, "taking_photos_or_videos", "taking_photos_or_videos"),
        ("b", 2, 1, 26, "brushing_teeth", "brushing_teeth"),
    ]
    assert truth.dropped == {("b", 1)}
    assert truth.frames == {"b": (1000, 1000)}
    boxes = truth.boxes_of(truth.instances[0])
    assert boxes[30] == (0, 0, 500, 500)
    assert boxes[60] == pytest.approx((250, 200, 750, 800), abs=1e-4)
    assert truth.classes.kind == "action"
    assert truth.classes.names[0] == "brushing_teeth"
    assert truth.classes.name_of("BrushingTeeth") == truth.classes.name_of("brushing teeth")
    assert (truth.dataset, truth.release, truth.subset) == ("daly", "keyframes", "test")


@pytest.mark.parametrize(
    ("subset", "videos", "instances"), [("test", "b", 2), ("train", "ac", 1), ("all", "abc", 3)]
)
def test_subsets(tmp_path: Path, subset: str, videos: str, instances: int) -> None:
    truth = load(write(tmp_path, CONTENT), subset=subset)
    assert truth.videos == tuple(videos)
    assert len(truth.instances) == instances


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_the_file_written_again_by_python_3(tmp_path: Path, protocol: int) -> None:
    first = load(write(tmp_path / "x", CONTENT))
    again = load(write(tmp_path / "y", None, pickle.dumps(CONTENT, protocol)))
    assert again.instances == first.instances
    assert again.instance_boxes == first.instance_boxes


def as_bytes(value: Any) -> Any:
    """All text as bytes, as `encoding="bytes"` leaves it."""
    if isinstance(value, dict):
        return {as_bytes(key): as_bytes(each) for key, each in value.items()}
    if isinstance(value, list):
        return [as_bytes(each) for each in value]
    return value.encode() if isinstance(value, str) else value


def test_text_may_be_bytes(tmp_path: Path) -> None:
    first = load(write(tmp_path / "x", CONTENT))
    again = load(write(tmp_path / "y", None, pickle.dumps(as_bytes(CONTENT))))
    assert again.instances == first.instances


SIZES = [None, [1280, 720]]


@pytest.mark.parametrize("size", SIZES)
def test_scoring_boxes_in_fractions_and_pixels(tmp_path: Path, size: list[int] | None) -> None:
    scale = np.tile(size or [1, 1], 2)
    boxes = (np.array([[0, 0, 0.5, 0.5], [0.25, 0.2, 0.75, 0.8]]) * scale).tolist()
    tube = {
        "video": "b",
        "label": "taking photos or videos",
        "start": 26,
        "end": 61,
        "times": [30, 60],
        "boxes": boxes,
        "instance": 0,
    } | ({"frame_size": size} if size else {})
    result = evaluated(tmp_path, tube)
    assert result.counts["units"] == 3
    assert result.metrics["pointing_accuracy"] == 2 / 3
    assert result.metrics["success@0.3"] == 2 / 3
    assert result.metrics["success@0.3_class_mean"] == 1 / 2


def test_scoring_a_heatmap(tmp_path: Path) -> None:
    # The quarter of the frame at the top left, which is the box of frame 30.
    heatmap = [[1.0, 0.0], [0.0, 0.0]]
    tube = {
        "video": "b",
        "label": "taking photos or videos",
        "start": 30,
        "end": 31,
        "heatmaps": [heatmap],
        "instance": 0,
    }
    result = evaluated(tmp_path, tube)
    assert result.metrics["success@0.3"] == 1 / 3
    assert result.metrics["pointing_accuracy"] == 1 / 3


def evaluated(folder: Path, tube: dict[str, Any]) -> Any:
    file = {"format": "gytbench-predictions/1", "task": "spatial", "tubes": [tube]}
    path = folder / "p.json"
    path.write_bytes(msgspec.json.encode(file))
    return gytbench.evaluate(path, benchmark=load(write(folder, CONTENT)))


def fault(folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        load(folder)
    return str(caught.value).replace(f"{folder}/daly/daly1.1.0.pkl", "FILE")


def one(**changes: Any) -> dict[str, Any]:
    """A file of one instance with one keyframe, of which something is changed."""
    frame = {name: changes.pop(name) for name in ("frameNumber", "boundingBox") if name in changes}
    row = instance(0.0, 1.0, keyframe(3, **frame)) | changes
    return CONTENT | {"annot": CONTENT["annot"] | {"b.mp4": {"annot": {"Drinking": [row]}}}}


NAN = float("nan")
ROW = "FILE: annot['b.mp4'].annot['Drinking'][0]"
KEY = f"{ROW}.keyframes[0]"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([], "FILE: must be a dictionary, not list"),
        *(
            ({key: CONTENT[key] for key in CONTENT if key != lost}, f"FILE: the key '{lost}' is")
            for lost in ("splits", "labels", "metadata", "annot")
        ),
        (CONTENT | {"splits": []}, "FILE: splits: holds no split"),
        (CONTENT | {"splits": [["x.mp4"]]}, "FILE: splits[0][0]: this video is not in `annot`"),
        (CONTENT | {"splits": [[7]]}, "FILE: splits[0][0]: must be a text"),
        (CONTENT | {"labels": ["A", "a"]}, "FILE: labels: two labels are the same"),
        (CONTENT | {"labels": ["Drinking"]}, "FILE: annot['b.mp4'].annot['TakingPhotosOrVideos']"),
        (CONTENT | {"metadata": {}}, "FILE: annot['b.mp4']: the video is not in `metadata`"),
        (CONTENT | {"metadata": {"b.mp4": {}}}, "FILE: metadata['b.mp4']: the key 'fps' is"),
        (CONTENT | {"metadata": {"b.mp4": {"fps": 0}}}, "FILE: metadata['b.mp4'].fps: must be a"),
        (
            CONTENT | {"annot": CONTENT["annot"] | {"b": {"annot": {}}}},
            "FILE: annot: two videos differ in nothing but .mp4",
        ),
        (one(beginTime="0"), f"{ROW}.beginTime: must be a number from 0"),
        (one(endTime=NAN), f"{ROW}.endTime: must be a number from 0"),
        (one(keyframes=3), f"{ROW}.keyframes: must be a list, not int"),
        (one(keyframes=[{}]), f"{KEY}: the key 'frameNumber' is missing"),
        (one(keyframes=[keyframe(3), keyframe(3)]), f"{ROW}.keyframes[1]: a second keyframe at"),
        (one(frameNumber=2.5), f"{KEY}.frameNumber: must be a whole number"),
        (one(frameNumber=10**8), f"{KEY}.frameNumber: must be a number from 0 to 1e+06"),
        (one(boundingBox=np.zeros(4)), f"{KEY}.boundingBox: must be up to 100 boxes"),
        (one(boundingBox=np.zeros((1, 5))), f"{KEY}.boundingBox[0]: must be a box of 4 numbers"),
        (one(boundingBox=np.zeros((2, 4))), f"{KEY}.boundingBox: must be one box"),
        (one(boundingBox=np.zeros((0, 4))), f"{KEY}.boundingBox: must be one box"),
        (one(boundingBox=np.full((1, 4), NAN)), f"{KEY}.boundingBox[0][0]: must be a number from"),
        (one(boundingBox=np.full((1, 4), 200.0)), f"{KEY}.boundingBox[0][0]: must be a number"),
    ],
)
def test_faults(tmp_path: Path, content: Any, said: str) -> None:
    assert fault(write(tmp_path, content)).startswith(said)


def test_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gytbench.benchmark.daly.MAX_COVERED", 59)
    assert fault(write(tmp_path, CONTENT)) == (
        "FILE: the instances cover more than 59 frames together"
    )
    monkeypatch.setattr("gytbench.benchmark.daly.MAX_INSTANCES", 2)
    assert fault(write(tmp_path, CONTENT)) == "FILE: more than 2 instances"
    many = b"\x80\x02" + old({"splits": [["b.mp4"]]}) + b"."
    many = many.replace(old("b.mp4"), old("b.mp4") * 1_000_001)
    content = pickle.loads(many)
    assert fault(write(tmp_path, CONTENT | content)) == (
        "FILE: splits[0]: holds 1,000,001 entries; at most 1,000,000 are read"
    )


class Calls:
    """Pickles as a call."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.how = (function, arguments)

    def __reduce__(self) -> Any:
        return self.how


ARRAY = old(np.zeros((1, 4), dtype=np.float32))

HOSTILE = {
    "a call": pickle.dumps(CONTENT | {"joints": Calls(os.system, "touch harm")}, 2),
    "a call of Python 2": b"\x80\x02c__builtin__\neval\n(U\x011tR.",
    "an object": pickle.dumps(CONTENT | {"joints": Fraction(1, 2)}, 2),
    "an array of objects": pickle.dumps(one(boundingBox=np.array([[{}] * 4], dtype=object)), 2),
    "an array larger than its bytes": b"\x80\x02" + ARRAY.replace(b"J\x04\0\0\0", b"J\x09\0\0\0"),
    "an array of letters that are no bytes": b"\x80\x02"
    + ARRAY.replace(old("\0" * 16), b"X\x10\0\0\0" + "\u20ac".encode() * 5 + b"a")
    + b".",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pickles_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = write(tmp_path / "data", None, HOSTILE[name])
    assert fault(folder).startswith("FILE: refused: the pickle holds")
    assert not (tmp_path / "harm").exists()
