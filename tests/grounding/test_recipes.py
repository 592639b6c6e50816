"""Recipes: the packaged ones, hostile YAML, and the files that they name."""

import hashlib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gytbench.bounds import BOUNDS
from gytbench.errors import InputError
from gytbench.grounding.recipes import (
    Recipe,
    RecipeFile,
    file_sha256,
    find_files,
    missing_files,
    packaged_recipe,
    read_recipe,
    recipe_names,
    weights_folder,
)
from gytbench.grounding.registry import grounder_class, registered, settings_of
from gytbench.plain_yaml import converted, read_yaml
from gytbench.resources import baselines_folder

CONTENT = b"weights"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
ROLES = {"checkpoint": "weights", "words": "the words"}


@pytest.fixture(autouse=True)
def _no_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GYTBENCH_WEIGHTS", raising=False)


def recipe_file(folder: Path, text: str | bytes) -> Path:
    path = folder / "mine.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def fault(text: str | bytes, folder: Path) -> str:
    """How a recipe is refused, after its path."""
    path = recipe_file(folder, text)
    with pytest.raises(InputError) as raised:
        read_recipe(path)
    message = str(raised.value)
    assert message.startswith(str(path))
    return message.removeprefix(str(path))


# The packaged recipes


def test_there_is_a_recipe_for_each_yaml_file() -> None:
    files = [path.name for path in baselines_folder().iterdir() if path.suffix in (".yaml", ".yml")]
    assert sorted(f"{name}.yaml" for name in recipe_names()) == sorted(files)
    assert {"clip", "comma", "conse", "mil-nce", "motion", "saliency"} <= set(recipe_names())


@pytest.mark.parametrize("name", recipe_names())
def test_packaged_recipe_fits_its_system(name: str) -> None:
    recipe = packaged_recipe(name)
    assert recipe.title
    if not recipe.grounder:
        assert {recipe.when, recipe.where} <= {*recipe_names(), *BOUNDS}
        return
    assert recipe.preprocessing
    assert recipe.grounder in registered()
    cls = grounder_class(recipe.grounder)
    settings = converted(recipe.settings, settings_of(cls), name)
    told = msgspec.json.decode(msgspec.json.encode(settings))
    assert told.items() >= recipe.settings.items()
    # What a program needs is up to its recipe.
    if recipe.grounder not in ("exec", "exec-tubes"):
        assert set(recipe.files) <= set(getattr(cls, "roles", {}))


@pytest.mark.parametrize("name", recipe_names())
def test_packaged_recipe_says_where_files_are_from(name: str) -> None:
    for file in packaged_recipe(name).files.values():
        assert ".." not in Path(file.name).parts
        assert not Path(file.name).is_absolute()
        assert file.packaged or file.note or file.url
        assert not file.url or file.url.startswith("https://")
        assert not file.url or file.licence
        assert file.sha256 in ("", file.sha256.lower())
        assert len(file.sha256) in (0, 64)
        if file.packaged:
            assert (baselines_folder() / file.name).is_file()


def test_one_published_file_has_one_address_and_checksum() -> None:
    said: dict[str, set[tuple[str, str]]] = {}
    for name in recipe_names():
        for file in packaged_recipe(name).files.values():
            said.setdefault(file.name, set()).add((file.url, file.sha256))
    assert {name: len(each) for name, each in said.items()} == dict.fromkeys(said, 1)


# What is no recipe


def test_a_recipe_of_ones_own(tmp_path: Path) -> None:
    text = """
title: Mine
grounder: exec
rows: [A, B]
files:
  checkpoint: {name: a.pt, url: "https://example.org/a.pt", note: "ask"}
settings: {command: [python, mine.py], time_limit: 3}
tau: 0.25
reported: {Table 2: {mAP: 1.5}}
"""
    recipe = read_recipe(recipe_file(tmp_path, text))
    assert recipe == Recipe(
        title="Mine",
        grounder="exec",
        rows=("A", "B"),
        files={"checkpoint": RecipeFile("a.pt", "https://example.org/a.pt", note="ask")},
        settings={"command": ["python", "mine.py"], "time_limit": 3},
        tau=0.25,
        reported={"Table 2": {"mAP": 1.5}},
    )


LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{name}: &{name} [*{before}, *{before}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (LAUGHS, ": line 2: uses an alias (*) or a tag (!)"),
        ("title: !!python/object/apply:os.system [exit]", ": line 1: uses an alias (*) or a tag"),
        ("title: !!python/object:os.PathLike {}", ": line 1: uses an alias (*) or a tag (!)"),
        # Each of these ends in an exception of its own within PyYAML.
        ("title: !!bool x", ": line 1: uses an alias (*) or a tag (!)"),
        ("title: !!timestamp x", ": line 1: uses an alias (*) or a tag (!)"),
        ("title: !!float ''", ": line 1: uses an alias (*) or a tag (!)"),
        ("title: !photo", ": line 1: uses an alias (*) or a tag (!)"),
        ("title: x\nsettings: " + "[" * 90_000, ": line 2: is nested too deeply"),
        ("title: x\nsettings: " + "{a: " * 20_000, ": line 2: is nested too deeply"),
        ("- " * 40_000, ": line 1: is nested too deeply"),
        ("[" * 51 + "]" * 51, ": line 1: is nested too deeply"),
        ("# " + "x" * 100_000, ": holds more than 100,000 bytes"),
        ("title: café".encode("latin-1"), ": not YAML: "),
        (b"title: \x00", ": not YAML: "),
        ("title: [a, b", ": line 1: not YAML: expected"),
        ("title: a: b", ": line 1: not YAML: mapping values are not allowed here"),
        ("title: a\n---\ntitle: b", ": line 2: not YAML: but found another document"),
        ("? [a]\n: b", ": line 1: not YAML: found unhashable key"),
        ("title: 2024-13-45", ": not YAML: month must be in 1..12"),
        (f"title: {'1' * 5000}", ": not YAML: Exceeds the limit"),
        ("title: =", ": line 1: not YAML: could not determine a constructor"),
        ("title: a\ngrounder: b\ntitle: c", ": line 3: has the key 'title' a second time"),
        ("title: a\nsettings:\n  x: 1\n  x: 1", ": line 4: has the key 'x' a second time"),
        ("rows: [{a: 1, a: 2}]", ": line 1: has the key 'a' a second time"),
    ],
)
def test_yaml_that_no_recipe_needs(text: str | bytes, reason: str, tmp_path: Path) -> None:
    found = fault(text, tmp_path)
    assert found.startswith(reason)
    assert len(found) < 1000


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Expected `object`, got `null`"),
        ("[1, 2]", "Expected `object`, got `array`"),
        ("grounder: clip", "missing required field `title`"),
        ("title: a\ngrounder: clip\ntemprature: 1", "unknown field `temprature`"),
        ("title: a\ngrounder: clip\nfiles: {x: {name: a, size: 3}}", "unknown field `size`"),
        ("title: 2024-01-01\ngrounder: clip", "$.title"),
        ("title: a\ngrounder: clip\nrows: CLIP", "$.rows"),
        ("title: a\ngrounder: clip\n1: 2", "Expected `str`"),
        ("title: a\ngrounder: clip\nsettings: {1: 2}", "$.settings"),
        ("title: a\ngrounder: clip\ntemperature: 0", "$.temperature"),
        ("title: a\ngrounder: clip\ntemperature: .nan", "$.temperature"),
        ("title: a\ngrounder: clip\ntemperature: .inf", "$.temperature"),
        ("title: a\ngrounder: clip\ntau: .nan", "$.tau"),
        ("title: a\ngrounder: clip\ntau: high", "$.tau"),
        (f"title: a\ngrounder: b\nfiles: {{x: {{name: a, sha256: {SHA256[:-1]}}}}}", "$.files"),
        (f"title: a\ngrounder: b\nfiles: {{x: {{name: a, sha256: {'AB' * 32}}}}}", "$.files"),
        ("title: a", "names either a grounder, or when and where"),
        ("title: a\nwhen: b", "names either a grounder, or when and where"),
        ("title: a\nwhere: b", "names either a grounder, or when and where"),
        ("title: a\ngrounder: b\nwhere: c", "names either a grounder, or when and where"),
        ("title: a\ngrounder: b\nwhen: a\nwhere: c", "names either a grounder, or when and where"),
        ("title: a\nwhen: b\nwhere: c\nsettings: {x: 1}", "belong to the recipes of when and"),
        ("title: a\nwhen: b\nwhere: c\nfiles: {x: {name: y}}", "belong to the recipes of when and"),
    ],
)
def test_yaml_that_is_no_recipe(text: str, reason: str, tmp_path: Path) -> None:
    assert reason in fault(text, tmp_path)


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.yaml: cannot be read: No such file"):
        read_recipe(tmp_path / "absent.yaml")
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        read_recipe(tmp_path)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("'3'", "3"),
        ("0.5", 0.5),
        ("", None),
        ("[python, mine.py]", ["python", "mine.py"]),
        ('"{}"', "{}"),
        ("{a: {b: [1, null]}}", {"a": {"b": [1, None]}}),
        ("&anchor 3", 3),
        ("a: 1\nb: {a: 2}", {"a": 1, "b": {"a": 2}}),
        ("[" * 50 + "]" * 50, None),
    ],
)
def test_plain_values(text: str, value: Any) -> None:
    found = read_yaml(text, "--set x")
    if value is None and text:
        for _ in range(49):
            (found,) = found
        assert found == []
    else:
        assert found == value


