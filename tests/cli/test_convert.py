"""`gytbench convert`: options, reports, exit codes, and files that are whole or not there."""

import json
from pathlib import Path

import pytest

from gytbench.predictions import load_predictions
from gytbench.predictions.convert import FORMATS

from .conftest import WIDE, Run, predictions, tube


def test_every_format_is_listed(run: Run) -> None:
    code, out, _ = run("convert", "--formats")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == list(FORMATS)


def test_from_and_back(run: Run, tmp_path: Path) -> None:
    source, there, back = (tmp_path / name for name in ("in.json", "there.jsonl.gz", "back.json"))
    detections = {"v": [{"label": "stir", "score": 0.5, "segment": [1.5, 3.0]}]}
    source.write_text(json.dumps({"results": detections}))
    printed = run("convert", "--from", "activitynet", source, "-o", there, "--task", "temporal")
    assert printed == (0, f"{there}: 1 tube\n", "")
    assert load_predictions(there).task == "temporal"
    assert run("convert", "--to", "activitynet", there, "-o", back).code == 0
    assert json.loads(back.read_text())["results"] == detections


def test_what_is_left_out_is_named_and_strict_refuses_it(run: Run, tmp_path: Path) -> None:
    source, out = predictions(tmp_path, tube(points=[[1, 2]] * 3), tube(meta={})), tmp_path / "o"
    code, _, err = run("convert", "--to", "activitynet", source, "-o", out)
    assert (code, err) == (0, "left out: points (3)\nleft out: meta (1)\n")
    out.write_text("older")
    code, _, err = run("convert", "--to", "activitynet", source, "-o", out, "--strict")
    assert (code, out.read_text()) == (2, "older")
    assert err == "error: left out: points (3)\nerror: left out: meta (1)\n"


def test_answers_that_cannot_be_read_are_shown_with_their_line(run: Run, tmp_path: Path) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "out.json"
    texts = ["from 1 to 3", *["no idea"] * 5]
    lines = (json.dumps({"video": "v", "label": "a", "answer": text}) for text in texts)
    source.write_text("\n".join(lines))
    code, printed, err = run("convert", "--from", "answers", source, "-o", out)
    assert (code, printed) == (0, f"{out}: 1 tube\n")
    first, *shown = err.splitlines()
    assert first == "not read: no time, no box and no point (5)"
    assert [line.split(": ")[1] for line in shown] == ["line 2", "line 3", "line 4"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give either --from FORMAT or --to FORMAT"),
        (("--from", "csv", "--to", "csv"), "give either --from FORMAT or --to FORMAT"),
        (("--from", "csv"), "give the file to read and, with -o, the one to write"),
        (("--from", "activtynet", "-o", "o.json"), "did you mean 'activitynet'?"),
        (("--to", "grove", "-o", "o.pkl"), "the format grove is read, not written"),
        (("--from", "csv", "-o", "o.txt"), "o.txt: the file name must end in one of"),
        (("--from", "csv", "-o", "o.json", "--frame-size", "big"), "--frame-size must be"),
        (("--from", "csv", "-o", "o.json", "--labels", "none"), "none: no such file"),
        (("--to", "csv", "-o", "in.json"), "in.json: is read, and would be overwritten"),
        (("--from", "csv", "-o", "none/o.json"), "none/o.json: cannot be written"),
    ],
)
def test_faults_of_the_call(
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    source = predictions(tmp_path, name="in.json")
    before = source.read_bytes()
    printed = run("convert", "in.json", *arguments)
    assert printed.code == 2
    assert said in printed.err
    assert [path.name for path in tmp_path.iterdir()] == ["in.json"]
    assert source.read_bytes() == before


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    "content", [b"", b"\x00\xff\xfe", b"[]", b"{}", b'{"a": [1,', b"PK\x03\x04"]
)
def test_nonsense_is_a_fault_or_nothing(
    run: Run, tmp_path: Path, name: str, content: bytes
) -> None:
    source, out = tmp_path / "in.bin", tmp_path / "out.json"
    source.write_bytes(content)
    more = ("--fps", "5", "--label", "a", "--frame-size", "640x480")
    code, _, err = run("convert", "--from", name, source, "-o", out, *more)
    assert code in (0, 2)
    assert out.exists() == (code == 0)
    if code == 2:
        assert err.startswith(f"error: {source}")
    else:
        assert load_predictions(out).tubes == []


@pytest.mark.parametrize("name", FORMATS)
def test_a_missing_file_is_a_fault(run: Run, tmp_path: Path, name: str) -> None:
    more = ("--fps", "5", "--label", "a", "--frame-size", "640x480")
    code, _, err = run(
        "convert", "--from", name, tmp_path / "none", "-o", tmp_path / "o.json", *more
    )
    assert (code, err) == (2, f"error: {tmp_path / 'none'}: no such file\n")


@pytest.mark.parametrize("form", [".json", ".json.gz", ".jsonl", ".jsonl.gz", ".parquet"])
def test_every_form_of_predictions_is_read(run: Run, tmp_path: Path, form: str) -> None:
    plain, given, out = tmp_path / "a.csv", tmp_path / f"b{form}", tmp_path / "c.csv"
    plain.write_text("tube,video,label,start,end,score,second,x,y\n1,v,a,1,3,0.5,1,0.5,0.25\n")
    assert run("convert", "--from", "csv", plain, "-o", given).code == 0
    assert run("convert", "--to", "csv", given, "-o", out).code == 0
    assert out.read_text().splitlines()[1] == "1,v,a,1,3,0.5,,1,1,1,,,,,,0.5,0.25"


