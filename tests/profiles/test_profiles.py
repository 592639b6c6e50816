"""Profiles on hand-worked cases, their signatures, and frame AP against pycocotools."""

import contextlib
import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from benchmarks.frame_precision import generate
from gytbench.errors import InputError
from gytbench.evaluation import Protocol, parse_signature
from gytbench.profiles import PROFILES, find_profile, parse_profile_signature, score_profile
from gytbench.profiles.conventions import FramePrecision, Ranking
from gytbench.profiles.detection import precisions
from gytbench.profiles.frames import FrameBoxes, frame_detections, frame_scores
from tests.evaluation.twin import benchmark_of, package_score, predictions_of
from tests.reference import Cue, Instance, Truth

VIDEO = "aaaaaaaaaaa"
FRAME = (640, 480)
BOX = (100.0, 100.0, 199.0, 199.0)
"""100 pixels wide where pixels are inclusive, 99 where they are not."""


def a_truth(*spans: tuple[int, int, str], box: tuple[float, ...] = BOX, last: int = 60) -> Truth:
    """One video with instances [start, end), and a box at every second before the last."""
    return Truth(
        frames={VIDEO: FRAME},
        instances=[Instance(VIDEO, n, *span) for n, span in enumerate(spans)],
        boxes={VIDEO: dict.fromkeys(range(last), box)},
        cues=[Cue(VIDEO, *span) for span in spans],
    )


def a_tube(start: float, end: float, label: str, **fields: Any) -> dict[str, Any]:
    seconds = range(int(np.ceil(start)), int(np.ceil(end)))
    tube = {"video": VIDEO, "label": label, "start": start, "end": end}
    return tube | {"boxes": [BOX] * len(seconds)} | fields


def scores(profile: str, truth: Truth, *tubes: dict[str, Any], task: str = "st") -> Any:
    file = {"format": "gytbench-predictions/1", "task": task, "frame_size": FRAME, "tubes": tubes}
    protocol = Protocol(task)  # type: ignore[arg-type]
    found = score_profile(
        predictions_of(file), benchmark_of(truth), protocol, find_profile(profile)
    )
    assert parse_profile_signature(found.signature) == (PROFILES[profile], protocol)
    return found


# The table of section 2.4: right or wrong by rank, with five instances; one wrong, one right.
FLAGS, FEW = (1, 1, 0, 1, 0, 0, 1, 0), (0, 1)


def flagged(flags: tuple[int, ...], positives: int, task: str) -> tuple[Truth, list[Any]]:
    """Instances of two seconds side by side, and tubes that are right or far from all of them."""
    truth = a_truth(*((4 * n, 4 * n + 2, "mix") for n in range(positives)), last=4 * positives)
    tubes = []
    for rank, flag in enumerate(flags):
        start = 4 * sum(flags[:rank]) if flag else 100 + 4 * rank
        tubes.append(a_tube(start, start + 2, "mix", score=1 - rank / 100))
        if task == "temporal":
            del tubes[-1]["boxes"]
    return truth, tubes


@pytest.mark.parametrize(
    ("profile", "task", "long", "short"),
    [
        ("act", "st", 0.649, 0.25),
        ("moc", "st", 0.649, 0.25),
        ("vq2d", "st", 0.664, 0.5),
        ("activitynet", "st", 0.664, 0.5),
        ("activitynet", "temporal", 0.664, 0.5),
        ("thumos", "temporal", 0.664, 0.5),
    ],
)
def test_flags_of_whole_tubes(profile: str, task: str, long: float, short: float) -> None:
    name = "temporal_map@0.5" if profile in {"activitynet", "thumos"} else "video_map@0.5"
    for flags, positives, expected in ((FLAGS, 5, long), (FEW, 1, short)):
        truth, tubes = flagged(flags, positives, task)
        found = scores(profile, truth, *tubes, task=task)
        assert round(found.metrics[name], 3) == expected


FRAME_RULES = [("ava", 0.664, 0.5), ("vhico", 0.679, 0.455), ("act", 0.649, 0.25)]


@pytest.mark.parametrize(("profile", "long", "short"), FRAME_RULES)
def test_flags_of_frames(profile: str, long: float, short: float) -> None:
    far = (400.0, 300.0, 499.0, 399.0)
    for flags, positives, expected in ((FLAGS, 5, long), (FEW, 1, short)):
        truth = a_truth((0, positives, "mix"), last=positives)
        tubes = []
        for rank, flag in enumerate(flags):
            second = sum(flags[:rank]) if flag else 0
            box = BOX if flag else far
            tube = a_tube(second, second + 1, "mix", boxes=[box], score=1 - rank / 100)
            tubes.append(tube)
        found = scores(profile, truth, *tubes)
        assert round(found.metrics["frame_map@0.5"], 3) == expected


