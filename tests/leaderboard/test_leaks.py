"""Ground truth that comes back as predictions."""

import re
from pathlib import Path

import numpy as np
import pytest

from gytbench.benchmark import load_benchmark
from gytbench.bounds import make_bound
from gytbench.demo import predict, write_annotations
from gytbench.leaderboard.board import Board
from gytbench.leaderboard.checking import check_entry
from gytbench.leaderboard.leaks import MAX_EQUAL, _Source, _truth, equal_seconds
from gytbench.predictions import Predictions, Task, frames_of, pack, save_predictions

from ..cli.conftest import tube
from .entries import checked, content, entry, named


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of the demo."""
    folder = tmp_path_factory.mktemp("demo")
    write_annotations(folder)
    return folder


def flags(board: Board, folder: Path, predictions: Predictions) -> tuple[str, ...]:
    """The flags of an entry with these predictions."""
    path = board.root / "st.json.gz"
    save_predictions(predictions, path)
    raw = path.read_bytes()
    entry(board, data=raw, predictions={predictions.task: named(raw)})
    return check_entry(board, "mine", data=folder).flags


@pytest.mark.parametrize("task", ["st", "spatial"])
@pytest.mark.parametrize("release", ["published", "full"])
def test_the_released_boxes_as_predictions(
    board: Board, demo: Path, task: Task, release: str
) -> None:
    truth = load_benchmark(boxes=release, data=demo)
    found = flags(board, demo, make_bound("oracle-instance", truth, task))
    assert re.match(rf"{task}: \d+\.\d% of the scored seconds have a box that equals", found[0])
    assert f"({release})" in found[0]


def test_released_boxes_in_another_frame_and_moved_a_little(board: Board, demo: Path) -> None:
    truth = load_benchmark(data=demo)
    leaked = make_bound("oracle-instance", truth, "spatial")
    for each in leaked.tubes:
        assert each.boxes is not None
        width, height = each.frame_size or (1, 1)
        moved = [
            box and tuple((v + 0.4) / s for v, s in zip(box, (width, height) * 2, strict=True))
            for box in each.boxes
        ]
        each.boxes, each.frame_size = moved, None  # type: ignore[assignment]
    assert "box that equals the released one" in flags(board, demo, leaked)[0]


@pytest.mark.parametrize("share", [0.02, 0.3])
def test_some_leaked_boxes_among_others(board: Board, demo: Path, share: float) -> None:
    truth = load_benchmark(data=demo)
    mixed = predict(truth, "spatial")
    leaked = make_bound("oracle-instance", truth, "spatial")
    count = round(share * len(leaked.tubes))
    answers = {(each.video, each.instance): each for each in mixed.tubes}
    answers |= {(each.video, each.instance): each for each in leaked.tubes[:count]}
    mixed.tubes[:] = answers.values()
    assert bool(flags(board, demo, mixed)) == (share > 0.1)


def test_the_annotators_points_as_predictions(board: Board, demo: Path) -> None:
    truth = load_benchmark(data=demo)
    leaked = make_bound("annotators", truth, "spatial")
    for each in leaked.tubes:
        each.boxes = None
    (found,) = flags(board, demo, leaked)
    assert "a point that equals the annotators' mean point to 0.5 px" in found


@pytest.mark.parametrize("task", ["st", "temporal"])
def test_the_true_times_as_predictions(board: Board, demo: Path, task: Task) -> None:
    truth = load_benchmark(data=demo)
    (found,) = flags(board, demo, make_bound("oracle-time", truth, task))
    assert found == (
        f"{task}: 100.0% of the instances are predicted with just their own start, end and label"
    )


@pytest.mark.parametrize("task", ["st", "spatial", "temporal"])
def test_a_system_that_looks_at_videos_is_not_flagged(board: Board, demo: Path, task: Task) -> None:
    assert flags(board, demo, predict(load_benchmark(data=demo), task)) == ()


def test_what_is_legal_but_hardly_meant_is_flagged(board: Board, data: Path) -> None:
    entry(board, data=content(tube(points=[[300, 200]] * 3)))
    (found,) = checked(board, data).flags
    assert found.startswith("st: most points lie far outside their frames")


def test_the_shares_that_the_threshold_is_set_between(released: Path) -> None:
    """The numbers that `leaks` gives as its reason."""
    truth = load_benchmark(data=released)
    boxes, _ = _truth(_Source(truth))
    known = (~np.isnan(boxes.values[:, :, 0])).sum(axis=1)
    frames = frames_of(truth)
    shares = {}
    for name in ("class-mean-point", "centre", "random", "annotators", "oracle-instance"):
        packed = pack(make_bound(name, truth, "spatial"), truth, "spatial")
        cut = np.clip(packed.box, 0, np.tile(frames[packed.video[packed.tube]], 2))
        shares[name] = equal_seconds(packed, cut, boxes).sum(axis=1) / known
    assert boxes.names == ("published", "readme", "full", "repaired")
    assert max(max(shares[name]) for name in ("class-mean-point", "centre", "random")) < 1e-4
    assert 0.10 < max(shares["annotators"]) < 0.15
    assert max(shares["oracle-instance"]) > 0.99
    assert min(shares["oracle-instance"]) > 0.5
    assert 1e-4 < MAX_EQUAL < 0.10
