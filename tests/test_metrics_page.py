"""docs/metrics.md says what the scorer says: figures, tables and numbers in the prose."""

import re
from functools import cache

import numpy as np
import pytest

import gytbench
from docs.figures import examples
from docs.figures.drawing import FIGURES, svg_of
from docs.figures.page import FOLDER, PAGE, filled, tables
from gytbench.bounds import make_bound
from gytbench.predictions import TASKS

NUMBER = re.compile(r"(?<![\w.@])\d+(?:,\d{3})*(?:\.\d+)?")

COORDINATE = r"-?\d+(?:\.\d+)?"
TEXT = r"<text[^>]*>([^<]*)</text>"


@cache
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


@cache
def drawn(name: str) -> str:
    return svg_of(name).decode()


def section(number: int) -> str:
    found = re.search(rf"^## {number}\. .*\n((?:(?!## ).*\n)*)", page(), re.MULTILINE)
    assert found
    return found[1]


def test_the_tables_are_those_of_the_examples() -> None:
    assert filled(page()) == page(), "run `make figures`"
    assert all(f"<!-- table {name} -->\n" in page() for name in tables())


def test_a_table_that_differs_is_made_anew() -> None:
    wrong = page().replace("4 hits / 7 units", "5 hits / 7 units")
    assert wrong != page()
    assert filled(wrong) == page()


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_that_of_its_example(name: str) -> None:
    stored = (FOLDER / f"{name}.svg").read_text(encoding="utf-8")
    assert re.findall(TEXT, stored) == re.findall(TEXT, drawn(name)), "run `make figures`"
    # Another release of Matplotlib may place a line otherwise by a hair, and names are hashes.
    both = [re.sub(r"(?<=[#\"])[a-z][0-9a-f]{10}\b", "", text) for text in (stored, drawn(name))]
    assert re.sub(COORDINATE, "", both[0]) == re.sub(COORDINATE, "", both[1])
    values = [np.array(re.findall(COORDINATE, text), dtype=float) for text in both]
    assert np.abs(values[0] - values[1]).max() < 0.05


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_drawn_the_same_each_time(name: str) -> None:
    assert svg_of(name).decode() == drawn(name)


def test_every_figure_is_shown_once_and_no_other() -> None:
    shown = re.findall(r"!\[[^\]]+\]\(figures/(\w+)\.svg\)", page())
    assert sorted(shown) == sorted(FIGURES)
    assert {path.stem for path in FOLDER.glob("*.svg")} == set(FIGURES)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_readable_on_a_page(name: str) -> None:
    svg = drawn(name)
    width = re.search(r'<svg[^>]* width="([\d.]+)pt"', svg)
    assert width
    assert 600 <= float(width[1]) * 4 / 3 <= 700
    sizes = [float(size) for size in re.findall(r"font-size: ([\d.]+)px", svg)]
    assert sizes
    assert min(sizes) >= 8  # In points, as the width is: 10.7 pixels.
    assert re.search(r'id="patch_1">\s*<path[^>]*style="fill: #ffffff', svg), "no solid ground"


def written(*texts: str) -> set[str]:
    return {number for text in texts for number in NUMBER.findall(text)}


SETTINGS = {
    1: set(),
    2: {"0.3", "16", "12"},
    3: set(),
    4: set(),
    5: set(),
    6: set(),
    7: {"0.1", "0.3", "0.4", "0.5"},
    8: {"95", "2.5", "97.5", "1,000"},
}
"""Numbers of the prose that are no result: thresholds, sizes, quantiles."""


@pytest.mark.parametrize("number", SETTINGS)
def test_numbers_of_the_prose_are_those_of_table_or_figure(number: int) -> None:
    lines = section(number).splitlines()
    prose = "\n".join(line for line in lines if not line.startswith(("|", "!", "$$")))
    prose = re.sub(r"`[^`]*`|\$[^$]*\$|\]\([^)]*\)", "", prose)
    table = "\n".join(line for line in lines if line.startswith("|"))
    texts = [
        text
        for name in re.findall(r"figures/(\w+)\.svg", section(number))
        for text in re.findall(TEXT, drawn(name))
    ]
    told = {each for each in written(prose) if not re.fullmatch(r"\d", each)}
    assert told <= written(table, *texts) | SETTINGS[number]


