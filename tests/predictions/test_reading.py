"""What is wrong with a file, without a benchmark: each fault with its place and reason."""

import gzip
import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gytbench.errors import InputError
from gytbench.predictions import limits, load_predictions, pack, reading

from .making import BENCHMARK, document, json_file, reading_faults, tube


def lines(*values: Any) -> str:
    """The text of a .jsonl file."""
    return "\n".join(json.dumps(value) for value in values)


HEADER = {"format": "gytbench-predictions/1", "task": "st"}

# --- the file ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["preds", "preds.txt", "preds.gz", "preds.json.zip", "", "."])
def test_the_name_tells_the_form(name: str) -> None:
    with pytest.raises(InputError, match=r"the file name must end in one of \.json, "):
        load_predictions(name)


@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".json.gz", ".parquet"])
def test_files_that_cannot_be_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"preds{suffix}"
    assert reading_faults(path) == ["no such file"]
    path.mkdir()
    assert reading_faults(path) == ["this is a folder; name the prediction file"]
    path.rmdir()
    path.symlink_to(path)
    (fault,) = reading_faults(path)
    assert fault.startswith("cannot be read: ")
    (fault,) = reading_faults(tmp_path / ("x" * 300 + suffix))
    assert fault.startswith("cannot be read: ")


def test_a_file_under_a_file(tmp_path: Path) -> None:
    path = json_file(tmp_path, document()) / "preds.json"
    assert reading_faults(path) == ["cannot be read: Not a directory"]


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="a file that not even root reads")
@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".json.gz", ".parquet"])
def test_an_unreadable_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"preds{suffix}"
    path.symlink_to("/proc/self/mem")
    (fault,) = reading_faults(path)
    assert fault.startswith(("cannot be read: ", "not a readable Parquet file"))


def test_a_file_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    path = json_file(tmp_path, document())
    monkeypatch.setattr(Path, "open", refuse)
    assert reading_faults(path) == ["cannot be read: Permission denied"]


# --- compression -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["preds.json.gz", "preds.jsonl.gz"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.99])
def test_truncated_gzip(tmp_path: Path, name: str, share: float) -> None:
    path = json_file(tmp_path, document(*[tube(score=n / 7) for n in range(99)]), name)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    assert reading_faults(path) == ["the gzip file is truncated; write it again"]


