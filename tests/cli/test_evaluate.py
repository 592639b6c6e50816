"""`gytbench evaluate`: what it prints and writes, and how it refuses."""

import json
from pathlib import Path
from typing import Any

import pytest

from gytbench.evaluation import parse_signature
from gytbench.profiles import PROFILES, parse_profile_signature, profiles_of

from .conftest import TALL, WIDE, Run, predictions, tube

# Second 2 has the box [220, 140, 420, 340], second 4 [0, 0, 100, 100], both of the wide video;
# second 3 is ignored. The tall video's second 0 has a box, second 1 is ignored.
CENTRE = tube(points=[[0.5, 0.5]] * 3)


def test_the_table_names_file_metrics_and_signature(run: Run, data: Path, tmp_path: Path) -> None:
    path = predictions(tmp_path, CENTRE)
    code, out, err = run("evaluate", path, "--data", data)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == str(path)
    # Covered are seconds 2 and 4, and 0 of the tall one; predicted are 2 and 4, under the label
    # of one instance of each; at second 2 the point is in the box: 1 / (3 + 2 - 1).
    assert [line.split()[1] for line in lines if line.startswith("iou_point ")] == ["25.00"]
    assert [line.split()[1] for line in lines if line.startswith("video_map@0.1 ")] == ["n/a"]
    assert parse_signature(lines[-1].removeprefix("Signature: ")).task == "st"


def test_json_to_standard_output_is_all_there_is(run: Run, data: Path, tmp_path: Path) -> None:
    path = predictions(tmp_path, CENTRE)
    code, out, err = run("evaluate", path, "--data", data, "--json", "-")
    assert (code, err) == (0, "")
    result = json.loads(out)
    assert result["metrics"]["iou_point"] == 0.25
    assert result["metrics"]["video_map@0.1"] is None
    assert list(result)[:4] == ["signature", "task", "metrics", "counts"]
    assert {"missing", "per_class", "per_video"} <= set(result)
    assert sorted(tmp_path.iterdir()) == [data, path]


def test_json_to_a_file_beside_the_table(run: Run, data: Path, tmp_path: Path) -> None:
    path, out_path = predictions(tmp_path, CENTRE), tmp_path / "result.json"
    out_path.write_text("old")
    code, out, _ = run("evaluate", path, "--data", data, "--json", out_path)
    assert code == 0
    assert "iou_point" in out
    assert json.loads(out_path.read_text())["metrics"]["iou_point"] == 0.25
    printed = run("evaluate", path, "--data", data, "--json", "-").out
    assert out_path.read_text() == printed
    assert sorted(tmp_path.iterdir()) == [data, path, out_path]


@pytest.mark.parametrize(
    ("place", "reason"),
    [("missing/out.json", "No such file or directory"), ("data", "Is a directory")],
)
def test_json_that_cannot_be_written(
    run: Run, data: Path, tmp_path: Path, place: str, reason: str
) -> None:
    path = predictions(tmp_path, CENTRE)
    code, out, err = run("evaluate", path, "--data", data, "--json", tmp_path / place)
    assert (code, out) == (2, "")
    assert err == f"error: {tmp_path / place}: cannot be written: {reason}\n"


def test_the_task_is_the_files_own_or_the_one_asked_for(
    run: Run, data: Path, tmp_path: Path
) -> None:
    path = predictions(tmp_path, CENTRE, task="temporal")
    assert "|task:temporal|" in run("evaluate", path, "--data", data).out
    assert "|task:st|" in run("evaluate", path, "--data", data, "--task", "st").out


