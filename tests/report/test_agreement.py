"""Agreement as tables, JSON and plots."""

import builtins
import json
import struct
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from gytbench.annotation.agreement import Agreement, agreement
from gytbench.annotation.rows import PointRow
from gytbench.annotation.table import build_table
from gytbench.errors import InputError
from gytbench.report.agreement import agreement_json, agreement_tables, draw_agreement


@pytest.fixture(scope="module")
def five() -> Agreement:
    """Five annotators on 24 frames of two classes; the fifth is far off."""
    rng = np.random.default_rng(5)
    return agreement(build_table(list(_rows(rng))))


def _rows(rng: np.random.Generator) -> Iterable[PointRow]:
    for second in range(24):
        step, reach = ("pour $x$", 40) if second % 2 else ("stir", 10)
        for number in range(5):
            x, y = np.clip(rng.normal((300, 200), reach * (4 if number == 4 else 1)), 0, 480)
            seen = number != 3 or second % 3
            point = (float(x), float(y)) if seen else (None, None)
            where = f"{second}/{number}"
            yield PointRow("v", second, step, f"person {number}", *point, 640, 480, where)


@pytest.fixture(scope="module")
def means() -> Agreement:
    """Mean points of twelve frames, each with twice its second as mean distance."""
    return agreement(
        build_table(
            [
                PointRow("w", second, "fry", "mean", 9, 9, 640, 480, str(second), 2.0 * second)
                for second in range(12)
            ]
        )
    )


def png_size(path: Path) -> tuple[int, int]:
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def test_tables_tell_everything_of_raw_points(five: Agreement) -> None:
    text = agreement_tables({"points.csv": five}, top=3)
    assert "of 24 frames to annotate again" in text
    classes = text.split("points.csv: classes with the largest spread")[1]
    assert classes.index("pour $x$") < classes.index("stir")
    people = text.split("annotators farthest from the others")[1]
    assert (
        next(line.split("  ")[0] for line in people.split("\n") if "person" in line) == "person 4"
    )
    assert people.count("person") == 3
    assert "box, %" in people


def test_tables_of_mean_points_leave_out_what_is_not_known(means: Agreement) -> None:
    text = agreement_tables({"round 1": means, "round 2": means})
    assert "round 2: videos with the largest spread" in text
    assert "no point is tested: only the annotators' mean points are known" in text
    assert "box, %" not in text
    assert "annotators farthest" not in text
    # Mean distances 0, 2, ... 22: median 11, and 90 % up to 19.8.
    assert ["fry", "12", "12", "0.0", "11.0", "19.8"] in [line.split() for line in text.split("\n")]


def test_a_table_without_enough_frames_says_so() -> None:
    few = agreement(build_table([PointRow("v", 1, "", "a", 1, 1, None, None, "1")]))
    assert "no class has 10 such frames" in agreement_tables({"few": few})


def test_json_holds_what_was_found(five: Agreement, means: Agreement) -> None:
    content = json.loads(agreement_json({"five": five, "means": means}))
    assert (content["frame"], content["margin"]) == ([640, 480], 100)
    raw, mean = content["annotations"]["five"], content["annotations"]["means"]
    assert raw["overall"] == five.overall._asdict()
    assert [group["name"] for group in raw["classes"]] == ["pour $x$", "stir"]
    assert len(raw["annotators"]) == 5
    assert raw["untested"] is None
    assert {"video", "second", "step", "reasons", "spread"} == set(raw["repeat"][0])
    assert mean["overall"]["inside"] is None
    assert mean["untested"] == means.untested
    assert mean["annotators"] == []


def test_plots_are_drawn_of_what_there_is(
    five: Agreement, means: Agreement, tmp_path: Path
) -> None:
    paths = draw_agreement({"a/b.csv": five, "a b.csv": means}, tmp_path / "new" / "plots")
    assert [path.name for path in paths] == [
        "spread.png",
        "a-b.csv-classes.png",
        "a-b.csv-annotators.png",
        "a-b.csv-2-classes.png",
    ]
    assert all(min(png_size(path)) > 200 for path in paths)


def test_letters_that_the_font_lacks_do_no_harm(five: Agreement, tmp_path: Path) -> None:
    assert len(draw_agreement({"搅拌": five}, tmp_path)) == 3


def test_nothing_is_drawn_of_one_annotator(tmp_path: Path) -> None:
    alone = agreement(build_table([PointRow("v", 1, "", "a", 1, 1, None, None, "1")]))
    assert draw_agreement({"alone": alone}, tmp_path) == []


def test_a_folder_that_cannot_be_made(five: Agreement, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be made"):
        draw_agreement({"five": five}, tmp_path / "file")


def test_without_matplotlib_the_message_says_what_to_install(
    five: Agreement, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *args: object, **options: object) -> object:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"pip install 'gytbench\[report\]'"):
        draw_agreement({"five": five}, tmp_path)
