"""The log: nothing that was answered is lost, nothing that is broken is passed over."""

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gytbench.collection import Answer, AnswerLog, export_answers, read_answers
from gytbench.errors import InputError

from .making import answer, logged


def write(path: Path, *answers: Answer) -> bytes:
    with AnswerLog(path) as log:
        for one in answers:
            log.append(one)
    return path.read_bytes()


def test_one_line_an_answer(tmp_path: Path) -> None:
    path = tmp_path / "points.jsonl"
    given = [answer(), answer(second=4, answer="none", x=None, y=None, step=None)]
    content = write(path, *given)
    assert content.count(b"\n") == 2
    keys = ["video", "second", "step", "annotator", "x", "y", "width", "height", "answer", "time"]
    assert list(logged(path)[0]) == keys
    assert read_answers(path) == given


def test_a_later_line_replaces_and_the_earlier_stays(tmp_path: Path) -> None:
    path = tmp_path / "points.jsonl"
    write(path, answer(x=1), answer(annotator="bob"), answer(x=2))
    assert [a.x for a in read_answers(path)] == [1, 10.5, 2]
    with AnswerLog(path) as log:
        assert [(a.annotator, a.x) for a in log.answers()] == [("ann", 2), ("bob", 10.5)]


@pytest.mark.parametrize("kept", [1, 5, 9, 30, -2])
def test_a_last_line_that_is_cut_off(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "points.jsonl"
    first = write(path, answer())
    second = msgspec.json.encode(answer(second=4))
    path.write_bytes(first + second[:kept])
    assert read_answers(path) == [answer()]
    write(path, answer(second=5))
    assert [a.second for a in read_answers(path)] == [3, 5]


def test_a_last_line_that_only_lacks_its_end(tmp_path: Path) -> None:
    path = tmp_path / "points.jsonl"
    path.write_bytes(write(path, answer()).rstrip())
    write(path, answer(second=5))
    assert [a.second for a in read_answers(path)] == [3, 5]


@given(cut=st.integers(min_value=0))
def test_a_kill_at_any_byte(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    lines = [msgspec.json.encode(answer(second=s)) + b"\n" for s in range(3)]
    content = b"".join(lines)
    cut %= len(content) + 1
    path = tmp_path_factory.getbasetemp() / "cut.jsonl"
    path.write_bytes(content[:cut])
    whole = [s for s in range(3) if cut >= sum(map(len, lines[: s + 1])) - 1]
    assert [a.second for a in read_answers(path)] == whole
    write(path, answer(second=9))
    assert [a.second for a in read_answers(path)] == [*whole, 9]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"hello",
        b"\xff\xfe",
        b"[]",
        b'{"video":"v"}',
        b'{"video":',
        b"[" * 100_000,
        *(
            json.dumps(msgspec.to_builtins(answer()) | fields).encode()
            for fields in (
                {"x": None},
                {"x": 64.5},
                {"y": -1},
                {"second": -1},
                {"second": 1.5},
                {"width": 0},
                {"answer": "maybe"},
                {"answer": "none"},
                {"annotator": ""},
                {"annotator": "a" * 81},
                {"annotator": "a\nb"},
            )
        ),
        json.dumps(msgspec.to_builtins(answer())).replace("10.5", "1e999").encode(),
    ],
)
def test_a_line_that_is_malformed(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "points.jsonl"
    content = write(path, answer()) + line + b"\n"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"points\.jsonl: line 2: is no answer: "):
        read_answers(path)
    with pytest.raises(InputError, match="line 2"):
        write(path, answer())
    assert path.read_bytes() == content


def test_another_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("hello")
    with pytest.raises(InputError, match="line 1: is no answer"):
        write(path, answer())
    assert path.read_text() == "hello"


def test_two_at_once(tmp_path: Path) -> None:
    path = tmp_path / "points.jsonl"
    with AnswerLog(path), pytest.raises(InputError, match="another `gytbench annotate`"):
        AnswerLog(path)
    write(path, answer())


@pytest.mark.parametrize("name", [".", "missing/points.jsonl"])
def test_a_path_that_cannot_be_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        AnswerLog(tmp_path / name)
    with pytest.raises(InputError, match=r"no such file|cannot be read"):
        read_answers(tmp_path / name)


def test_a_device() -> None:
    with pytest.raises(InputError, match="is no regular file"):
        AnswerLog(Path("/dev/null"))


def test_a_full_disk_keeps_nothing_of_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "points.jsonl"
    with AnswerLog(path) as log:
        log.append(answer())
        before = path.read_bytes()
        with monkeypatch.context() as patched:
            patched.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError("full")))
            with pytest.raises(OSError, match="full"):
                log.append(answer(second=4))
        assert path.read_bytes() == before
        assert log.answers() == [answer()]


ANSWERS = [
    answer(second=9),
    answer(second=9, annotator='bob, "b"', answer="none", x=None, y=None),
    answer(second=2, step=None, x=1),
    answer(second=1, answer="skip", x=None, y=None),
    answer(second=2, step=None, x=7.0),
]


def test_export_as_csv(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    assert export_answers(ANSWERS, path) == 3
    assert path.read_text() == (
        "video,second,step,annotator,x,y,width,height\n"
        "v,2,,ann,7.0,20.0,64,48\n"
        "v,9,crack_eggs,ann,10.5,20.0,64,48\n"
        'v,9,crack_eggs,"bob, ""b""",,,64,48\n'
    )


def test_export_as_json(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    export_answers(ANSWERS, path)
    rows = json.loads(path.read_text())
    assert [(r["second"], r["step"], r["x"]) for r in rows] == [
        (2, None, 7.0),
        (9, "crack_eggs", 10.5),
        (9, "crack_eggs", None),
    ]
    assert list(rows[0]) == ["video", "second", "step", "annotator", "x", "y", "width", "height"]


def test_export_to_another_suffix(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"ends in \.csv or \.json"):
        export_answers(ANSWERS, tmp_path / "out.txt")