def test_options_reach_the_signature(run: Run, data: Path, tmp_path: Path) -> None:
    path = predictions(tmp_path, tube(instance=5, label="pour it", start=4, end=6), task="spatial")
    options = "--boxes readme --classes step --subset 3to20 --tolerance 2.5 --heatmap-threshold 0.7"
    code, out, _ = run("evaluate", path, "--data", data, *options.split())
    assert code == 0
    named = parse_signature(out.splitlines()[-1].removeprefix("Signature: "))
    assert (named.boxes, named.classes, named.subset) == ("readme", "step", "3to20")
    assert (named.tolerance, named.heatmap_threshold) == (2.5, 0.7)
    options = "--task temporal --average isba --fps 12.5"
    path = predictions(tmp_path, tube())
    named = parse_signature(
        run("evaluate", path, "--data", data, *options.split())
        .out.splitlines()[-1]
        .removeprefix("Signature: ")
    )
    assert (named.task, named.average, named.fps) == ("temporal", "isba", 12.5)


BAD_OPTIONS: list[tuple[str, list[str]]] = [
    ("--boxes x", ["published", "readme", "full"]),
    ("--boxes publisched", ["did you mean 'published'?"]),
    ("--classes x", ["mining512", "step"]),
    ("--subset x", ["all", "3to20"]),
    ("--task x", ["st", "spatial", "temporal"]),
    ("--task temporal --average x", ["video-class", "isba", "frames-micro", "videogem"]),
    ("--task temporal --fps 0", ["--fps must be above 0"]),
    ("--task temporal --fps nan", ["--fps must be above 0"]),
    ("--task temporal --fps x", ["'x' is not a valid float"]),
    ("--task spatial --tolerance nan", ["--tolerance must be from 0"]),
    ("--task spatial --tolerance -1", ["--tolerance must be from 0"]),
    ("--task spatial --tolerance inf", ["--tolerance must be from 0"]),
    ("--heatmap-threshold 0", ["--heatmap-threshold must be above 0 and at most 1"]),
    ("--heatmap-threshold nan", ["--heatmap-threshold must be above 0 and at most 1"]),
    ("--tolerance 3", ["--tolerance has no meaning for the task 'st'"]),
    ("--average isba", ["--average has no meaning for the task 'st'"]),
    ("--fps 5", ["--fps has no meaning for the task 'st'"]),
    ("--task temporal --boxes readme", ["--boxes has no meaning for the task 'temporal'"]),
    ("--task temporal --subset 3to20", ["--subset has no meaning for the task 'temporal'"]),
    ("--task temporal --heatmap-threshold 0.6", ["--heatmap-threshold has no meaning"]),
    ("--boxs readme", ["--boxes"]),
]


@pytest.mark.parametrize(("options", "told"), BAD_OPTIONS)
def test_options_that_are_wrong(
    run: Run, data: Path, tmp_path: Path, options: str, told: list[str]
) -> None:
    path = predictions(tmp_path, CENTRE)
    out_path = tmp_path / "out.json"
    code, out, err = run("evaluate", path, "--data", data, "--json", out_path, *options.split())
    assert (code, out) == (2, "")
    assert all(text in err for text in told)
    assert "rror: " in err
    assert not out_path.exists()


