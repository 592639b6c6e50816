"""Systems by name: packaged, third-party and composed, and made ready with their options."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

import gytbench
from gytbench.bounds import BOUNDS
from gytbench.errors import InputError
from gytbench.grounding.contract import NoSettings, Setup
from gytbench.grounding.recipes import Recipe, RecipeFile, packaged_recipe, recipe_names
from gytbench.grounding.registry import (
    Entry,
    entries,
    find_recipe,
    grounder_class,
    needs_of,
    registered,
    settings_of,
    summary_of,
    tasks_of,
)
from gytbench.grounding.systems import Loaded, Options, prepare

from . import fakes
from .packages import install

ALL = ("st", "spatial", "temporal")


@pytest.fixture(autouse=True)
def site(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of third-party packages; one of them has the fakes."""
    folder = install(tmp_path_factory.mktemp("site"), "fake_grounders", "", fakes.ENTRIES)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delenv("GYTBENCH_WEIGHTS", raising=False)
    return folder


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """A recipe for one of the fakes, whose file is in place."""
    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "model.pt").write_bytes(b"weights")
    path = tmp_path / "mine.yaml"
    path.write_text("""
title: Mine
grounder: fake-when
files: {checkpoint: {name: model.pt}}
settings: {words: 7, look: far}
tau: 0.5
temperature: 0.25
""")
    return path


def options(recipe: Path, **changes: Any) -> Options:
    return Options(weights=recipe.parent / "weights", **changes)


def refusal(name: str, given: Options = Options()) -> str:  # noqa: B008
    with pytest.raises(InputError) as raised:
        prepare(name, given)
    return str(raised.value)


# Names


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("milnce", "mil-nce"),
        ("mil_nce", "mil-nce"),
        ("CoMMA", None),
        ("salience", "saliency"),
        ("clip-rn50", "clip-rn50x4"),
        ("fake-wen", "fake-when"),
        ("xyzzy", None),
        ("", None),
        ("+", None),
        ("clip+", "clip"),
        ("+saliency", "saliency"),
        ("uniform-segments+salience", "saliency"),
        ("milnce+saliency", "mil-nce"),
    ],
)
def test_a_misspelt_name_gets_a_suggestion(name: str, meant: str | None) -> None:
    with pytest.raises(InputError) as raised:
        find_recipe(name)
    hint = f"did you mean {meant!r}?" if meant else "`gytbench baselines list` names them all"
    assert str(raised.value).startswith("no baseline ")
    assert str(raised.value).endswith(hint)


def test_names_stand_for_recipes(recipe: Path) -> None:
    assert find_recipe("clip") == packaged_recipe("clip")
    assert find_recipe(str(recipe)).title == "Mine"
    assert find_recipe("fake-when") == Recipe(
        title="Says when: the brightness of a second, less for each later query.",
        grounder="fake-when",
    )


def test_a_recipe_that_is_not_there_is_no_misspelt_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.yml: cannot be read"):
        find_recipe(str(tmp_path / "absent.yml"))


@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_floors_and_ceilings_look_at_no_video(name: str) -> None:
    for composed in (name, f"fake-when+{name}", f"uniform-segments+{name}"):
        reason = refusal(composed)
        assert reason == f"{name} looks at no video: it cannot say where in one"


def test_a_name_that_is_not_registered() -> None:
    with pytest.raises(InputError, match="no system 'mil-nc' is registered; did you mean 'mil-"):
        grounder_class("mil-nc")


# What other packages register


def test_the_systems_of_other_packages_are_listed() -> None:
    found = {entry.name: entry for entry in entries()}
    assert found["fake-when"] == Entry(
        "fake-when",
        "system",
        ("temporal",),
        "[models]",
        "Says when: the brightness of a second, less for each later query.",
    )
    assert found["fake-maps"].tasks == ("spatial",)
    assert found["fake-boxes"].tasks == found["fake-tubes"].tasks == ALL
    assert found["fake-boxes"].needs == "nothing"


