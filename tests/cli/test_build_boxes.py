"""`gytbench build-boxes`: what it writes and prints, and its exit codes."""

import contextlib
import csv
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO

from gytbench.annotation.rows import PointRow
from gytbench.benchmark import load_benchmark
from gytbench.benchmark.box_files import read_boxes
from tests.annotation.writing import WRITERS
from tests.cli.conftest import TALL, WIDE, Run
from tests.construction import dense

FIVE = [(300.0, 200.0), (320.0, 260.0), (310.0, 240.0), (305.0, 230.0), (315.0, 220.0)]
HEADER = "video,second,step,annotator,x,y\n"
FIVE_CSV = HEADER + "".join(f"v,3,Pour milk,a{i},{x},{y}\n" for i, (x, y) in enumerate(FIVE))
BOX = [200, 100, 420, 360]


@pytest.fixture
def points(tmp_path: Path) -> Path:
    """Five annotators' points on one frame."""
    path = tmp_path / "points.csv"
    path.write_text(FIVE_CSV)
    return path


@pytest.fixture
def several(tmp_path: Path) -> Path:
    """Frames of three points 5 px apart, of two points 200 px apart, of one point, of none."""
    path = tmp_path / "several.csv"
    path.write_text(
        HEADER
        + "v,1,pour,a,300,200\nv,1,pour,b,306,208\nv,1,pour,c,303,204\n"
        + "v,2,pour,a,100,200\nv,2,pour,b,300,200\n"
        + "v,3,pour,a,100,200\nv,3,pour,b,,\n"
        + "v,4,pour,a,,\n"
    )
    return path


def in_folder(folder: Path) -> list[str]:
    """What lies in a folder, hidden files too."""
    return sorted(path.name for path in folder.iterdir())