def test_data_that_is_not_there(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    path = predictions(tmp_path, CENTRE)
    for options in ((), ("--data", tmp_path / "nowhere")):
        code, out, err = run("evaluate", path, *options)
        assert (code, out) == (2, "")
        assert "gytbench data fetch" in err
        assert err.count("\n") == 1


def content(*tubes: Any) -> str:
    """The text of a file of predictions."""
    return json.dumps({"format": "gytbench-predictions/1", "task": "st", "tubes": list(tubes)})


BAD_FILES: list[tuple[str | bytes, list[str]]] = [
    ("", ["error: {}: not JSON: it is empty"]),
    ("[]", ["error: {}: $: must be an object, not an array"]),
    (
        content(tube(score="NaN")).replace('"NaN"', "NaN"),
        [
            "error: {}: not JSON at line 1, column 140: NaN is no JSON; write null where nothing "
            "is predicted"
        ],
    ),
    (b"\x1f\x8b\x08", ["error: {}: it is compressed: let its name end in .gz"]),
    (content(tube(start=-1)), ["error: {}: $.tubes[0].start: expected number >= 0.0"]),
    (content(tube(end=1e308)), ["error: {}: $.tubes[0].end: expected number <= 86400.0"]),
    (
        content({}, tube(boxes=[[1, 2, 3]])),
        [
            "error: {}: $.tubes[0]: the key `video` is missing",
            "error: {}: $.tubes[0]: the key `label` is missing",
            "error: {}: $.tubes[0]: the key `start` is missing",
            "error: {}: $.tubes[0]: the key `end` is missing",
            "error: {}: $.tubes[1].boxes[0]: expected array of length 4",
        ],
    ),
    (
        content(tube(label="crack_eg"), tube(end=1), tube(points=[[1e308, 0], None, None])),
        [
            "error: {}: $.tubes[0].label: unknown label 'crack_eg'; did you mean 'crack_egg' or "
            "'crack_eggs'? (video 'aaaaaaaaaaa')",
            "error: {}: $.tubes[1].end: the tube ends at 1 s, not after its start 2 s "
            "(video 'aaaaaaaaaaa')",
            "error: {}: $.tubes[2].points[0]: [1e+308, 0] is not finite, or beyond 1e+06 "
            "(video 'aaaaaaaaaaa')",
        ],
    ),
]


@pytest.mark.parametrize(("text", "expected"), BAD_FILES)
def test_bad_files(
    run: Run, data: Path, tmp_path: Path, text: str | bytes, expected: list[str]
) -> None:
    path, out_path = tmp_path / "preds.json", tmp_path / "out.json"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    for target in ("-", out_path):
        code, out, err = run("evaluate", path, "--data", data, "--json", target)
        assert (code, out) == (2, "")
        assert err.splitlines() == [line.format(path) for line in expected]
    assert sorted(tmp_path.iterdir()) == [data, path]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing.json", "no such file"),
        ("data.json", "this is a folder; name the prediction file"),
        (
            "preds.txt",
            "the file name must end in one of .json, .json.gz, .jsonl, .jsonl.gz, .parquet",
        ),
    ],
)
def test_files_that_are_none(run: Run, data: Path, tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "data.json").mkdir()
    printed = run("evaluate", tmp_path / name, "--data", data)
    assert printed == (2, "", f"error: {tmp_path / name}: {reason}\n")


def test_beyond_twenty_faults_the_rest_is_counted(run: Run, data: Path, tmp_path: Path) -> None:
    for count, last in ((20, "$.tubes[19].label"), (21, "and 1 more faults")):
        path = predictions(tmp_path, *[tube(label="?")] * count)
        lines = run("evaluate", path, "--data", data).err.splitlines()
        assert len(lines) == min(count, 20) + (count > 20)
        assert last in lines[-1]


NASTY = "\x1b[31mred\x1b[0m\r\nnext\tline\u2028\u202e\x00"


def test_control_characters_are_printed_as_escapes(run: Run, data: Path, tmp_path: Path) -> None:
    path = predictions(tmp_path, tube(label=NASTY), tube(video=NASTY), name="a\x1b[1m\nb.json")
    printed = run("evaluate", path, "--data", data)
    (video, label) = printed.err.splitlines()
    assert all(c.isprintable() for c in label + video)
    assert r"a\x1b[1m\nb.json: $.tubes[0].label: unknown label '\x1b[31mred" in label
    assert r"\r\nnext\tline\u2028\u202e\x00'" in label
    # Also where the decoder itself quotes the file, and in the table's title.
    heatmap = {"shape": [1, 1], "dtype": NASTY, "data": ""}
    path = predictions(tmp_path, tube(heatmaps=[heatmap]), tube(**{NASTY: 1}))
    assert len(run("evaluate", path, "--data", data).err.splitlines()) == 2
    path = predictions(tmp_path, CENTRE, name="a\x1b[1m\nb.json")
    title = run("evaluate", path, "--data", data).out.splitlines()[0]
    assert title.endswith(r"a\x1b[1m\nb.json")