def test_everything_is_listed_once() -> None:
    names = [entry.name for entry in entries()]
    assert len(names) == len(set(names))
    assert names[: len(BOUNDS)] == list(BOUNDS)
    assert names[len(BOUNDS) :][: len(recipe_names())] == recipe_names()
    covered = {packaged_recipe(name).grounder for name in recipe_names()}
    covered -= {"exec", "exec-tubes"}
    assert set(names) == {*BOUNDS, *recipe_names(), *(registered().keys() - covered)}
    for entry in entries():
        assert entry.summary
        assert entry.kind in ("floor", "ceiling", "system", "composition")
        assert entry.tasks
        assert entry.needs != "cannot be imported"


def test_what_the_packaged_systems_need() -> None:
    found = {entry.name: entry.needs for entry in entries()}
    assert found["clip"] == "[models], 1 file"
    assert found["mil-nce"] == "[models], 2 files"
    assert found["exec"] == "nothing"
    runner = Recipe(
        title="Mine",
        grounder="exec",
        files={"program": RecipeFile("runners/mine.py", packaged=True)},
    )
    assert needs_of(runner) == "nothing"


@pytest.mark.parametrize(
    ("module", "code", "value", "reason"),
    [
        ("bad_import", "import no_such_module", "C", "ModuleNotFoundError: No module named 'no_"),
        ("bad_syntax", "class C(:", "C", "SyntaxError: "),
        ("bad_start", "raise RuntimeError('no\\n  licence')", "C", "RuntimeError: no licence"),
        ("bad_value", "1 / 0", "C", "ZeroDivisionError: division by zero"),
        ("bad_name", "", "C", "AttributeError: module 'bad_name' has no attribute 'C'"),
        ("bad_kind", "C = 3", "C", "is no class"),
    ],
)
def test_a_broken_package_is_listed_with_the_reason(
    module: str, code: str, value: str, reason: str, site: Path
) -> None:
    before = entries()
    install(site, module, code, {"broken": f"{module}:{value}"})
    (row,) = [entry for entry in entries() if entry.name == "broken"]
    assert row[:4] == ("broken", "system", (), "cannot be imported")
    assert f"the system 'broken' of {module} " in row.summary
    assert reason in row.summary
    assert [entry for entry in entries() if entry.name != "broken"] == before
    assert refusal("broken") == refusal("broken+fake-maps") == row.summary


def test_a_name_of_a_floor_cannot_be_taken(site: Path) -> None:
    install(site, "takes_random", "", {"random": "tests.grounding.fakes:When"})
    (row,) = [entry for entry in entries() if entry.name == "random"]
    assert row.kind == "floor"


def test_a_name_of_a_recipe_is_the_recipe(site: Path) -> None:
    before = entries()
    install(site, "takes_recipe", "", {"clip-rn50x4": "tests.grounding.fakes:When"})
    assert entries() == before


def test_a_class_may_leave_out_what_it_does_not_need() -> None:
    bare = type("Bare", (), {"__doc__": None})
    assert summary_of(bare) == ""
    assert settings_of(bare) is NoSettings
    assert summary_of(fakes.Maps) == "Says where: the brightness of the pixels."


# Compositions


def test_a_composition_by_name() -> None:
    recipe = find_recipe("mil-nce+saliency")
    assert (recipe.grounder, recipe.when, recipe.where) == ("", "mil-nce", "saliency")
    assert recipe.title == "when by mil-nce, where by saliency"
    assert tasks_of(recipe) == ("st", "spatial")
    assert needs_of(recipe) == "[models], 2 files and [video]"
    assert needs_of(find_recipe("uniform-segments+saliency")) == "[video]"


def test_a_composition_of_recipes_by_path(recipe: Path) -> None:
    for name in (f"{recipe}+fake-maps", f"fake-boxes+{recipe}", f"{recipe}+{recipe}"):
        found = find_recipe(name)
        assert f"{found.when}+{found.where}" == name