def test_damaged_gzip(tmp_path: Path) -> None:
    path = json_file(tmp_path, document(*[tube(score=n / 7) for n in range(99)]), "preds.json.gz")
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2 :] = os.urandom(len(whole) - len(whole) // 2)
    path.write_bytes(whole)
    (fault,) = reading_faults(path)
    assert fault.startswith(("not a valid gzip file (", "the gzip file is truncated"))


def test_text_under_a_gzip_name_and_the_reverse(tmp_path: Path) -> None:
    path = tmp_path / "preds.json.gz"
    path.write_text(json.dumps(document()))
    assert reading_faults(path) == ["not a valid gzip file (Not a gzipped file (b'{\"'))"]
    path = tmp_path / "preds.json"
    path.write_bytes(gzip.compress(b"{}"))
    assert reading_faults(path) == ["it is compressed: let its name end in .gz"]


def test_a_gzip_bomb_stops_at_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_BYTES", 1 << 20)
    monkeypatch.setattr(reading, "_PIECE", 1 << 16)
    path = tmp_path / "preds.json.gz"
    path.write_bytes(gzip.compress(bytes(64 << 20)))
    assert reading_faults(path) == ["holds more than 0.000976562 GiB; split the file"]
    text = json.dumps(document()).encode()
    path.write_bytes(gzip.compress(text + b" " * ((1 << 20) - len(text))))
    assert load_predictions(path).tubes == []


def test_the_limit_counts_for_plain_files_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = json.dumps(document())
    monkeypatch.setattr(limits, "MAX_BYTES", len(text))
    assert load_predictions(json_file(tmp_path, text)).tubes == []
    (fault,) = reading_faults(json_file(tmp_path, text + " "))
    assert fault.endswith("split the file")


def test_a_gzip_file_of_several_members(tmp_path: Path) -> None:
    # `cat a.gz b.gz` is a gzip file of both texts.
    path = tmp_path / "preds.jsonl.gz"
    parts = [lines(HEADER) + "\n", lines(tube()) + "\n", lines(tube(start=1))]
    path.write_bytes(b"".join(gzip.compress(part.encode()) for part in parts))
    assert [each.start for each in load_predictions(path).tubes] == [2, 1]


# --- text that is not JSON ---------------------------------------------------------------------


def with_score(text: str) -> str:
    """A document whose one tube has this text for its score; the text begins at column 134."""
    return json.dumps(document(tube(score="HERE"))).replace('"HERE"', text)


MALFORMED: list[tuple[str | bytes, str]] = [
    ("", "not JSON: it is empty"),
    (" \n ", "not JSON: it is empty"),
    ("{", "not JSON: it is truncated: it ends too early"),
    (json.dumps(document(tube()))[:-1], "not JSON: it is truncated: it ends too early"),
    ("{'format': 1}", "not JSON at line 1, column 2: expected '\"'"),
    ('{\n "a": 1,\n}', "not JSON at line 3, column 1: trailing comma in object"),
    (json.dumps(document()) + "\n{}", "not JSON at line 2, column 2: trailing characters"),
    (with_score("NaN"), "NaN is no JSON; write null where nothing is predicted"),
    (with_score("Infinity"), "Infinity is no JSON; write null where nothing is predicted"),
    (with_score("-Infinity"), "-Infinity is no JSON; write null where nothing is predicted"),
    (with_score("None"), "None is no JSON; write null where nothing is predicted"),
    (with_score("01"), "invalid number"),
    (with_score("1."), "invalid number"),
    (with_score(".5"), "invalid character"),
    (with_score("0x10"), "expected ',' or '}'"),
    (with_score('"\t"'), "invalid character"),
    (with_score('"\\q"'), "invalid escape"),
    (with_score('"\\ud800"'), "(or a \\u escape lacks its other half)"),
    (b"\xef\xbb\xbf" + json.dumps(document()).encode(), "it starts with a byte order mark"),
    (json.dumps(document()).encode("utf-16"), "not UTF-8 text at line 1, column 1"),
    (b'{\n"a": "\xe9"}', "not UTF-8 text at line 2, column 7"),
    ("[" * 100_000, "nested too deeply"),
    (with_score("[" * 100_000), "nested too deeply"),
    (json.dumps(document()).replace("[]", '[{"meta":' + '{"a":' * 50_000), "nested too deeply"),
]


@pytest.mark.parametrize(("text", "reason"), MALFORMED)
def test_text_that_is_not_json(tmp_path: Path, text: str | bytes, reason: str) -> None:
    (fault,) = reading_faults(json_file(tmp_path, text))
    assert reason in fault
    assert len(fault) < 200


def test_line_and_column_of_a_nan_in_a_large_file(tmp_path: Path) -> None:
    rows = [json.dumps(tube()) for _ in range(1000)]
    rows[700] = rows[700].replace('"start": 2', '"start": NaN')
    text = (
        '{"format": "gytbench-predictions/1", "task": "st", "tubes": [\n' + ",\n".join(rows) + "]}"
    )
    (fault,) = reading_faults(json_file(tmp_path, text))
    column = rows[700].index("NaN") + 1
    assert fault.startswith(f"not JSON at line 702, column {column}: NaN is no JSON")


def test_malformed_lines_are_all_told(tmp_path: Path) -> None:
    good = json.dumps(tube())
    text = "\n".join(
        [json.dumps(HEADER), good, good[:-1], "", good.replace("2", "NaN", 1), good + good, "[]"]
    )
    path = json_file(tmp_path, text.encode() + b'\n{"video": "\xff"}', "preds.jsonl")
    assert reading_faults(path) == [
        "line 3: not JSON: it is truncated: it ends too early",
        f"line 5: not JSON at column {good.index('2') + 1}: NaN is no JSON; write null where "
        "nothing is predicted",
        f"line 6: not JSON at column {len(good) + 2}: trailing characters",
        "line 7: $: must be an object, not an array",
        "line 8: not UTF-8 text at column 12",
    ]


def test_a_tube_over_two_lines_is_no_line(tmp_path: Path) -> None:
    text = json.dumps(HEADER) + "\n" + json.dumps(tube()).replace(", ", ",\n", 1)
    faults = reading_faults(json_file(tmp_path, text, "preds.jsonl"))
    assert [fault.partition(":")[0] for fault in faults] == ["line 2", "line 3"]


@pytest.mark.parametrize("text", ["", "\n", "\n" + json.dumps(HEADER), lines(tube())])
def test_lines_without_a_header(tmp_path: Path, text: str) -> None:
    faults = reading_faults(json_file(tmp_path, text, "preds.jsonl"))
    assert faults
    assert all("line 1" in fault or fault == "it is empty" for fault in faults[:1])


def test_other_line_ends_and_blank_lines(tmp_path: Path) -> None:
    text = "\r\n".join([json.dumps(HEADER), "", json.dumps(tube()), "  ", json.dumps(tube()), ""])
    read = load_predictions(json_file(tmp_path, text, "preds.jsonl"))
    assert len(read.tubes) == 2
    assert [read.place(index) for index in (0, 1)] == ["line 3: $", "line 5: $"]


FULL = document(
    tube(times=[2, 4], points=[[0.5, 1e-3], None], boxes=[None, [1, 2, 3, 4]], scores=[1, 0.5]),
    tube(heatmaps=[[[0.5, 1]], {"shape": [1, 1], "dtype": "uint8", "data": "AA=="}, None]),
    tube(masks=[{"size": [1, 2], "counts": "02"}, {"size": [1, 1], "counts": [1]}, None]),
    tube(frame_size=[640, 480], instance=3, meta={"seed": [1, {"a": None}]}, label="caf\u00e9"),
    model={"name": "m"},
)


@settings(max_examples=400, deadline=None)
@given(
    name=st.sampled_from(("preds.json", "preds.jsonl")),
    begin=st.integers(0, 1000),
    length=st.integers(0, 3),
    put=st.binary(max_size=3) | st.sampled_from((b'"', b"[", b"}", b",", b"null", b"1e999", b"\n")),
)
def test_a_damaged_file_is_read_or_refused(name: str, begin: int, length: int, put: bytes) -> None:
    text = json.dumps(FULL, ensure_ascii=False)
    if name == "preds.jsonl":
        header = {key: value for key, value in FULL.items() if key != "tubes"}
        text = lines(header, *FULL["tubes"])
    data = text.encode()
    begin %= len(data)
    with TemporaryDirectory() as folder:
        path = json_file(Path(folder), data[:begin] + put + data[begin + length :], name)
        try:
            read = load_predictions(path)
            pack(read, BENCHMARK, "st")
        except InputError as error:
            faults = error.faults
        else:
            return
    assert faults
    assert all(fault.where.startswith(str(path)) and fault.reason for fault in faults)


# --- types -------------------------------------------------------------------------------------

HUGE = "9" * 400

WRONG: list[tuple[Any, list[str]]] = [
    ([], ["$: must be an object, not an array"]),
    ("[1]", ["$: must be an object, not an array"]),
    ("17", ["$: must be an object, not a number"]),
    ("null", ["$: must be an object, not null"]),
    ('"x"', ["$: must be an object, not a string"]),
    ("true", ["$: must be an object, not true"]),
    (
        {},
        [
            "$: the key `format` is missing",
            "$: the key `task` is missing",
            "$: the key `tubes` is missing",
        ],
    ),
    (document(note=1), ["$: unknown key 'note'; keep your own under `meta` or `model`"]),
    (
        document() | {"format": "gytbench-predictions/2", "task": 3},
        ['$.format: must be "gytbench-predictions/1"', '$.task: must be "st" or "spatial" or'],
    ),
    (document(model=[]), ["$.model: expected object, got array"]),
    (document(frame_size=[640, 480, 3]), ["$.frame_size: expected array of length 2"]),
    (
        document(frame_size=[0, -1]),
        [
            "$.frame_size[0]: expected number >= 1.0",
            "$.frame_size[1]: expected number >= 1.0",
        ],
    ),
    (document() | {"tubes": None}, ["$.tubes: expected array, got null"]),
    (document() | {"tubes": {}}, ["$.tubes: expected array, got object"]),
    (
        document(None, 1, [], tube(), "x"),
        [
            "$.tubes[0]: must be an object, not null",
            "$.tubes[1]: must be an object, not a number",
            "$.tubes[2]: must be an object, not an array",
            "$.tubes[4]: must be an object, not a string",
        ],
    ),
    (
        document({"label": "x", "end": 3}),
        ["$.tubes[0]: the key `video` is missing", "$.tubes[0]: the key `start` is missing"],
    ),
    (
        document(tube(video=1, label=None, start="0", end=[3])),
        [
            "$.tubes[0].video: expected string, got integer",
            "$.tubes[0].label: expected string, got null",
            "$.tubes[0].start: expected number, got string",
            "$.tubes[0].end: expected number, got array",
        ],
    ),
    (document(tube(start=-0.5)), ["$.tubes[0].start: expected number >= 0.0"]),
    (document(tube(end=1e308)), ["$.tubes[0].end: expected number <= 86400.0"]),
    (document(tube(end=86_400.5)), ["$.tubes[0].end: expected number <= 86400.0"]),
    (with_score("1e999"), ["$.tubes[0].score: number out of range"]),
    (with_score(HUGE), ["$.tubes[0].score: number out of range"]),
    (with_score("true"), ["$.tubes[0].score: expected number, got boolean"]),
    (
        document(tube(times=[2, 3.5, "4", -1, None, 10**30, 4])),
        [
            "$.tubes[0].times[1]: expected integer, got number",
            "$.tubes[0].times[2]: expected integer, got string",
            "$.tubes[0].times[3]: expected integer >= 0",
            "$.tubes[0].times[4]: expected integer, got null",
            "$.tubes[0].times[5]: expected integer <= 86400",
        ],
    ),
    (
        document(tube(points=[[1], [1, 2], None, [1, 2, 3], 4, ["1", 2], [1, None]])),
        [
            "$.tubes[0].points[0]: expected array of length 2",
            "$.tubes[0].points[3]: expected array of length 2",
            "$.tubes[0].points[4]: expected array or null, got integer",
            "$.tubes[0].points[5][0]: expected number, got string",
            "$.tubes[0].points[6][1]: expected number, got null",
        ],
    ),
    (document(tube(points={})), ["$.tubes[0].points: expected array or null, got object"]),
    (
        document(tube(boxes=[[1, 2, 3, 4], [1, 2, 3], {}])),
        [
            "$.tubes[0].boxes[1]: expected array of length 4",
            "$.tubes[0].boxes[2]: expected array or null, got object",
        ],
    ),
    (
        document(tube(heatmaps=[[1], {"shape": [1], "dtype": "float32", "data": ""}, "x"])),
        [
            "$.tubes[0].heatmaps[0][0]: expected array, got integer",
            "$.tubes[0].heatmaps[1].shape: expected array of length 2",
            "$.tubes[0].heatmaps[2]: expected object or array or null, got string",
        ],
    ),
    (
        document(tube(heatmaps=[{"shape": [1, 1], "dtype": "int8", "data": "AA=="}])),
        ["$.tubes[0].heatmaps[0].dtype: invalid enum value 'int8'"],
    ),
    (
        document(tube(masks=[{"size": [2, 0], "counts": ""}, {"size": [1, 1], "counts": [-1]}])),
        [
            "$.tubes[0].masks[0].size[1]: expected integer >= 1",
            "$.tubes[0].masks[1].counts[0]: expected integer >= 0",
        ],
    ),
    (
        document(tube(masks=[{"size": [1, 1], "counts": "0", "area": 1}])),
        ["$.tubes[0].masks[0]: object contains unknown field area"],
    ),
    (document(tube(scores=[1, None])), ["$.tubes[0].scores[1]: expected number, got null"]),
    (document(tube(instance=1.0)), ["$.tubes[0].instance: expected integer or null, got number"]),
    (document(tube(instance=2**53 + 1)), ["$.tubes[0].instance: expected integer <= "]),
    (document(tube(meta=[])), ["$.tubes[0].meta: expected object or null, got array"]),
]


@pytest.mark.parametrize(("content", "expected"), WRONG)
def test_wrong_types(tmp_path: Path, content: Any, expected: list[str]) -> None:
    faults = reading_faults(json_file(tmp_path, content))
    assert len(faults) == len(expected)
    for fault, beginning in zip(faults, expected, strict=True):
        assert fault.startswith(beginning)


def test_faults_before_and_after_good_tubes_in_order(tmp_path: Path) -> None:
    tubes: list[Any] = [tube() for _ in range(200)]
    tubes[3]["score"] = "high"
    tubes[150] = {"video": "x"}
    tubes[199]["boxes"] = [[1, 2, 3]]
    content = document(*tubes, frame_size=[1, "x"])
    expected = [
        "$.frame_size[1]: expected number, got string",
        "$.tubes[3].score: expected number, got string",
        "$.tubes[150]: the key `label` is missing",
        "$.tubes[150]: the key `start` is missing",
        "$.tubes[150]: the key `end` is missing",
        "$.tubes[199].boxes[0]: expected array of length 4",
    ]
    assert reading_faults(json_file(tmp_path, content)) == expected
    # The same in lines: the header is line 1.
    header = {key: value for key, value in content.items() if key != "tubes"}
    faults = reading_faults(json_file(tmp_path, lines(header, *tubes), "preds.jsonl"))
    assert faults == [
        "line 1: $.frame_size[1]: expected number, got string",
        "line 5: $.score: expected number, got string",
        "line 152: $: the key `label` is missing",
        "line 152: $: the key `start` is missing",
        "line 152: $: the key `end` is missing",
        "line 201: $.boxes[0]: expected array of length 4",
    ]


def test_faults_are_counted_by_kind(tmp_path: Path) -> None:
    path = json_file(tmp_path, document({}, tube(score="x"), tube(note=1)))
    with pytest.raises(InputError) as error:
        load_predictions(path)
    assert error.value.counts() == {"missing key": 4, "wrong type": 1, "unknown key": 1}


def test_endless_names_are_cut(tmp_path: Path) -> None:
    (fault,) = reading_faults(json_file(tmp_path, document(tube(**{"k" * 10_000: 1}))))
    assert len(fault) < 300
    heatmap = {"shape": [1, 1], "dtype": "d" * 10_000, "data": ""}
    (fault,) = reading_faults(json_file(tmp_path, document(tube(heatmaps=[heatmap]))))
    assert len(fault) < 300


# --- what is kept ------------------------------------------------------------------------------


def test_extra_keys_are_kept_under_model_and_meta(tmp_path: Path) -> None:
    content = document(tube(meta={"seed": [1, None]}), model={"name": "m", "lr": 0.1})
    read = load_predictions(json_file(tmp_path, content))
    assert read.model == {"name": "m", "lr": 0.1}
    assert read.tubes[0].meta == {"seed": [1, None]}


def test_places_of_tubes(tmp_path: Path) -> None:
    path = json_file(tmp_path, document(tube(), tube()))
    read = load_predictions(str(path))
    assert (read.source, read.place(1)) == (str(path), "$.tubes[1]")
