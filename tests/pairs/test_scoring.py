"""AP over pairs: worked cases, and random ones against plain loops."""

import random
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gytbench.benchmark import Benchmark
from gytbench.errors import InputError
from gytbench.evaluation import Result
from gytbench.pairs import (
    load_pairs,
    pair_references,
    pairs_signature,
    parse_pairs_signature,
    score_pairs,
)
from gytbench.pairs.references import oracle_pairs
from tests.benchmark.vhico import entry, load, write
from tests.reference import pairs as twin

from .making import CUP, HUMAN, benchmark, file_of, said, save

FAR = [100, 100, 109, 109]
ONE = [(HUMAN, CUP)]
SETTINGS = ("relation_ko", "relation_def", "phrase_ko", "phrase_def")


def scored(folder: Path, truth: Benchmark, *entries: Any, **other: Any) -> Result:
    return score_pairs(load_pairs(save(folder / "p.json", file_of(entries, **other))), truth)


def metric(result: Result, name: str) -> float | None:
    return result.metrics[f"pair_ap@0.3_{name}"]


def test_a_perfect_detector_has_ten_elevenths(tmp_path: Path) -> None:
    truth = benchmark(tmp_path, [("a b", 1, ONE), ("c d", 1, ONE), ("a b", 2, ONE)])
    result = score_pairs(oracle_pairs(truth), truth)
    for setting in SETTINGS:
        assert metric(result, setting) == pytest.approx(10 / 11, abs=1e-15)
        assert metric(result, f"{setting}_all_point") == 1
    assert result.missing == {"classes": 0, "frames_of_classes": 0}
    assert not result.notes


def test_worked(tmp_path: Path) -> None:
    truth = benchmark(tmp_path, [("a b", 1, ONE), ("a b", 2, ONE), ("c d", 3, ONE)])
    result = scored(
        tmp_path,
        truth,
        # Right; exchanged boxes are wrong as a relation; a frame of the other class.
        said("a b", 1, (HUMAN, CUP, 0.5)),
        said("a b", 2, (CUP, HUMAN, 0.7)),
        said("a b", 3, (HUMAN, CUP, 0.9)),
    )
    # relation, ko: wrong, right. Recall 0.5 at precision 1/2: recalls 0 to 0.5 reach it.
    assert metric(result, "relation_ko") == pytest.approx(6 * 0.5 / 11)
    assert metric(result, "relation_ko_all_point") == pytest.approx((0.5 * 0.5 + 0) / 2)
    # relation, def: wrong, wrong, right.
    assert metric(result, "relation_def") == pytest.approx(6 / 3 / 11)
    assert metric(result, "relation_def_all_point") == pytest.approx(0.5 / 3 / 2)
    # phrase, ko: right, right. def: wrong, right, right, and the envelope is 2/3.
    assert metric(result, "phrase_ko") == pytest.approx(10 / 11)
    assert metric(result, "phrase_ko_all_point") == pytest.approx(1 / 2)
    assert metric(result, "phrase_def") == pytest.approx(10 * 2 / 3 / 11)
    assert metric(result, "phrase_def_all_point") == pytest.approx(2 / 3 / 2)
    assert result.counts["classes"] == 2
    assert result.counts["classes_named"] == 1
    assert result.missing == {"classes": 1, "frames_of_classes": 1}
    row = result.per_class["a_b"]
    assert (row["true_pairs"], row["pairs"]) == (2, 3)
    assert row["pair_ap@0.3_phrase_def_all_point"] == pytest.approx(2 / 3)
    assert result.per_class["c_d"]["pair_ap@0.3_phrase_def"] is None
    assert result.per_class["c_d"]["pair_ap@0.3_phrase_def_all_point"] == 0


def test_the_second_pair_on_a_true_one_is_wrong(tmp_path: Path) -> None:
    # The second asks for the first true pair too, though the other one would do.
    other = [1, 0, 10, 9]
    truth = benchmark(tmp_path, [("a b", 1, [(HUMAN, CUP), (other, CUP)])])
    assert len(truth.pairs["v", 0][1]) == 4
    entries = said("a b", 1, (HUMAN, CUP, 2.0), (HUMAN, CUP, 1.0))
    result = scored(tmp_path, truth, entries)
    assert metric(result, "relation_ko_all_point") == 1 / 4


