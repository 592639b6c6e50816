"""Runs on a Ray cluster of two nodes on this machine, one of which is killed."""

import subprocess
import sys
from pathlib import Path

import pytest

from .making import Ground, make_ground

pytest.importorskip("ray")

_KILLED = """
import sys
import threading
import time
from pathlib import Path

import ray
from ray.cluster_utils import Cluster

from gytbench.grounding.answering import Choices
from gytbench.grounding.running import run
from gytbench.grounding.systems import Options
from gytbench.grounding.work import Job

data, videos, output, log = map(Path, sys.argv[1:])
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
lost = cluster.add_node(num_cpus=1)
cluster.wait_for_nodes()
options = Options(settings={"slow": 0.2, "log": str(log)})
job = Job("yellow", videos, Choices("st"), options, {"data": data}, batch_size=16)


def kill():
    # As soon as both nodes are at work: each worker process logs under its own id.
    while not log.exists() or len({line.split()[0] for line in log.read_text().splitlines()}) < 2:
        time.sleep(0.05)
    cluster.remove_node(lost, allow_graceful=False)
    log.with_name("killed").touch()


thread = threading.Thread(target=kill, daemon=True)
thread.start()
outcome = run(job, output, distributed=cluster.address)
thread.join(60)
print(outcome.fresh, outcome.missing, dict(outcome.failed), ray.is_initialized())
cluster.shutdown()
"""


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return make_ground(tmp_path_factory.mktemp("ground"))


GYTBENCH = str(Path(sys.executable).with_name("gytbench"))


def _run(ground: Ground, *words: object) -> str:
    done = subprocess.run(
        [*map(str, words)],
        env=ground.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_a_node_is_killed_and_nothing_is_lost_or_twice(ground: Ground, tmp_path: Path) -> None:
    alone, together, log = tmp_path / "alone.json", tmp_path / "together.json", tmp_path / "log"
    script = tmp_path / "killed.py"
    script.write_text(_KILLED)
    printed = _run(ground, sys.executable, script, ground.data, ground.videos, together, log)
    assert "6 0 {} False" in printed
    assert (tmp_path / "killed").exists()
    settings = ("--set", "slow=0.2", "--set", f"log={log}")
    command = (GYTBENCH, "run-baseline", "yellow", "--videos", ground.videos)
    _run(ground, *command, "-o", alone, *settings)
    assert together.read_bytes() == alone.read_bytes()


def test_a_cluster_of_this_machine_alone(ground: Ground, tmp_path: Path) -> None:
    outputs = tmp_path / "ray.json", tmp_path / "here.json"
    for output, more in zip(outputs, (("--distributed", "local"), ()), strict=True):
        command = (GYTBENCH, "run-baseline", "yellow", "--videos", ground.videos)
        _run(ground, *command, "-o", output, *more)
    assert outputs[0].read_bytes() == outputs[1].read_bytes()


def test_a_cluster_that_is_not_there(ground: Ground, tmp_path: Path) -> None:
    words = f"run-baseline yellow --videos {ground.videos} -o {tmp_path / 'p.json'}"
    command = [GYTBENCH, *words.split(), "--distributed", "127.0.0.1:9"]
    done = subprocess.run(
        command, env=ground.environment(), capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 2
    assert "cannot be reached" in done.stderr
    assert "Traceback" not in done.stderr
