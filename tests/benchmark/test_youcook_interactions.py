"""YouCook2-Interactions: a folder made by hand, files that are wrong, and the released ones."""

import json
import pickle
import sys
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gytbench.benchmark import Benchmark, Instance, load_benchmark
from gytbench.benchmark import youcook_interactions as module
from gytbench.benchmark.youcook_interactions import LEFT_OUT, STANDARD, fixed_frame
from gytbench.bounds import make_bound
from gytbench.errors import InputError
from gytbench.evaluation import Protocol, Result, score
from gytbench.plain_pickle import read_pickle

NAME = "youcook-interactions"
WIDE, TALL, BARE, LEFT = "aaaaaaaaaaa", "bb_b-bbbbbb", "ccccccccccc", LEFT_OUT[0]

BOXES: dict[Any, Any] = {
    WIDE: {3: (0, 1, 20, 30), 4: (1.5, 2.0, 640.0, 360.0), 5: (5, 5, 5, 9), 77: (0, 0, 1, 1)},
    TALL: {0: (10.0, 20.0, 1279.5, 700.0)},
    LEFT: {9: (1, 1, 2, 2)},
    BARE: {},
}
SEGMENTS: set[Any] = {(WIDE, 4, 5), (WIDE, 2, 4), (WIDE, 2, 3), (TALL, 0, 0), (LEFT, 9, 9)}


def recipe(*steps: tuple[int, int, str], subset: str = "validation") -> dict[str, Any]:
    """A video of YouCook2; what the loader does not read is there too."""
    rows = [{"segment": [a, b], "id": n, "sentence": s} for n, (a, b, s) in enumerate(steps)]
    return {"duration": 100.5, "subset": subset, "recipe_type": "120", "annotations": rows}


DATABASE = {
    WIDE: recipe((2, 4, "Stir  it "), (4, 5, "chop it"), (2, 3, "chop it"), (2, 9, "not asked")),
    TALL: recipe((0, 0, "pour it")),
    LEFT: recipe((9, 9, "fry it")),
    "ddddddddddd": recipe((0, 1, "train"), subset="training"),
}