def test_the_path_of_a_recipe_may_hold_a_plus_sign(recipe: Path) -> None:
    path = recipe.rename(recipe.with_name("fake-maps+mine.yaml"))
    assert find_recipe(str(path)).title == "Mine"


def test_a_composition_starts_what_its_task_needs(recipe: Path) -> None:
    given = options(recipe)._replace(weights=None, files={"when.checkpoint": recipe})
    ensemble = prepare(f"{recipe}+fake-maps", given)
    assert ensemble.tasks == ("st", "spatial")
    system = ensemble.start("st")
    assert isinstance(system.when, Loaded)
    assert isinstance(system.when.grounder, fakes.When)
    assert isinstance(system.where.grounder, fakes.Maps)
    assert system.whole is None
    assert ensemble.start("spatial").when is None


def test_a_composition_takes_the_threshold_of_what_says_when(recipe: Path) -> None:
    by_name = prepare(f"{recipe}+fake-maps", options(recipe))
    assert (by_name.recipe.tau, by_name.recipe.temperature) == (0.5, 0.25)
    own = recipe.with_name("both.yaml")
    own.write_text(f"title: Both\nwhen: {recipe}\nwhere: fake-maps\ntau: 2")
    assert prepare(str(own), options(recipe)).recipe.tau == 2


def test_times_of_a_floor_with_the_places_of_a_system() -> None:
    ensemble = prepare("uniform-segments+fake-maps", Options())
    assert ensemble.tasks == ("st", "spatial")
    assert ensemble.when == "uniform-segments"
    system = ensemble.start("st")
    assert system.when is None
    assert isinstance(system.where.grounder, fakes.Maps)
    assert ensemble.description()["when"] == "uniform-segments"
    with pytest.raises(InputError, match="does the task st or spatial, not 'temporal'"):
        ensemble.check("temporal")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("centre+fake-maps", "centre finds places, and does not say when"),
        ("fake-maps+fake-maps", "fake-maps gives no score to seconds: it cannot come first"),
        ("fake-tubes+fake-maps", "fake-tubes gives no score to seconds: it cannot come first"),
        ("fake-boxes+fake-when", "fake-when finds no place for times that are given"),
        ("fake-boxes+fake-tubes", "fake-tubes finds no place for times that are given"),
        ("uniform-segments+fake-when", "fake-when finds no place for times that are given"),
        ("uniform-segments+fake-tubes", "fake-tubes finds no place for times that are given"),
        ("fake-boxes+fake-when+fake-maps", "fake-when+fake-maps is a composition, and cannot be"),
        ("uniform-segments+random+fake-maps", "random+fake-maps is a composition, and cannot be"),
    ],
)
def test_parts_that_do_not_serve(name: str, reason: str) -> None:
    assert refusal(name).startswith(reason)


def test_a_recipe_of_a_composition_is_no_part(tmp_path: Path) -> None:
    path = tmp_path / "both.yaml"
    path.write_text("title: Both\nwhen: fake-boxes\nwhere: fake-maps")
    assert prepare(str(path), Options()).tasks == ("st", "spatial")
    assert refusal(f"{path}+fake-maps") == f"{path} is a composition, and cannot be part of another"


def test_a_recipe_of_a_composition_names_systems(tmp_path: Path) -> None:
    path = tmp_path / "both.yaml"
    path.write_text("title: Both\nwhen: fake-boxes\nwhere: fake-mops")
    assert refusal(str(path)) == "no baseline 'fake-mops'; did you mean 'fake-maps'?"
    path.write_text("title: Both\nwhen: fake-boxes\nwhere: centre")
    assert refusal(str(path)) == "centre looks at no video: it cannot say where in one"


# Options


