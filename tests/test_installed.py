"""The wheel does all that a checkout does."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "--wheel-dir", str(folder), str(ROOT)], check=True, timeout=300)
    (found,) = folder.glob("gytbench-*.whl")
    return found


@pytest.fixture(scope="module")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run(unpacked: Path, cwd: Path, code: str, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(unpacked)}
    environment.pop("GYTBENCH_DATA", None)
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


MAIN = "import gytbench.cli.main as m; m.main()"


@pytest.fixture(scope="module")
def demo(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the demo was run."""
    folder = tmp_path_factory.mktemp("demo")
    assert "video_map@0.1:0.5" in run(unpacked, folder, MAIN, "demo")
    return folder


def test_it_runs_the_demo_from_its_own_files(unpacked: Path, demo: Path) -> None:
    where = run(unpacked, demo, "import gytbench; print(gytbench.__file__)")
    assert Path(where.strip()).is_relative_to(unpacked)
    assert (demo / "gytbench-demo" / "st.json").is_file()
    assert (demo / "gytbench-demo" / "grounded.json").is_file()


def test_it_carries_the_recipes_and_the_programs_that_they_run(unpacked: Path, demo: Path) -> None:
    listed = run(unpacked, demo, MAIN, "baselines", "list")
    for name in (
        *("clip", "mil-nce", "comma", "global-local-clip", "conse", "motion", "exec"),
        *("regionclip", "mil-nce+regionclip", "tubedetr", "stcat", "glip", "mining-mlp"),
    ):
        assert f"\n{name} " in listed
    where = "from gytbench.resources import baselines_folder as f; print(f())"
    folder = Path(run(unpacked, demo, where).strip())
    assert folder.is_relative_to(unpacked)
    assert (folder / "runners" / "brightest.py").is_file()


def test_it_carries_the_class_map_and_the_manifest_but_no_released_file(wheel: Path) -> None:
    from gytbench.benchmark.releases import manifest

    with zipfile.ZipFile(wheel) as archive:
        names = {Path(name).name for name in archive.namelist()}
    assert {"classes.tsv", "releases.toml", "py.typed", "LICENSE"} <= names
    assert not names & {Path(file.path).name for file in manifest()}


def test_it_carries_the_cards_and_what_papers_report(unpacked: Path, demo: Path) -> None:
    assert "YouCook2-Interactions" in run(
        unpacked, demo, MAIN, "data", "card", "youcook-interactions"
    )
    assert "reported, convention unknown" in run(unpacked, demo, MAIN, "results")


def test_it_makes_pages_from_its_own_templates(unpacked: Path, demo: Path) -> None:
    data = ("--data", "gytbench-demo/data")
    run(unpacked, demo, MAIN, "audit", "gytbench-demo/data", "--page", "audit.html")
    assert b"</html>" in (demo / "audit.html").read_bytes()
    points = "gytbench-demo/data/points.csv"
    run(unpacked, demo, MAIN, "build-boxes", points, "-o", "boxes.json")
    run(unpacked, demo, MAIN, "agreement", points, "--json", "agreement.json", *data)
    serve = "from gytbench.collection import PointServer; PointServer(None).server_close()"
    run(unpacked, demo, serve)


def test_importing_the_package_loads_nothing_slow() -> None:
    code = (
        "import sys, gytbench, gytbench.cli.main\n"
        "slow = {'numpy', 'msgspec', 'tqdm', 'pyarrow', 'urllib.request'}\n"
        "print(sorted(slow & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