def coco_ranking(ap: str) -> Ranking:
    return Ranking(ap=ap, match="next-best")  # type: ignore[arg-type]


def on_frames(label: np.ndarray, **fields: np.ndarray) -> FrameBoxes:
    return FrameBoxes(label=label, annotated=np.ones(label.size, dtype=bool), **fields)


@pytest.mark.parametrize(("ap", "long"), [("101-point", 0.668), ("11-point", 0.679)])
def test_flags_by_rules_of_no_profile(ap: str, long: float) -> None:
    right, wrong = [0.0, 0, 10, 10], [50.0, 50, 60, 60]
    boxes = on_frames(
        np.zeros(8, dtype=np.int64),
        frame=np.array([0, 1, 9, 2, 9, 9, 3, 9]),
        score=np.linspace(1, 0.1, 8),
        box=np.array([right if flag else wrong for flag in FLAGS]),
        true_frame=np.arange(5),
        true_label=np.zeros(5, dtype=np.int64),
        true_box=np.array([right] * 5),
    )
    found = frame_scores(FramePrecision(coco_ranking(ap)), boxes, np.ones(1, bool), "map")
    assert round(found["map@0.5"] or 0, 3) == long


def test_a_perfect_detector_of_vhico_has_ten_elevenths() -> None:
    truth = a_truth((0, 4, "mix"), (6, 9, "cut"))
    tubes = [a_tube(0, 4, "mix"), a_tube(6, 9, "cut")]
    found = scores("vhico", truth, *tubes).metrics
    assert found["frame_map@0.5"] == pytest.approx(10 / 11)
    assert found["frame_map_ko@0.3"] == pytest.approx(10 / 11)
    # Without the harder class, the mean runs over the other alone; AVA counts it as 0.
    assert scores("vhico", truth, tubes[0]).metrics["frame_map@0.5"] == pytest.approx(10 / 11)
    assert scores("ava", truth, tubes[0]).metrics["frame_map@0.5"] == 0.5


def test_known_objects_are_looked_for_only_where_they_are() -> None:
    truth = a_truth((0, 2, "mix"), (2, 4, "cut"))
    tubes = [a_tube(2, 4, "mix", score=0.9), a_tube(0, 2, "mix", score=0.5)]
    found = scores("vhico", truth, *tubes).metrics
    assert found["frame_map_ko@0.5"] == pytest.approx(10 / 11)
    assert found["frame_map@0.5"] == pytest.approx(10 * 0.5 / 11)


def test_ava_drops_frames_that_are_not_annotated_and_keeps_the_best_of_a_frame() -> None:
    truth = a_truth((0, 4, "mix"), last=2)
    tubes = [a_tube(2, 10, "mix", score=0.9), a_tube(0, 2, "mix", score=0.5)]
    assert scores("ava", truth, *tubes).metrics["frame_map@0.5"] == 1
    # Eight wrong ones before two right ones: from 1/9 on.
    act = scores("act", truth, *tubes).metrics["frame_map@0.5"]
    assert act == pytest.approx(((0 + 1 / 9) / 2 + (1 / 9 + 2 / 10) / 2) / 2)
    crowd = [a_tube(0, 1, "cut_egg", score=0.9)] * 50
    many = scores("ava", truth, *crowd, a_tube(0, 2, "mix", score=0.5))
    assert many.metrics["frame_map@0.5"] == 0.5


def test_act_counts_pixels_and_whole_seconds() -> None:
    # Boxes of 10 and 5 by 10 inclusive pixels; seconds 0..3 against 2..5, of 6.
    truth = a_truth((0, 4, "mix"), box=(0, 0, 9, 9))
    tube = a_tube(2, 6, "mix", boxes=[(0, 0, 4, 9)] * 4)
    found = scores("act", truth, tube).metrics
    # 2/6 x 50/100 = 0.167: a perfect curve begins at precision 1.
    assert (found["video_map@0.1"], found["video_map@0.2"]) == (1, 0)
    # Without the pixel it is 2/6 x 36/81, and as volume 2 x 36 / (4 x 81 + 4 x 36 - 72) = 0.18.
    assert scores("vq2d", truth, tube).metrics["video_map@0.1"] == 1


def test_act_suppresses_a_tube_that_is_too_like_a_better_one() -> None:
    truth = a_truth((0, 4, "mix"), (10, 14, "mix"))
    first, again = a_tube(0, 4, "mix", score=0.9), a_tube(0, 3, "mix", score=0.8)
    second = a_tube(10, 14, "mix", score=0.7)
    assert scores("act", truth, first, again, second).metrics["video_map@0.5"] == 1
    assert scores("vq2d", truth, first, again, second).metrics["video_map@0.5"] < 1


