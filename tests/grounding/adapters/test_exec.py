"""Programs of any environment: what they answer, and whatever else they do."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gytbench.errors import InputError
from gytbench.grounding.adapters import exec as exec_adapter
from gytbench.grounding.adapters import program as program_module
from gytbench.grounding.adapters.exec import ExecGrounder, ExecTubes, ProgramSettings
from gytbench.grounding.adapters.program import ProgramLostError
from gytbench.grounding.contract import Asked, Reader, Request, Setup, Stretch, capabilities
from tests.videos.making import write_video

_RUNNER = Path(__file__).resolve().parents[3] / "baselines" / "runners" / "brightest.py"

_SHORT = 0.5
"""Seconds, where a program is to be late."""

_PRELUDE = """
import json, os, subprocess, sys, time

def say(line):
    print(line if isinstance(line, str) else json.dumps(line), flush=True)

def second(request, number=0, query="stir", score=1.0, **more):
    say({"video": request["video"], "second": number, "query": query, "score": score, **more})

def done(request):
    say({"video": request["video"], "done": True})

def requests():
    say({"ready": "gytbench-exec/1"})
    for line in sys.stdin:
        yield json.loads(line)

"""

_FIRST_FAILS = """
for request in requests():
    if request["video"] != "v1":
        second(request, score=7.0)
        done(request)
        continue
"""
"""Answers every video but v1; what it does there follows, indented."""

Make = Callable[..., Any]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Starts a grounder on a program of the given lines."""
    made = []

    def start(
        body: str,
        *words: str,
        kind: type = ExecGrounder,
        setup: Setup = Setup(),  # noqa: B008
        **limits: float,
    ) -> Any:
        path = tmp_path / "program.py"
        path.write_text(_PRELUDE + body)
        # Isolated and without site packages, which starts faster.
        command = (sys.executable, "-I", "-S", str(path), *words)
        grounder = kind(ProgramSettings(command, **limits), setup)
        made.append(grounder)
        return grounder

    yield start
    for grounder in made:
        grounder.close()


def _request(
    video: str = "v1",
    *asked: Asked,
    task: Any = "st",
    seconds: range = range(3),
    path: Path = Path("/videos/v.mp4"),
) -> Request:
    return Request(video, path, seconds, task, asked or (Asked("stir", seconds),))


def _scores(grounder: ExecGrounder, request: Request, *queries: str) -> list[list[float]]:
    stretch = Stretch(grounder.read(request), request.seconds)
    found: list[list[float]] = grounder.frame_scores(stretch, queries or ("stir",)).tolist()
    return found


def _fault(grounder: Any, request: Request | None = None) -> str:
    """How a video fails."""
    request = request or _request()
    with pytest.raises(InputError) as caught:
        (grounder.read if isinstance(grounder, ExecGrounder) else grounder.tubes)(request)
    assert [fault.where for fault in caught.value.faults] == [request.video]
    return caught.value.faults[0].reason


def _wait_for(reached: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 20
    while not reached() and time.monotonic() < deadline:
        time.sleep(0.01)
    return reached()


def _runs(pid: int) -> bool:
    """Whether a process runs; one that has ended and has not been waited for does not."""
    if Path("/proc/self/stat").exists():
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]
        except (FileNotFoundError, ProcessLookupError):
            return False
    else:
        command = ["ps", "-o", "stat=", "-p", str(pid)]
        state = subprocess.run(command, capture_output=True, text=True).stdout
    return state.strip()[:1] not in ("", "Z", "X")


# What is asked and answered


def test_what_each_can_do() -> None:
    assert capabilities(ExecGrounder).tasks == ("st", "spatial", "temporal")
    assert not capabilities(ExecGrounder).tubes
    assert capabilities(ExecTubes).tubes
    assert not capabilities(ExecTubes).when
    assert issubclass(ExecGrounder, Reader)
    assert not issubclass(ExecTubes, Reader)


