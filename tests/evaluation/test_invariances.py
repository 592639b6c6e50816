"""What must not change a score, or not raise it."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gytbench.predictions import Tube, load_predictions, save_predictions
from tests.evaluation.twin import package_score, predictions_of
from tests.reference import Truth
from tests.reference.strategies import st_cases, temporal_cases, truths

Case = tuple[Truth, dict[str, Any]]


def hittable(truth: Truth) -> Truth:
    """Without the boxes that nobody can hit or overlap: a tube there is not right."""
    for video, boxes in truth.boxes.items():
        width, height = truth.frames[video]
        truth.boxes[video] = {
            t: (x1, y1, x2, y2)
            for t, (x1, y1, x2, y2) in boxes.items()
            if min(x2, width) > max(x1, 0) and min(y2, height) > max(y1, 0)
        }
    return truth


def right_tubes(truth: Truth) -> list[dict[str, Any]]:
    """The ground truth as tubes, each with a score of its own."""
    tubes = []
    for number, i in enumerate(truth.instances):
        times = range(int(i.start), int(i.end))
        boxes = [truth.boxes.get(i.video, {}).get(t) for t in times]
        tubes.append(
            {
                "video": i.video,
                "label": i.label,
                "start": i.start,
                "end": i.end,
                "score": 10.0 + number,
                "frame_size": list(truth.frames[i.video]),
                "boxes": [None if b is None else list(b) for b in boxes],
            }
        )
    return tubes


@settings(max_examples=80, deadline=None)
@given(truths().map(hittable), st.data())
def test_dropping_a_right_tube_never_helps(truth: Truth, data: st.DataObject) -> None:
    tubes = right_tubes(truth)
    dropped = data.draw(st.integers(0, len(tubes) - 1))
    file: dict[str, Any] = {"format": "gytbench-predictions/1", "task": "st", "tubes": tubes}
    whole = package_score(truth, file).metrics
    less = package_score(truth, {**file, "tubes": tubes[:dropped] + tubes[dropped + 1 :]}).metrics
    for name in ("iou_point", "label_iou", "video_map@0.1:0.5", "video_map@0.5"):
        assert (less[name] or 0) <= (whole[name] or 0) + 1e-12, name


@settings(max_examples=40, deadline=None)
@given(st.one_of(st_cases(), temporal_cases()), st.integers(0, 6))
def test_splitting_a_file_and_joining_it_changes_nothing(case: Case, at: int) -> None:
    truth, file = case
    halves = [
        predictions_of({**file, "tubes": part}).tubes
        for part in (file["tubes"][:at], file["tubes"][at:])
    ]
    joined: list[Tube] = halves[1] + halves[0]
    again = {**file, "tubes": [_plain(tube) for tube in joined]}
    assert package_score(truth, again).as_dict() == package_score(truth, file).as_dict()


def _plain(tube: Tube) -> dict[str, Any]:
    import msgspec

    plain: dict[str, Any] = msgspec.to_builtins(tube)
    return plain


def test_the_form_of_the_file_changes_nothing(tmp_path: Any) -> None:
    import gytbench
    from gytbench.demo import predict, write_annotations

    write_annotations(tmp_path)
    benchmark = gytbench.load_benchmark(data=tmp_path)
    predictions = predict(benchmark, "st")
    results = []
    for suffix in ("json", "json.gz", "jsonl", "jsonl.gz", "parquet"):
        path = tmp_path / f"preds.{suffix}"
        save_predictions(predictions, path)
        results.append(gytbench.evaluate(load_predictions(path), benchmark=benchmark).as_dict())
    assert all(result == results[0] for result in results)
