"""GROVE's and STCAT's pickles, and pickles that mean harm."""

import collections
import io
import os
import pickle
import zipfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gytbench.errors import InputError
from gytbench.plain_pickle import plain_array, unpickled
from gytbench.predictions.convert import Query

from .making import fault, read


def box(*corners: float) -> Any:
    return np.array([corners], dtype=np.float32)


GROVE = {
    "-1ok_dsnAc_3": {
        "pts_to_bbox": {4.02: box(0, 0, 1, 1)},
        "final_boxes": [box(1, 2, 30, 40), box(np.nan, 0, 1, 1), box(2, 2, 30, 40)],
        "selected_pts": [4.02, 5.0, np.float64(6.2)],
    }
}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_grove(tmp_path: Path, protocol: int) -> None:
    data = pickle.dumps(GROVE, protocol)
    size = (640.0, 480.0)
    (tube,), report = read(tmp_path, "grove", data, ".pkl", frame_size=size, label="stir")
    assert tube == {
        "video": "-1ok_dsnAc",
        "label": "stir",
        "start": 4.0,
        "end": 7.0,
        "boxes": [[1, 2, 30, 40], None, [2, 2, 30, 40]],
        "instance": 3,
    }
    assert not report.lost


def test_grove_with_queries(tmp_path: Path) -> None:
    queries = {"-1ok_dsnAc_3": Query("v", "pour", 8, 3.0, 9.0, None, (1280.0, 720.0))}
    data = pickle.dumps(GROVE)
    (tube,), _ = read(tmp_path, "grove", data, ".pkl", queries=queries)
    assert (tube["video"], tube["label"], tube["instance"]) == ("v", "pour", 8)
    assert (tube["start"], tube["end"], tube["times"]) == (3, 9, [4, 5, 6])
    assert tube["frame_size"] == [1280, 720]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([1], "in.pkl: must be a dictionary of clips"),
        ({3: {}}, "in.pkl: ['3']: must be a clip's name"),
        ({"v_1": {}}, "in.pkl: ['v_1']: needs `selected_pts` and `final_boxes`"),
        ({"v": {"selected_pts": [], "final_boxes": []}}, "a clip's name is VIDEO_N"),
        ({"v_1": {"selected_pts": ["x"], "final_boxes": [None]}}, "its time is no number"),
        ({"v_1": {"selected_pts": [10**5000], "final_boxes": [None]}}, "its time is no number"),
        ({"v_1": {"selected_pts": [1.0], "final_boxes": [np.zeros(3)]}}, "shape (3,), not (1, 4)"),
        ({"v_1": {"selected_pts": [1.0], "final_boxes": ["x"]}}, "not (1, 4)"),
        ({"v_1": {"selected_pts": [1.0], "final_boxes": [box(9, 9, 1, 1)]}}, "x2 < x1"),
    ],
)
def test_grove_faults(tmp_path: Path, content: Any, said: str) -> None:
    data = pickle.dumps(content)
    size = (640.0, 480.0)
    told = fault(
        lambda: read(tmp_path, "grove", data, ".pkl", frame_size=size, label="a"), tmp_path
    )
    assert said in told


def test_grove_needs_a_frame(tmp_path: Path) -> None:
    said = fault(lambda: read(tmp_path, "grove", pickle.dumps(GROVE), ".pkl"), tmp_path)
    assert said == "in.pkl: has pixels: give their frame with --frame-size WxH"


STCAT = {
    "predictions": {7: {10: [[0, 0, 5, 5]], 20: [[1, 1, 6, 6]]}},
    "video_predictions": {7: {"sted": [10, 30], "qtype": "declarative"}},
    "vid2names": {7: "v"},
    "vid2sents": {7: "stir"},
}


def pt(content: Any) -> bytes:
    """A file as torch.save lays it out."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("test_results/data.pkl", pickle.dumps(content, 2))
        archive.writestr("test_results/version", "3\n")
    return made.getvalue()


def test_stcat(tmp_path: Path) -> None:
    (tube,), _ = read(tmp_path, "stcat", pt(STCAT), ".pt", fps=10.0)
    assert (tube["video"], tube["label"]) == ("v", "stir")
    assert (tube["start"], tube["end"], tube["boxes"]) == (1, 3, [[0, 0, 5, 5], [1, 1, 6, 6]])
    assert tube["meta"] == {"query": "7", "qtype": "declarative"}


def test_stcat_of_torch_and_for_torch(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from gytbench.predictions import load_predictions
    from gytbench.predictions.convert import Options, Report, convert_from, convert_to

    torch.save(STCAT, tmp_path / "test_results.pt")
    options = Options(fps=10.0, frame_size=(320.0, 240.0))
    convert_from("stcat", tmp_path / "test_results.pt", tmp_path / "a.json", options, Report())
    assert load_predictions(tmp_path / "a.json").tubes[0].boxes == [(0, 0, 5, 5), (1, 1, 6, 6)]
    convert_to("stcat", tmp_path / "a.json", tmp_path / "b.pt", options, Report())
    again = torch.load(tmp_path / "b.pt", weights_only=True)
    assert again["predictions"] == {"7": {10: [[0, 0, 5, 5]], 20: [[1, 1, 6, 6]]}}
    assert again["vid2sents"] == {"7": "stir"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"predictions": 3}, "needs a dictionary `predictions`"),
        ({"video_predictions": {7: {"sted": [1]}}}, "needs `sted`"),
        ({"video_predictions": {7: {"sted": [1, float("inf")]}}}, "needs `sted`"),
        ({"predictions": {7: {"x": [[0, 0, 1, 1]]}}}, "a key of its boxes is no frame"),
        ({"predictions": {7: {1: [[0, 0, 1]]}}}, "must be a list of one box"),
    ],
)
def test_stcat_faults(tmp_path: Path, change: Any, said: str) -> None:
    told = fault(lambda: read(tmp_path, "stcat", pt(STCAT | change), ".pt", fps=5.0), tmp_path)
    assert said in told


class Calls:
    """Pickles as a call."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.how = (function, arguments)

    def __reduce__(self) -> Any:
        return self.how


