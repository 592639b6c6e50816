"""Tables of a grid: means, intervals and differences that are worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gytbench.reproduction.cells import Cell
from gytbench.reproduction.grid import Grid
from gytbench.reproduction.tables import Estimate, estimate, grid_report

from .making import Change, grid, result


def cells(both: list[float | None], local: list[float | None]) -> list[Cell]:
    """IoU+Point of the two rows, by seed from 1."""
    found = []
    for seed, values in enumerate(zip(both, local, strict=True), 1):
        for row, value in zip(("both", "local alone"), values, strict=True):
            found.append(result(row, seed, {"st:iou_point": value}))
    return found


def of_seeds(count: int, *changes: Change) -> Grid:
    return grid(lambda values: values.update(seeds=list(range(1, count + 1))), *changes)


def test_an_estimate_by_hand() -> None:
    # Mean 3, deviation sqrt(2.5), five values: t(0.975, 4) = 2.7764451, times sqrt(2.5 / 5).
    found = estimate([1, 2, 3, 4, 5])
    assert found.mean == 3
    assert found.half == pytest.approx(1.9632432)
    assert str(estimate([0.1, 0.2])) == "15.0 ±63.5"
    assert str(Estimate(0.1234, None)) == "12.3"


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=9).filter(lambda v: np.std(v) > 1e-6))
def test_an_estimate_is_that_of_scipy(values: list[float]) -> None:
    found = estimate(values)
    low, high = stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))
    assert found.half is not None
    assert (found.mean - found.half, found.mean + found.half) == pytest.approx((low, high))


def test_one_seed_has_no_interval() -> None:
    assert estimate([0.5]) == Estimate(0.5, None)


def test_values_that_are_all_alike() -> None:
    assert estimate([0.25] * 3) == Estimate(0.25, 0)


def test_a_whole_report() -> None:
    made = of_seeds(3)
    # Means 0.3 and 0.2; differences 0.1, 0.05 and 0.15: their mean 0.1, deviation 0.05,
    # t(0.975, 2) = 4.3027, half 4.3027 * 0.05 / sqrt(3) = 0.1242.
    # Of 0.2, 0.3, 0.4: 4.3027 * 0.1 / sqrt(3) = 0.2484; of 0.1, 0.25, 0.25: 0.2151.
    report = grid_report(made, cells([0.2, 0.3, 0.4], [0.1, 0.25, 0.25]))
    lines = report.split("\n")
    assert lines[0] == "A table"
    assert lines[1].split() == ["IoU+Point", "video", "mAP", "label", "IoU", "pointing"]
    assert lines[3].startswith("both         30.0 ±24.8 [12.3]")
    assert lines[4].startswith("local alone  20.0 ±21.5 (-10.0 ±12.4)  0.0 ±0.0 (+0.0 ±0.0)")
    assert lines[5] == (
        "in percent; mean of 3 seeds ± half of the 95 % interval; in parentheses the difference "
        "from the first row, seed by seed; in brackets the paper's"
    )
    assert lines[6:] == [
        "",
        "Findings",
        "- both are better: not told apart here (st:iou_point +10.0 ±12.4)",
    ]


def test_differences_are_taken_seed_by_seed() -> None:
    # Seeds differ by far more than rows; in each the first row has 0.05 more.
    report = grid_report(of_seeds(3), cells([0.1, 0.5, 0.9], [0.05, 0.45, 0.85]))
    assert "45.0 ±99.4 (-5.0 ±0.0)" in report
    assert "- both are better: seen here (st:iou_point +5.0 ±0.0)" in report


@pytest.mark.parametrize(
    ("both", "local", "verdict"),
    [
        ([0.5, 0.6, 0.7], [0.1, 0.2, 0.31], "seen here (st:iou_point +39.7 ±1.4)"),
        ([0.1, 0.2, 0.31], [0.5, 0.6, 0.7], "the opposite is seen here (st:iou_point -39.7 ±1.4)"),
        ([0.1, 0.9, 0.5], [0.5, 0.4, 0.4], "not told apart here (st:iou_point +6.7 ±112.0)"),
        ([0.5, 0.4, 0.4], [0.1, 0.9, 0.5], "not told apart here (st:iou_point -6.7 ±112.0)"),
        ([0.3, 0.4, 0.5], [0.3, 0.4, 0.5], "not told apart here (st:iou_point +0.0 ±0.0)"),
        ([0.9], [0.1], "one seed cannot tell (st:iou_point +80.0)"),
        ([None, 0.6], [0.1, None], "not told apart here (st:iou_point +25.0 ±444.7)"),
    ],
)
def test_a_finding_is_judged_by_its_interval(
    both: list[float | None], local: list[float | None], verdict: str
) -> None:
    report = grid_report(of_seeds(len(both)), cells(both, local))
    assert report.endswith(f"- both are better: {verdict}")


def test_a_table_of_one_seed_has_means_alone() -> None:
    report = grid_report(of_seeds(1), cells([0.2], [0.1]))
    assert "±" not in report
    assert "(" not in report.split("Findings")[0]
    assert "both         20.0 [12.3]" in report
    assert "\nin percent; in brackets the paper's\n" in report


def no_paper(values: dict) -> None:
    values["rows"][0].pop("paper")


def no_findings(values: dict) -> None:
    values.pop("findings")


def test_without_the_papers_numbers_that_is_said() -> None:
    report = grid_report(of_seeds(1, no_paper, no_findings), cells([0.2], [0.1]))
    assert report.endswith("\nin percent; the paper's numbers are not at hand")
    assert "[" not in report
    assert "Findings" not in report


def test_only_the_seeds_of_the_grid_count() -> None:
    found = cells([0.2, 0.4], [0.1, 0.3])
    assert "both         20.0" in grid_report(of_seeds(1), found)


def test_every_table_is_there_in_its_order() -> None:
    def second(values: dict) -> None:
        values["tables"].append({"title": "Another", "rows": ["local alone"]})

    report = grid_report(of_seeds(1, second), cells([0.2], [0.1]))
    assert report.index("A table") < report.index("Another") < report.index("Findings")
    another = report.split("Another")[1].split("Findings")[0]
    assert "local alone  10.0" in another
    assert "both" not in another
