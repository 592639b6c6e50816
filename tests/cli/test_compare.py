"""`gytbench compare`: every format, stored outcomes, and how it refuses."""

import csv
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from .conftest import TALL, WIDE, Run, predictions, tube

CSV = ("--format", "csv")
FORMATS = ("table", "json", "latex", "markdown", "csv")
RIGHT: list[dict[str, Any]] = [
    tube(boxes=[[220, 140, 420, 340], None, None]),
    tube(
        video=TALL,
        label="fry it",
        start=0,
        end=2,
        boxes=[[140, 220, 340, 420], None],
        frame_size=[480, 640],
    ),
]
SIZE = [640, 480]


def pair(folder: Path) -> tuple[Path, Path]:
    """A file that says little, and one that is right in both videos."""
    first = predictions(folder, tube(boxes=[[0, 0, 50, 50], None, None]), frame_size=SIZE)
    return first, predictions(folder, *RIGHT, name="b_2.json", frame_size=SIZE)


def test_the_table(run: Run, data: Path, tmp_path: Path) -> None:
    code, out, err = run("compare", *pair(tmp_path), "--data", data)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    head = "in percent preds.json b_2.json difference 95 % interval p"
    assert " ".join(lines[0].split()) == head
    cells = {line.split()[0]: line.split()[1:] for line in lines if line}
    assert cells["iou_point"][:3] == ["0.00", "50.00", "+50.00"]
    # Of the four ways to swap two videos, two give a difference as large: p is near 1/2.
    assert 0.4 < float(cells["iou_point"][-1]) < 0.6
    assert lines[-4:-1] == [
        "Difference: the other system minus the first, in points",
        "Intervals: 95 %, paired bootstrap over 2 videos, 1,000 resamples, seed 0",
        "p: paired permutation test over the videos, 1,000 permutations, seed 0; * p < 0.05",
    ]
    assert lines[-1].startswith("Signature: gytbench:1.0|task:st|")


def test_json_and_csv_hold_fractions(run: Run, data: Path, tmp_path: Path) -> None:
    first, other = pair(tmp_path)
    options = ("--data", data, "--resamples", 100, "--permutations", 200, "--seed", 4)
    found = json.loads(run("compare", first, other, *options, "--format", "json").out)
    numbers = (found["videos"], found["resamples"], found["permutations"], found["seed"])
    assert numbers == (2, 100, 200, 4)
    (contrast,) = found["others"]
    one = contrast["metrics"]["iou_point"]
    assert (one["first"], one["other"], one["difference"]) == (0, 0.5, 0.5)
    assert one["interval"]["low"] <= 0.5 <= one["interval"]["high"]
    assert (one["p"], one["significant"]) == (one["p_holm"], False)
    rows = list(csv.DictReader(StringIO(run("compare", first, other, *options, *CSV).out)))
    assert [row["metric"] for row in rows] == list(contrast["metrics"])
    assert float(rows[0]["p"]) == one["p"]
    assert (rows[0]["first"], rows[0]["other"]) == ("preds.json", "b_2.json")


def test_what_is_not_defined(run: Run, data: Path, tmp_path: Path) -> None:
    first, _ = pair(tmp_path)
    points = predictions(tmp_path, tube(points=[[0.5, 0.5]] * 3), name="points.json")
    row = run("compare", first, points, "--data", data, *CSV).out.splitlines()[10]
    assert row == "video_map@0.1,preds.json,points.json,0.0,,,,,,,"
    found = json.loads(run("compare", first, points, "--data", data, "--format", "json").out)
    one = found["others"][0]["metrics"]["video_map@0.1"]
    assert (one["other"], one["interval"], one["p"], one["significant"]) == (
        None,
        None,
        None,
        False,
    )
    lines = run("compare", first, points, "--data", data).out.splitlines()
    (cells,) = [line.split()[1:] for line in lines if line.startswith("video_map@0.1 ")]
    assert cells == ["0.00", "n/a", "n/a", "n/a", "n/a"]


