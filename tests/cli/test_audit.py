"""`gytbench audit`: exit codes, files and words."""

import json
import sys
from pathlib import Path

import jsonschema
import pytest

from gytbench.audit import RULES
from tests.audit.release import FULL, PUBLISHED, WIDE, clean, write
from tests.cli.conftest import Run

SAYS = "exit code 1 for --error: "

COUNT = {"type": "integer", "minimum": 0}
NAMES = {"type": "array", "items": {"type": "string"}}


def exactly(**properties: object) -> dict[str, object]:
    """The schema of an object with these keys and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


TEXT = {"type": "string"}
SCHEMA = exactly(
    format={"const": "gytbench-audit/1"},
    rules={
        "type": "array",
        "items": exactly(
            id={"enum": list(RULES)},
            meaning=TEXT,
            checked={"type": "boolean"},
            count=COUNT,
            by_file={"type": "object", "additionalProperties": COUNT},
            not_checked=NAMES,
        ),
    },
    findings={
        "type": "array",
        "items": exactly(
            rule={"enum": list(RULES)},
            file=TEXT,
            video=TEXT,
            second={"type": ["integer", "null"]},
            text=TEXT,
        ),
    },
    explained={
        "type": "array",
        "items": exactly(
            release={"enum": ["published", "readme", "full"]},
            file=TEXT,
            boxes=COUNT,
            explained=COUNT,
            by_first_round_only=COUNT,
            by_second_round_only=COUNT,
            by_both_rounds=COUNT,
            unexplained=COUNT,
            without_point=COUNT,
        ),
    },
    explained_needs=NAMES,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A release with one degenerate box, and without the boxes of `full`."""
    files = clean()
    files[PUBLISHED][WIDE]["2"]["box"] = [100, 120, 100, 320]
    del files[FULL]
    return write(tmp_path / "release", files)


def test_the_table(run: Run, folder: Path) -> None:
    code, out, err = run("audit", folder)
    assert (code, err) == (0, "")
    line = next(line for line in out.splitlines() if line.startswith("degenerate-box"))
    assert line.split() == ["degenerate-box", "1", PUBLISHED, WIDE, "at", "2", "s"]
    assert f"needs {FULL}" in out
    assert "--json OUT" in out
    assert max(map(len, out.splitlines())) < 250


