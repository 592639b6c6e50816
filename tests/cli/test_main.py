"""The command line as such: commands by name, and what stands behind its output."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import gytbench
from gytbench.cli.text import one_line
from gytbench.predictions import json_schema

from .conftest import Run, predictions, tube

SCRIPT = Path(sys.executable).parent / "gytbench"
PUBLISHED = Path(__file__).parents[2] / "docs" / "gytbench-predictions-1.schema.json"


def script(*args: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Runs the installed command in a process of its own."""
    command = [str(SCRIPT), *map(str, args)]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    return subprocess.run(command, text=True, check=False, **options)


@pytest.mark.parametrize(
    ("said", "meant"),
    [("evalute", "evaluate"), ("valdate", "validate"), ("run_baseline", "run-baseline")],
)
def test_a_misspelt_command(run: Run, said: str, meant: str) -> None:
    code, out, err = run(said, "preds.json")
    assert (code, out) == (2, "")
    assert err.endswith(f"Error: No such command '{said}'. Did you mean '{meant}'?\n")


def test_a_command_like_no_other(run: Run) -> None:
    code, _, err = run("zzz\x1b[31m")
    assert code == 2
    assert err.endswith("Error: No such command 'zzz\\x1b[31m'.\n")


def test_help_names_every_command(run: Run) -> None:
    code, out, _ = run("--help")
    assert code == 0
    for name in ("evaluate", "validate", "run-baseline", "demo", "data", "schema"):
        assert f"\n  {name} " in out
        assert run(name, "--help").code == 0


def test_version(run: Run) -> None:
    assert run("--version") == (0, f"gytbench, version {gytbench.__version__}\n", "")


def test_schema(run: Run) -> None:
    code, out, err = run("schema")
    assert (code, err) == (0, "")
    assert json.loads(out) == json_schema()
    # The published file is this output, to the byte.
    assert out == PUBLISHED.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, caf\u00e9 \u5375", "plain, caf\u00e9 \u5375"),
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("\x1b[31m\x07\x7f\x9b", r"\x1b[31m\x07\x7f\x9b"),
        ("\u2028\u202e\ufeff", r"\u2028\u202e\ufeff"),
        ("\udcff", r"\udcff"),
        ("back\\slash", "back\\slash"),
    ],
)
def test_one_line(text: str, shown: str) -> None:
    assert one_line(text) == shown


def test_the_installed_command(data: Path, tmp_path: Path) -> None:
    path = predictions(tmp_path, tube(), tube(label="?"))
    done = script("evaluate", path, "--data", data)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: {path}: $.tubes[1].label: unknown label '?' (video 'aaaaaaaaaaa')\n"
    )
    path = predictions(tmp_path, tube())
    done = script("evaluate", path, "--json", "-", env=os.environ | {"GYTBENCH_DATA": str(data)})
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["task"] == "st"


@pytest.mark.parametrize("command", ["schema", "evaluate", "validate", "json"])
def test_nobody_reads_the_output(data: Path, tmp_path: Path, command: str) -> None:
    path = predictions(tmp_path, *[tube(label="?")] * (3000 if command == "validate" else 0))
    args: dict[str, list[object]] = {
        "schema": ["schema"],
        "evaluate": ["evaluate", path, "--data", data],
        "validate": ["validate", path, "--data", data],
        "json": ["evaluate", path, "--data", data, "--json", "-"],
    }
    reading, writing = os.pipe()
    os.close(reading)
    done = script(*args[command], stdout=writing)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="needs a disk that is full")
@pytest.mark.parametrize("command", ["schema", "evaluate", "validate", "json"])
def test_the_output_goes_to_a_full_disk(data: Path, tmp_path: Path, command: str) -> None:
    path = predictions(tmp_path, tube(label="?") if command == "validate" else tube())
    args: dict[str, list[object]] = {
        "schema": ["schema"],
        "evaluate": ["evaluate", path, "--data", data],
        "validate": ["validate", path, "--data", data],
        "json": ["evaluate", path, "--data", data, "--json", "-"],
    }
    with Path("/dev/full").open("w") as full:
        done = script(*args[command], stdout=full)
    assert done.returncode == 2
    assert done.stderr == "error: [Errno 28] No space left on device\n"


def test_a_terminal_that_lacks_a_character(data: Path, tmp_path: Path) -> None:
    path = predictions(tmp_path, tube(label="caf\u00e9 \u5375"))
    options = {"env": os.environ | {"PYTHONIOENCODING": "latin-1"}, "encoding": "latin-1"}
    for command in ("validate", "evaluate"):
        done = script(command, path, "--data", data, **options)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
        assert r"\u5375'" in done.stdout + done.stderr