def test_settings_replace_those_of_the_recipe(recipe: Path) -> None:
    ensemble = prepare(str(recipe), options(recipe, settings={"words": 9, "prompt": "a {}"}))
    expected = fakes.FakeSettings(words=9, prompt="a {}", look="far")
    assert ensemble.where.settings == expected
    assert prepare("fake-when", Options()).where.settings == fakes.FakeSettings()


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"word": 3}, "fake-when has no setting 'word'; it has words, prompt, size, look"),
        ({"when.words": 3}, "fake-when has no setting 'when.words'; it has words, prompt"),
        ({"words": "many"}, "settings of fake-when: Expected `int`, got `str` - at `$.words`"),
        ({"words": 2.5}, "settings of fake-when: Expected `int`, got `float` - at `$.words`"),
        ({"words": 0}, "settings of fake-when: Expected `int` >= 1 - at `$.words`"),
        ({"words": None}, "settings of fake-when: Expected `int`, got `null` - at `$.words`"),
        ({"look": "up"}, "settings of fake-when: Invalid enum value 'up' - at `$.look`"),
    ],
)
def test_settings_that_do_not_fit(settings: dict[str, Any], reason: str) -> None:
    assert refusal("fake-when", Options(settings=settings)).startswith(reason)


def test_a_system_without_settings_says_so() -> None:
    given = Options(settings={"words": 3})
    assert refusal("fake-maps", given) == "fake-maps has no setting 'words'; it has none"
    assert prepare("fake-maps", Options()).where.settings == NoSettings()


def test_a_recipe_with_settings_that_do_not_fit(recipe: Path) -> None:
    recipe.write_text(recipe.read_text().replace("words: 7", "wrods: 7"))
    assert "has no setting 'wrods'; it has words" in refusal(str(recipe), options(recipe))


def test_options_of_a_composition_are_named_for_their_part(tmp_path: Path) -> None:
    one, other = tmp_path / "one.pt", tmp_path / "other.pt"
    one.write_bytes(b"1")
    other.write_bytes(b"2")
    given = Options(
        files={"when.checkpoint": one, "where.checkpoint": other},
        settings={"when.words": 3},
        device="cuda:1",
        half=True,
    )
    ensemble = prepare("fake-when+fake-maps", given)
    assert not isinstance(ensemble.when, str)
    assert ensemble.when.setup == Setup({"checkpoint": one}, "cuda:1", True)
    assert ensemble.where.setup == Setup({"checkpoint": other}, "cuda:1", True)
    assert ensemble.when.settings == fakes.FakeSettings(words=3)


@pytest.mark.parametrize("field", ["files", "settings"])
@pytest.mark.parametrize("name", ["fake-when+fake-maps", "uniform-segments+fake-maps"])
def test_options_of_a_composition_without_a_part_are_unclear(field: str, name: str) -> None:
    given = Options(**{field: {"words": Path("x")}})
    reason = refusal(name, given)
    assert reason.startswith("a composition has two parts, so 'words' is unclear")
    assert reason.endswith("say when.words or where.words")


@pytest.mark.parametrize("field", ["files", "settings"])
def test_a_floor_takes_no_options(field: str) -> None:
    reason = refusal("uniform-segments+fake-maps", Options(**{field: {"when.x": Path("x")}}))
    assert reason == "uniform-segments has no files and no settings, so no 'when.x'"


def test_unknown_options_of_a_part_are_refused() -> None:
    given = Options(settings={"where.words": 3})
    assert refusal("fake-when+fake-maps", given).startswith("fake-maps has no setting 'words'")
    given = Options(files={"where.model": Path("x")})
    assert "its files: checkpoint" in refusal("fake-when+fake-maps", given)


