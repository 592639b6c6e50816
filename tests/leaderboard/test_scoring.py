"""What is stored of an entry: the scores that `evaluate --ci` gives, and the resamples."""

import base64
from pathlib import Path

import numpy as np
import pytest

from gytbench.benchmark import load_benchmark
from gytbench.bounds import BOUNDS, make_bound
from gytbench.demo import predict, write_annotations
from gytbench.errors import InputError
from gytbench.evaluation import Protocol, score
from gytbench.evaluation.uncertainty import draw_videos, resample_all, with_intervals
from gytbench.leaderboard.checking import check_entry
from gytbench.leaderboard.results import RANKED, RELEASES, EntryResults
from gytbench.leaderboard.scoring import (
    RESAMPLES,
    SEED,
    GroundTruth,
    bound_results,
    ground_truth,
    score_entry,
)
from gytbench.leaderboard.stored import results_bytes
from gytbench.predictions import TASKS

from .boards import empty_board, rewrite, submit

SHA256 = "5" * 64


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_annotations(folder)
    return folder


@pytest.fixture(scope="module")
def truth(data: Path) -> GroundTruth:
    return ground_truth(data)


@pytest.fixture(scope="module")
def entry(data: Path, truth: GroundTruth, tmp_path_factory: pytest.TempPathFactory) -> EntryResults:
    """An entry to every task."""
    board = empty_board(tmp_path_factory.mktemp("board"))
    made = [predict(truth.benchmarks["published"], task) for task in TASKS]
    submit(board, "own", *made)
    return score_entry(check_entry(board, "own", data=data), truth, submission=SHA256)


def test_boxes_are_scored_on_each_release_and_times_once(entry: EntryResults) -> None:
    named = [dict(part.split(":", 1) for part in s.signature.split("|")) for s in entry.scores]
    found = [(each["task"], each.get("boxes", "").partition("@")[0]) for each in named]
    boxes = [(task, release) for task in ("st", "spatial") for release in RELEASES]
    assert found == [*boxes, ("temporal", "")]


@pytest.mark.parametrize("at", range(5))
def test_scores_and_intervals_are_those_of_evaluate(
    entry: EntryResults, truth: GroundTruth, at: int
) -> None:
    stored = entry.scores[at]
    release = "repaired" if "boxes:repaired" in stored.signature else "published"
    protocol = (
        Protocol(stored.task) if stored.task == "temporal" else Protocol(stored.task, release)
    )
    # Predictions are the same on either release: they were made once.
    made = predict(truth.benchmarks["published"], stored.task)
    result = with_intervals(score(made, truth.benchmarks[release], protocol))
    assert stored.signature == result.signature
    assert stored.metrics == pytest.approx(dict(result.metrics), abs=1e-9)
    assert stored.counts == result.counts
    assert stored.missing == result.missing
    assert result.intervals is not None
    assert list(stored.intervals) == list(result.metrics)
    for name, interval in result.intervals.metrics.items():
        assert interval is not None
        assert stored.intervals[name] == pytest.approx(interval, abs=1e-9)
    for name, row in result.per_class.items():
        assert stored.per_class[name] == pytest.approx(dict(row), abs=1e-6)


def test_the_ranked_metric_is_stored_as_resampled_on_the_same_videos_for_all(
    entry: EntryResults, truth: GroundTruth
) -> None:
    benchmark = truth.benchmarks["published"]
    weights = draw_videos(len(benchmark.videos), RESAMPLES, SEED)
    others = [bound_results(name, truth) for name in ("uniform-segments", "random")]
    for results in (entry, *others):
        for stored in (each for each in results.scores if "repaired" not in each.signature):
            made = (
                predict(benchmark, stored.task)
                if results is entry
                else make_bound(results.entry, benchmark, stored.task)
            )
            outcomes = score(made, benchmark, Protocol(stored.task)).outcomes
            expected = resample_all(outcomes, weights, "video-class")[RANKED[stored.task]]
            drawn = np.frombuffer(base64.b64decode(stored.resampled), dtype="<f4")
            np.testing.assert_allclose(drawn, expected, atol=1e-7)


def test_the_entry_says_what_it_was_scored_from(entry: EntryResults, truth: GroundTruth) -> None:
    assert (entry.entry, entry.kind, entry.submission) == ("own", "submission", SHA256)
    assert entry.about is not None
    assert entry.predictions == {
        task: entry.about.predictions[task].sha256 for task in entry.about.predictions
    }
    assert entry.data == truth.checksums
    assert {"points", *RELEASES} < set(entry.data)
    assert all(len(each) == 64 for each in entry.data.values())


@pytest.mark.parametrize("name", BOUNDS)
def test_a_floor_or_ceiling_is_scored_in_all_its_tasks(truth: GroundTruth, name: str) -> None:
    results = bound_results(name, truth)
    assert results.kind == BOUNDS[name].kind
    assert results.summary == BOUNDS[name].summary
    assert results.about is None
    assert {each.task for each in results.scores} == set(BOUNDS[name].tasks)
    assert len(results.scores) == sum(1 if t == "temporal" else 2 for t in BOUNDS[name].tasks)
    assert all(value is not None for each in results.scores for value in each.metrics.values())


def test_an_unknown_bound_is_refused(truth: GroundTruth) -> None:
    with pytest.raises(InputError, match="oracle-time"):
        bound_results("oracle-tim", truth)


def test_the_same_entry_has_the_same_bytes(truth: GroundTruth) -> None:
    first, second = (results_bytes(bound_results("random", truth)) for _ in range(2))
    assert first == second
    assert first.endswith(b"}\n")


def test_scores_are_rounded_so_that_machines_agree(entry: EntryResults) -> None:
    for each in entry.scores:
        for value in each.metrics.values():
            assert value == round(value or 0, 10)
        for row in each.per_class.values():
            assert all(value is None or value == round(value, 6) for value in row.values())


def test_checksums_are_of_what_is_read(truth: GroundTruth, data: Path, tmp_path: Path) -> None:
    write_annotations(tmp_path)
    # The form of a file means nothing.
    rewrite(tmp_path / "groundingyoutube" / "id2wh_new.json")
    again = ground_truth(tmp_path)
    same = {"points", *RELEASES}
    assert {name: again.checksums[name] for name in same} == {
        name: truth.checksums[name] for name in same
    }
    frames = {video: [641, 480] for video in load_benchmark(data=data).videos}
    rewrite(tmp_path / "groundingyoutube" / "id2wh_new.json", **frames)
    changed = ground_truth(tmp_path)
    assert set(changed.checksums.values()).isdisjoint(
        value for name, value in truth.checksums.items() if name not in same
    )


def test_the_released_data_has_its_names(released: Path) -> None:
    truth = ground_truth(released)
    assert set(truth.checksums) == {"groundingyoutube", "miningyoutube", "points", *RELEASES}
    assert truth.checksums["published"].startswith("d0c54512")
