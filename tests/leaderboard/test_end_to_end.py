"""From a prediction file to the page, in a scratch repository, by the steps of the workflows."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from gytbench.benchmark import load_benchmark
from gytbench.bounds import BOUNDS
from gytbench.demo import predict, write_annotations
from gytbench.predictions import TASKS, save_predictions

from .test_workflows import CHECK, PUBLISH, ROOT, step

NAME, SYSTEM = "two-branches", "Two branches"
ABOUT: dict[str, Any] = {
    "system": SYSTEM,
    "authors": ["Ada Example", "Ben Example"],
    "date": "2024-05-31",
    "paper": "https://example.org/paper",
    "backbone": "CLIP ViT-B/32",
    "training_data": ["HowTo100M"],
    "supervision": "self",
    "modality": "video",
    "tuned_on_test": True,
    "tuned": "tau, by IoU+Point",
}
GIT = (
    "git -c user.name=ada -c user.email=ada@example.org -c init.defaultBranch=main "
    "-c commit.gpgsign=false -c advice.detachedHead=false"
)


class Done(NamedTuple):
    """What a script left: exit code, and all that it printed."""

    code: int
    said: str


class Story(NamedTuple):
    """A request from its prediction files to the merged board, each in a folder of its own."""

    folder: Path
    run: Callable[..., Done]
    unfilled: Done
    checked: Done


def in_bash(folder: Path, data: Path) -> Callable[..., Done]:
    """Runs scripts as the runners of GitHub do, offline, with this installation."""
    variables = {
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
        "HOME": str(folder),
        "GYTBENCH_DATA": str(data),
        "GIT_CONFIG_NOSYSTEM": "1",
        "PYTHONWARNINGS": "error",
        "OMP_NUM_THREADS": "1",
        "https_proxy": "http://127.0.0.1:9",
    }

    def run(script: str, place: str = ".", *, code: int | None = 0) -> Done:
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=folder / place,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=300,
            encoding="utf-8",
            check=False,
        )
        assert code is None or done.returncode == code, done.stdout
        return Done(done.returncode, done.stdout)

    return run


def fill(submission: Path, about: dict[str, Any]) -> None:
    """Answer what `submit init` asks."""
    content = yaml.safe_load(submission.read_text(encoding="utf-8"))
    text = yaml.safe_dump(content | about, allow_unicode=True)
    submission.write_text(text, encoding="utf-8")


def merged(run: Callable[..., Done], place: str, branch: str) -> None:
    """What GitHub checks of a request: its merge into the base branch, and its parents alone."""
    run(
        f"mkdir {place} && cd {place} && {GIT} clone --quiet ../origin.git merge && cd merge"
        f" && {GIT} fetch --quiet ../../fork {branch}"
        f" && {GIT} merge --quiet --no-ff -m merge FETCH_HEAD"
        f' && {GIT} clone --quiet --depth 2 "file://$PWD" ../request'
    )


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = tmp_path_factory.mktemp("story")
    data = folder / "data"
    write_annotations(data)
    truth = load_benchmark(data=data)
    for task in TASKS:
        save_predictions(predict(truth, task), folder / f"{task}.json")
    run = in_bash(folder, data)
    board = folder / "main" / "leaderboard"
    shutil.copytree(
        ROOT / "leaderboard",
        board,
        ignore=lambda *_: {"results", "history", "site", "submissions", ".cache"},
    )
    shutil.copy(ROOT / ".gitignore", folder / "main")
    run("gytbench leaderboard build --board main/leaderboard")
    run(f"{GIT} init --quiet && {GIT} add . && {GIT} commit --quiet -m base", "main")
    run(f"{GIT} clone --quiet --bare main origin.git && {GIT} clone --quiet origin.git fork")
    run(f"{GIT} switch --quiet -c submit", "fork")
    run(f"gytbench submit init ../st.json ../temporal.json --name {NAME}", "fork")
    unfilled = run(f"gytbench submit check {NAME}", "fork", code=None)
    fill(folder / "fork" / "leaderboard" / "submissions" / NAME / "submission.yaml", ABOUT)
    checked = run(f"gytbench submit check {NAME}", "fork", code=None)
    run(f"{GIT} add leaderboard && {GIT} commit --quiet -m entry", "fork")
    merged(run, "checked", "submit")
    return Story(folder, run, unfilled, checked)


def test_what_is_missing_is_said_in_words_until_all_is_there(story: Story) -> None:
    assert story.unfilled.code == 2
    for field in ("authors", "backbone", "supervision"):
        assert field in story.unfilled.said
    assert "Traceback" not in story.unfilled.said
    assert story.checked.code == 0, story.checked.said


def test_a_pack_is_the_folder_and_always_the_same(story: Story) -> None:
    for name in ("one", "two"):
        story.run(f"gytbench submit pack {NAME} -o ../{name}.tar.gz", "fork")
    one, two = (story.folder / f"{name}.tar.gz" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    with tarfile.open(one) as archive:
        archive.extractall(story.folder / "unpacked", filter="data")
    (submission,) = (story.folder / "unpacked").rglob("submission.yaml")
    entry = story.folder / "fork" / "leaderboard" / "submissions" / NAME
    assert {file.name: file.read_bytes() for file in submission.parent.iterdir()} == {
        file.name: file.read_bytes() for file in entry.iterdir()
    }


def test_the_workflow_checks_the_request_and_tells_what_it_would_change(story: Story) -> None:
    story.run(step(CHECK, "Check")["run"], "checked")
    story.run(step(CHECK, "Diff")["run"], "checked")
    said = (story.folder / "checked" / "comment.md").read_text(encoding="utf-8")
    assert SYSTEM in said
    assert "IoU" in said or "iou" in said
    # Nothing was written into what is checked.
    assert story.run("git status --porcelain", "checked/request").said == ""


def test_a_request_that_touches_anothers_entry_is_refused_with_a_comment(story: Story) -> None:
    entry = f"leaderboard/submissions/{NAME}"
    story.run(
        f"{GIT} switch --quiet -c hostile && cp -r {entry} leaderboard/submissions/other"
        f" && echo '# mine now' >> {entry}/submission.yaml"
        f" && {GIT} add . && {GIT} commit --quiet -m hostile && {GIT} switch --quiet submit",
        "fork",
    )
    merged(story.run, "refused", "hostile")
    refused = story.run(step(CHECK, "Check")["run"], "refused", code=None)
    assert refused.code == 2, refused.said
    story.run(step(CHECK, "Faults")["run"], "refused")
    said = (story.folder / "refused" / "comment.md").read_text(encoding="utf-8")
    assert "one at a time" in said
    assert NAME in said


def test_the_merged_entry_is_scored_published_and_recorded(story: Story) -> None:
    run, folder = story.run, story.folder
    run(f"{GIT} push --quiet origin submit:main", "fork")
    run(f"{GIT} clone --quiet origin.git published")
    for title in ("Build", "Set the results aside"):
        run(step(PUBLISH, title)["run"], "published")
    page = (folder / "published" / "site" / "index.html").read_text(encoding="utf-8")
    assert SYSTEM in page
    assert all(name in page for name in BOUNDS)
    assert "GROVE" in page
    own = (folder / "published" / "site" / "entries" / f"{NAME}.html").read_text(encoding="utf-8")
    assert "Ada Example" in own
    run(f"{GIT} clone --quiet origin.git recorded && mv published/built recorded")
    script = step(PUBLISH, "Record")["run"]
    run(script, "recorded")
    run(f"{GIT} clone --quiet origin.git after")
    results = folder / "after" / "leaderboard" / "results"
    assert {path.stem for path in results.iterdir()} == {NAME, *BOUNDS}
    scores = json.loads((results / f"{NAME}.json").read_text(encoding="utf-8"))["scores"]
    assert [each["task"] for each in scores] == ["st", "st", "temporal"]
    assert all(each["signature"].startswith("gytbench:") for each in scores)
    # From nothing, with another number of processes, come the same bytes.
    shutil.rmtree(results)
    run("gytbench leaderboard build --jobs 1 --site site", "after")
    for part in ("leaderboard/results", "site"):
        first, second = folder / "after" / part, folder / "published" / part
        assert content(first) == content(second)


def content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
