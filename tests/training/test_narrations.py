"""Captions in each layout, with what strangers' files hold, become the narrations that count."""

import csv
import io
import json
import os
import pickle
from collections.abc import Iterable
from pathlib import Path

import pytest

from gytbench.errors import InputError
from gytbench.training import captions as captions_module
from gytbench.training.config import Data
from gytbench.training.narrations import (
    MAX_CHARACTERS,
    MAX_SECONDS,
    Narrated,
    Narration,
    read_narrations,
)

from .narrating import narrated

ROWS = [(12.5, 15.0, "add the  onions"), (1.0, 3.25, "cut\tan onion")]
EXPECTED = [Narration("a", 1.0, 3.25, "cut an onion"), Narration("a", 12.5, 15.0, "add the onions")]


def videos(folder: Path, *names: str) -> Path:
    """A folder with these files, which are empty."""
    (folder / "videos").mkdir()
    for name in names or ("a.mp4", "b.mkv"):
        (folder / "videos" / name).touch()
    return folder


def read(folder: Path, captions: str = "captions", table: str = "") -> Narrated:
    return read_narrations(Data(videos="videos", captions=captions, table=table), folder)


def read_text(folder: Path, text: str | bytes, captions: str = "captions") -> Narrated:
    content = text.encode() if isinstance(text, str) else text
    (folder / captions).write_bytes(content)
    return read(folder, captions)


def as_json(**videos: Iterable[tuple[object, object, object]]) -> str:
    columns = {
        video: dict(zip(("start", "end", "text"), map(list, zip(*rows, strict=True)), strict=True))
        for video, rows in videos.items()
    }
    return json.dumps(columns)


def as_csv(columns: list[str], rows: Iterable[Iterable[object]], end: str = "\n") -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end).writerows([columns, *rows])
    return text.getvalue()


SRT = """1
00:00:12,500 --> 00:00:15,000 X1:40 X2:600
<i>add</i> the
{\\an8}onions

2
00:00:01,000 --> 00:00:03,250
cut an onion
"""

VTT = """WEBVTT
Kind: captions

STYLE
::cue { color: lime }

NOTE not spoken

intro
00:12.500 --> 00:15.000 align:start position:0%
add the<00:00:13.000><c> onions</c>

01:00:01.000 --> 01:00:02.000
salt &amp; pepper

00:01.000 --> 00:03.250
cut an onion"""


@pytest.mark.parametrize("before", ["", "\ufeff", "\ufeff\r\n "])
def test_howto100m_json(tmp_path: Path, before: str) -> None:
    text = before + as_json(a=ROWS, other=ROWS, b=[(0, 7, "wait")])
    found = read_text(videos(tmp_path), text, "caption.json")
    assert found.videos == ("a", "b")
    assert found.narrations(0) == EXPECTED
    assert found.narrations(1) == [Narration("b", 0.0, 7.0, "wait")]
    assert found.total == 3
    assert found.left_out == {"videos without a file": 1}
    assert found.left_out_lines() == ["1 videos without a file, such as 'other'"]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_folder_of_csv_files(tmp_path: Path, end: str, bom: bytes) -> None:
    folder = videos(tmp_path) / "captions"
    folder.mkdir()
    # As pandas writes them, with an index in front.
    text = as_csv(["", "start", "end", "text"], [(n, *row) for n, row in enumerate(ROWS)], end)
    (folder / "a.csv").write_bytes(bom + text.encode())
    assert read(tmp_path).narrations(0) == EXPECTED


@pytest.mark.parametrize("columns", [["video", "start", "end", "text"], ["Video_ID", *"abc"]])
def test_one_csv_file(tmp_path: Path, columns: list[str]) -> None:
    if columns[0] != "video":
        columns = ["Video_ID", " start ", "END", "caption"]
    rows = [("a.mp4", *ROWS[0]), ("b", 0, 7, 'say "hi",\nthen wait'), ("x/a.webm", *ROWS[1])]
    found = read_text(videos(tmp_path), as_csv(columns, rows, "\r\n"))
    assert found.videos == ("a", "b")
    assert found.narrations(0) == EXPECTED
    assert found.narrations(1) == [Narration("b", 0, 7, 'say "hi", then wait')]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_subtitles(tmp_path: Path, end: str) -> None:
    folder = videos(tmp_path, "a.mp4", "b.mp4", "c.mp4") / "captions"
    folder.mkdir()
    (folder / "a.srt").write_bytes(b"\xef\xbb\xbf" + SRT.replace("\n", end).encode())
    (folder / "b.VTT").write_bytes(VTT.replace("\n", end).encode())
    (folder / "c.srt").write_text("\ufeff00:00:01,000 --> 00:00:02,000\nno number")
    found = read(tmp_path)
    assert found.narrations(0) == EXPECTED
    assert [row._replace(video="a") for row in found.narrations(1)] == [
        *EXPECTED,
        Narration("a", 3601.0, 3602.0, "salt & pepper"),
    ]
    assert found.narrations(2) == [Narration("c", 1.0, 2.0, "no number")]
    assert not found.left_out