def test_answers_become_scores_and_boxes(make: Make) -> None:
    grounder = make("""
for request in requests():
    second(request, 12, "add egg", -0.5)
    second(request, 10, "stir", 0.25, box=[0.1, 0.2, 0.3, 0.4])
    second(request, 12, "stir", 3, box=[64, 12, 128, 48], frame_size=[128, 48])
    second(request, 11, "stir", 0.5, box=None)
    done(request)
""")
    seconds = range(10, 14)
    request = _request("v1", Asked("stir", seconds), Asked("add egg", seconds), seconds=seconds)
    stretch = Stretch(grounder.read(request), seconds)
    assert grounder.frame_scores(stretch, ["add egg", "stir"]).T.tolist() == [
        [-np.inf, -np.inf, -0.5, -np.inf],
        [0.25, 0.5, 3, -np.inf],
    ]
    none = [np.nan] * 4
    expected = [[0.1, 0.2, 0.3, 0.4], none, [0.5, 0.25, 1, 1], none]
    np.testing.assert_array_equal(grounder.boxes(stretch, "stir"), expected)
    assert np.isnan(grounder.boxes(stretch, "add egg")).all()
    part = stretch.part(range(11, 13))
    assert grounder.frame_scores(part, ["stir"]).tolist() == [[0.5], [3]]
    np.testing.assert_array_equal(grounder.boxes(part, "stir"), expected[1:3])
    assert grounder.frame_scores(stretch, []).shape == (4, 0)


def test_the_request_says_all_that_is_asked(make: Make, tmp_path: Path) -> None:
    grounder = make(
        """
for request in requests():
    open(sys.argv[1], "w").write(json.dumps(request))
    done(request)
""",
        str(tmp_path / "request.json"),
    )
    asked = (
        Asked("crème", range(5), 12),
        Asked("crème", range(4, 9), 13),
        Asked("stir", range(20, 30), 14),
    )
    request = _request("v1", *asked, task="spatial", seconds=range(7), path=Path("ö.mp4"))
    grounder.read(request)
    assert json.loads((tmp_path / "request.json").read_text()) == {
        "video": "v1",
        "path": str(Path.cwd() / "ö.mp4"),
        "task": "spatial",
        "seconds": [0, 7],
        "asked": [
            {"query": "crème", "seconds": [0, 5], "instance": 12},
            {"query": "crème", "seconds": [4, 7], "instance": 13},
            {"query": "stir", "seconds": [7, 7], "instance": 14},
        ],
    }


def test_a_query_of_several_clips_is_answered_in_all_of_them(make: Make) -> None:
    grounder = make("""
for request in requests():
    for number in (0, 1, 2, 4):
        second(request, number, score=number)
    done(request)
""")
    asked = (Asked("stir", range(2), 1), Asked("stir", range(1, 3), 2), Asked("stir", range(4, 5)))
    request = _request("v1", *asked, task="spatial", seconds=range(5))
    assert _scores(grounder, request) == [[0], [1], [2], [-np.inf], [4]]


