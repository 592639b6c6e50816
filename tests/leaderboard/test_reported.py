"""The rows of papers: each says where it is from and how it differs."""

from pathlib import Path

import pytest

from gytbench.benchmark import load_benchmark
from gytbench.bounds import make_bound
from gytbench.demo import write_annotations
from gytbench.evaluation import Protocol, score
from gytbench.leaderboard.results import Reported
from gytbench.plain_yaml import read_yaml_file
from gytbench.predictions import TASKS

BOARD = Path(__file__).resolve().parents[2] / "leaderboard"
PAPERS = sorted((BOARD / "reported").glob("*.yaml"))


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The names of the metrics, by task."""
    data = tmp_path_factory.mktemp("reported") / "data"
    write_annotations(data)
    truth = load_benchmark(data=data)
    predictions = {task: make_bound("oracle-instance", truth, task) for task in TASKS}
    return {task: set(score(p, truth, Protocol(task)).metrics) for task, p in predictions.items()}


def test_papers_are_there() -> None:
    assert PAPERS
    systems = [row.system for path in PAPERS for row in read_yaml_file(path, Reported).rows]
    assert len(systems) == len(set(systems))


@pytest.mark.parametrize("path", PAPERS, ids=lambda path: path.stem)
def test_rows_of_papers_have_a_source_and_say_how_they_differ(
    path: Path, metrics: dict[str, set[str]]
) -> None:
    paper = read_yaml_file(path, Reported)
    assert paper.url.startswith("https://")
    assert paper.rows
    for row in paper.rows:
        assert row.table
        assert row.notes.endswith(".")
        assert row.metrics
        # Percent: a fraction among them would be the mistake to make.
        assert all(1 < value < 100 for value in row.metrics.values())
        assert set(row.metrics) <= metrics[row.task]