def test_captions_may_lie_beside_the_videos(tmp_path: Path) -> None:
    folder = videos(tmp_path, "a.mp4", "a.info.json", "a.jpg", "a.txt") / "videos"
    (folder / "a.srt").write_text(SRT)
    found = read(tmp_path, "videos")
    assert found.narrations(0) == EXPECTED
    assert found.file("a") == folder / "a.mp4"


@pytest.mark.parametrize(
    "table",
    [
        "video_id,category_1,category_2,rank,task_id\na,Food,Recipes,4,10\ngone,Food,,1,2\n",
        "video_path\na.mp4\ngone.mp4\n",
        "\ufeffvideo\r\nfood/a.webm\r\n\r\ngone\r\n",
    ],
)
def test_only_videos_of_the_table_count(tmp_path: Path, table: str) -> None:
    (videos(tmp_path) / "table.csv").write_text(table)
    (tmp_path / "captions").write_text(as_json(a=ROWS, b=ROWS, gone=ROWS, other=ROWS))
    found = read(tmp_path, table="table.csv")
    assert found.videos == ("a",)
    assert found.left_out == {"videos without a file": 1}
    assert "gone" in found.examples["videos without a file"]


def test_the_table_s_faults_are_counted(tmp_path: Path) -> None:
    (videos(tmp_path) / "table.csv").write_text('video_id,x\na,1\n,1\na.mp4,2\nb,2\n"b" ,3\n')
    (tmp_path / "captions").write_text(as_json(a=ROWS))
    found = read(tmp_path, table="table.csv")
    assert found.left_out == {
        "rows of the table without a video": 2,
        "rows of the table that repeat a video": 1,
        "videos without captions": 1,
    }
    assert found.examples["rows of the table without a video"].endswith("table.csv: line 3")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ((1, 2, " \t"), "without text"),
        ((1, 2, None), "without text"),
        ((2, 2, "x"), "do not end after their start"),
        ((3, 2, "x"), "do not end after their start"),
        ((-5, -1, "x"), "end before the video starts"),
        ((float("nan"), 2, "x"), "times are no seconds"),
        ((1, float("inf"), "x"), "times are no seconds"),
        ((1, None, "x"), "times are no seconds"),
        ((1, 1e300, "x"), "times are no seconds"),
        ((1, 2, "x" * 1_000_000), "of more than 10,000 characters"),
    ],
)
@pytest.mark.parametrize("layout", ["json", "csv"])
def test_bad_rows_are_left_out_and_counted(
    tmp_path: Path, layout: str, row: tuple[object, object, object], reason: str
) -> None:
    rows = [ROWS[0], row, ROWS[1]]
    as_table = as_csv(["video", "start", "end", "text"], [("a", *cells) for cells in rows])
    found = read_text(videos(tmp_path), as_json(a=rows) if layout == "json" else as_table)
    assert found.narrations(0) == EXPECTED
    [(said, count)] = found.left_out.items()
    if layout == "csv" and len(str(row[2])) > 131072:
        reason = "rows that are not CSV"
    assert reason in said
    assert count == 1
    place = "$['a'], entry 1" if layout == "json" else "line 3"
    assert found.examples[said] == f"{tmp_path / 'captions'}: {place}"


def test_limits_are_within(tmp_path: Path) -> None:
    rows = [(-2, MAX_SECONDS, "x" * MAX_CHARACTERS)]
    assert read_text(videos(tmp_path), as_json(a=rows)).narrations(0) == [
        Narration("a", -2, MAX_SECONDS, "x" * MAX_CHARACTERS)
    ]


