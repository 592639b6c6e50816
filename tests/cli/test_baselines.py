"""`gytbench baselines list` and `show`."""

from pathlib import Path

import pytest

from gytbench.bounds import BOUNDS
from gytbench.grounding.recipes import packaged_recipe, recipe_names
from tests.grounding.packages import install

from .conftest import Printed, Run

SYSTEM = '''
import msgspec


class Green:
    """Looks for what is green."""

    extra = "video"

    class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        shade: float = 0.25
        words: list[str] = msgspec.field(default_factory=list)

    def heatmaps(self, stretch, query):
        raise NotImplementedError
'''


@pytest.fixture(autouse=True)
def _no_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GYTBENCH_WEIGHTS", raising=False)


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of other people: one that serves, one that cannot be imported."""
    install(tmp_path / "site", "green_grounder", SYSTEM, {"green": "green_grounder:Green"})
    broken = "import sys\nraise RuntimeError('no\\n\\x1b[1mlicence')\n"
    install(tmp_path / "site", "broken_grounder", broken, {"broken": "broken_grounder:Broken"})
    monkeypatch.syspath_prepend(tmp_path / "site")


def rows(printed: Printed) -> dict[str, list[str]]:
    """The rows of the list by name, as columns: those are two spaces apart."""
    assert (printed.code, printed.err) == (0, "")
    columns = [
        [c.strip() for c in line.split("  ") if c.strip()] for line in printed.out.splitlines()[2:]
    ]
    return {row[0]: row for row in columns}


def test_the_list_names_everything(run: Run) -> None:
    listed = rows(run("baselines", "list"))
    assert {*BOUNDS, *recipe_names(), "exec", "exec-tubes"} <= listed.keys()
    for name, bound in BOUNDS.items():
        assert listed[name][1:] == [bound.kind, ", ".join(bound.tasks), "nothing", bound.summary]
    assert listed["clip"][1:4] == ["system", "st, spatial, temporal", "[models], 1 file"]
    assert listed["motion"][1:4] == ["system", "spatial", "[video]"]
    for name in recipe_names():
        assert listed[name][-1] == packaged_recipe(name).title


@pytest.mark.usefixtures("packages")
def test_systems_of_other_packages_are_listed_whatever_they_raise(run: Run) -> None:
    printed = run("baselines", "list")
    listed = rows(printed)
    assert listed["green"][1:] == ["system", "spatial", "[video]", "Looks for what is green."]
    assert listed["broken"][1:3] == ["system", "cannot be imported"]
    assert "of broken_grounder cannot be imported: RuntimeError" in listed["broken"][-1]
    assert "\x1b" not in printed.out
    assert {*BOUNDS, *recipe_names()} <= listed.keys()


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_is_shown_with_its_files(run: Run, tmp_path: Path, name: str) -> None:
    recipe = packaged_recipe(name)
    for file in recipe.files.values():
        if not file.packaged:
            (tmp_path / file.name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / file.name).write_text("")
    code, absent, err = run("baselines", "show", name)
    present = run("baselines", "show", name, "--weights", tmp_path).out
    assert (code, err) == (0, "")
    parts = f"system: {recipe.grounder}" if recipe.grounder else f"when: {recipe.when}"
    assert absent.startswith(f"{name}: {recipe.title}\n{parts}\n")
    for role, file in recipe.files.items():
        states = ("(in the package)",) * 2 if file.packaged else ("(missing)", "(there)")
        for state, shown in zip(states, (absent, present), strict=True):
            assert f"file {role}: {file.name} {state}\n" in shown
        if not file.packaged:
            assert f"  sha256: {file.sha256 or 'not published'}\n" in absent
            assert file.url in absent
            assert file.licence in absent
    for setting, value in recipe.settings.items():
        assert f"setting {setting}: {value}\n" in absent
    last = absent.splitlines()[-1]
    assert last.startswith(f"run: gytbench run-baseline {name} --videos DIR --task ")


def test_the_folder_of_weights_may_come_from_the_environment(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ViT-B-32.pt").write_text("")
    monkeypatch.setenv("GYTBENCH_WEIGHTS", str(tmp_path))
    assert "file checkpoint: ViT-B-32.pt (there)\n" in run("baselines", "show", "clip").out
    elsewhere = run("baselines", "show", "clip", "--weights", tmp_path / "no").out
    assert "file checkpoint: ViT-B-32.pt (missing)\n" in elsewhere


@pytest.mark.parametrize("name", BOUNDS)
def test_a_floor_is_shown_with_the_command_that_works(
    run: Run, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    bound = BOUNDS[name]
    code, out, err = run("baselines", "show", name)
    assert (code, err) == (0, "")
    first, kind, tasks, command = out.splitlines()
    assert first == f"{name}: {bound.summary}"
    assert (kind, tasks) == (f"kind: {bound.kind}", f"tasks: {', '.join(bound.tasks)}")
    monkeypatch.chdir(tmp_path)
    words = command.removeprefix("run: gytbench ").split()
    assert run(*words, "--data", data).code == 0


@pytest.mark.usefixtures("packages")
def test_a_system_of_another_package_is_shown_with_its_settings(run: Run) -> None:
    out = run("baselines", "show", "green").out
    assert out.startswith("green: Looks for what is green.\nsystem: green\n")
    assert "setting shade: 0.25\nsetting words: []\n" in out


def test_a_composition_is_shown_by_its_parts(run: Run) -> None:
    out = run("baselines", "show", "uniform-segments+motion").out
    assert "when: uniform-segments\nwhere: motion\ntasks: st, spatial\n" in out
    assert "needs: [video]\n" in out


@pytest.mark.usefixtures("packages")
@pytest.mark.parametrize(
    ("args", "told"),
    [
        ("show conze", "error: no baseline 'conze'; did you mean 'conse'?"),
        ("show centr", "error: no baseline 'centr'; did you mean 'centre'?"),
        ("show zzz", "error: no baseline 'zzz'; `gytbench baselines list` names them all"),
        ("show broken", "of broken_grounder cannot be imported: RuntimeError: no \\x1b[1mlicence"),
        ("show no.yaml", "no.yaml: cannot be read: No such file or directory"),
        ("show", "Missing argument 'NAME'"),
        ("lst", "No such command 'lst'"),
    ],
)
def test_what_is_wrong_is_one_message(run: Run, args: str, told: str) -> None:
    code, out, err = run("baselines", *args.split())
    assert (code, out) == (2, "")
    assert told in err


def test_a_recipe_says_what_its_publishers_report(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "title: Mine\ngrounder: motion\nrows: [Mine]\nreported: {Table 2: {IoU: 3.5, mAP: 2}}\n"
        "notes: >\n  One\n  line.\n"
    )
    out = run("baselines", "show", path).out
    assert "rows of the paper: Mine\n" in out
    assert "reported: Table 2: IoU 3.5, mAP 2 (conventions unknown)\nnotes: One line.\n" in out