def test_of_equal_scores_the_last_is_first(tmp_path: Path) -> None:
    truth = benchmark(tmp_path, [("a b", 1, ONE), ("a b", 2, ONE)])
    right, wrong = (HUMAN, CUP, 1.0), (FAR, FAR, 1.0)
    last = scored(tmp_path, truth, said("a b", 1, wrong, right))
    first = scored(tmp_path, truth, said("a b", 1, right, wrong))
    assert metric(last, "relation_ko") == pytest.approx(6 / 11)
    assert metric(first, "relation_ko") == pytest.approx(6 / 2 / 11)
    for result in (last, first):
        assert metric(result, "relation_ko_all_point") == 1 / 4
    # Frames are ranked by their number, wherever the file has them.
    entries = [said("a b", 1, right), said("a b", 2, wrong)]
    for order in (entries, entries[::-1]):
        assert metric(scored(tmp_path, truth, *order), "relation_ko") == pytest.approx(6 / 2 / 11)


def test_the_best_ten_of_a_frame_and_class(tmp_path: Path) -> None:
    truth = benchmark(tmp_path, [("a b", 1, ONE), ("c d", 1, ONE)])
    wrong = [(FAR, FAR, 2.0 + number) for number in range(10)]
    result = scored(
        tmp_path, truth, said("a b", 1, (HUMAN, CUP, 1.0), *wrong), said("c d", 1, *wrong[:9])
    )
    assert metric(result, "relation_ko") == 0
    assert (result.counts["pairs"], result.counts["pairs_beyond_ten"]) == (19, 1)
    result = scored(
        tmp_path, truth, said("a b", 1, (HUMAN, CUP, 1.0), *wrong[:9]), said("c d", 1, *wrong)
    )
    assert result.per_class["a_b"]["pair_ap@0.3_relation_ko"] == pytest.approx(1 / 11)


def test_an_entry_without_pairs_names_its_class(tmp_path: Path) -> None:
    truth = benchmark(tmp_path, [("a b", 1, ONE), ("c d", 1, ONE)])
    found = said("a b", 1, (HUMAN, CUP, 1.0))
    assert metric(scored(tmp_path, truth, found), "phrase_ko") == pytest.approx(10 / 11)
    result = scored(tmp_path, truth, found, said("c d", 99))
    assert metric(result, "phrase_ko") == pytest.approx(5 / 11)


def test_nothing_predicted(tmp_path: Path) -> None:
    truth = benchmark(tmp_path, [("a b", 1, ONE)])
    result = scored(tmp_path, truth)
    assert metric(result, "relation_ko") is None
    assert metric(result, "relation_ko_all_point") == 0
    assert result.notes == (
        "the file names no class of the ground truth, so V-HICO's mean has none",
    )


def test_frames_that_are_not_annotated_are_left_out(tmp_path: Path) -> None:
    truth = benchmark(tmp_path, [("a b", 1, ONE)])
    right = said("a b", 1, (HUMAN, CUP, 1.0))
    result = scored(tmp_path, truth, right, said("a b", 2, (HUMAN, CUP, 9.0)))
    assert metric(result, "relation_def") == pytest.approx(10 / 11)
    assert result.counts["pairs_on_other_frames"] == 1


def test_coordinates(tmp_path: Path) -> None:
    truth = benchmark(tmp_path, [("a b", 1, [([29, 30, 87, 63], [58, 3, 116, 105])])])
    # 0.29 x 200 is less than 58 by a rounding, and would lose a pixel.
    human, thing = [0.145, 0.2, 0.435, 0.42], [0.29, 0.02, 0.58, 0.7]
    for size in ([1, 1], [2000, 1500]):
        pair = [[side * size[at % 2] for at, side in enumerate(box)] for box in (human, thing)]
        own = scored(tmp_path, truth, said("a b", 1, (*pair, 1.0), frame_size=size))
        whole = scored(tmp_path, truth, said("a b", 1, (*pair, 1.0)), frame_size=size)
        assert own == whole
        for name in SETTINGS:
            assert metric(own, f"{name}_all_point") == 1


def test_boxes_beyond_the_canvas_are_told(tmp_path: Path) -> None:
    truth = benchmark(tmp_path, [("a b", 1, [(HUMAN, [0, 0, 510, 9])])])
    result = scored(tmp_path, truth, said("a b", 1, ([-1, 0, 9, 9], CUP, 1.0)))
    assert result.notes[0].startswith("2 pairs reach beyond the canvas of 500 x 500 pixels")