def test_nan_is_null_but_in_text_it_is_a_word(tmp_path: Path) -> None:
    text = r"""{"a": {"start": [1, 2, NaN, 4], "end": [2, -Infinity, 4, 5],
    "text": ["NaN, \"NaN\", bread \\", "x", "y", NaN]}, "b": {"start": [0], "end": [1],
    "text": ["to Infinity, NaN"]}}"""
    found = read_text(videos(tmp_path), text)
    assert found.narrations(0) == [Narration("a", 1, 2, 'NaN, "NaN", bread \\')]
    assert found.narrations(1) == [Narration("b", 0, 1, "to Infinity, NaN")]
    assert sorted(found.left_out.values()) == [1, 2]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("{}", "no narration is left: there is none"),
        ('{"a": {', "truncated"),
        ('{"a": 1} {"b": 2}', "not JSON"),
        ('[{"a": 1}]', "Expected `object`, got `array`"),
        ('{"a": []}', "$['a']: Expected `object`, got `array`"),
        ('{"a": {"start": [1], "end": [2]}}', "$['a']: Object missing required field `text`"),
        ('{"a": {"start": ["1"], "end": [2], "text": ["x"]}}', "$['a']: start[0]: Expected"),
        ('{"a": {"start": [1], "end": [2], "text": [7]}}', "$['a']: text[0]: Expected"),
        ('{"a": {"start": [1e999], "end": [2], "text": ["x"]}}', "start[0]: Number out of range"),
        ('{"a": {"start": [1, 2], "end": [2], "text": ["x"]}}', "2 starts, 1 ends and 1 texts"),
        ('{"a":' * 100_000, "nested too deeply"),
        (b'{"a": {"start": [1], "end": [2], "text": ["\xff"]}}', "$['a']: 'utf-8' codec"),
        (b"\x1f\x8b\x08\x00", "is not UTF-8 text near line 1"),
        ("start,end,text\n1,2,x\n", "has no column video or video_id or video_path"),
        ("video,start,end\na,1,2\n", "has no column text or caption; its columns are: video"),
        ("video,start,end,text\n", "no narration is left: there is none"),
        ("video,start,end,text\nzz,1,2,x\n", "1 videos without a file, such as 'zz'"),
        ("video,start,end,text\na,2,1,x\n", "1 narrations that do not end after their start"),
        ('"video', "its first line is not CSV"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, text: str | bytes, said: str) -> None:
    with pytest.raises(InputError) as caught:
        read_text(videos(tmp_path), text)
    assert said in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "captions"))


def test_a_fault_of_a_video_that_does_not_count_is_none(tmp_path: Path) -> None:
    text = '{"b": {"start": "soon"}, ' + as_json(a=ROWS)[1:]
    (videos(tmp_path, "a.mp4") / "captions").write_text(text)
    assert read(tmp_path).videos == ("a",)


def test_rows_that_are_not_csv_do_not_stop_the_rest(tmp_path: Path) -> None:
    text = 'video,start,end,text\na,1,2,x\na,1\na,"1"5,2,x\n\na,soon,2,x\na,3,4,y\na,5,6,"open\n'
    found = read_text(videos(tmp_path), text)
    assert [row.text for row in found.narrations(0)] == ["x", "y"]
    assert found.left_out == {
        "rows that are not CSV": 3,
        "narrations whose times are no seconds": 1,
    }
    assert found.examples["rows that are not CSV"].endswith("captions: line 3")


@pytest.mark.parametrize("name", ["../../x", "..", "/etc/passwd", "..\\..\\x", "", "a\n\x1b[31m"])
def test_ids_do_not_lead_out_of_the_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "inner").mkdir()
    for outside in ("x", "x.mp4"):
        (tmp_path / outside).touch()
    rows = [(name, 1, 2, "x"), (name, 2, 3, "x"), ("a", 1, 2, "x")]
    text = as_csv(["video", "start", "end", "text"], rows)
    found = read_text(videos(tmp_path / "inner"), text)
    assert found.videos == ("a",)
    assert found.left_out == {"videos without a file": 1}
    assert all(line.isprintable() for line in found.left_out_lines())