def test_thumos_takes_the_best_overlap_whatever_its_score() -> None:
    truth = a_truth((0, 10, "mix"))
    good, better = a_tube(0, 9, "mix", score=0.9), a_tube(0, 10, "mix", score=0.1)
    assert scores("thumos", truth, good, better).metrics["temporal_map@0.5"] == 0.5
    assert scores("activitynet", truth, good, better).metrics["temporal_map@0.5"] == 1
    # An overlap of the threshold is not above it.
    half = a_tube(0, 5, "mix")
    assert scores("thumos", truth, half).metrics["temporal_map@0.5"] == 0
    assert scores("activitynet", truth, half).metrics["temporal_map@0.5"] == 1


def test_ties_follow_the_order_of_the_file_or_its_opposite() -> None:
    truth = a_truth((0, 10, "mix"))
    right, wrong = a_tube(0, 10, "mix"), a_tube(30, 40, "mix")
    found = [scores("activitynet", truth, *tubes) for tubes in ((right, wrong), (wrong, right))]
    assert [each.metrics["temporal_map@0.5"] for each in found] == [0.5, 1]
    found = [scores("thumos", truth, *tubes) for tubes in ((right, wrong), (wrong, right))]
    assert [each.metrics["temporal_map@0.5"] for each in found] == [1, 0.5]