def test_the_inner_folder_and_the_environment(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run("audit", folder)
    assert run("audit", folder / "groundingyoutube") == whole
    monkeypatch.setenv("GYTBENCH_DATA", str(folder))
    assert run("audit") == whole


def test_control_characters_are_spelt_out(run: Run, tmp_path: Path) -> None:
    files = clean()
    files["id2wh_new.json"]["\x1b[31mred"] = [10, 10]
    files["id2wh.json"]["\x1b[31mred"] = [10, 10]
    code, out, _ = run("audit", write(tmp_path, files))
    assert code == 0
    assert "\\x1b[31mred" in out
    assert "\x1b" not in out


def test_json(run: Run, folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    code, out, _ = run("audit", folder, "--json", path)
    assert code == 0
    assert str(path) in out
    content = json.loads(path.read_text())
    jsonschema.validate(content, SCHEMA)
    assert [rule["id"] for rule in content["rules"]] == list(RULES)
    counted = {rule["id"]: rule["count"] for rule in content["rules"]}
    for rule in RULES:
        assert counted[rule] == sum(each["rule"] == rule for each in content["findings"])
    assert content["explained_needs"] == [FULL]


def test_json_alone(run: Run, folder: Path) -> None:
    code, out, err = run("audit", folder, "--json", "-", "--error", "degenerate-box")
    jsonschema.validate(json.loads(out), SCHEMA)
    assert code == 1
    assert err.splitlines()[-1] == "exit code 1 for --error: degenerate-box (1)"


@pytest.mark.parametrize(
    ("options", "code", "last"),
    [
        ((), 0, "Pictures"),
        (("--error", "degenerate-box"), 1, "degenerate-box (1)"),
        (("--error", "swapped-clipping"), 0, "Pictures"),
        (("--error", "swapped-clipping", "--error", "degenerate-box"), 1, "degenerate-box (1)"),
        (("--error", "all"), 1, "degenerate-box (1), "),
        (("--error", "degenerate-box", "--ignore", "degenerate-box"), 0, "Pictures"),
        (("--error", "all", "--ignore", "all"), 0, "Pictures"),
    ],
)
def test_exit_codes(run: Run, folder: Path, options: tuple[str, ...], code: int, last: str) -> None:
    found = run("audit", folder, *options)
    assert found.code == code
    assert last in found.out.splitlines()[-1]


@pytest.mark.parametrize(
    ("options", "last"),
    [
        (("--error", "degenerate-box"), "degenerate-box (could not be checked)"),
        (("--error", "all", "--error", "degenerate-box"), "degenerate-box (could not be checked)"),
        (
            ("--error", "degenerate-box", "--error", "zero-length-segment"),
            "zero-length-segment (1), degenerate-box (could not be checked)",
        ),
        (("--error", "degenerate-box", "--ignore", "degenerate-box"), None),
    ],
)
def test_a_named_rule_must_be_checked(
    run: Run, tmp_path: Path, options: tuple[str, ...], last: str | None
) -> None:
    files = {name: clean()[name] for name in ("seg.json", "id2wh_new.json")}
    if "zero-length-segment" in options:
        files["seg.json"][WIDE][0]["segment"] = [2, 2]
    code, out, _ = run("audit", write(tmp_path, files), *options, "--ignore", "checksum-drift")
    assert code == (0 if last is None else 1)
    assert "Not checked: " in out
    shown = out.splitlines()[-1]
    assert shown == ("Pictures: --page OUT.html" if last is None else f"{SAYS}{last}")


def test_all_rules_need_not_be_checked(run: Run, tmp_path: Path) -> None:
    """For `--error all` a rule that lacks files is said, and no more."""
    files = {name: clean()[name] for name in ("seg.json", "id2wh_new.json")}
    folder = write(tmp_path, files)
    code, _, err = run("audit", folder, "--error", "all", "--ignore", "checksum-drift")
    assert code == 0
    assert err.startswith("warning: could not be checked: swapped-clipping, degenerate-box, ")
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("option", ["--error", "--ignore"])
def test_unknown_rules(run: Run, folder: Path, option: str) -> None:
    code, out, err = run("audit", folder, option, "degenrate")
    assert (code, out) == (2, "")
    assert "did you mean degenerate-box" in err


def test_the_list_of_rules(run: Run) -> None:
    code, out, _ = run("audit", "--rules")
    assert code == 0
    assert all(rule in out for rule in RULES)


def test_no_release(run: Run, tmp_path: Path) -> None:
    code, _, err = run("audit", tmp_path)
    assert code == 2
    assert "holds no groundingyoutube/ folder" in err


def test_a_malformed_file(run: Run, folder: Path) -> None:
    (folder / "groundingyoutube" / PUBLISHED).write_text('{"a": 3}')
    code, out, err = run("audit", folder)
    assert (code, out) == (2, "")
    assert PUBLISHED in err


def test_the_page(run: Run, folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    code, out, _ = run("audit", folder, "--page", path)
    assert code == 0
    assert str(path) in out
    assert path.read_text().startswith("<!doctype html>")


def test_videos_need_a_page_and_a_folder(run: Run, folder: Path, tmp_path: Path) -> None:
    assert run("audit", folder, "--videos", tmp_path).code == 2
    code, _, err = run("audit", folder, "--page", tmp_path / "p.html", "--videos", tmp_path / "no")
    assert code == 2
    assert "cannot be read" in err
    assert not (tmp_path / "p.html").exists()


@pytest.mark.parametrize(
    ("module", "extra"), [("jinja2", "gytbench[report]"), ("av", "gytbench[video]")]
)
def test_a_missing_extra(
    module: str, extra: str, run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    code, _, err = run("audit", folder, "--page", tmp_path / "p.html", "--videos", tmp_path)
    assert code == 2
    assert f"pip install '{extra}'" in err
    assert run("audit", folder).code == 0