def test_the_program_is_started_once_with_the_environment(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOR_THE_PROGRAM", "5")
    grounder = make("""
starts = float(os.environ["FOR_THE_PROGRAM"])
for request in requests():
    starts += 1
    second(request, score=starts)
    done(request)
""")
    found = [_scores(grounder, _request(video))[0] for video in ("v1", "v2", "v3")]
    assert found == [[6], [7], [8]]


def test_placeholders_are_filled(make: Make) -> None:
    setup = Setup({"checkpoint": Path("/weights/a b.pt")}, device="cuda:1")
    grounder = make(
        """
for request in requests():
    say({"video": "v1", "error": " ".join(sys.argv[1:])})
""",
        "--on={device}",
        "{checkpoint}",
        '{"x": {3}}',
        setup=setup,
    )
    assert _fault(grounder).endswith('refused it: --on=cuda:1 /weights/a b.pt {"x": {3}}')


def test_log_text_is_passed_over(make: Make) -> None:
    grounder = make("""
print("loading", flush=True)
sys.stderr.write("warning\\n" * 100_000)
for request in requests():
    sys.stdout.buffer.write(b"\\n\\xff\\xfe 50%\\r100%\\r\\n[1, 2]\\n")
    second(request, score=2)
    sys.stderr.write("progress\\r" * 100_000)
    done(request)
""")
    assert _scores(grounder, _request())[0] == [2]
    assert _scores(grounder, _request("v2"))[0] == [2]


def test_neither_waits_for_the_other_to_read(make: Make) -> None:
    grounder = make("""
say({"ready": "gytbench-exec/1"})
for _ in range(50_000):
    say("x" * 100)
    sys.stderr.write("y" * 100)
request = json.loads(sys.stdin.readline())
for each in request["asked"]:
    second(request, query=each["query"], score=len(each["query"]))
done(request)
""")
    queries = [f"{number} " + "long " * 300 for number in range(3000)]
    asked = [Asked(query, range(1)) for query in queries]
    request = _request("v1", *asked, seconds=range(1))
    assert _scores(grounder, request, *queries) == [[len(query) for query in queries]]


# What goes wrong with a video


def test_a_refusal_leaves_the_program_running(make: Make) -> None:
    grounder = make("""
count = 0
for request in requests():
    count += 1
    second(request, score=count)
    if request["video"] == "v1":
        say({"video": "v1", "error": "cannot\\u001b[31m decode"})
    else:
        done(request)
""")
    assert _fault(grounder) == "the program refused it: cannot [31m decode"
    assert _scores(grounder, _request("v2"))[0] == [2]


_ANSWER = '{"video": "v1", "second": 0, "query": "stir", "score": 1'

_FAULTY = {
    "{": "truncated",
    "{'video': 'v1'}": "not JSON",
    '{"video": "v1"}': "missing required field second",
    '{"video": "v1", "done": false}': "not true",
    '{"video": "v1", "done": 1}': "$.done: expected boolean",
    '{"video": "v1", "error": null}': "$.error: expected string",
    '{"video": "v2", "done": true}': "spoke of 'v2'",
    _ANSWER.replace("v1", "v2") + "}": "spoke of 'v2'",
    _ANSWER + ', "bbox": [0, 0, 1, 1]}': "unknown field bbox",
    _ANSWER.replace("stir", "Stir") + "}": "answered 'Stir', which was not asked",
    _ANSWER.replace("0", "3") + "}": "answered second 3, which was not asked",
    _ANSWER.replace("0", "-1") + "}": "answered second -1, which was not asked",
    _ANSWER.replace("0", "2") + "}": "answered second 2, which was not asked",
    _ANSWER.replace("0", "0.5") + "}": "$.second: expected integer",
    _ANSWER.replace(": 1", ": NaN") + "}": "NaN is no JSON",
    _ANSWER.replace(": 1", ": null") + "}": "$.score: expected number",
    _ANSWER.replace(": 1", ": 1e999") + "}": "out of range",
    _ANSWER.replace(": 1", ": true") + "}": "$.score: expected number",
    _ANSWER + ', "box": [0, 0, 1]}': "$.box: expected array of length 4",
    _ANSWER + ', "box": [0.5, 0, 0.4, 1]}': "x2 < x1",
    _ANSWER + ', "box": [0, 0, 64, 48]}': "need `frame_size`",
    _ANSWER + ', "box": [0, 0, 9, 9], "frame_size": [0, 9]}': "$.frame_size[0]",
    _ANSWER + "}\n" + _ANSWER + "}": "answered second 0 of 'stir' twice",
    '{"tube": {"video": "v1", "label": "stir", "start": 0, "end": 2}}': "unknown field tube",
    '{"ready": "gytbench-exec/1"}': "unknown field ready",
    '{"video": "v1", "x": ' + "[" * 100_000 + "}": "nested too deeply",
}


@pytest.mark.parametrize("line", _FAULTY, ids=range(len(_FAULTY)))
def test_a_faulty_line_fails_the_video_alone(make: Make, line: str) -> None:
    grounder = make(f"{_FIRST_FAILS}    say({line!r})\n    done(request)\n")
    request = _request("v1", Asked("stir", range(2)))
    reason = _fault(grounder, request)
    assert _FAULTY[line] in reason
    # The line that is to blame is quoted.
    assert line.rsplit("\n")[-1][:200] in reason
    assert len(reason) < 500
    assert _scores(grounder, _request("v2"))[0] == [7]


def test_bytes_that_are_not_utf8_fail_the_video(make: Make) -> None:
    line = _ANSWER.replace("stir", "st\xe9r").encode("latin-1") + b"}\n"
    grounder = make(f"{_FIRST_FAILS}    os.write(1, {line!r})\n    done(request)\n")
    assert "not UTF-8" in _fault(grounder)
    assert _scores(grounder, _request("v2"))[0] == [7]


def test_a_path_that_is_not_text_fails_the_video(make: Make) -> None:
    grounder = make(_FIRST_FAILS)
    assert "not UTF-8" in _fault(grounder, _request(path=Path("/videos/\udcff.mp4")))
    assert _scores(grounder, _request("v2"))[0] == [7]


def test_an_exit_tells_its_code_and_the_end_of_its_log(make: Make) -> None:
    grounder = make(
        _FIRST_FAILS
        + """
    second(request)
    print("on standard output", flush=True)
    raise MemoryError("no \\x1bmemory")
"""
    )
    reason = _fault(grounder)
    assert "exited with code 1 before the end of its answer; 1 of its lines" in reason
    assert reason.endswith("MemoryError: no  memory")
    assert "on standard output" in reason
    # Nothing is kept of what came before.
    stretch = _scores(grounder, _request("v2"))
    assert stretch == [[7], [-np.inf], [-np.inf]]


@pytest.mark.skipif(sys.platform != "linux", reason="pipes of 1 MiB")
def test_the_log_is_read_to_its_end(make: Make) -> None:
    grounder = make(
        _FIRST_FAILS
        + """
    import fcntl
    fcntl.fcntl(2, 1031, 1 << 20)  # F_SETPIPE_SZ
    os.write(2, b"more\\n" * 100_000 + b"the last words")
    os._exit(0)
"""
    )
    end = "ends: more / more / more / more / the last words"
    assert _fault(grounder).endswith(end)


def test_a_signal_is_named(make: Make) -> None:
    grounder = make(_FIRST_FAILS + "    os.kill(os.getpid(), 9)\n")
    assert f"was ended by signal 9 ({signal.strsignal(9)})" in _fault(grounder)
    assert _scores(grounder, _request("v2"))[0] == [7]


def test_a_program_that_ended_between_videos_is_started_again(make: Make, tmp_path: Path) -> None:
    grounder = make(
        """
for request in requests():
    second(request, score=7)
    done(request)
    open(sys.argv[1], "w").write(str(os.getpid()))
    break
""",
        str(tmp_path / "pid"),
    )
    for video in ("v1", "v2"):
        assert _scores(grounder, _request(video))[0] == [7]
        assert _wait_for(lambda: (tmp_path / "pid").exists())
        pid = int((tmp_path / "pid").read_text() or 0)
        assert _wait_for(lambda pid=pid: not _runs(pid))
        (tmp_path / "pid").unlink()


def test_an_exit_is_noticed_though_a_child_holds_the_pipes(make: Make) -> None:
    grounder = make(
        _FIRST_FAILS
        + """
    subprocess.Popen(["sleep", "60"])
    os._exit(3)
"""
    )
    begun = time.monotonic()
    assert "exited with code 3" in _fault(grounder)
    assert time.monotonic() - begun < 30


def test_a_late_program_is_ended_with_its_children(make: Make, tmp_path: Path) -> None:
    grounder = make(
        """
pids = [os.getpid(), subprocess.Popen(["sleep", "60"]).pid]
open(sys.argv[1], "w").write(json.dumps(pids))
print("waiting", flush=True)
"""
        + _FIRST_FAILS
        + """
    second(request)
    time.sleep(60)
""",
        str(tmp_path / "pids"),
        time_limit=_SHORT,
    )
    reason = _fault(grounder)
    assert "out of time after 0.5 s, before the end of its answer" in reason
    assert "its log ends: waiting" in reason
    pids = json.loads((tmp_path / "pids").read_text())
    assert len(pids) == 2
    for pid in pids:
        assert _wait_for(lambda pid=pid: not _runs(pid))


def test_a_program_that_writes_for_ever_is_late_all_the_same(make: Make) -> None:
    grounder = make(_FIRST_FAILS + "    while True: print('still there')\n", time_limit=_SHORT)
    assert "out of time" in _fault(grounder)


@pytest.mark.parametrize(("count", "taken"), [(1, 0), (20_000, 0), (20_000, 5000)])
def test_a_program_that_does_not_read_is_late(make: Make, count: int, taken: int) -> None:
    body = f"say({{'ready': 'gytbench-exec/1'}})\nos.read(0, {taken})\ntime.sleep(60)\n"
    grounder = make(body, time_limit=_SHORT)
    asked = [Asked(f"query {number}", range(1)) for number in range(count)]
    assert "out of time" in _fault(grounder, _request("v1", *asked))


@pytest.mark.parametrize("number", [0, 1])
def test_a_program_that_closes_a_pipe_and_stays(make: Make, number: int) -> None:
    grounder = make(
        f"say({{'ready': 'gytbench-exec/1'}})\nos.close({number})\ntime.sleep(60)\n",
    )
    # Until the pipe is closed it takes some of the request, which is longer than a pipe holds.
    asked = [Asked(f"query {number}", range(1)) for number in range(20_000)]
    reason = _fault(grounder, _request("v1", *asked))
    assert "closed its standard input or output before the end of its answer" in reason


def test_too_long_a_line(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program_module, "MAX_LINE", 1 << 20)
    grounder = make(_FIRST_FAILS + "    print('y' * (3 << 20), flush=True)\n    time.sleep(60)\n")
    reason = _fault(grounder)
    assert "a line longer than 1 MiB: yyy" in reason
    assert len(reason) < 500
    assert _scores(grounder, _request("v2"))[0] == [7]


def test_a_long_line_comes_whole(make: Make) -> None:
    grounder = make("""
for request in requests():
    second(request, query=request["asked"][0]["query"], score=3)
    done(request)
""")
    query = "long " * 400_000
    request = _request("v1", Asked(query, range(1)), seconds=range(1))
    assert _scores(grounder, request, query) == [[3]]


def test_too_much_output_for_one_video(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program_module, "MAX_OUTPUT", 1 << 20)
    grounder = make("""
for request in requests():
    for _ in range(700 if request["video"] != "v3" else 1100):
        say("z" * 1023)
    second(request, score=7)
    done(request)
""")
    # It is counted for each video anew.
    for video in ("v1", "v2"):
        assert _scores(grounder, _request(video))[0] == [7]
    assert "wrote more than 1 MiB" in _fault(grounder, _request("v3"))


# Starting and ending


def test_commands_that_cannot_be_started(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("no program")
    for command, expected in {
        (): "set it to the words",
        ("no-such-program-anywhere",): "No such file",
        (str(tmp_path / "missing"),): "No such file",
        (str(tmp_path),): "ermission denied",
        (str(plain),): "ermission denied",
        ("a\0b",): "null byte",
        ("python", "{chekpoint}"): "{chekpoint} is none of {device}, {checkpoint}",
    }.items():
        with pytest.raises(InputError, match=expected):
            ExecGrounder(ProgramSettings(command), Setup({"checkpoint": plain}))
    with pytest.raises(InputError, match="half precision"):
        ExecGrounder(ProgramSettings(("true",)), Setup(half=True))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("raise ImportError('no GLIP here')", "code 1 before its ready line; its log ends: .*GLIP"),
        ("say({'ready': 'gytbench-exec/2'})", "must say .*gytbench-exec/1.* first, but wrote"),
        ("say('{')", "must say"),
        ("print('hello', flush=True)\ntime.sleep(60)", "out of time after 0.5 s.*ends: hello"),
    ],
)
def test_programs_that_do_not_become_ready(make: Make, body: str, expected: str) -> None:
    with pytest.raises(InputError, match=expected) as caught:
        make(body, start_limit=_SHORT if "sleep" in body else 60)
    assert caught.value.faults[0].where == sys.executable