def nested(depth: int) -> Any:
    """A tuple whose hash takes 2 ** depth steps."""
    made: Any = (1,)
    for _ in range(depth):
        made = (made, made)
    return made


HOSTILE = {
    "os.system": pickle.dumps(Calls(os.system, "touch harm")),
    "builtins.eval": pickle.dumps(Calls(eval, "1")),
    "getattr": pickle.dumps(Calls(getattr, 1, "real")),
    "numpy function": pickle.dumps(Calls(np.load, "x")),
    "numpy runstring": b"cnumpy.testing._private.utils\nrunstring\n(S'1'\n}tR.",
    "bytes of a length": b"\x80\x02c__builtin__\nbytes\nJ\xff\xff\xff\x7f\x85R.",
    "an object": pickle.dumps(Fraction(1, 2)),
    "a class with state": b"cnumpy\nndarray\n(NV}tb.",
    "state of a class": b"cnumpy\nndarray\n}Vx\nI1\nsb.",
    "slots of a function": b"c_codecs\nencode\n(N}V__code__\nI1\nstb.",
    "a call of a value": b"Vabc\n)R.",
    "new object": b"\x80\x02cnumpy\nndarray\n)\x81.",
    "old instance": b"(icollections\nOrderedDict\n.",
    "extension": b"\x80\x02\x82\x01.",
    "persistent id": b"\x80\x02Vx\nQ.",
    "huge bytearray": b"\x80\x05\x96" + (2**62).to_bytes(8, "little") + b".",
    "huge bytes": b"\x80\x04\x8e" + (2**62).to_bytes(8, "little") + b".",
    "huge memo": b"\x80\x02Nr\xff\xff\xff\xff0j\xff\xff\xff\xfe.",
    "array of objects": pickle.dumps(np.array([Fraction(1)], dtype=object)),
    "array of text": pickle.dumps(np.array(["x"])),
    "array larger than its bytes": pickle.dumps(np.zeros(3)).replace(b"K\x03\x85", b"K\x09\x85"),
    "structured array": pickle.dumps(np.zeros(1, dtype=[("a", "f8")])),
    "key of nested tuples": b"}" + pickle.dumps(nested(60))[2:-1] + b"I1\ns.",
    "set of nested tuples": pickle.dumps(Calls(set, [nested(20)])),
    "truncated": pickle.dumps(GROVE)[:-40],
    "no stop": b"I1\n",
    "text": b"hello",
    "empty": b"",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pickles_are_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"file: (refused: the pickle holds|not a pickle)"):
        unpickled(HOSTILE[name], "file")
    assert not list(tmp_path.iterdir())


PLAIN = [
    {"a": [1, 2.5, None, True, b"x", "é"], (1, "b"): {3, 4}},
    collections.OrderedDict(x=1),
    [frozenset({1}), -(2**70)],
]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("content", PLAIN, ids=repr)
def test_plain_containers_are_read(content: Any, protocol: int) -> None:
    assert unpickled(pickle.dumps(content, protocol), "file") == content


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("kind", ["<f4", ">f8", "<i8", "|u1", "|b1", "<f2"])
def test_arrays_are_read(kind: str, protocol: int) -> None:
    array = np.arange(6).reshape(2, 3).astype(kind)
    for each in (array, array.T, array[:, ::2]):
        again = plain_array(unpickled(pickle.dumps(each, protocol), "file"))
        np.testing.assert_array_equal(again, each)
        assert again.dtype == each.dtype


def test_a_zip_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gytbench.plain_pickle.MAX_PICKLE", 1 << 20)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x/data.pkl", b"\x00" * (2 << 20))
    said = fault(lambda: read(tmp_path, "stcat", made.getvalue(), ".pt", fps=1.0), tmp_path)
    assert said == "in.pt: holds more than 1 MiB"