@pytest.mark.parametrize("task", TASKS)
def test_every_metric_of_a_task_is_derived(task: str) -> None:
    benchmark = examples.matching().benchmark
    oracle = make_bound("oracle-instance", benchmark, task)
    metrics = gytbench.evaluate(oracle, benchmark=benchmark).metrics
    made = [code for text in tables().values() for code in re.findall(r"`([^`]+)`", text)]
    assert set(metrics) <= set(made)
    listed = page().partition("## 1.")[0]
    for name in metrics:
        plain = re.sub(r"_(class|video)_mean$", "", name)
        assert f"`{plain}`" in listed or plain.startswith("video_map@"), name


@pytest.mark.parametrize("threshold", examples.TUBE_THRESHOLDS)
def test_the_area_that_is_drawn_is_the_average_precision(threshold: float) -> None:
    found = examples.matching()
    row = found.result.per_class["crack"]
    assert found.curves[threshold].area == pytest.approx(row[f"video_ap@{threshold}"], abs=1e-12)


def test_the_area_of_the_ranked_units_is_the_average_precision() -> None:
    found = examples.ranking()
    expected = found.result.per_class["crack"]["spatial_ap@0.3"]
    assert found.curve.area == pytest.approx(expected, abs=1e-12)


def test_the_pixels_that_are_drawn_are_those_that_are_counted() -> None:
    found = examples.region()
    for pixels, entry, span in zip(found.pixels, (1, 2), found.spans.tolist(), strict=True):
        x1, y1, x2, y2 = span
        assert pixels.sum() == found.entries.measured.area[entry]
        assert pixels[y1:y2, x1:x2].sum() == found.entries.measured.shared[entry]


def test_the_areas_of_the_tube_by_hand() -> None:
    found = examples.tube()
    assert found.ignored == {3}
    # 200 x 160, 150 x 200 and 200 x 200 shared; four boxes against five, each 200 x 200.
    assert found.iou == pytest.approx(102_000 / (160_000 + 200_000 - 102_000), abs=1e-12)


def test_what_the_interval_says() -> None:
    found = examples.interval()
    assert found.drawn.size == 1000
    score = found.result.metrics["pointing_accuracy"]
    low, high = (score + q - found.drawn.mean() for q in np.quantile(found.drawn, (0.025, 0.975)))
    assert found.rows[1].value == f"{low:.3f} to {high:.3f}"


def test_the_story_of_the_pointing_game() -> None:
    hits = {0: True, 1: True, 2: False, 4: False, 5: False, 6: True, 7: True}
    assert examples.pointing().hit == hits


def test_the_story_of_the_matching() -> None:
    found = examples.matching()
    first, second, third = range(3)
    assert found.iou[1].argmax() == first
    assert found.iou[4, third] == 0.4
    taken = {threshold: each.tolist() for threshold, each in found.taken.items()}
    assert taken[0.1] == taken[0.2] == [first, second, -1, -1, third, -1]
    assert taken[0.3] == taken[0.4] == [first, -1, -1, second, third, -1]
    assert taken[0.5] == [first, -1, -1, second, -1, -1]


def test_the_story_of_the_seconds() -> None:
    found = examples.seconds()
    assert found.benchmark.ignored_seconds == {"a": {3}, "b": frozenset()}
    assert found.result.outcomes.frames.tolist() == [[8, 9, 7, 5], [4, 4, 2, 2]]


def test_the_story_of_the_labels_in_time() -> None:
    crack, beat = ([examples.CLASSES.index(name)] for name in ("crack", "beat"))
    durations = examples.time().durations
    assert durations[0, crack].tolist() == [[6, 6, 4]]
    assert durations[:, beat].tolist() == [[[10, 4, 4]], [[8, 8, 4]]]
