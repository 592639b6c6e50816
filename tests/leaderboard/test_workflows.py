"""The workflows: what strangers send is never run, and reaches no right to write."""

import io
import json
import os
import re
import stat
import subprocess
import sys
import unicodedata
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".github" / "workflows"
SCRIPT = ROOT / ".github" / "scripts" / "leaderboard_comment.py"
CHECK, COMMENT, PUBLISH = "leaderboard-check", "leaderboard-comment", "leaderboard-publish"
NAMES = (CHECK, COMMENT, PUBLISH)
MARK = "<!-- leaderboard -->\n"


def text(name: str) -> str:
    return (FOLDER / f"{name}.yml").read_text(encoding="utf-8")


def workflow(name: str) -> dict[str, Any]:
    found = yaml.safe_load(text(name))
    # YAML 1.1 reads the key `on` as true.
    return found | {"on": found.pop(True)}


def steps(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for job, content in workflow(name)["jobs"].items():
        yield from ((job, step) for step in content["steps"])


def step(name: str, title: str) -> dict[str, Any]:
    return next(each for _, each in steps(name) if each.get("name") == title)


def scripts(name: str) -> list[str]:
    return [each["run"] for _, each in steps(name) if "run" in each]


def checkouts(name: str) -> list[tuple[str, dict[str, Any]]]:
    found = ((job, each) for job, each in steps(name) if "uses" in each)
    return [
        (job, each["with"]) for job, each in found if each["uses"].startswith("actions/checkout@")
    ]


@pytest.mark.parametrize("name", NAMES)
def test_no_workflow_gives_a_request_rights_or_secrets(name: str) -> None:
    assert not {"pull_request_target", "issue_comment"} & set(workflow(name)["on"])
    assert "secrets." not in text(name)
    assert workflow(name)["permissions"] in ({}, {"contents": "read"})
    rights = {
        (job, right): value
        for job, content in workflow(name)["jobs"].items()
        for right, value in content.get("permissions", {}).items()
        if value == "write"
    }
    allowed = {
        CHECK: set(),
        COMMENT: {("comment", "pull-requests")},
        PUBLISH: {("deploy", "pages"), ("deploy", "id-token"), ("record", "contents")},
    }
    assert set(rights) == allowed[name]


@pytest.mark.parametrize("name", NAMES)
def test_no_text_of_an_event_becomes_part_of_a_script(name: str) -> None:
    assert scripts(name)
    assert not [script for script in scripts(name) if "${{" in script]


@pytest.mark.parametrize("name", NAMES)
def test_actions_are_pinned_by_commit_with_their_version(name: str) -> None:
    used = [line for line in text(name).splitlines() if "uses:" in line]
    assert used
    for line in used:
        assert re.search(r"uses: actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line


def test_the_same_action_is_pinned_alike_everywhere() -> None:
    pins = {re.search(r"uses: (\S+)@(.+)", line) for n in NAMES for line in text(n).splitlines()}
    by_action = {(found[1], found[2]) for found in pins if found}
    assert len({action for action, _ in by_action}) == len(by_action)


@pytest.mark.parametrize("name", NAMES)
def test_every_job_ends(name: str) -> None:
    assert all(job["timeout-minutes"] <= 60 for job in workflow(name)["jobs"].values())


def test_only_the_job_that_records_keeps_credentials() -> None:
    for name in NAMES:
        for job, settings in checkouts(name):
            kept = settings.get("persist-credentials", True)
            assert kept == ((name, job) == (PUBLISH, "record"))


def test_the_check_runs_code_of_the_base_branch_alone() -> None:
    assert set(workflow(CHECK)["on"]) == {"pull_request"}
    (_, base), (_, request) = checkouts(CHECK)
    assert (base["path"], base["ref"]) == ("base", "${{ github.event.pull_request.base.sha }}")
    assert request["path"] == "request"
    assert not {"submodules", "lfs"} & (set(base) | set(request))
    for _, each in steps(CHECK):
        assert "working-directory" not in each
        for line in each.get("run", "").splitlines():
            words = line.split()
            # The request is named as the board that gytbench reads, and in no other place.
            places = [n for n, word in enumerate(words) if "request" in word]
            assert all(words[n - 1] == "--board" for n in places), line
    assert "./base[" in step(CHECK, "Install")["run"]


def test_jobs_that_may_write_run_no_code_that_reads_submissions() -> None:
    for name in (COMMENT, PUBLISH):
        for job, each in steps(name):
            rights = workflow(name)["jobs"][job].get("permissions", {})
            if "write" in rights.values():
                assert "gytbench " not in each.get("run", "")
                assert "pip " not in each.get("run", "")


def test_the_comment_comes_after_the_check_from_the_default_branch() -> None:
    run_of = workflow(COMMENT)["on"]["workflow_run"]
    assert run_of == {"workflows": [workflow(CHECK)["name"]], "types": ["completed"]}
    condition = workflow(COMMENT)["jobs"]["comment"]["if"]
    assert "event == 'pull_request'" in condition
    assert f".github/workflows/{CHECK}.yml" in condition
    assert all("ref" not in settings for _, settings in checkouts(COMMENT))
    assert SCRIPT.relative_to(ROOT).as_posix() in step(COMMENT, "Comment")["run"]


def test_only_main_is_published() -> None:
    assert set(workflow(PUBLISH)["on"]) == {"push", "workflow_dispatch"}
    assert workflow(PUBLISH)["on"]["push"]["branches"] == ["main"]
    assert {job: content.get("needs") for job, content in workflow(PUBLISH)["jobs"].items()} == {
        "build": None,
        "deploy": "build",
        "record": "build",
    }


HOSTILE = "x\x1b[31m\r\n```\n</pre> @everyone ![](https://x.example/a.png) \xff \u2028 end\n"


def test_faults_become_code_that_nothing_breaks_out_of(tmp_path: Path) -> None:
    (tmp_path / "check.txt").write_bytes(HOSTILE.encode("latin-1", errors="ignore") * 3000)
    script = step(CHECK, "Faults")["run"]
    subprocess.run(["bash", "-eo", "pipefail", "-c", script], cwd=tmp_path, check=True)
    said = (tmp_path / "comment.md").read_bytes().decode()
    head, _, code = said.partition("\n\n")
    assert "@" not in head
    assert "@everyone" in code
    assert all(line.startswith("    ") for line in code.split("\n")[:-1])
    assert {c for c in said if unicodedata.category(c) == "Cc"} <= {"\n", "\t"}
    assert len(said) < 60_000


# The script of the comment, with a GitHub that answers from files.

GH = f"""#!{sys.executable}
import json, pathlib, sys
arguments = sys.argv[2:]
folder = pathlib.Path(__file__).parent
path = next(word for word in arguments if word.startswith("repos/"))
with (folder / "calls").open("a") as calls:
    body = json.load(sys.stdin)["body"] if "--input" in arguments else None
    calls.write(json.dumps([arguments, body]) + "\\n")
answers = json.loads((folder / "answers.json").read_text())
answer = answers.get(path)
if answer is None and "--input" not in arguments:
    sys.exit(1)
if isinstance(answer, str) and answer.startswith("file:"):
    sys.stdout.buffer.write((folder / answer[5:]).read_bytes())
else:
    sys.stdout.write(answer if isinstance(answer, str) else json.dumps(answer))
"""
SHA = "a" * 40
EVENT = {
    "BASE": "main",
    "HEAD_BRANCH": "x; rm -rf $HOME @file",
    "HEAD_OWNER": "someone",
    "HEAD_SHA": SHA,
    "REPOSITORY": "lab/board",
    "RUN_ID": "7",
    "RUN_URL": "https://github.example/lab/board/actions/runs/7",
}
CHANGED = [{"filename": "leaderboard/submissions/mine/submission.yaml"}]


def archive(**members: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in members.items():
            opened.writestr(name.replace("_md", ".md"), content)
    return made.getvalue()


def commented(
    folder: Path,
    artefact: bytes | None,
    *,
    changed: list[dict[str, str]] = CHANGED,
    head: str = SHA,
    own: str = "",
    size: int | None = None,
) -> list[tuple[list[str], str]]:
    """The calls of GitHub that send something, and what they send."""
    listed = [] if artefact is None else [{"name": "comment", "id": 5}]
    for each in listed:
        each["size_in_bytes"] = len(artefact or b"") if size is None else size
    answers: dict[str, Any] = {
        "repos/lab/board/pulls": [{"number": 12, "head": {"sha": head}}],
        f"repos/lab/board/compare/main...{SHA}": {"files": changed},
        "repos/lab/board/actions/runs/7/artifacts": {"artifacts": listed},
        "repos/lab/board/actions/artifacts/5/zip": "file:artefact",
        "repos/lab/board/issues/12/comments": own,
    }
    (folder / "artefact").write_bytes(artefact or b"")
    (folder / "answers.json").write_text(json.dumps(answers))
    (folder / "calls").unlink(missing_ok=True)
    gh = folder / "gh"
    gh.write_text(GH)
    gh.chmod(gh.stat().st_mode | stat.S_IXUSR)
    variables = os.environ | EVENT | {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run([sys.executable, SCRIPT], env=variables, cwd=folder, check=True)
    calls = [json.loads(line) for line in (folder / "calls").read_text().splitlines()]
    return [(arguments, body) for arguments, body in calls if body is not None]


def test_the_text_of_the_check_becomes_a_comment(tmp_path: Path) -> None:
    ((arguments, body),) = commented(tmp_path, archive(comment_md=b"| a | b |\n"))
    assert arguments[:3] == ["--method", "POST", "repos/lab/board/issues/12/comments"]
    assert body == f"{MARK}| a | b |\n"


def test_an_earlier_comment_is_written_anew(tmp_path: Path) -> None:
    ((arguments, _),) = commented(tmp_path, archive(comment_md=b"new"), own="99\n")
    assert arguments[:3] == ["--method", "PATCH", "repos/lab/board/issues/comments/99"]


def test_a_commit_that_no_open_request_stands_at_gets_no_comment(tmp_path: Path) -> None:
    assert commented(tmp_path, archive(comment_md=b"old"), head="b" * 40) == []


@pytest.mark.parametrize(
    "changed",
    [
        [*CHANGED, {"filename": ".github/workflows/leaderboard-check.yml"}],
        [
            *CHANGED,
            {"filename": "leaderboard/submissions/a", "previous_filename": "pyproject.toml"},
        ],
        CHANGED * 300,
    ],
    ids=["another workflow", "a file moved away", "more files than are listed"],
)
def test_a_text_that_a_changed_workflow_may_have_written_is_not_shown(
    tmp_path: Path, changed: list[dict[str, str]]
) -> None:
    lie = archive(comment_md=b"**Merged by the maintainers.** @everyone")
    ((_, body),) = commented(tmp_path, lie, changed=changed)
    assert "@" not in body
    assert "changes more than" in body
    assert EVENT["RUN_URL"] in body


@pytest.mark.parametrize(
    ("artefact", "size"),
    [
        pytest.param(None, None, id="none"),
        pytest.param(b"no archive", None, id="no archive"),
        pytest.param(archive(other_md=b"x"), None, id="another name"),
        pytest.param(archive(comment_md=b"\xff\xfe\x00x"), None, id="no text"),
        pytest.param(archive(comment_md=b"a\x1b[2Jb"), None, id="control characters"),
        pytest.param(archive(comment_md=b"a\rb"), None, id="line ends of another kind"),
        pytest.param(archive(comment_md=b" \n"), None, id="empty"),
        pytest.param(archive(comment_md=b"0" * 60_001), None, id="too long"),
        pytest.param(archive(comment_md=b"0" * 50_000_000), None, id="a bomb"),
        pytest.param(archive(comment_md=b"fine"), 100_001, id="too large an archive"),
    ],
)
def test_what_is_no_text_of_fair_size_is_not_shown(
    tmp_path: Path, artefact: bytes | None, size: int | None
) -> None:
    ((_, body),) = commented(tmp_path, artefact, size=size)
    assert body == f"{MARK}The check did not come to an end. The log: {EVENT['RUN_URL']}"


def test_a_branch_of_any_name_is_an_argument_and_no_more(tmp_path: Path) -> None:
    commented(tmp_path, archive(comment_md=b"x"))
    calls = [json.loads(line)[0] for line in (tmp_path / "calls").read_text().splitlines()]
    asked = next(arguments for arguments in calls if "repos/lab/board/pulls" in arguments)
    assert asked[-2:] == ["-f", "head=someone:x; rm -rf $HOME @file"]