def test_the_boxes(run: Run, points: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    code, text, err = run("build-boxes", points, "-o", out)
    assert (code, err) == (0, "")
    assert text.splitlines() == [
        "points.csv: 1 frame, 5 points of 5 annotators",
        "1 box",
        f"1 box written to {out}",
    ]
    assert json.loads(out.read_text()) == {"v": {"3": BOX}}
    assert in_folder(tmp_path) == ["out.json", "points.csv"]


def test_without_outputs_it_only_reports(run: Run, points: Path, tmp_path: Path) -> None:
    code, text, _ = run("build-boxes", points)
    assert code == 0
    assert "1 box" in text
    assert in_folder(tmp_path) == ["points.csv"]


def test_every_layout(run: Run, points: Path, tmp_path: Path) -> None:
    found = {}
    for layout in ("boxes", "steps", "coco"):
        out = tmp_path / f"{layout}.json"
        assert run("build-boxes", points, "-o", out, "--layout", layout).code == 0
        found[layout] = json.loads(out.read_text())
    assert found["boxes"] == {"v": {"3": BOX}}
    assert found["steps"] == {"v": {"3": {"box": BOX, "step": "pour milk"}}}
    (annotation,) = found["coco"]["annotations"]
    assert annotation["bbox"] == [200, 100, 220, 260]
    assert [each["name"] for each in found["coco"]["categories"]] == ["pour_milk"]


def test_two_steps_in_a_second(run: Run, tmp_path: Path) -> None:
    path, out = tmp_path / "points.csv", tmp_path / "out.json"
    path.write_text(HEADER + "v,3,add,a,300,200\nv,3,pour,a,400,200\n")
    _, text, _ = run("build-boxes", path, "-o", out)
    assert "1 box left out: a second has one box in this layout, the last counts" in text
    assert json.loads(out.read_text()) == {"v": {"3": [300, 100, 500, 300]}}
    _, text, _ = run("build-boxes", path, "-o", out, "--layout", "coco")
    assert "left out" not in text
    assert len(json.loads(out.read_text())["annotations"]) == 2


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools
def test_masks(run: Run, points: Path, tmp_path: Path) -> None:
    for level in (0.5, 0.9):
        out = tmp_path / "masks.json"
        code, text, err = run("build-boxes", points, "--masks", out, "--level", level)
        assert (code, err) == (0, "")
        assert f"1 mask written to {out}" in text
        with contextlib.redirect_stdout(io.StringIO()):
            read = COCO(str(out))
        (annotation,) = read.anns.values()
        above = dense.region(FIVE, (640, 480), 32, level)
        clear = np.abs(above) > 1e-12
        assert (read.annToMask(annotation).astype(bool) == (above >= 0))[clear].all()
        assert annotation["bbox"] == [200, 100, 220, 260]


def test_heatmaps(run: Run, points: Path, tmp_path: Path) -> None:
    out = tmp_path / "heatmaps.npz"
    code, text, err = run("build-boxes", points, "--heatmaps", out)
    assert (code, err) == (0, "")
    assert f"1 heatmap written to {out}" in text
    with np.load(out, allow_pickle=False) as archive:
        assert archive.files == ["v/3/pour_milk"]
        heat = archive["v/3/pour_milk"]
    np.testing.assert_allclose(heat, dense.heat(FIVE, (640, 480), 32), atol=1e-9)


def test_heatmaps_on_a_grid(run: Run, points: Path, tmp_path: Path) -> None:
    out = tmp_path / "heatmaps.npz"
    options = "--grid", "64x24", "--sigma", "20"
    assert run("build-boxes", points, "--heatmaps", out, *options).code == 0
    with np.load(out, allow_pickle=False) as archive:
        heat = archive["v/3/pour_milk"]
    assert heat.shape == (24, 64)
    assert heat.sum() == pytest.approx(1, abs=1e-5)
    assert np.unravel_index(heat.argmax(), heat.shape) == (11, 30)  # about (310, 230)


def test_options_of_the_rule(run: Run, tmp_path: Path) -> None:
    path, out = tmp_path / "points.csv", tmp_path / "out.json"
    path.write_text("video,second,annotator,x,y,width,height\nv,3,a,1200,660,1280,720\n")
    for options, box in (
        ((), [500, 340, 640, 480]),
        (("--frame", "native"), [1000, 510, 1280, 720]),
        (("--frame", "320x240"), [250, 170, 320, 240]),
        (("--margin", "10"), [590, 430, 610, 450]),
        (("--frame", "native", "--margin", "0"), [1200, 660, 1200, 660]),
        (("--clip", "swapped"), [500, 340, 480, 540]),
    ):
        assert run("build-boxes", path, "-o", out, *options).code == 0
        assert json.loads(out.read_text()) == {"v": {"3": box}}, options


def test_sizes_and_columns(run: Run, tmp_path: Path) -> None:
    path, sizes, out = (tmp_path / name for name in ("points.csv", "sizes.json", "out.json"))
    path.write_text("video,second,across,y\nv,3,1200,660\n")
    sizes.write_text('{"v": [1280, 720]}')
    code, _, err = run("build-boxes", path, "-o", out, "--sizes", sizes, "--column", "x=across")
    assert (code, err) == (0, "")
    assert json.loads(out.read_text()) == {"v": {"3": [500, 340, 640, 480]}}


def test_min_points_and_max_spread(run: Run, several: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    for options, seconds, dropped in (
        ((), ["1", "2", "3"], ["1 frame without a box: nothing visible"]),
        (
            ("--min-points", 2),
            ["1", "2"],
            [
                "1 frame without a box: nothing visible",
                "1 frame without a box: fewer than 2 points",
            ],
        ),
        (
            ("--max-spread", 50),
            ["1", "3"],
            [
                "1 frame without a box: nothing visible",
                "1 frame without a box: spread above 50 pixels",
            ],
        ),
    ):
        code, text, _ = run("build-boxes", several, "-o", out, *options)
        assert code == 0
        assert list(json.loads(out.read_text())["v"]) == seconds
        assert [line for line in text.splitlines() if "without a box" in line] == dropped


def means(*rows: tuple[str, float | None, float | None, float | None]) -> str:
    """Mean points as released."""
    keys = ("image_url", "x", "y", "mean_dist")
    return json.dumps([dict(zip(keys, row, strict=True)) for row in rows])


def test_mean_points_give_estimated_boxes(run: Run, tmp_path: Path) -> None:
    path, out = tmp_path / "means.json", tmp_path / "out.json"
    path.write_text(means(("v_3_pour.jpg", 300, 200, 10), ("v_4_pour.jpg", None, None, None)))
    code, text, _ = run("build-boxes", path, "-o", out, "--layout", "steps")
    assert code == 0
    assert "means.json: 2 frames, 1 mean point" in text
    assert "1 box, estimated from mean points" in text
    (row,) = json.loads(out.read_text())["v"].values()
    assert row == {"box": [190, 90, 410, 310], "step": "pour", "estimated": True}
    code, _, err = run("build-boxes", path, "--min-points", 2)
    assert code == 2
    assert "--min-points cannot be checked on mean points" in err


def test_explain(run: Run, points: Path, tmp_path: Path) -> None:
    boxes, listing = tmp_path / "boxes.json", tmp_path / "unexplained.csv"
    boxes.write_text(json.dumps({"v": {"3": BOX, "4": BOX}, "w": {"3": [1, 2, 3.5, 4]}}))
    code, text, err = run("build-boxes", points, "--explain", boxes, "--unexplained", listing)
    assert (code, err) == (0, "")
    assert f"1 of the 3 boxes in {boxes} are explained by the rule" in text
    assert "not explained: v second 4 [200.0, 100.0, 420.0, 360.0]: no point" in text
    with listing.open(newline="") as file:
        assert list(csv.reader(file)) == [
            ["video", "second", "x1", "y1", "x2", "y2", "reason"],
            ["v", "4", "200.0", "100.0", "420.0", "360.0", "no point in this second"],
            ["w", "3", "1.0", "2.0", "3.5", "4.0", "no point in this second"],
        ]


def test_what_it_built_is_explained(run: Run, several: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    for layout in ("boxes", "steps"):
        assert run("build-boxes", several, "-o", out, "--layout", layout).code == 0
        _, text, _ = run("build-boxes", several, "--explain", out)
        assert f"3 of the 3 boxes in {out} are explained by the rule" in text
        _, text, _ = run("build-boxes", several, "--explain", out, "--margin", 99)
        assert f"0 of the 3 boxes in {out} are explained by the rule" in text


def test_only_some_unexplained_boxes_are_shown(run: Run, points: Path, tmp_path: Path) -> None:
    boxes, listing = tmp_path / "boxes.json", tmp_path / "unexplained.csv"
    boxes.write_text(json.dumps({"w": {str(second): BOX for second in range(13)}}))
    _, text, _ = run("build-boxes", points, "--explain", boxes, "--unexplained", listing)
    assert text.count("not explained:") == 10
    assert "and 3 more; --unexplained OUT lists all" in text
    assert len(listing.read_text().splitlines()) == 14


def test_explain_the_released_boxes(run: Run, released: Path, tmp_path: Path) -> None:
    folder = released / "groundingyoutube"
    rounds = [
        folder / "pumpkin_youtube_annotation_full_agg_subset.json",
        folder / "pumpkin_youtube_FPS_21k_annotation_full_agg_p.json",
    ]
    boxes, listing = folder / "id2xy_box_new_s.json", tmp_path / "unexplained.csv"
    _, text, _ = run("build-boxes", *rounds, "--explain", boxes, "--clip", "swapped")
    assert f"21,719 of the 21,719 boxes in {boxes} are explained by the rule" in text
    _, text, _ = run("build-boxes", *rounds, "--explain", boxes, "--unexplained", listing)
    assert f"14,418 of the 21,719 boxes in {boxes} are explained by the rule" in text
    assert len(listing.read_text().splitlines()) == 1 + 21_719 - 14_418


def test_the_repaired_release_of_a_small_benchmark(run: Run, data: Path, tmp_path: Path) -> None:
    inner = data / "groundingyoutube"
    full = {WIDE: {"2": [220, 140, 480, 560], "4": [0, 0, 150, 150]}, TALL: {"0": [1, 1, 2, 2]}}
    (inner / "id2xy_box_new_s.json").write_text(json.dumps(full))
    point = {"image_url": f"https://host/{WIDE}_2_crack_eggs.jpg", "x": 400, "y": 240}
    (inner / "pumpkin_youtube_FPS_21k_annotation_full_agg_p.json").write_text(
        json.dumps([point | {"mean_dist": 50}])
    )
    out = tmp_path / "out.json"
    code, text, err = run("build-boxes", "--release", "repaired", "--data", data, "-o", out)
    assert (code, err) == (0, "")
    assert f"3 boxes written to {out}" in text
    assert "1 of them have an estimated right edge" in text
    # The cut edge mirrors the left one at the mean point; the lower one ends at the frame.
    mended = [220, 140, 580, 480]
    expected = {WIDE: {"2": mended, "4": [0, 0, 150, 150]}, TALL: {"0": [1, 1, 2, 2]}}
    assert json.loads(out.read_text()) == expected
    run("build-boxes", "--release", "repaired", "--data", data, "-o", out, "--layout", "steps")
    rows = json.loads(out.read_text())
    assert rows[WIDE]["2"] == {"box": mended, "step": "crack eggs", "estimated": True}
    assert rows[WIDE]["4"] == {"box": [0, 0, 150, 150]}


def test_the_repaired_release(run: Run, released: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    code, text, _ = run("build-boxes", "--release", "repaired", "--data", released, "-o", out)
    assert code == 0
    assert "6,272 of them have an estimated right edge" in text
    repaired = load_benchmark(boxes="repaired", data=released)
    assert hashlib.sha256(out.read_bytes()).hexdigest() == repaired.release_sha256


def test_every_format_gives_the_same_file(run: Run, tmp_path: Path) -> None:
    sizes = {"aaaaaaaaaaa": (1280.0, 720.0), "bb_b-bbbbbb": (480.0, 640.0)}
    rows = [
        PointRow(video, second, "pour_milk", name, x, y, *sizes[video], "")
        for video, second, name, x, y in (
            ("aaaaaaaaaaa", 3, "ann", 600.5, 300.25),
            ("aaaaaaaaaaa", 3, "bob", 1280.0, 0.0),
            ("aaaaaaaaaaa", 3, "cleo", None, None),
            ("aaaaaaaaaaa", 9, "ann", 20.0, 700.0),
            ("bb_b-bbbbbb", 3, "bob", 240.0, 600.0),
        )
    ]
    found: dict[str, Any] = {}
    for name, write in WRITERS.items():
        write(rows, tmp_path / name)
        out = tmp_path / f"boxes of {name}"
        code, _, err = run("build-boxes", tmp_path / name, "-o", out)
        assert (code, err) == (0, ""), name
        found[name] = read_boxes(out.read_bytes(), out)
    first = found["points.csv"]
    # Points at 640x480: (300.25, 200.17) and (640, 0); (10, 466.67); upright (240, 600).
    assert {video: list(rows) for video, rows in first.items()} == {
        "aaaaaaaaaaa": [3, 9],
        "bb_b-bbbbbb": [3],
    }
    assert first["aaaaaaaaaaa"][3] == pytest.approx((200.25, 0, 640, 300.25 * 2 / 3 + 100))
    assert first["aaaaaaaaaaa"][9] == pytest.approx((0, 700 * 2 / 3 - 100, 110, 480))
    assert first["bb_b-bbbbbb"][3] == (140, 500, 340, 640)
    for name, boxes in found.items():
        if name == "label_studio.json":  # its points are percentages
            assert boxes.keys() == first.keys()
            for video, by_second in boxes.items():
                assert by_second == {
                    second: pytest.approx(box, abs=1e-9) for second, box in first[video].items()
                }
        else:
            content = (tmp_path / f"boxes of {name}").read_bytes()
            assert content == (tmp_path / "boxes of points.csv").read_bytes(), name


def test_several_files_are_one_annotation(run: Run, tmp_path: Path) -> None:
    one, two, out = (tmp_path / name for name in ("ann.csv", "bob.csv", "out.json"))
    one.write_text("video,second,x,y\nv,3,300,200\n")
    two.write_text("video,second,x,y\nv,3,320,260\n")
    assert run("build-boxes", one, two, "-o", out).code == 0
    assert json.loads(out.read_text()) == {"v": {"3": BOX}}


BOMB = '<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><annotations>&b;'


@pytest.mark.parametrize(
    ("name", "content", "place", "reason"),
    [
        ("p.csv", HEADER + "v,3,s,a,10,20\nv,3,s,b,641,20\n", "line 3", "not inside its frame"),
        ("p.csv", HEADER + "v,3,s,a,nan,20\n", "line 2", "not a finite number"),
        ("p.csv", HEADER + "v,3,s,a,left,20\n", "line 2", "'left' is not a number"),
        ("p.csv", HEADER + "v,3,s,a,10,\n", "line 2", "one coordinate"),
        ("p.csv", HEADER + "v,3,s,a,1,2\nv,3,s,a,3,4\n", "line 3", "already"),
        ("p.csv", HEADER, "", "holds no"),
        ("p.csv", "", "", "it is empty"),
        ("p.json", '[{"video": "v", "second": 1, "x": NaN, "y": 2}]', "$[0].x", "not a number"),
        ("p.json", '[{"video": "v", "second": 1, "x": 1, "y"', "", "not JSON: it is truncated"),
        ("p.xml", BOMB, "", "DTD or entities"),
        ("p.xml", "<annotations><image", "", "not XML"),
    ],
)
def test_bad_points(
    run: Run, name: str, content: str, place: str, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_text(content)
    outputs = ("-o", "a.json", "--masks", "b.json", "--heatmaps", "c.npz")
    code, _, err = run("build-boxes", path, *(tmp_path / o if "." in o else o for o in outputs))
    assert code == 2
    assert err.startswith("error: ")
    assert str(path) in err
    assert place in err
    assert reason in err
    assert "Traceback" not in err
    assert in_folder(tmp_path) == [name]


BAD_OPTIONS = [
    pytest.param(["POINTS", "--release", "repaired"], "either files of points or", id="both"),
    pytest.param([], "either files of points or --release", id="neither"),
    pytest.param(["--release", "repaired"], "-o OUT", id="repaired without output"),
    pytest.param(["no.csv"], "no.csv: no such file", id="missing file"),
    pytest.param(["--release", "repaired", "-o", "a.json"], "leave out --masks", id="only boxes"),
    pytest.param(["FOLDER"], "this is a folder", id="folder as points"),
    pytest.param(["POINTS", "POINTS"], "is given twice", id="file twice"),
    pytest.param(["POINTS", "--grid", "0x0"], "--grid must be WIDTHxHEIGHT", id="grid 0x0"),
    pytest.param(["POINTS", "--grid", "4"], "--grid must be WIDTHxHEIGHT", id="grid 4"),
    pytest.param(["POINTS", "--grid", "2x1", "--sigma", "1"], "a finer --grid", id="coarse grid"),
    pytest.param(["POINTS", "--level", "2"], "--level must be above 0", id="level 2"),
    pytest.param(["POINTS", "--level", "nan"], "--level must be above 0", id="level nan"),
    pytest.param(["POINTS", "--frame", "abc"], "--frame must be WIDTHxHEIGHT", id="frame abc"),
    pytest.param(["POINTS", "--frame", "0x480"], "--frame must be WIDTHxHEIGHT", id="frame 0"),
    pytest.param(["POINTS", "--frame", "480x640"], "--frame must be wider", id="frame upright"),
    pytest.param(["POINTS", "--margin", "-1"], "--margin must be", id="margin"),
    pytest.param(["POINTS", "--margin", "nan"], "--margin must be", id="margin nan"),
    pytest.param(["POINTS", "--sigma", "0"], "--sigma must be", id="sigma"),
    pytest.param(["POINTS", "--min-points", "0"], "--min-points must be", id="min points"),
    pytest.param(["POINTS", "--max-spread", "-1"], "--max-spread must not be", id="max spread"),
    pytest.param(["POINTS", "--explain", "no.json"], "no.json: no such file", id="explain"),
    pytest.param(["POINTS", "--explain", "POINTS"], "not valid JSON", id="explain points"),
    pytest.param(["POINTS", "--sizes", "no.json"], "no.json: no such file", id="sizes"),
    pytest.param(["POINTS", "--column", "x=no"], "'no'", id="column"),
    pytest.param(
        ["POINTS", "--column", "x="],
        "--column takes ROLE=NAME, such as x=px, not 'x='",
        id="column-without-name",
    ),
    pytest.param(
        ["POINTS", "--column", "x=a", "--column", "x=b"],
        "--column gives x twice",
        id="column-twice",
    ),
    pytest.param(
        ["POINTS", "--column", "z=a"], "--column knows no 'z'; roles are image", id="column-role"
    ),
    pytest.param(["POINTS", "--unexplained", "u.csv"], "--explain", id="unexplained alone"),
]


@pytest.mark.parametrize(("args", "reason"), BAD_OPTIONS)
def test_bad_options(
    run: Run, args: list[str], reason: str, points: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Whatever is wrong, nothing is written."""
    monkeypatch.chdir(tmp_path)
    given = {"POINTS": points, "FOLDER": tmp_path}
    outputs: list[str] = []
    if "-o OUT" not in reason:
        outputs = ["-o", "a.json", "--masks", "b.json", "--heatmaps", "c.npz"]
    code, _, err = run("build-boxes", *(given.get(arg, arg) for arg in args), *outputs)
    assert code == 2
    assert reason in err
    assert "Traceback" not in err
    assert in_folder(tmp_path) == ["points.csv"]


def test_masks_of_frames_without_whole_pixels(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_text("video,second,annotator,x,y,width,height\nv,3,a,1,1,64.5,48\n")
    outputs = "-o", tmp_path / "a.json", "--masks", tmp_path / "b.json"
    code, _, err = run("build-boxes", path, "--frame", "native", *outputs)
    assert code == 2
    assert "masks need frames of whole pixels" in err
    assert in_folder(tmp_path) == ["points.csv"]


@pytest.mark.parametrize("option", ["-o", "--masks", "--heatmaps"])
def test_an_output_that_cannot_be(run: Run, option: str, points: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    code, _, err = run("build-boxes", points, option, folder)
    assert code == 2
    assert f"{folder}: cannot be written: Is a directory" in err
    missing = tmp_path / "no" / "out.json"
    code, _, err = run("build-boxes", points, option, missing)
    assert code == 2
    assert f"{missing}: cannot be written: No such file or directory" in err
    assert in_folder(tmp_path) == ["folder", "points.csv"]
    assert in_folder(folder) == []


@pytest.mark.parametrize("option", ["-o", "--masks", "--heatmaps", "--unexplained"])
def test_inputs_are_not_overwritten(run: Run, option: str, points: Path, tmp_path: Path) -> None:
    boxes = tmp_path / "boxes.json"
    boxes.write_text('{"v": {"3": [200, 100, 420, 360]}}')
    before = {path: path.read_bytes() for path in (points, boxes)}
    for path in before:
        code, _, err = run("build-boxes", points, "--explain", boxes, option, path)
        assert code == 2
        assert f"{path}: is read, and would be overwritten" in err
    assert {path: path.read_bytes() for path in before} == before


def test_two_outputs_in_one_file(run: Run, points: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    code, _, err = run("build-boxes", points, "-o", out, "--masks", out)
    assert code == 2
    assert f"{out}: is named as the output of several options" in err
    assert not out.exists()