def test_three_failed_starts_in_a_row_are_the_last(make: Make, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    marks.write_text("")
    grounder = make(
        """
with open(sys.argv[1], "a") as marks:
    marks.write("x")
if len(open(sys.argv[1]).read()) in (2, 4, 5, 6, 7):
    sys.exit("the GPU is gone")
for request in requests():
    second(request)
    if request["video"] == "good":
        done(request)
        continue
    sys.exit("crashed")
""",
        str(marks),
    )
    assert "crashed" in _fault(grounder)
    assert "GPU" in _fault(grounder)  # the second start
    assert _scores(grounder, _request("good"))[0] == [1]
    assert "crashed" in _fault(grounder)
    for _ in range(2):
        assert "code 1 before its ready line; its log ends: the GPU is gone" in _fault(grounder)
    with pytest.raises(ProgramLostError, match="GPU"):
        grounder.read(_request())
    with pytest.raises(ProgramLostError, match="v7: the program did not start 3 times in a row"):
        grounder.read(_request("v7"))
    assert marks.read_text() == "x" * 6


def test_an_interrupt_ends_the_program(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    grounder = make("for request in requests(): second(request, score=os.getpid())\n")
    pids = []

    def interrupted(self: Any, said: Any) -> None:  # noqa: ARG001
        pids.append(int(said.score))
        raise KeyboardInterrupt

    monkeypatch.setattr(exec_adapter._Seconds, "take", interrupted)
    with pytest.raises(KeyboardInterrupt):
        grounder.read(_request())
    assert len(pids) == 1
    assert not _runs(pids[0])


_SAYS_WHEN_IT_ENDS = """
for request in requests():
    done(request)
print("much " * 100_000)
open(sys.argv[1], "w").write("tidied up")
"""


def test_close_lets_the_program_end_by_itself(make: Make, tmp_path: Path) -> None:
    grounder = make(_SAYS_WHEN_IT_ENDS, str(tmp_path / "end"))
    grounder.read(_request())
    grounder.close()
    assert (tmp_path / "end").read_text() == "tidied up"
    grounder.close()


def test_a_grounder_that_is_no_longer_used_ends_its_program(tmp_path: Path) -> None:
    path = tmp_path / "program.py"
    path.write_text(_PRELUDE + _SAYS_WHEN_IT_ENDS)
    command = (sys.executable, "-I", "-S", str(path), str(tmp_path / "end"))
    grounder = ExecGrounder(ProgramSettings(command), Setup())
    grounder.read(_request())
    del grounder
    assert (tmp_path / "end").read_text() == "tidied up"


def test_the_end_of_the_run_ends_the_program(tmp_path: Path) -> None:
    path = tmp_path / "program.py"
    path.write_text(_PRELUDE + _SAYS_WHEN_IT_ENDS)
    command = (sys.executable, "-I", "-S", str(path), str(tmp_path / "end"))
    run = f"""
from gytbench.grounding.adapters.exec import ExecGrounder, ProgramSettings
from gytbench.grounding.contract import Setup
grounder = ExecGrounder(ProgramSettings({command!r}), Setup())
raise KeyboardInterrupt
"""
    subprocess.run([sys.executable, "-c", run], capture_output=True, timeout=60)
    assert (tmp_path / "end").read_text() == "tidied up"


def test_a_program_that_does_not_end_is_killed(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(program_module, "GRACE", 0.3)
    grounder = make(
        """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open(sys.argv[1], "w").write(str(os.getpid()))
for request in requests():
    done(request)
time.sleep(60)
""",
        str(tmp_path / "pid"),
    )
    grounder.read(_request())
    begun = time.monotonic()
    grounder.close()
    assert time.monotonic() - begun >= 0.3
    assert not _runs(int((tmp_path / "pid").read_text()))


# Whole tubes


def _tube(**fields: Any) -> str:
    return json.dumps({"tube": {"video": "v1", "label": "stir", "start": 0, "end": 2, **fields}})


def _says(*lines: str) -> str:
    said = "".join(f"    say({line!r})\n" for line in lines)
    return f"for request in requests():\n{said}    done(request)\n"


def test_tubes_come_as_they_are(make: Make) -> None:
    boxes = [[0, 0, 32, 24], None]
    lines = _tube(score=0.5, boxes=boxes, frame_size=[64, 48]), _tube(start=1.5, meta={"a": 1})
    grounder = make(_says(*lines), kind=ExecTubes)
    first, second = grounder.tubes(_request())
    assert (first.label, first.score, first.boxes) == ("stir", 0.5, [(0, 0, 32, 24), None])
    assert first.frame_size == (64, 48)
    assert (second.start, second.end, second.meta) == (1.5, 2, {"a": 1})


def test_tubes_of_clips_name_their_instances(make: Make) -> None:
    grounder = make(_says(_tube(instance=3), _tube(instance=4, start=1)), kind=ExecTubes)
    asked = (Asked("stir", range(2), 3), Asked("stir", range(1, 2), 4))
    found = grounder.tubes(_request("v1", *asked, task="spatial"))
    assert [tube.instance for tube in found] == [3, 4]


@pytest.mark.parametrize(
    ("task", "lines", "expected"),
    [
        ("st", [_tube(video="v2")], "spoke of 'v2'"),
        ("st", [_tube(label="Stir")], "answered 'Stir', which was not asked"),
        ("st", [_tube(end=0)], "does not end after its start"),
        ("st", [_tube(ende=0)], "$.tube: object contains unknown field ende"),
        ("st", [_tube(boxes=[[1, 2, 3]])], "$.tube.boxes[0]"),
        ("st", [_tube(end=1e9)], "$.tube.end"),
        ("st", [_ANSWER + "}"], "unknown field video"),
        ("spatial", [_tube()], "instance None, which was not asked"),
        ("spatial", [_tube(instance=5)], "instance 5, which was not asked"),
        ("spatial", [_tube(instance=4)], "instance 4, which was not asked with that label"),
        ("spatial", [_tube(instance=3)] * 2, "instance 3, which .* answered before"),
    ],
)
def test_faulty_tubes(make: Make, task: str, lines: list[str], expected: str) -> None:
    grounder = make(_says(*lines), kind=ExecTubes)
    asked = (Asked("stir", range(2), 3), Asked("add egg", range(2), 4))
    with pytest.raises(InputError) as caught:
        grounder.tubes(_request("v1", *asked, task=task))
    reason = str(caught.value)
    assert all(part in reason for part in expected.split(".*"))
    assert lines[-1][:100] in reason


def test_too_many_tubes(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exec_adapter, "MAX_TUBES", 2)
    grounder = make(_says(_tube(), _tube()), kind=ExecTubes)
    assert len(grounder.tubes(_request())) == 2
    grounder = make(_says(_tube(), _tube(), _tube()), kind=ExecTubes)
    assert "more than 2 tubes" in _fault(grounder)


# The example


def test_the_example_runner(tmp_path: Path) -> None:
    pytest.importorskip("av")
    # The corner of 12 x 12 pixels is the brightest part of the 64 x 48.
    video = write_video(tmp_path / "v1.mp4", [number / 10 for number in range(30)])
    settings = ProgramSettings((sys.executable, str(_RUNNER)))
    grounder = ExecGrounder(settings, Setup())
    asked = (Asked("stir", range(2), 1), Asked("stir", range(1, 3), 2), Asked("cut", range(1)))
    request = _request("v1", *asked, path=video)
    stretch = Stretch(grounder.read(request), request.seconds)
    boxes = grounder.boxes(stretch, "stir")
    np.testing.assert_allclose(boxes, [[0, 0, 12 / 64, 12 / 48]] * 3, atol=0.04)
    # The rest has a grey of 30, 50 and 70, and the corner one of 240.
    scores = grounder.frame_scores(stretch, ["stir", "cut"])
    np.testing.assert_allclose(scores[:, 0], [210 / 255, 190 / 255, 170 / 255], atol=0.05)
    assert np.isinf(scores[:, 1]).tolist() == [False, True, True]
    missing = _request("v2", path=tmp_path / "v2.mp4")
    assert "refused it: FileNotFoundError" in _fault(grounder, missing)
    assert np.isfinite(_scores(grounder, request)).all()
    grounder.close()