def test_missing_files_are_told_before_anything_is_started(
    recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(fakes.When, "__init__")
    assert "needs model.pt" in refusal(str(recipe))
    assert prepare(str(recipe), options(recipe))


# What is prepared and started


def test_a_single_system_grounds_alone(recipe: Path) -> None:
    ensemble = prepare(str(recipe), options(recipe, device="mps"))
    assert ensemble.when is ensemble.where
    assert ensemble.tasks == ("temporal",)
    system = ensemble.start("temporal")
    assert system.when is system.where
    assert system.whole is None
    assert system.where.grounder.setup.files == {"checkpoint": recipe.parent / "weights/model.pt"}
    assert system.where.grounder.setup.device == "mps"


def test_a_system_of_tubes_grounds_whole_videos() -> None:
    ensemble = prepare("fake-tubes", Options())
    assert ensemble.tasks == ALL
    system = ensemble.start("st")
    assert system.whole is system.where


def test_times_from_another_system_are_kept_by_one_of_tubes() -> None:
    assert prepare("fake-both", Options()).start("st").whole is not None
    for name in ("uniform-segments+fake-both", "fake-boxes+fake-both"):
        assert prepare(name, Options()).start("st").whole is None


def test_a_task_that_it_does_not_do_is_refused_with_what_does() -> None:
    ensemble = prepare("fake-maps", Options())
    ensemble.check("spatial")
    with pytest.raises(InputError) as raised:
        ensemble.check("st")
    assert str(raised.value) == (
        "fake-maps does the task spatial, not 'st'; for st take times from another: "
        "uniform-segments+fake-maps"
    )
    with pytest.raises(InputError, match=r"fake-when does the task temporal, not 'spatial'$"):
        prepare("fake-when", Options()).check("spatial")


def test_the_description_says_what_it_is_made_of(recipe: Path) -> None:
    description = prepare(str(recipe), options(recipe)).description()
    assert description == {
        "name": str(recipe),
        "title": "Mine",
        "grounder": "fake-when",
        "settings": {"words": 7, "prompt": "{}", "size": 8, "look": "far"},
        "files": {"checkpoint": hashlib.sha256(b"weights").hexdigest()},
        "half": False,
        "gytbench": gytbench.__version__,
    }
    both = prepare(f"{recipe}+fake-maps", options(recipe)).description()
    assert both["when"]["settings"]["words"] == 7
    assert both["where"]["grounder"] == "fake-maps"


def test_features_are_known_by_all_that_they_depend_on(recipe: Path) -> None:
    def identity(**changes: Any) -> str:
        return prepare(str(recipe), options(recipe, **changes)).start("temporal").where.identity

    plain = identity()
    assert identity() == identity(device="cuda") == plain
    others = [
        identity(settings={"words": 8}),
        identity(settings={"size": 16}),
        identity(half=True),
        identity(files={"checkpoint": recipe}),
    ]
    (recipe.parent / "weights/model.pt").write_bytes(b"tuned")
    others.append(identity())
    assert len({plain, *others}) == 6


def test_what_changes_answers_alone_is_no_part_of_what_features_depend_on(
    recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def identity(**changes: Any) -> str:
        return prepare(str(recipe), options(recipe, **changes)).start("temporal").where.identity

    monkeypatch.setattr(fakes.When, "beside_features", ("words", "checkpoint"), raising=False)
    same = [
        identity(),
        identity(settings={"words": 8}),
        identity(files={"checkpoint": recipe}),
    ]
    assert len(set(same)) == 1
    assert identity(settings={"size": 16}) not in same


def test_the_sampling_is_part_of_what_features_depend_on(monkeypatch: pytest.MonkeyPatch) -> None:
    before = prepare("fake-maps", Options()).start("spatial").where.identity
    monkeypatch.setattr(fakes.Maps, "sampling", fakes.Sampling(size=(4, 3), frames=2))
    assert prepare("fake-maps", Options()).start("spatial").where.identity != before


def test_a_missing_file_of_a_part_is_named_as_the_option_takes_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--file when\.checkpoint=PATH"):
        prepare("mil-nce+motion", Options(weights=tmp_path))
    with pytest.raises(InputError, match=r"--file where\.checkpoint=PATH"):
        prepare("oracle-time+clip", Options(weights=tmp_path))