def make(folder: Path, protocol: int) -> None:
    inner = folder / NAME
    inner.mkdir()
    (inner / "final_dataset_annotations.pkl").write_bytes(pickle.dumps(BOXES, protocol))
    (inner / "final_dataset_segments.pkl").write_bytes(pickle.dumps(SEGMENTS, protocol))
    sentences = json.dumps({"database": DATABASE})
    (inner / "youcookii_annotations_trainval.json").write_text(sentences)


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A data folder of four videos, one of which VideoGEM leaves out."""
    make(tmp_path, protocol=2)
    return tmp_path


def load(folder: Path, **choices: str) -> Benchmark:
    return load_benchmark(dataset=NAME, data=folder, **choices)


def write(folder: Path, name: str, content: Any) -> None:
    path = folder / NAME / name
    data = content if isinstance(content, bytes) else pickle.dumps(content, 2)
    path.write_bytes(json.dumps(content).encode() if name.endswith(".json") else data)


def test_made_by_hand(made: Path) -> None:
    benchmark = load(made)
    # Sorted by start, then end: these are the ids; both ends are included.
    assert benchmark.instances == (
        Instance(LEFT, 0, 9.0, 10.0, "fry_it", "fry_it"),
        Instance(WIDE, 0, 2.0, 4.0, "chop_it", "chop_it"),
        Instance(WIDE, 1, 2.0, 5.0, "stir__it", "stir__it"),
        Instance(WIDE, 2, 4.0, 6.0, "chop_it", "chop_it"),
        Instance(TALL, 0, 0.0, 1.0, "pour_it", "pour_it"),
    )
    assert benchmark.classes.kind == "sentence"
    assert benchmark.classes.names == ("chop_it", "fry_it", "pour_it", "stir__it")
    assert benchmark.classes.index("Pour it") == 2
    # As released: the box without area stays, and so does the one outside of all segments.
    assert benchmark.boxes == BOXES
    assert benchmark.videos == (LEFT, WIDE, TALL, BARE)
    assert benchmark.frames == dict.fromkeys(BOXES, (640.0, 360.0))
    assert benchmark.ignored_seconds[WIDE] == {2}
    assert (benchmark.dataset, benchmark.release) == (NAME, "released")
    assert (benchmark.subset, benchmark.coordinates) == ("all", "official")
    assert benchmark.data.startswith("local@")
    assert benchmark.folder == made


def test_fixed_frames_without_sizes_are_the_first_that_holds_the_boxes(made: Path) -> None:
    assert load(made, coordinates="fixed").frames == {
        WIDE: (640, 360),
        TALL: (1280, 720),
        LEFT: (640, 360),
        BARE: (640, 360),
    }


def test_sizes(made: Path) -> None:
    before = load(made).data
    write(made, "sizes.json", {WIDE: [1280, 720], TALL: [1280, 720], LEFT: [320, 240]})
    official, fixed = load(made), load(made, coordinates="fixed")
    # Each side is clamped by itself; what has no size is 640x360.
    assert official.frames == {
        WIDE: (640, 360),
        TALL: (640, 360),
        LEFT: (320, 240),
        BARE: (640, 360),
    }
    assert fixed.frames == {
        WIDE: (640, 360),
        TALL: (1280, 720),
        LEFT: (320, 240),
        BARE: (640, 360),
    }
    # Other frames, another signature.
    assert len({before, official.data, fixed.data}) == 2
    assert official.data.startswith("local@")


@pytest.mark.parametrize(
    ("size", "reach", "frame"),
    [
        # Both sides longer: scaled to fit, with the shape kept.
        ((1920, 1080), (600, 300), (640, 360)),
        ((1440, 1080), (470, 355), (480, 360)),
        ((1080, 1920), (200, 360), (202, 360)),
        ((854, 480), (640, 360.5), (640, 360)),
        # Not both: as it is.
        ((640, 480), (568.5, 480), (640, 480)),
        ((1280, 360), (600, 300), (1280, 360)),
        ((480, 360), (480, 360), (480, 360)),
        ((640, 360), (0, 0), (640, 360)),
        # The boxes were drawn on the original.
        ((1920, 1080), (1436, 1080), (1920, 1080)),
        ((854, 480), (838.5, 474), (854, 480)),
        # 1440x1080 is scaled to 480x360, which ends more than a pixel before the boxes.
        ((1440, 1080), (481.5, 300), (1440, 1080)),
        # It is no frame that these boxes were drawn in.
        ((640, 360), (1436, 1080), None),
        (None, (0, 0), (640, 360)),
        (None, (641, 361), (640, 360)),
        (None, (640, 480), (640, 480)),
        (None, (641.5, 300), (854, 480)),
        (None, (838.5, 474), (854, 480)),
        (None, (300, 481.5), (1280, 720)),
        (None, (1913, 1004), (1920, 1080)),
        (None, (1930, 10), None),
    ],
)
def test_fixed_frame(size: Any, reach: tuple[float, float], frame: Any) -> None:
    assert fixed_frame("aaaaaaaaaaa", reach, size) == frame


def test_one_video_is_always_scaled() -> None:
    assert fixed_frame("Re46osq_NkI", (357, 261), (640, 480)) == (480, 360)
    assert fixed_frame("aaaaaaaaaaa", (357, 261), (640, 480)) == (640, 480)
    assert fixed_frame("Re46osq_NkI", (357, 261), (400, 300)) == (400, 300)


def test_the_subset_of_videogem(made: Path) -> None:
    benchmark, everything = load(made, subset="videogem"), load(made)
    assert benchmark.instances == everything.instances[1:]
    assert benchmark.boxes == {video: BOXES[video] for video in (WIDE, TALL, BARE)}
    # A file of predictions for all videos stays one for the subset.
    assert benchmark.videos == everything.videos
    assert benchmark.classes.names == everything.classes.names
    assert benchmark.subset == "videogem"


class Evil:
    """What runs a command where a pickle is trusted."""

    def __reduce__(self) -> Any:
        import os

        return os.system, ("echo harm",)


BOX = (0, 1, 2, 3)
ANNOTATIONS, SETS = "final_dataset_annotations.pkl", "final_dataset_segments.pkl"
SENTENCES = "youcookii_annotations_trainval.json"


@pytest.mark.parametrize(
    ("name", "content", "where", "reason"),
    [
        (ANNOTATIONS, Evil(), "", "refused: the pickle holds the name 'posix.system'"),
        (SETS, {(WIDE, 2, Evil())}, "", "refused: the pickle holds"),
        (ANNOTATIONS, {WIDE: Fraction(1)}, "", "the name 'fractions.Fraction'"),
        (ANNOTATIONS, b"", "", "not a pickle that can be read"),
        (ANNOTATIONS, b'{"a": 1}', "", "not a pickle that can be read"),
        (ANNOTATIONS, pickle.dumps(BOXES)[:40], "", "not a pickle that can be read"),
        (ANNOTATIONS, [BOXES], ".pkl: ", "must be a dictionary, not list"),
        (ANNOTATIONS, {7: {}}, ": a key of the file", "must be a text"),
        (ANNOTATIONS, {" ": {}}, ": a key of the file", "must be a text of 1 to 1,000 letters"),
        (ANNOTATIONS, {"a" * 9999: {}}, ": a key of the file", "must be a text of 1 to 1,000"),
        (ANNOTATIONS, {WIDE: []}, f": [{WIDE!r}]: ", "must be a dictionary of seconds"),
        (ANNOTATIONS, {WIDE: {"3": BOX}}, f": a key of [{WIDE!r}]: ", "a whole number of seconds"),
        (ANNOTATIONS, {WIDE: {3.0: BOX}}, f": a key of [{WIDE!r}]: ", "a whole number of seconds"),
        (ANNOTATIONS, {WIDE: {True: BOX}}, f": a key of [{WIDE!r}]: ", "a whole number"),
        (ANNOTATIONS, {WIDE: {-1: BOX}}, f": a key of [{WIDE!r}]: ", "must be a number from 0"),
        (ANNOTATIONS, {WIDE: {10**400: BOX}}, ": a key of", "must be a number from 0 to 1e+06"),
        (ANNOTATIONS, {WIDE: {3: (0, 1, 2)}}, f": [{WIDE!r}][3]: ", "must be a box of 4 numbers"),
        (ANNOTATIONS, {WIDE: {3: (*BOX, 5)}}, f": [{WIDE!r}][3]: ", "at most 4 are read"),
        (ANNOTATIONS, {WIDE: {3: 7}}, f": [{WIDE!r}][3]: ", "must be a list, not int"),
        (ANNOTATIONS, {WIDE: {3: (0, 1, 2, "3")}}, "][3][3]: ", "must be a number from -100000"),
        (ANNOTATIONS, {WIDE: {3: (0, 1, float("nan"), 3)}}, "][3][2]: ", "must be a number"),
        (ANNOTATIONS, {WIDE: {3: (0, 1, float("inf"), 3)}}, "][3][2]: ", "must be a number"),
        (ANNOTATIONS, {WIDE: {3: (0, 10**400, 2, 3)}}, "][3][1]: ", "must be a number"),
        (SETS, list(SEGMENTS), ".pkl: ", "must be a set of segments"),
        (SETS, {WIDE}, f": {WIDE!r}: ", "must be a list, not str"),
        (SETS, {(WIDE, 2)}, f": ({WIDE!r}, 2): ", "must be (video, first second, last second)"),
        (SETS, {(WIDE, 2, 4, 6)}, f": ({WIDE!r}, 2, 4, 6): ", "at most 3 are read"),
        (SETS, {(7, 2, 4)}, ": (7, 2, 4)[0]: ", "must be a text"),
        (SETS, {(WIDE, 2.0, 3)}, f": ({WIDE!r}, 2.0, 3)[1]: ", "a whole number of seconds"),
        (SETS, {(WIDE, -4, 3)}, f": ({WIDE!r}, -4, 3)[1]: ", "must be a number from 0"),
        (SETS, {(WIDE, 4, 10**400)}, "[2]: ", "must be a number from 0 to 1e+06"),
        (SETS, {(WIDE, 4, 3)}, f": ({WIDE!r}, 4, 3): ", "must not end before it starts"),
        (SETS, {("who", 2, 3)}, ": ('who', 2, 3): ", "not in final_dataset_annotations.pkl"),
        (
            SENTENCES,
            {"database": {}},
            f': $["database"]["{WIDE}"].annotations',
            "segment from 2 to 4",
        ),
        (
            SENTENCES,
            {"database": {WIDE: DATABASE[WIDE] | {"subset": "training"}}},
            f': $["database"]["{WIDE}"].annotations',
            "no sentence for the segment from 2 to 3 in its validation steps",
        ),
        (SENTENCES, {"base": {}}, "", 'expected the key "database"'),
        (SENTENCES, {"database": [1]}, ': $["database"]', "Expected `object`"),
        (
            SENTENCES,
            {"database": {WIDE: {}}},
            f': $["database"]["{WIDE}"]',
            "missing required field",
        ),
        ("sizes.json", {"who": [1, 2]}, ': $["who"]', "no video of this dataset"),
        ("sizes.json", {WIDE: [0, 2]}, f': $["{WIDE}"][0]', "Expected `float` > 0"),
        ("sizes.json", {WIDE: [640]}, f': $["{WIDE}"]', "Expected `array` of length 2"),
    ],
)
def test_files_that_are_wrong(
    made: Path, capfd: pytest.CaptureFixture[str], name: str, content: Any, where: str, reason: str
) -> None:
    write(made, name, content)
    with pytest.raises(InputError) as caught:
        load(made)
    text = str(caught.value)
    assert text.startswith(f"{made / NAME / name}:")
    assert where in text
    assert reason in text
    assert len(text) < 2000
    assert "harm" not in capfd.readouterr().out


def test_all_segments_without_a_sentence_are_listed(made: Path) -> None:
    write(made, SENTENCES, {"database": {LEFT: DATABASE[LEFT]}})
    with pytest.raises(InputError) as caught:
        load(made)
    assert caught.value.counts() == {"segment without a sentence": 4}


def test_boxes_that_no_frame_holds(made: Path) -> None:
    write(made, "sizes.json", {TALL: [640, 360]})
    assert load(made).frames[TALL] == (640, 360)
    with pytest.raises(InputError) as caught:
        load(made, coordinates="fixed")
    message = f"[{TALL!r}]: its boxes reach 1279.5x700, but sizes.json says 640x360"
    assert message in str(caught.value)
    write(made, "sizes.json", {})
    write(made, ANNOTATIONS, {**BOXES, TALL: {0: (0, 0, 5000, 9)}})
    with pytest.raises(InputError, match=r"reach 5000x9, but no size is known in youcook"):
        load(made, coordinates="fixed")


def test_huge_files(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # One dictionary, referred to often: small in the file, and any size once it is copied.
    one = dict.fromkeys(range(2_000), (0, 0, 1, 1))
    write(made, ANNOTATIONS, {f"video{n}": one for n in range(51)})
    with pytest.raises(InputError, match=r"\['video50'\]: more than 100,000 boxes in all"):
        load(made)
    write(made, ANNOTATIONS, BOXES)
    write(made, SETS, {(WIDE, 0, last) for last in range(2_000, 2_050)})
    with pytest.raises(InputError, match="the segments have more than 100,000 seconds in all"):
        load(made)
    monkeypatch.setattr(module, "_MAX_BYTES", 100)
    with pytest.raises(InputError, match=r"annotations\.pkl: holds more than"):
        load(made)


@settings(max_examples=60)
@given(
    name=st.sampled_from([ANNOTATIONS, SETS]),
    protocol=st.integers(0, pickle.HIGHEST_PROTOCOL),
    at=st.floats(0, 1, exclude_max=True),
    patch=st.binary(min_size=1, max_size=4),
)
def test_damaged_pickles(
    tmp_path_factory: pytest.TempPathFactory, name: str, protocol: int, at: float, patch: bytes
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    make(folder, protocol)
    data = (folder / NAME / name).read_bytes()
    begin = int(at * len(data))
    write(folder, name, data[:begin] + patch + data[begin + len(patch) :])
    message = ""
    try:
        load(folder)
    except InputError as error:
        message = str(error)
    # What is named may be another file: one that does not fit the damaged one.
    assert not message or message.startswith(str(folder / NAME))


@pytest.mark.parametrize("name", [ANNOTATIONS, SETS, SENTENCES])
def test_missing_file(made: Path, name: str) -> None:
    (made / NAME / name).unlink()
    with pytest.raises(InputError, match=f"{name}: no such file; `gytbench data fetch`"):
        load(made)


def test_choices(made: Path) -> None:
    with pytest.raises(InputError, match=r"no such coordinate rule: 'fixd'.*did you mean 'fixed'"):
        load(made, coordinates="fixd")


@pytest.fixture(scope="module", params=["official", "fixed"])
def rule(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def real(released: Path, rule: str) -> Benchmark:
    return load(released, coordinates=rule)


def bound(name: str, benchmark: Benchmark) -> Result:
    """A floor or ceiling on a benchmark, scored."""
    names = {"subset": benchmark.subset, "coordinates": benchmark.coordinates}
    protocol = Protocol("spatial", dataset=NAME, **names)
    return score(make_bound(name, benchmark, "spatial"), benchmark, protocol)


def test_released_files(real: Benchmark) -> None:
    assert (len(real.frames), len(real.instances), len(real.classes.names)) == (92, 254, 253)
    assert sum(map(len, real.boxes.values())) == 2570
    pairs = [(i, t) for i in real.instances for t in i.seconds() if t in real.boxes[i.video]]
    assert len(pairs) == 2496
    assert len({(i.video, t) for i, t in pairs}) == 2488
    assert sum(len(i.seconds()) for i in real.instances) == 6238
    assert [video for video, boxes in real.boxes.items() if not boxes] == ["WqfselLH4MQ"]
    assert real.boxes["InDwfZmSikI"][74] == (421, 328, 423, 328)
    twice = Counter(i.label for i in real.instances).most_common(2)
    assert twice[0] == ("continue_chopping_the_cabbage", 2)
    assert twice[1][1] == 1
    assert real.data == NAME


def test_ids_count_the_sorted_segments_of_a_video(real: Benchmark) -> None:
    for video in real.videos:
        own = [i for i in real.instances if i.video == video]
        assert [i.id for i in own] == list(range(len(own)))
        assert own == sorted(own, key=lambda i: (i.start, i.end))


def test_released_frames(released: Path) -> None:
    official, fixed = (load(released, coordinates=rule) for rule in ("official", "fixed"))
    assert set(official.frames.values()) == {(640, 360)}
    # Eight videos reach beyond 640x360, with 161 boxes; seven of them beyond 640x480.
    beyond = {
        video: sum(box[2] > 640 or box[3] > 360 for box in boxes.values())
        for video, boxes in fixed.boxes.items()
    }
    assert sum(beyond.values()) == 161
    assert {video for video, count in beyond.items() if count} == {
        video for video, frame in fixed.frames.items() if frame != (640, 360)
    }
    assert fixed.frames["9Y9_OBnJub0"] == (640, 480)
    assert set(fixed.frames.values()) == set(STANDARD)
    for video, boxes in fixed.boxes.items():
        width, height = fixed.frames[video]
        assert all(box[2] <= width and box[3] <= height for box in boxes.values())


def test_the_centre_of_the_frame(
    released: Path, real: Benchmark, rule: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pinned = {"official": (720, 0.288462, 0.334090), "fixed": (763, 0.305689, 0.358766)}
    result = bound("centre", real)
    with capsys.disabled():
        sys.stdout.write(f" {rule}: {result.metrics['pointing_accuracy']:.6f} of 2,496 units ")
    hits, accuracy, class_mean = pinned[rule]
    assert (result.counts["hits"], result.counts["units"]) == (hits, 2496)
    assert result.metrics["pointing_accuracy"] == pytest.approx(accuracy, abs=5e-7)
    assert result.metrics["pointing_accuracy_class_mean"] == pytest.approx(class_mean, abs=5e-7)
    # The same from the files, without the package's scorer.
    boxes = read_pickle(released / NAME / ANNOTATIONS)
    counted = 0
    for video, first, last in read_pickle(released / NAME / SETS):
        width, height = real.frames[video]
        for second in range(first, last + 1):
            x1, y1, x2, y2 = boxes[video].get(second, (1, 1, 0, 0))
            counted += x1 <= width / 2 <= x2 and y1 <= height / 2 <= y2 and x2 > x1 and y2 > y1
    assert counted == hits
    # Who reports no video misses in neither direction: the one without a segment.
    assert result.missing == {"videos": 1, "instances": 0, "units_without_point": 0}


def test_the_truth_itself(real: Benchmark, rule: str) -> None:
    result = bound("oracle-instance", real)
    # The box without area can be hit by nobody.
    assert result.counts["hits"] == 2495
    # Regions are taken inside the frame: what lies beyond 640x360 is lost in "official".
    inside = sum(
        max(0, min(box[2], width) - box[0]) * max(0, min(box[3], height) - box[1]) > 0
        for i in real.instances
        for (width, height) in [real.frames[i.video]]
        for second, box in real.boxes[i.video].items()
        if i.start <= second < i.end
    )
    assert result.counts["successes"] == inside == {"official": 2401, "fixed": 2495}[rule]


def test_the_released_subset(released: Path) -> None:
    benchmark = load(released, subset="videogem")
    assert len(benchmark.instances) == 233
    assert not {i.video for i in benchmark.instances} & set(LEFT_OUT)
    result = bound("centre", benchmark)
    assert (result.counts["units"], result.counts["hits"]) == (2204, 668)
    assert result.counts["classes"] == 232


def test_signature(released: Path) -> None:
    assert bound("centre", load(released, coordinates="fixed")).signature == (
        "gytbench:1.0|task:spatial|dataset:youcook-interactions|data:youcook-interactions|"
        "boxes:released@d79052a0|classes:sentence|subset:all|coordinates:fixed|point:cell-first|"
        "tolerance:0|region:0.5|overlap:0.3|ap:all-point|ties:grouped|missing:miss"
    )