def test_latex_compiles_by_its_looks(run: Run, data: Path, tmp_path: Path) -> None:
    first, _ = pair(tmp_path)
    odd = predictions(tmp_path, *RIGHT, name="50%_&_{$x^2~#\\}.json", frame_size=SIZE)
    code, out, err = run("compare", first, odd, "--data", data, "--format", "latex")
    assert (code, err) == (0, "")
    name = r"50\%\_\&\_\{\$x\textasciicircum{}2\textasciitilde{}\#\textbackslash{}\}.json"
    assert rf"in percent & preds.json & {name} & difference & 95 \% interval & p \\" in out
    assert out.count(r"\begin{") == out.count(r"\end{") == 2
    assert all(rule in out for rule in (r"\toprule", r"\midrule", r"\bottomrule", r"\caption{"))
    body = [line for line in out.splitlines() if line.endswith(r"\\")]
    assert {line.count(" & ") for line in body} == {5}
    assert len(body) == 16
    worse = run("compare", odd, first, "--data", data, "--format", "latex").out
    assert "& $-$50.00 & $-$" in worse
    assert "cell-first" in worse


def test_markdown_is_a_table(run: Run, data: Path, tmp_path: Path) -> None:
    first, _ = pair(tmp_path)
    odd = predictions(tmp_path, *RIGHT, name="a|b_*.json", frame_size=SIZE)
    out = run("compare", first, odd, "--data", data, "--format", "markdown").out
    rows = [line for line in out.splitlines() if line.startswith("|")]
    assert len(rows) == 17
    assert {line.replace("\\|", "").count("|") for line in rows} == {7}
    assert r"a\|b\_\*.json" in rows[0]
    assert rows[2].startswith("| `iou_point` ")


def many(folder: Path, data: Path, count: int) -> tuple[Path, Path]:
    """A wrong and a right file, on a benchmark with more videos."""
    inner = data / "groundingyoutube"
    names = [f"video{number:06}" for number in range(count)]
    contents: dict[str, Any] = {
        "seg.json": [{"segment": [0, 1], "id": 0, "sentence": "fry it"}],
        "id2wh_new.json": [640, 480],
        "GoundingYouTubeBox.json": {"0": {"box": [1, 1, 99, 99], "step": "fry it"}},
    }
    for file, content in contents.items():
        released = json.loads((inner / file).read_text())
        (inner / file).write_text(json.dumps(released | dict.fromkeys(names, content)))
    said = {"label": "fry it", "start": 0, "end": 2}
    wrong = [{"video": video, **said, "points": [[300, 300]] * 2} for video in names]
    right = [{"video": video, **said, "points": [[50, 50]] * 2} for video in names]
    return (
        predictions(folder, *wrong, name="wrong.json", frame_size=SIZE),
        predictions(folder, *right, name="right.json", frame_size=SIZE),
    )


def test_stars_and_several_systems(run: Run, data: Path, tmp_path: Path) -> None:
    wrong, right = many(tmp_path, data, 20)
    for form in FORMATS:
        args = ("compare", wrong, right, wrong, "--data", data, "--format", form)
        code, out, err = run(*args)
        assert (code, err) == (0, "")
        # Two of the three have the same name and path: all are numbered.
        plain = out.replace("\\", "")
        assert all(
            title in plain for title in ("wrong.json (1)", "right.json (2)", "wrong.json (3)")
        )
        if form in ("table", "markdown"):
            assert "p (Holm)" in out
            assert "Holm's correction over the other systems" in out
    lines = run("compare", wrong, right, wrong, "--data", data).out.splitlines()
    starred, plain = [line.split() for line in lines if line.startswith("iou_point ")]
    assert starred[3].endswith("*")
    assert starred[-1] == "0.002"
    assert plain[3:] == ["+0.00", "+0.00", "to", "+0.00", "1.000"]


@pytest.mark.parametrize("form", FORMATS)
def test_to_a_file(run: Run, data: Path, tmp_path: Path, form: str) -> None:
    args = ("compare", *pair(tmp_path), "--data", data, "--format", form)
    target = tmp_path / "out.txt"
    assert run(*args, "-o", target) == (0, "", "")
    assert target.read_text() == run(*args).out
    assert target.read_text().endswith("\n")
    assert not target.read_text().endswith("\n\n")


def stored(run: Run, data: Path, path: Path, *options: object) -> Path:
    target = path.with_suffix(".npz")
    assert run("evaluate", path, "--data", data, "--outcomes", target, *options).code == 0
    return target