def test_every_fault_of_faulty_predictions_is_told(run: Run, tmp_path: Path) -> None:
    source = predictions(tmp_path, tube(start="x"), tube(), tube(end=None))
    code, _, err = run("convert", "--to", "csv", source, "-o", tmp_path / "o.csv")
    assert code == 2
    assert "$.tubes[0].start: expected number" in err
    assert "$.tubes[2].end: expected number" in err


def test_lists_of_another_length_are_a_fault(run: Run, tmp_path: Path) -> None:
    source = predictions(tmp_path, tube(points=[[1, 2]]))
    code, _, err = run("convert", "--to", "csv", source, "-o", tmp_path / "o.csv")
    assert (code, err) == (2, f"error: {source}: $.tubes[0].points: 1 entries for 3 seconds\n")


def test_labels_of_every_form(run: Run, tmp_path: Path) -> None:
    source, out = tmp_path / "in.txt", tmp_path / "out.json"
    source.write_text("v 1 2 7 0.5\n")
    labels = tmp_path / "labels"
    for text in (
        "7 stir it\n12 pour\n",
        "label_id,label_name\n7,stir it\n",
        '{"7": "stir it"}',
        '{"categories": [{"id": 7, "name": "stir it"}]}',
        'item {\n  name: "stir it"\n  id: 7\n}\n',
        'label {\n  name: "stir it"\n  label_id: 7\n  label_type: PERSON_MOVEMENT\n}\n',
    ):
        labels.write_text(text)
        printed = run("convert", "--from", "thumos", source, "-o", out, "--labels", labels)
        assert printed.code == 0, (text, printed.err)
        assert load_predictions(out).tubes[0].label == "stir it"
    for text, said in (
        ("7 a\n7 b\n", "line 2: 7 or 'b' stands there twice"),
        ("7 a\nb\n", "line 2: not a number and a name"),
        ("", "holds no labels"),
        ('{"x": "a"}', "$"),
        ('item { name: "a" }', "line 1: an item without a name and an id"),
    ):
        labels.write_text(text)
        code, _, err = run("convert", "--from", "thumos", source, "-o", out, "--labels", labels)
        assert code == 2
        assert said in err


def test_images_of_a_coco_file(run: Run, tmp_path: Path) -> None:
    source, out, images = (tmp_path / name for name in ("in.json", "out.json", "images.json"))
    source.write_text(json.dumps([{"image_id": 1, "category_id": 7, "bbox": [1, 2, 3, 4]}]))
    content = {
        "images": [
            {"id": 1, "file_name": f"{WIDE}_12_stir_it.jpg", "width": 640, "height": 480},
            {"id": 2, "file_name": "v/000013.png"},
        ],
        "categories": [{"id": 7, "name": "stir it"}],
    }
    images.write_text(json.dumps(content))
    assert run("convert", "--from", "coco", source, "-o", out, "--images", images).code == 0
    (found,) = load_predictions(out).tubes
    assert (found.video, found.label, found.start) == (WIDE, "stir it", 12)
    assert (found.boxes, found.frame_size) == ([(1, 2, 4, 6)], (640, 480))
    back = tmp_path / "back.json"
    assert run("convert", "--to", "coco", out, "-o", back, "--images", images).code == 0
    assert json.loads(back.read_text()) == [
        {"image_id": 1, "category_id": 7, "bbox": [1, 2, 3, 4], "score": 1}
    ]
    content["images"] = [{"id": 1, "file_name": "cat.jpg"}]
    images.write_text(json.dumps(content))
    code, _, err = run("convert", "--from", "coco", source, "-o", out, "--images", images)
    assert code == 2
    assert "$.images[0].file_name: 'cat.jpg' is not VIDEO_SECOND.jpg" in err


def test_queries_are_those_of_a_file_or_the_benchmark(run: Run, tmp_path: Path, data: Path) -> None:
    source, out = tmp_path / "in.json", tmp_path / "out.json"
    source.write_text(json.dumps({"video_predictions": {f"{WIDE}_2": {"sted": [4, 6]}}}))
    more = ("--queries", "released", "--data", data, "--fps", "1", "--task", "spatial")
    assert run("convert", "--from", "tubedetr", source, "-o", out, *more).code == 0
    (found,) = load_predictions(out).tubes
    assert (found.video, found.label, found.instance) == (WIDE, "pour_it", 2)
    queries = tmp_path / "queries.json"
    source.write_text(json.dumps({"video_predictions": {"3": {"sted": [10, 30]}}}))
    told = {"video_id": 3, "original_video_id": "v", "caption": "a cook", "fps": 10}
    queries.write_text(json.dumps({"videos": [told], "trajectories": {}}))
    assert run("convert", "--from", "tubedetr", source, "-o", out, "--queries", queries).code == 0
    (found,) = load_predictions(out).tubes
    assert (found.video, found.label, found.start, found.end) == ("v", "a cook", 1, 3)
    source.write_text(json.dumps({"video_predictions": {"4": {"sted": [10, 30]}}}))
    code, _, err = run("convert", "--from", "tubedetr", source, "-o", out, "--queries", queries)
    assert code == 2
    assert err.endswith("$.video_predictions['4']: --queries has no '4'\n")
