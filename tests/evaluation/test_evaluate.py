"""The Python interface, on the demo benchmark."""

import json
from pathlib import Path

import pytest

import gytbench
from gytbench.demo import predict, write_annotations


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    write_annotations(folder / "data")
    benchmark = gytbench.load_benchmark(data=folder / "data")
    for task in ("st", "spatial", "temporal"):
        gytbench.save_predictions(predict(benchmark, task), folder / f"{task}.json")
    return folder


@pytest.mark.parametrize("task", ["st", "spatial", "temporal"])
def test_a_file_scores_by_its_own_task(demo: Path, task: str) -> None:
    result = gytbench.evaluate(demo / f"{task}.json", data=demo / "data")
    assert result.task == task
    assert f"|task:{task}|" in result.signature
    assert all(0 < value < 1 for value in result.metrics.values() if value is not None)


def test_a_loaded_benchmark_stands_for_its_options(demo: Path) -> None:
    data = demo / "data"
    for options in ({"boxes": "full"}, {"boxes": "readme", "subset": "3to20"}):
        benchmark = gytbench.load_benchmark(data=data, **options)
        once = gytbench.evaluate(demo / "st.json", benchmark=benchmark)
        again = gytbench.evaluate(demo / "st.json", "st", data=data, **options)
        assert once.as_dict() == again.as_dict()
        assert f"boxes:{options['boxes']}@" in once.signature
    again = gytbench.evaluate(demo / "temporal.json", benchmark=benchmark)
    assert again.as_dict() == gytbench.evaluate(demo / "temporal.json", data=data).as_dict()


def test_a_loaded_benchmark_and_its_options_are_not_both_given(demo: Path) -> None:
    benchmark = gytbench.load_benchmark(data=demo / "data")
    with pytest.raises(gytbench.InputError, match="benchmark"):
        gytbench.evaluate(demo / "st.json", benchmark=benchmark, boxes="full")


def test_an_st_file_can_be_scored_in_time(demo: Path) -> None:
    result = gytbench.evaluate(demo / "st.json", "temporal", data=demo / "data")
    assert set(result.metrics) == {"iou", "iod"}


def test_the_result_as_json(demo: Path) -> None:
    result = gytbench.evaluate(demo / "st.json", data=demo / "data")
    read = json.loads(result.to_json())
    assert read == result.as_dict()
    assert list(read)[:7] == [
        "signature",
        "task",
        "metrics",
        "counts",
        "missing",
        "per_class",
        "per_video",
    ]


def test_raw_steps_can_be_scored(demo: Path) -> None:
    result = gytbench.evaluate(demo / "st.json", data=demo / "data", classes="step")
    assert "|classes:step|" in result.signature
    assert "crack_eggs" in result.per_class


def test_what_is_missing_counts_as_missed(demo: Path) -> None:
    """Leaving a video or an instance out never raises what is not ranked."""
    for task in ("st", "spatial", "temporal"):
        benchmark = gytbench.load_benchmark(data=demo / "data")
        full = gytbench.load_predictions(demo / f"{task}.json")
        whole = gytbench.evaluate(full, benchmark=benchmark)
        video = full.tubes[0].video
        kept = [tube for tube in full.tubes if tube.video != video]
        partial = gytbench.evaluate(
            gytbench.Predictions(full.task, kept, full.model, full.frame_size), benchmark=benchmark
        )
        assert partial.missing["videos"] == whole.missing["videos"] + 1
        for name in ("pointing_accuracy", "success@0.3", "iou", "iod"):
            if name in whole.metrics:
                assert partial.metrics[name] < whole.metrics[name]
        if task == "spatial":
            answered = len(full.tubes) - len(kept)
            assert partial.missing["instances"] == whole.missing["instances"] + answered


def test_points_alone_give_null_for_regions_with_the_reason(demo: Path) -> None:
    for task, region_metrics in (("st", "video_map"), ("spatial", "s")):
        predictions = gytbench.load_predictions(demo / f"{task}.json")
        for tube in predictions.tubes:
            tube.points = [None if b is None else (b[0], b[1]) for b in tube.boxes or []]
            tube.boxes = None
        result = gytbench.evaluate(predictions, data=demo / "data")
        nulls = {name for name, value in result.metrics.items() if value is None}
        assert nulls == {name for name in result.metrics if name.startswith(region_metrics)}
        assert "no boxes, heatmaps or masks" in result.notes[0]
        assert all(
            row[name] is None
            for row in result.per_class.values()
            for name in row
            if name.startswith(("video_ap", "spatial_ap", "success"))
        )


def test_an_empty_file_scores_zero(demo: Path) -> None:
    benchmark = gytbench.load_benchmark(data=demo / "data")
    for task in ("st", "spatial", "temporal"):
        empty = gytbench.Predictions(task, [], {})
        result = gytbench.evaluate(empty, benchmark=benchmark)
        defined = {n: v for n, v in result.metrics.items() if not n.startswith("pointing_given")}
        assert set(defined.values()) == {0.0}
        assert result.missing["videos"] == 6
        nulls = [name for name, value in result.metrics.items() if value is None]
        assert bool(nulls) == bool(result.notes)


def test_pixels_without_a_frame_size_are_doubted(demo: Path) -> None:
    benchmark = gytbench.load_benchmark(data=demo / "data")
    read = gytbench.load_predictions(demo / "st.json")
    forgotten = gytbench.Predictions(read.task, read.tubes, read.model, frame_size=None)
    (note,) = gytbench.evaluate(forgotten, benchmark=benchmark).notes
    assert "is `frame_size` missing or wrong" in note
    assert gytbench.evaluate(read, benchmark=benchmark).notes == ()


def test_answers_to_dropped_rows_are_not_scored(demo: Path) -> None:
    """seg.json of the demo ends every video with a row that covers no time."""
    benchmark = gytbench.load_benchmark(data=demo / "data")
    predictions = gytbench.load_predictions(demo / "spatial.json")
    before = gytbench.evaluate(predictions, benchmark=benchmark).metrics
    video, dropped = sorted(benchmark.dropped)[0]
    predictions.tubes.append(
        gytbench.Tube(video=video, label="serve_omelette", start=0, end=1, instance=dropped)
    )
    assert gytbench.evaluate(predictions, benchmark=benchmark).metrics == before


def test_the_package_says_what_it_has() -> None:
    assert set(gytbench.__all__) <= set(dir(gytbench))
    with pytest.raises(AttributeError, match="has no attribute 'evaluat'"):
        _ = gytbench.evaluat


@pytest.mark.parametrize("average", ["video-class", "isba", "videogem"])
def test_the_temporal_metrics_are_the_means_of_the_videos(demo: Path, average: str) -> None:
    result = gytbench.evaluate(demo / "temporal.json", data=demo / "data", average=average)
    for name in ("iou", "iod"):
        scores = [row[name] for row in result.per_video.values() if row[name] is not None]
        assert result.metrics[name] == pytest.approx(sum(scores) / len(scores), abs=1e-12)


def test_rows_follow_the_average(demo: Path) -> None:
    """Tables of videos and classes are scored as the signature says, not by default."""
    rows = [
        gytbench.evaluate(demo / "temporal.json", data=demo / "data", average=average).per_class
        for average in ("video-class", "isba", "frames-micro")
    ]
    assert rows[0].keys() == rows[1].keys() == rows[2].keys()
    assert rows[0] != rows[1]
    assert rows[0] != rows[2]