def test_what_is_no_file_of_one_video_is_left_out(tmp_path: Path) -> None:
    folder = videos(tmp_path, *(f"{name}.mp4" for name in "abcdefg")) / "captions"
    folder.mkdir()
    (folder / "a.srt").write_text(SRT)
    (folder / "b.srt").write_text(SRT)
    (folder / "b.vtt").write_text(VTT)
    (folder / "c.csv").write_bytes(b"start,end,text\n1,2,caf\xe9\n")
    (folder / "d.csv").write_text("begin,end,text\n1,2,x\n")
    (folder / "e.vtt").mkdir()
    os.mkfifo(folder / "f.vtt")
    (folder / "g.vtt").write_text("WEBVTT\n\n1:2:3 --> soon\nx\n\n00:01.000-->00:02.000\n")
    found = read(tmp_path)
    assert found.videos == ("a",)
    assert found.left_out == {
        "videos with several caption files": 1,
        "caption files that cannot be read": 4,
        "narrations whose times are no seconds": 1,
        "narrations without text": 1,
        "videos whose captions are all left out": 6,
    }


def test_files_too_large_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = videos(tmp_path) / "captions"
    folder.mkdir()
    (folder / "a.srt").write_text(SRT)
    with (folder / "b.srt").open("wb") as file:
        file.truncate(captions_module.MAX_VIDEO_BYTES + 1)
    found = read(tmp_path)
    assert found.videos == ("a",)
    assert "more than the 16,777,216" in found.examples["caption files that cannot be read"]
    monkeypatch.setattr(captions_module, "MAX_BYTES", 10)
    with pytest.raises(InputError, match="more than the 10 that are read"):
        read_text(tmp_path, as_json(a=ROWS), "caption.json")


def test_a_video_with_several_files_is_left_out(tmp_path: Path) -> None:
    found = read_text(videos(tmp_path, "a.mp4", "b.mp4", "b.webm"), as_json(a=ROWS, b=ROWS))
    assert found.videos == ("a",)
    assert found.examples["videos with several files"] == "'b.mp4', 'b.webm'"


def test_an_id_may_have_dots_and_an_id_twice_is_one_video(tmp_path: Path) -> None:
    names = ["a.b.mp4", "a.b", "food/a.b", "food\\a.b.webm"]
    rows = [(name, 1, 9 - number, "x") for number, name in enumerate(names)]
    rows.append(("a.b", 0, 9, "y"))
    text = as_csv(["video", "start", "end", "text"], rows)
    found = read_text(videos(tmp_path, "a.b.mp4"), text)
    assert found.videos == ("a.b",)
    assert [row.end for row in found.narrations(0)] == [9, 6, 7, 8, 9]


@pytest.mark.parametrize(
    ("layout", "said"),
    [
        ("no videos", "cannot be read"),
        ("empty", "has no video"),
        ("no captions", "no such file"),
        ("no caption file", "has no caption file: ID.csv, ID.srt or ID.vtt"),
        ("no table", "no such file"),
        ("none of the table", "none of its 2 videos has a file in .*such as 'x'"),
    ],
)
def test_all_missing(tmp_path: Path, layout: str, said: str) -> None:
    if layout != "no videos":
        videos(tmp_path, *(["a.txt"] if layout == "empty" else []))
    if layout == "no caption file":
        (tmp_path / "captions").mkdir()
    elif layout != "no captions":
        (tmp_path / "captions").write_text(as_json(a=ROWS))
    if layout == "none of the table":
        (tmp_path / "table").write_text("video\nx\ny.mp4\n")
    with pytest.raises(InputError, match=said):
        read(tmp_path, table="table" if "table" in layout else "")


def test_only_usable_texts_count_where_it_is_asked(tmp_path: Path) -> None:
    (videos(tmp_path) / "captions").write_text(as_json(a=ROWS))
    data = Data(videos="videos", captions="captions")
    found = read_narrations(data, tmp_path, usable=lambda text: "cut" in text)
    assert found.narrations(0) == EXPECTED[:1]
    assert found.left_out == {"narrations without a known word": 1}


def test_narrations_keep_their_place_and_survive_pickling(tmp_path: Path) -> None:
    said = {
        f"v{number:02}": [(9 - at, 30 + number, f"é{number} {at}") for at in range(number % 4 + 1)]
        for number in reversed(range(20))
    }
    found = pickle.loads(pickle.dumps(narrated(tmp_path, said)))
    assert found.videos == tuple(sorted(said))
    for index, video in enumerate(found.videos):
        expected = [Narration(video, *row) for row in sorted(said[video])]
        assert found.narrations(index) == expected
        assert found.count(index) == len(expected)
        assert found.file(video) == tmp_path / "videos" / f"{video}.mp4"
    with pytest.raises(IndexError):
        found.narration(0, 1)
    with pytest.raises(KeyError):
        found.file("v")
