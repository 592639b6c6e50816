"""What the tests of collecting share: answers, and `gytbench annotate` as a process."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gytbench.collection import Answer

SCRIPT = Path(sys.executable).parent / "gytbench"


def answer(**fields: Any) -> Answer:
    """A point that is right, with fields replaced."""
    point = {
        "video": "v",
        "second": 3,
        "step": "crack_eggs",
        "annotator": "ann",
        "x": 10.5,
        "y": 20.0,
        "width": 64,
        "height": 48,
        "answer": "point",
        "time": "2024-01-01T00:00:00.000+00:00",
    }
    return Answer(**(point | fields))


class Annotating:
    """A running `gytbench annotate`, and where its page is."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        self.url = url

    def kill(self) -> None:
        """Ends it at once, as a power cut would."""
        self.process.kill()
        self.process.wait(timeout=20)

    def interrupt(self) -> int:
        """Ctrl-C; the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=20)


@contextmanager
def annotating(*args: object) -> Iterator[Annotating]:
    """Runs `gytbench annotate` until the end of the block."""
    command = [str(SCRIPT), "annotate", *map(str, args)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, text=True, **pipes) as process:
        try:
            assert process.stdout
            said = ""
            for line in process.stdout:
                said += line
                if found := re.match(r"Open (http://127\.0\.0\.1:\d+/)", line):
                    yield Annotating(process, found[1])
                    break
            else:
                raise AssertionError(said)
        finally:
            process.kill()


def logged(path: Path) -> list[dict[str, Any]]:
    """The lines of a log."""
    return [json.loads(line) for line in path.read_text().splitlines()]
