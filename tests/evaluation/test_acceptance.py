"""The numbers that the protocol says any implementation must reach, on the released files."""

from pathlib import Path

import pytest

from gytbench.benchmark import Benchmark, load_benchmark
from gytbench.bounds import make_bound
from gytbench.evaluation import Protocol, Result, score
from gytbench.predictions import Task


def scored(benchmark: Benchmark, name: str, task: Task) -> Result:
    return score(make_bound(name, benchmark, task), benchmark, Protocol(task, benchmark.release))


def digits(value: float) -> object:
    return pytest.approx(value, rel=0, abs=5e-7)


def test_ground_truth_as_prediction(benchmark: Benchmark) -> None:
    st = scored(benchmark, "oracle-instance", "st")
    assert st.metrics["iou_point"] == digits(0.997921)
    assert st.metrics["video_map@0.1:0.5"] == digits(0.999594)
    assert st.counts["instances_with_box"] == 4541
    assert st.counts["classes_with_box"] == 492
    spatial = scored(benchmark, "oracle-instance", "spatial")
    assert spatial.metrics["pointing_accuracy"] == digits(0.998859)
    temporal = scored(benchmark, "oracle-instance", "temporal")
    assert temporal.metrics == {"iou": digits(0.999999), "iod": 1.0}


def test_frame_centre_with_true_times_and_labels(benchmark: Benchmark) -> None:
    st = scored(benchmark, "oracle-time", "st").metrics
    assert st["iou_point"] == digits(0.505810)
    tubes = [st[f"video_map@{t}"] for t in ("0.1", "0.2", "0.3", "0.4", "0.5")]
    assert tubes == [digits(v) for v in (0.835772, 0.660969, 0.430773, 0.233000, 0.101756)]
    spatial = scored(benchmark, "centre", "spatial").metrics
    assert spatial["success@0.3"] == digits(0.529576)
    assert spatial["spatial_map@0.3"] == digits(0.375849)


@pytest.mark.parametrize(
    ("release", "accuracy", "units"),
    [("published", 0.671496, 17531), ("readme", 0.616944, 17812), ("full", 0.625613, 22020)],
)
def test_frame_centre_on_every_release(
    released: Path, release: str, accuracy: float, units: int
) -> None:
    benchmark = load_benchmark(boxes=release, data=released)
    result = scored(benchmark, "centre", "spatial")
    assert result.metrics["pointing_accuracy"] == digits(accuracy)
    assert result.counts["units"] == units


def test_signature_of_the_released_files(benchmark: Benchmark) -> None:
    assert Protocol("st").signature(benchmark) == (
        "gytbench:1.0|task:st|data:groundingyoutube|boxes:published@d0c54512|classes:mining512|"
        "subset:all|point:cell-first|region:0.5|tube:volumetric|match:next-best|ap:all-point|"
        "ties:grouped|missing:miss"
    )


def test_subset_scores_its_own_instances(released: Path) -> None:
    benchmark = load_benchmark(subset="3to20", data=released)
    result = score(
        make_bound("oracle-instance", benchmark, "st"), benchmark, Protocol("st", subset="3to20")
    )
    assert result.counts["instances"] == 2869
    assert result.metrics["label_iou"] == 1.0
    assert "|subset:3to20|" in result.signature
