"""Profiles on the released files: what is known of the authors' script, and numbers of the page."""

from pathlib import Path

import pytest

from gytbench.benchmark import Benchmark, load_benchmark
from gytbench.bounds import make_bound
from gytbench.evaluation import Protocol, score
from gytbench.evaluation.truth import truth_of
from gytbench.predictions import Task
from gytbench.profiles import PROFILES, score_profile

# conventions.md, section 2.5: seconds that the script scores on padding, of all that it scores.
PADDED = {"published": (2_482, 17_531), "readme": (3_311, 17_812)}


@pytest.mark.parametrize("release", PADDED)
def test_the_last_seconds_that_the_script_loses(released: Path, release: str) -> None:
    benchmark = load_benchmark(data=released, boxes=release)
    truth = truth_of(benchmark)
    last = truth.unit_second == truth.stop[truth.unit_instance] - 1
    counts = int((last & truth.unit_has_box).sum()), int(truth.unit_has_box.sum())
    assert counts == PADDED[release]
    protocol = Protocol("spatial", boxes=release)
    centre = make_bound("centre", benchmark, "spatial")
    own = score(centre, benchmark, protocol)
    official = score_profile(centre, benchmark, protocol, PROFILES["gyt-official"])
    assert official.counts["units"] == own.counts["units"] == counts[1]
    # The centre of the frame is no worse at last seconds: it loses about its share there, but
    # where a clip of a multiple of 16 seconds needs no padding.
    lost = own.counts["hits"] - official.counts["hits"]
    assert 0.5 * counts[0] < lost < counts[0]


def test_released_boxes_reach_below_the_frame(benchmark: Benchmark) -> None:
    boxes = [
        (box, benchmark.frames[video])
        for video, by_second in benchmark.boxes.items()
        for box in by_second.values()
    ]
    assert len(boxes) == 17_316
    assert sum(box[3] > frame[1] for box, frame in boxes) == 2_107


# What each convention leaves of a perfect file: classes without a true box, boxes without area,
# V-HICO's ten recalls of eleven, STCAT's seconds without a box, the last second on padding.
PERFECT: dict[tuple[Task, str], dict[str, float]] = {
    ("st", "act"): {"video_map@0.5": 0.9119, "frame_map@0.5": 0.9583},
    ("st", "ava"): {"frame_map@0.5": 0.9973},
    ("st", "vq2d"): {"video_map@0.5": 0.9696},
    ("st", "vhico"): {"frame_map@0.5": 0.9081, "frame_map_ko@0.5": 0.9081},
    ("st", "activitynet"): {"temporal_map@0.5:0.95": 1.0},
    ("st", "thumos"): {"temporal_map@0.5": 1.0},
    ("spatial", "tubedetr"): {"m_viou": 0.9983, "m_tiou": 1.0},
    ("spatial", "stcat"): {"m_viou": 0.7058, "m_tiou": 1.0, "m_siou": 0.9983},
    ("spatial", "vhico"): {"spatial_map@0.5": 0.9082},
    ("spatial", "videogem"): {"pointing_accuracy": 0.9061},
    ("spatial", "gyt-official"): {"pointing_accuracy": 0.8583},
}


@pytest.mark.parametrize("case", PERFECT)
def test_the_ground_truth_as_prediction(benchmark: Benchmark, case: tuple[Task, str]) -> None:
    task, name = case
    perfect = make_bound("oracle-instance", benchmark, task)
    found = score_profile(perfect, benchmark, Protocol(task), PROFILES[name]).metrics
    assert {metric: round(found[metric] or 0, 4) for metric in PERFECT[case]} == PERFECT[case]
