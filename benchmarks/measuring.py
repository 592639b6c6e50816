"""Time and peak memory of a call, or of a whole command (Linux)."""

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from tabulate import tabulate

T = TypeVar("T")


class Cost(NamedTuple):
    """Seconds on the clock, and the largest resident memory of the process in MiB."""

    seconds: float
    peak_mib: float = float("nan")


def timed(call: Callable[[], T], repeat: int = 3) -> tuple[T, float]:
    """What a call returns, and the seconds of its fastest run."""
    best = float("inf")
    for _ in range(repeat):
        begin = time.perf_counter()
        value = call()
        best = min(best, time.perf_counter() - begin)
    return value, best


_LAUNCHER = """
import os, sys, time
begin = time.perf_counter()
process = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=[
    (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
_, status, usage = os.wait4(process, 0)
print(time.perf_counter() - begin, usage.ru_maxrss / 1024, os.waitstatus_to_exitcode(status))
"""
"""Starts a command from a small process: a child's peak memory counts that of its parent."""

_JSON_LOAD = """
import json, re, sys, time
with open(sys.argv[1]) as file:
    begin = time.perf_counter()
    loaded = json.load(file)
    end = time.perf_counter()
peak = re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())
print(end - begin, int(peak[1]) / 1024, 0)
"""


def command_cost(arguments: Sequence[str], repeat: int = 5) -> Cost:
    """The fastest of several runs of a command, output discarded."""
    return min(_run(_LAUNCHER, arguments) for _ in range(repeat))


def json_load_cost(path: str, repeat: int = 5) -> Cost:
    """json.load of the standard library alone: the seconds of the call, in a fresh process."""
    return min(_run(_JSON_LOAD, [path]) for _ in range(repeat))


def _run(code: str, arguments: Sequence[str]) -> Cost:
    command = [sys.executable, "-c", code, *arguments]
    out = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    seconds, peak, status = map(float, out.split())
    if status:
        raise RuntimeError(f"exit code {status:.0f}: {' '.join(arguments)}")
    return Cost(seconds, peak)


def show(title: str, rows: list[list[Any]], *closing: str) -> None:
    """Print a table of what was measured (text, seconds, and peak MiB where it is given)."""
    head = ["", "seconds", "peak MiB"][: len(rows[0])]
    table = tabulate(rows, headers=head, floatfmt=("", ".5f", ".0f"), missingval="")
    sys.stdout.write("\n".join([title, "", table, *closing]) + "\n\n")
    sys.stdout.flush()