# Files


def with_file(**fields: Any) -> Recipe:
    file = RecipeFile("model.pt", **fields)
    return Recipe(title="Mine", grounder="clip", files={"checkpoint": file})


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "model.pt").write_bytes(CONTENT)
    return folder


def test_files_are_found_under_their_published_names(weights: Path) -> None:
    recipe = with_file(sha256=SHA256)
    found = find_files("mine", recipe, {}, weights, ROLES)
    assert found == {"checkpoint": weights / "model.pt"}
    assert list(missing_files(recipe, weights)) == []
    assert file_sha256(weights / "model.pt") == SHA256


def test_the_variable_names_the_folder_of_weights(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert weights_folder() is None
    monkeypatch.setenv("GYTBENCH_WEIGHTS", str(weights))
    assert find_files("mine", with_file(), {}, None, ROLES)["checkpoint"].parent == weights
    other = weights / "other"
    assert weights_folder(other) == other
    with pytest.raises(InputError, match="does not exist"):
        find_files("mine", with_file(), {}, other, ROLES)
    monkeypatch.setenv("GYTBENCH_WEIGHTS", "")
    assert weights_folder() is None


def test_missing_weights_are_told_how_to_get(tmp_path: Path) -> None:
    recipe = with_file(url="https://example.org/model.pt")
    with pytest.raises(InputError) as raised:
        find_files("mine", recipe, {}, None, ROLES)
    message = str(raised.value)
    for part in (
        "mine needs model.pt",
        "--weights DIR",
        "GYTBENCH_WEIGHTS",
        "https://example.org/model.pt",
        "--file checkpoint=PATH",
    ):
        assert part in message
    with pytest.raises(InputError, match=f"{tmp_path}/model.pt does not exist"):
        find_files("mine", recipe, {}, tmp_path, ROLES)
    assert [file.name for file in missing_files(recipe, None)] == ["model.pt"]


def test_a_note_on_how_to_get_a_file_comes_before_its_address(tmp_path: Path) -> None:
    recipe = with_file(url="https://example.org/form", note="fill in the form")
    with pytest.raises(InputError, match="Where to get it: fill in the form"):
        find_files("mine", recipe, {}, tmp_path, ROLES)


def test_all_missing_files_are_told_at_once(tmp_path: Path) -> None:
    files = {role: RecipeFile(f"{role}.pt") for role in ROLES}
    recipe = Recipe(title="Mine", grounder="clip", files=files)
    with pytest.raises(InputError) as raised:
        find_files("mine", recipe, {}, tmp_path, ROLES)
    assert "checkpoint.pt" in str(raised.value)
    assert "words.pt" in str(raised.value)


def test_another_file_than_the_published_one_must_be_meant(weights: Path) -> None:
    recipe = with_file(sha256=hashlib.sha256(b"published").hexdigest())
    path = weights / "model.pt"
    with pytest.raises(InputError) as raised:
        find_files("mine", recipe, {}, weights, ROLES)
    assert "is not the published model.pt" in str(raised.value)
    assert f"--file checkpoint={path}" in str(raised.value)
    given = {"checkpoint": path}
    assert find_files("mine", recipe, given, None, ROLES) == given


def test_given_files_may_be_for_any_role_that_the_system_knows(weights: Path) -> None:
    words = weights / "words.txt"
    words.write_text("egg")
    found = find_files("mine", with_file(), {"words": words}, weights, ROLES)
    assert found == {"words": words, "checkpoint": weights / "model.pt"}
    with pytest.raises(InputError, match="needs no file 'chekpoint'; its files: checkpoint, words"):
        find_files("mine", with_file(), {"chekpoint": words}, weights, ROLES)
    with pytest.raises(InputError, match="needs no file 'x'; its files: none"):
        find_files("mine", Recipe(title="Mine", grounder="clip"), {"x": words}, None, {})


def test_a_given_file_must_be_there(weights: Path) -> None:
    for path in (weights / "absent.pt", weights):
        with pytest.raises(InputError, match=f"^{path}: no such file"):
            find_files("mine", with_file(), {"checkpoint": path}, weights, ROLES)


def test_packaged_files_need_no_folder_of_weights() -> None:
    recipe = Recipe(
        title="Mine", grounder="exec", files={"program": RecipeFile("README.md", packaged=True)}
    )
    found = find_files("mine", recipe, {}, None, {})
    assert found == {"program": baselines_folder() / "README.md"}
    assert list(missing_files(recipe, None)) == []