def test_references(tmp_path: Path) -> None:
    truth = benchmark(
        tmp_path, [("a b", 1, [([0, 0, 199, 149], [0, 0, 150, 149])]), ("c d", 1, ONE)]
    )
    references = pair_references(truth)
    floor, ceiling = references.values()
    assert list(references) == ["whole-frame", "oracle-pairs"]
    assert isinstance(floor, Result)
    assert isinstance(ceiling, Result)
    assert metric(floor, "relation_ko") == pytest.approx(5 / 11)
    assert metric(ceiling, "relation_ko") == pytest.approx(10 / 11)
    assert floor.signature == ceiling.signature == pairs_signature(truth)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"video": "w"}, "unknown video"),
        ({"label": "a bb"}, "unknown label"),
        ({"frame": 2}, "entry twice"),
        ({"pairs": [{"human": [9, 0, 8, 1], "object": CUP, "score": 1}]}, "box corners swapped"),
        ({"pairs": [{"human": HUMAN, "object": [0, 9, 1, 8], "score": 1}]}, "box corners swapped"),
    ],
)
def test_faults_against_the_benchmark(tmp_path: Path, change: Any, kind: str) -> None:
    truth = benchmark(tmp_path, [("a b", 1, ONE)])
    entries = [said("a b", 2), said("A B", 1, (HUMAN, CUP, 1.0)) | change]
    with pytest.raises(InputError) as caught:
        scored(tmp_path, truth, *entries)
    assert [fault.kind for fault in caught.value.faults] == [kind]
    assert caught.value.faults[0].where.startswith(f"{tmp_path}/p.json: $.frames[1]")


def test_a_dataset_without_pairs(tmp_path: Path) -> None:
    truth = benchmark(tmp_path, [("a b", 1, ONE)])
    with pytest.raises(InputError, match="has no pairs"):
        scored(tmp_path, replace(truth, pairs={}))


def test_signature(tmp_path: Path) -> None:
    truth = benchmark(tmp_path, [("a b", 1, ONE)])
    line = pairs_signature(truth)
    assert line.startswith("gytbench:1.0|task:pairs|dataset:vhico|data:local@")
    dataset, choice = parse_pairs_signature(line)
    assert (dataset.name, choice.subset, choice.classes) == ("vhico", "test", "triplet")
    for bad, said_ in (
        (line.replace("task:pairs", "task:st"), "not a signature of pairs"),
        (line.replace("overlap:0.3", "overlap:0.5"), "field 'overlap'"),
        (line.replace("|missing:miss", ""), "field 'missing'"),
        (line + "|more:1", "field 'more'"),
        (line.replace("boxes:pairs@", "boxes:human@"), "field 'boxes'"),
        (line.replace("subset:test", "subset:all"), "no such subset"),
        (line.replace("dataset:vhico", "dataset:x"), "no such dataset"),
    ):
        with pytest.raises(InputError, match=said_):
            parse_pairs_signature(bad)


def _box(draw: random.Random) -> list[float]:
    x, y = draw.choice([0, 4, 8]), draw.choice([0, 4])
    return [x, y, x + draw.choice([3, 5, 8]), y + draw.choice([3, 6.5])]


LABELS = ("a b", "c d", "e f")


def _random_case(draw: random.Random) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Annotations of two videos, and entries of a file, with few scores and many ties."""
    videos = {
        video: [
            entry(
                label,
                frame,
                [_box(draw) for _ in range(draw.randint(1, 2))],
                [_box(draw) for _ in range(draw.randint(1, 2))],
            )
            for label in LABELS
            for frame in range(4)
            if draw.random() < 0.6
        ]
        for video in ("v", "w")
    }
    videos["v"].append(entry("g h", 9, [_box(draw)], [_box(draw)]))
    entries = []
    for video in videos:
        for label in LABELS[: draw.randint(0, 3)]:
            for frame in draw.sample(range(6), 4):
                pairs = [
                    (_box(draw), _box(draw), draw.choice([0.1, 0.5, 0.5, -2.0]))
                    for _ in range(draw.choice([0, 1, 3, 14]))
                ]
                entries.append(said(label, frame, *pairs, video=video))
    draw.shuffle(entries)
    return {"act": videos}, entries


@pytest.mark.parametrize("seed", range(40))
def test_as_in_plain_loops(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    annotations, entries = _random_case(draw)
    truth = load(write(tmp_path, annotations))
    truths: Any = defaultdict(lambda: defaultdict(list))
    for video, rows in annotations["act"].items():
        for row in rows:
            key = (video, int(row["path"][-10:-4]))
            truths[row["label"]][key] += [(h, o) for h in row["human"] for o in row["object"]]
    answers: Any = defaultdict(dict)
    known = [each for each in entries if each["video"] in truth.frames]
    for each in known:
        pairs = [twin.Predicted(row["human"], row["object"], row["score"]) for row in each["pairs"]]
        answers[each["label"]][each["video"], each["frame"]] = pairs
    result = scored(tmp_path, truth, *known)
    expected = twin.pair_scores(truths, answers)
    assert set(result.metrics) == set(expected)
    for name, value in expected.items():
        assert result.metrics[name] == pytest.approx(value, abs=1e-12), name