def test_a_tall_video_in_its_own_frame(run: Run, data: Path, tmp_path: Path) -> None:
    # The box of second 0 is [140, 220, 340, 420] of 480x640; given in twice that size.
    said = tube(video=TALL, label="fry it", start=0, end=2, boxes=[[280, 440, 680, 840], None])
    path = predictions(tmp_path, said, frame_size=[960, 1280])
    result = json.loads(run("evaluate", path, "--data", data, "--json", "-").out)
    assert result["per_video"][TALL]["iou_point"] == 1
    assert result["per_class"]["fry_it"]["video_ap@0.5"] == 1


def test_the_predictions_are_not_overwritten(run: Run, data: Path, tmp_path: Path) -> None:
    path = predictions(tmp_path, CENTRE)
    before = path.read_bytes()
    code, out, err = run("evaluate", path, "--data", data, "--json", path)
    assert (code, out) == (2, "")
    assert "would overwrite the predictions" in err
    assert path.read_bytes() == before


def cut_boxes(data: Path) -> None:
    """Let the released boxes of the wide video be cut at x = 480, in all releases."""
    inner = data / "groundingyoutube"
    (inner / "id2xy_box_new_s.json").write_text(json.dumps({WIDE: {"2": [360, 140, 480, 340]}}))
    point = {"image_url": f"{WIDE}_2_crack_eggs.jpg", "x": 470, "y": 240, "mean_dist": 5}
    rows = json.dumps([point])
    (inner / "pumpkin_youtube_FPS_21k_annotation_full_agg_p.json").write_text(rows)


def test_releases_stand_side_by_side(run: Run, data: Path, tmp_path: Path) -> None:
    cut_boxes(data)
    path = predictions(tmp_path, tube(points=[[500, 240]] * 3, frame_size=[640, 480]))
    code, out, err = run(
        "evaluate", path, "--data", data, "--boxes", "full", "--boxes", "repaired", "--json", "-"
    )
    assert (code, err) == (0, "")
    full, repaired = json.loads(out)
    assert [parse_signature(each["signature"]).boxes for each in (full, repaired)] == [
        "full",
        "repaired",
    ]
    # The point at x = 500 lies beyond the cut, and in the box that the mean point gives back.
    assert full["metrics"]["iou_point"] == 0
    assert repaired["metrics"]["iou_point"] == 1
    assert repaired["notes"][-1] == "1 of the 1 boxes have an estimated right edge"
    table = run("evaluate", path, "--data", data, "--boxes", "full", "--boxes", "repaired").out
    lines = table.splitlines()
    assert lines[0] == str(path)
    assert lines[3].split()[:4] == ["full", "repaired", "full", "repaired"]
    row = next(line.split() for line in lines if line.startswith("iou_point "))
    assert row[1:3] == ["0.00", "100.00"]
    assert [line for line in lines if line.startswith("On ")] == ["On full:", "On repaired:"]
    assert sum(line.startswith("Signature: ") for line in lines) == 2


def test_a_release_given_twice_is_one(run: Run, data: Path, tmp_path: Path) -> None:
    path = predictions(tmp_path, CENTRE)
    once = run("evaluate", path, "--data", data, "--boxes", "full")
    assert once == run("evaluate", path, "--data", data, "--boxes", "full", "--boxes", "full")


def test_one_of_the_releases_is_misspelt(run: Run, data: Path, tmp_path: Path) -> None:
    path = predictions(tmp_path, CENTRE)
    options = ("--boxes", "full", "--boxes", "repared", "--json", tmp_path / "out.json")
    code, out, err = run("evaluate", path, "--data", data, *options)
    assert (code, out) == (2, "")
    assert "did you mean 'repaired'?" in err
    assert not (tmp_path / "out.json").exists()