def test_stored_outcomes_stand_for_files(
    run: Run, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, other = pair(tmp_path)
    expected = run("compare", first, other, "--data", data).out
    one, two = stored(run, data, first), stored(run, data, other)
    assert run("compare", one, other, "--data", data).out == expected
    assert run("compare", first, two, "--data", data).out == expected
    # Alone, they need no released files.
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert run("compare", one, two).out == expected


def test_stored_outcomes_name_the_task(run: Run, data: Path, tmp_path: Path) -> None:
    first, other = pair(tmp_path)
    one = stored(run, data, first, "--task", "temporal")
    code, out, err = run("compare", one, other, "--data", data)
    assert (code, err) == (0, "")
    assert "|task:temporal|" in out


def test_unlike_signatures(run: Run, data: Path, tmp_path: Path) -> None:
    first, other = pair(tmp_path)
    one = stored(run, data, first, "--heatmap-threshold", 0.25)
    code, out, err = run("compare", one, other, "--data", data)
    assert (code, out) == (2, "")
    assert err == (
        "error: b_2.json: scored under another protocol than preds.json: region is '0.5', "
        "not '0.25'; --anyway compares all the same\n"
    )
    for form in FORMATS:
        code, out, err = run("compare", one, other, "--data", data, "--anyway", "--format", form)
        assert (code, err) == (0, "")
        if form in ("table", "latex", "markdown"):
            assert "Warning: these are numbers of different protocols beside each other" in out
            assert "region:0.25" in out.replace("\\", "")
            assert "region:0.5" in out.replace("\\", "")


def test_unlike_classes_are_not_tested(run: Run, data: Path, tmp_path: Path) -> None:
    first, other = pair(tmp_path)
    one = stored(run, data, first, "--classes", "step")
    args = ("compare", one, other, "--data", data, "--anyway", "--format")
    for form in FORMATS:
        code, out, err = run(*args, form)
        assert (code, err) == (0, "")
        if form in ("table", "latex", "markdown"):
            assert "Not tested: b" in out
            assert "the classes differ" in out
            assert "bootstrap" not in out
    found = json.loads(run(*args, "json").out)["others"][0]
    assert found["untested"] == "the classes differ"
    assert found["metrics"]["iou_point"]["p"] is None


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ("preds.json", "a comparison needs two systems or more"),
        ("preds.json missing.json", "missing.json: no such file"),
        ("preds.json missing.npz", "missing.npz: cannot be read: No such file or directory"),
        ("preds.json bad.npz", "bad.npz: not an .npz file, or a damaged one"),
        ("preds.json b_2.json -o b_2.json", "b_2.json: is read, and would be overwritten"),
        ("preds.json b_2.json -o missing/out", "missing/out: cannot be written: No such file"),
        ("preds.json b_2.json --fps 5", "--fps has no meaning for the task 'st'"),
        ("preds.json b_2.json --boxes x", "no such box release"),
    ],
)
def test_what_cannot_be_compared(
    run: Run, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: str, told: str
) -> None:
    paths = pair(tmp_path)
    (tmp_path / "bad.npz").write_bytes(b"PK\x03\x04")
    before = [path.read_bytes() for path in paths]
    monkeypatch.chdir(tmp_path)
    code, out, err = run("compare", *args.split(), "--data", data)
    assert (code, out) == (2, "")
    assert told in err
    assert err.startswith("error: ")
    assert [path.read_bytes() for path in paths] == before


@pytest.mark.parametrize("args", ["", "--permutations 1", "--format html", "--boxs x"])
def test_wrong_usage(run: Run, data: Path, tmp_path: Path, args: str) -> None:
    files = pair(tmp_path) if args else ()
    code, out, err = run("compare", *files, "--data", data, *args.split())
    assert (code, out) == (2, "")
    assert "rror: " in err


def test_odd_titles_are_printed_on_one_line(run: Run, data: Path, tmp_path: Path) -> None:
    first, _ = pair(tmp_path)
    odd = predictions(tmp_path, *RIGHT, name="a\x1b[1m\nb.json", frame_size=SIZE)
    for form in FORMATS:
        out = run("compare", first, odd, "--data", data, "--format", form).out
        assert "\x1b" not in out
        assert "[1m" in out.replace("\\", "")


def test_files_of_one_name_are_told_apart_by_their_folders(
    run: Run, data: Path, tmp_path: Path
) -> None:
    (tmp_path / "b").mkdir()
    first = predictions(tmp_path, *RIGHT, frame_size=SIZE)
    other = predictions(tmp_path / "b", *RIGHT, frame_size=SIZE)
    head = run("compare", first, other, "--data", data).out.splitlines()[0].split()
    assert head[2:4] == [str(first), str(other)]
    assert WIDE not in head