def test_sampled_seconds_and_every_second() -> None:
    # Boxes at seconds 0, 2 and 4 of [0, 6); the answer has boxes at 0 and 4, each right.
    truth = a_truth((0, 6, "mix"))
    truth.boxes = {VIDEO: dict.fromkeys((0, 2, 4), BOX)}
    answer = a_tube(0, 6, "mix", instance=0, times=[0, 4], boxes=[BOX, BOX])
    sampled = scores("tubedetr", truth, answer, task="spatial").metrics
    every = scores("stcat", truth, answer, task="spatial").metrics
    # TubeDETR: two right of the seconds 0, 2, 4. STCAT: a box at second 2 too, on the line
    # between, of six seconds.
    assert (sampled["m_viou"], sampled["m_siou"]) == (pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert (every["m_viou"], every["m_siou"]) == (0.5, 1)
    # 0.5 is not above 0.5.
    assert (every["viou@0.3"], every["viou@0.5"], every["m_tiou"]) == (1, 0, 1)


def test_unanswered_descriptions() -> None:
    truth = a_truth((0, 4, "mix"), (6, 9, "cut"))
    answer = a_tube(0, 4, "mix", instance=0)
    refused = scores("tubedetr", truth, answer, task="spatial")
    assert set(refused.metrics.values()) == {None}
    assert refused.notes == ("1 instances have no answer, and the tool stops at the first",)
    assert scores("stcat", truth, answer, task="spatial").metrics["m_viou"] == 1


def pointed(seconds: int, points: list[Any] | None = None, **fields: Any) -> dict[str, Any]:
    tube = a_tube(0, seconds, "mix", instance=0, **fields)
    del tube["boxes"]
    return tube | ({"points": points} if points else {})


HIT, MISS = [150.0, 150.0], [300.0, 300.0]


def accuracy(profile: str, truth: Truth, *tubes: dict[str, Any]) -> float | None:
    found = scores(profile, truth, *tubes, task="spatial").metrics["pointing_accuracy"]
    assert found is None or isinstance(found, float)
    return found


def test_the_last_second_is_a_padding_frame() -> None:
    # Second 3 of [0, 4) is black: its point is the first pixel, outside the box.
    assert accuracy("gyt-official", a_truth((0, 4, "mix")), pointed(4, [HIT] * 4)) == 3 / 4
    corner = a_truth((0, 4, "mix"), box=(0, 0, 100, 100))
    assert accuracy("gyt-official", corner, pointed(4, [MISS] * 4)) == 1 / 4
    # A clip of 16 frames needs no padding: second 16 has the answer to second 15.
    clip = a_truth((0, 17, "mix"))
    points = [MISS] * 15 + [HIT, MISS]
    assert accuracy("gyt-official", clip, pointed(17, points)) == pytest.approx(2 / 17)
    # Or none, where the answer ends before.
    assert accuracy("gyt-official", clip, pointed(15, [MISS] * 15)) == 0
    # Or the last second's own, where nothing is said of the one before.
    own = pointed(17, [HIT], times=[16])
    assert accuracy("gyt-official", clip, own) == pytest.approx(1 / 17)
    assert accuracy("gyt-official", a_truth((0, 4, "mix"))) is None


@pytest.mark.parametrize("profile", ["gyt-official", "videogem", "stcat", "tubedetr", "vhico"])
def test_an_answer_that_covers_no_second(profile: str) -> None:
    brief = a_tube(0.2, 0.8, "mix", instance=0)
    del brief["boxes"]
    found = scores(profile, a_truth((0, 4, "mix")), brief, task="spatial").metrics
    assert set(found.values()) == ({0} if "pointing_accuracy" in found else {None})


def test_a_heatmap_points_at_its_first_highest_pixel() -> None:
    heat = [[1.0] + [0.0] * 6] + [[0.0] * 7] * 6
    # The corner cell is flat up to its centre, (45.7, 34.3): the script points at (0, 0).
    truth = a_truth((0, 3, "mix"), box=(20, 20, 100, 100))
    heatmaps = pointed(3, heatmaps=[heat] * 3)
    assert accuracy("gyt-official", truth, heatmaps) == 0
    assert accuracy("videogem", truth, heatmaps) == 1
    # A point beside the heatmap is kept.
    assert accuracy("gyt-official", truth, heatmaps | {"points": [[50.0, 50.0]] * 3}) == 2 / 3


def test_videogem_sees_the_second_before() -> None:
    truth = a_truth((0, 4, "mix"))
    # Second 0 has no picture; 1, 2 and 3 see 0, 1 and 2.
    points = [MISS, HIT, MISS, MISS]
    assert accuracy("videogem", truth, pointed(4, points)) == pytest.approx(1 / 3)
    late = a_truth((5, 8, "mix"))
    tube = a_tube(5, 8, "mix", instance=0, points=[HIT, MISS, MISS])
    # Nothing is known of second 4, so second 5 keeps its own answer.
    assert accuracy("videogem", late, tube | {"boxes": None}) == pytest.approx(2 / 3)
    rounded = a_truth((0, 2, "mix"), box=(100.4, 100, 200, 200))
    assert accuracy("videogem", rounded, pointed(2, [[100.0, 150.0]] * 2)) == 1
    assert accuracy("gyt-official", rounded, pointed(2, [[100.0, 150.0]] * 2)) == 0


def test_isba_and_videogem_average_time_their_way() -> None:
    truth = a_truth((0, 4, "mix"), (4, 8, "cut"))
    tube = a_tube(0, 2, "mix")
    del tube["boxes"]
    assert dict(scores("isba", truth, tube, task="temporal").metrics) == {"iou": 0.25, "iod": 0.5}
    assert dict(scores("videogem", truth, tube, task="temporal").metrics) == {"iou": 0.25, "iod": 1}


def test_a_file_without_boxes_has_no_metrics_of_boxes() -> None:
    found = scores("act", a_truth((0, 4, "mix")), a_tube(0, 4, "mix", boxes=None))
    assert set(found.metrics.values()) == {None}
    assert "no boxes" in found.notes[0]
    # Without tubes they are 0.
    assert set(scores("act", a_truth((0, 4, "mix"))).metrics.values()) == {0}


def test_what_no_class_has_is_not_defined() -> None:
    assert set(scores("vhico", a_truth((0, 4, "mix"))).metrics.values()) == {None}


def test_a_profile_is_not_the_benchmark_s_protocol() -> None:
    truth = a_truth((0, 4, "mix"))
    line = scores("act", truth, a_tube(0, 4, "mix")).signature
    with pytest.raises(InputError, match="the signature lacks"):
        parse_signature(line)
    file = {"format": "gytbench-predictions/1", "task": "st", "frame_size": FRAME, "tubes": []}
    with pytest.raises(InputError, match="not a signature of a profile"):
        parse_profile_signature(package_score(truth, file).signature)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("trapezoid", "all-point", "field 'video_map'"),
        ("profile:act", "profile:nobody", "unknown profile 'nobody': choose act, moc"),
        ("profile:act", "profile:ava", "field 'video_map'"),
        ("profile:act", "profile:isba", "isba is for the task temporal, not st"),
        ("task:st", "task:none", "unknown task 'none'"),
        ("|subset:all", "", "lacks the field 'subset'"),
        ("|data:local", "", "field 'data'"),
        ("gytbench:1.0", "gytbench:0.9", "not a signature of a profile"),
        ("|subset:all", "|subset:all|more:1", "field 'more'"),
    ],
)
def test_signatures_that_are_none(old: str, new: str, reason: str) -> None:
    line = scores("act", a_truth((0, 4, "mix")), a_tube(0, 4, "mix")).signature
    assert old in line
    with pytest.raises(InputError, match=reason):
        parse_profile_signature(line.replace(old, new))