def test_a_profile_has_its_own_metrics_and_signature(run: Run, data: Path, tmp_path: Path) -> None:
    path = predictions(tmp_path, tube(boxes=[[220, 140, 420, 340]] * 3), frame_size=[640, 480])
    code, out, err = run("evaluate", path, "--data", data, "--profile", "act")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == str(path)
    line = next(line for line in lines if line.startswith("Signature: "))
    profile, protocol = parse_profile_signature(line.removeprefix("Signature: "))
    assert (profile.name, protocol.task, protocol.boxes) == ("act", "st", "published")
    assert f"Conventions of {profile.used_by}" in lines
    assert {f"Known fault, part of the number: {fault}" for fault in profile.faults} <= set(lines)
    printed = run("evaluate", path, "--data", data, "--profile", "act", "--json", "-").out
    assert json.loads(printed)["signature"] == line.removeprefix("Signature: ")


@pytest.mark.parametrize("task", ["st", "spatial", "temporal"])
def test_profiles_stand_side_by_side_with_their_spread(
    run: Run, data: Path, tmp_path: Path, task: str
) -> None:
    answer = {"instance": 0} if task == "spatial" else {}
    boxes = [[220, 140, 420, 340], [0, 0, 640, 480], [220, 140, 420, 340]]
    path = predictions(tmp_path, tube(boxes=boxes, **answer), task=task, frame_size=[640, 480])
    out_path = tmp_path / "all.json"
    code, out, err = run("evaluate", path, "--data", data, "--profiles", "--json", out_path)
    assert (code, err) == (0, "")
    names = ["gytbench", *(profile.name for profile in profiles_of(task))]  # type: ignore[arg-type]
    head = next(line for line in out.splitlines() if line.startswith("in percent"))
    assert head.split() == ["in", "percent", *names, "spread"]
    results = json.loads(out_path.read_text())
    assert [result["signature"] in out for result in results] == [True] * len(names)
    metric = {"st": "video_map@0.5", "spatial": "pointing_accuracy", "temporal": "iou"}[task]
    scored = [each["metrics"][metric] for each in results if metric in each["metrics"]]
    row = next(line for line in out.splitlines() if line.startswith(f"{metric} ")).split()
    assert row[1:] == [f"{100 * v:.2f}" for v in (*scored, max(scored) - min(scored))]


def test_help_names_every_profile(run: Run) -> None:
    text = " ".join(run("evaluate", "--help").out.split()).replace("gyt- official", "gyt-official")
    names = ", ".join(list(PROFILES)[:-1])
    assert f"{names} or {list(PROFILES)[-1]}" in text


def test_profiles_of_a_file_without_boxes(run: Run, data: Path, tmp_path: Path) -> None:
    path = predictions(tmp_path, CENTRE)
    out = run("evaluate", path, "--data", data, "--profiles").out
    row = next(line for line in out.splitlines() if line.startswith("video_map@0.1 ")).split()
    assert row[1:] == ["n/a"] * 4
    assert "Note: the file has no boxes" in out


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("--profile nobody", "unknown profile 'nobody': choose act, moc, activitynet"),
        ("--profile isba", "the profile isba is for the task temporal, not st"),
        ("--profile act --profiles", "give --profile NAME or --profiles, not both"),
        ("--profile act --boxes full --boxes readme", "--profile scores on one release"),
        ("--profiles --boxes full --boxes readme", "--profiles scores on one release"),
        ("--profiles --ci", "--profiles has metrics alone: leave out --ci"),
        ("--profile act --outcomes o.npz", "--profile has metrics alone: leave out --outcomes"),
        ("--profile act --report o.html", "--profile has metrics alone: leave out --report"),
        ("--profile act --videos .", "--profile has metrics alone: leave out --videos"),
        ("--profile act --seed 3", "--seed is for intervals; give --ci too"),
        ("--profile act --heatmap-threshold 0.7", "leave out --heatmap-threshold"),
    ],
)
def test_profiles_with_options_that_are_wrong(
    run: Run, data: Path, tmp_path: Path, options: str, told: str
) -> None:
    path = predictions(tmp_path, CENTRE)
    code, out, err = run("evaluate", path, "--data", data, *options.split())
    assert (code, out) == (2, "")
    assert told in err
    assert err.count("\n") == 1