def test_profiles_have_no_other_options() -> None:
    truth = a_truth((0, 4, "mix"))
    file = {"format": "gytbench-predictions/1", "task": "st", "frame_size": FRAME, "tubes": []}
    protocol = Protocol("st", heatmap_threshold=0.7)
    with pytest.raises(InputError, match="conventions of its own"):
        score_profile(predictions_of(file), benchmark_of(truth), protocol, PROFILES["act"])


def random_frames(rng: np.random.Generator, frames: int, classes: int, count: int) -> FrameBoxes:
    """Several true boxes of a class on a frame, and predictions around them."""

    def boxes(number: int) -> np.ndarray:
        low = rng.uniform(0, 120, (number, 2))
        return np.hstack((low, low + rng.uniform(20, 120, (number, 2))))

    true_box = boxes(count // 2)
    near = rng.integers(0, len(true_box), count)
    true_frame = np.sort(rng.integers(0, frames, len(true_box)))
    true_label = rng.integers(0, classes, len(true_box))
    order = np.argsort(true_frame[near], kind="stable")
    near = near[order]
    box = true_box[near] + rng.normal(0, 12, (count, 4))
    box[:, 2:] = np.maximum(box[:, 2:], box[:, :2] + 1)
    return on_frames(
        np.where(rng.random(count) < 0.8, true_label[near], rng.integers(0, classes, count)),
        frame=true_frame[near],
        score=rng.random(count),
        box=box,
        true_frame=true_frame,
        true_label=true_label,
        true_box=true_box,
    )


def coco_precisions(boxes: FrameBoxes, classes: int, thresholds: list[float]) -> np.ndarray:
    """AP of pycocotools, thresholds x classes; -1 without a true box."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    def size(box: np.ndarray) -> list[float]:
        return [*box[:2].tolist(), *(box[2:] - box[:2]).tolist()]

    frames = sorted({*boxes.frame.tolist(), *boxes.true_frame.tolist()})
    true = zip(boxes.true_frame, boxes.true_label, map(size, boxes.true_box), strict=True)
    said = zip(boxes.frame, boxes.label, map(size, boxes.box), boxes.score, strict=True)
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {
            "images": [{"id": frame} for frame in frames],
            "categories": [{"id": label} for label in range(classes)],
            "annotations": [
                # Ids from 1: an id of 0 counts as not matched.
                {"id": n, "image_id": int(f), "category_id": int(c), "bbox": b, "area": b[2] * b[3]}
                | {"iscrowd": 0}
                for n, (f, c, b) in enumerate(true, start=1)
            ],
        }
        truth.createIndex()
        found = truth.loadRes(
            [
                {"image_id": int(f), "category_id": int(c), "bbox": b, "score": float(s)}
                for f, c, b, s in said
            ]
        )
        run = COCOeval(truth, found, "bbox")
        run.params.iouThrs = np.array(thresholds)
        run.params.maxDets = [1, 10, 10_000]
        run.evaluate()
        run.accumulate()
    values: np.ndarray = run.eval["precision"][:, :, :, 0, -1].mean(axis=1)
    return values


@pytest.mark.parametrize("seed", range(4))
def test_frame_precision_equals_pycocotools(seed: int) -> None:
    rng = np.random.default_rng(seed)
    classes = 5
    boxes = random_frames(rng, frames=6, classes=classes, count=300)
    thresholds = [0.3, 0.5, 0.75]
    part = FramePrecision(coco_ranking("101-point"))
    found = frame_detections(part, boxes, classes)
    values = precisions(found, np.ones(classes, bool), part.ranking, thresholds)
    expected = coco_precisions(boxes, classes, thresholds)
    assert 0.05 < expected.mean() < 0.95
    assert np.abs(np.nan_to_num(values, nan=-1) - expected).max() < 1e-12
    # The rule of VOC differs on the same boxes.
    voc = replace(part.ranking, match="first-choice")
    other = precisions(found, np.ones(classes, bool), voc, thresholds)
    assert np.abs(other - values).max() > 1e-3


def test_boxes_of_the_benchmark_s_shape_equal_pycocotools() -> None:
    boxes = generate(frames=120, boxes=900, classes=7, true_boxes=150, seed=5)
    part = FramePrecision(coco_ranking("101-point"))
    found = frame_scores(part, boxes, np.ones(7, dtype=bool), "map")
    expected = coco_precisions(boxes, 7, [0.3, 0.5]).mean(axis=1)
    assert np.abs(np.array(list(found.values())) - expected).max() < 1e-12
