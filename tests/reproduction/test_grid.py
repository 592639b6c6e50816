"""Grids as files: what does not go together is refused before anything is trained."""

import re
from pathlib import Path
from typing import Any

import pytest

from gytbench.errors import InputError
from gytbench.reproduction.grid import (
    COLUMNS,
    Row,
    backbone_config,
    config_of,
    find_grid,
    read_grid,
    row_settings,
)

from .making import Change, grid, grid_file


def put(path: str, value: object) -> Change:
    """Sets a value by its dotted name; numbers are places in a list."""
    *outer, last = path.split(".")

    def change(values: dict[str, Any]) -> None:
        inner: Any = values
        for key in outer:
            inner = inner[int(key)] if isinstance(inner, list) else inner[key]
        inner[int(last) if isinstance(inner, list) else last] = value

    return change


def without(name: str) -> Change:
    return lambda values: values.pop(name)


def real(values: dict[str, Any]) -> None:
    """Videos of the user's own in place of a world."""
    del values["world"], values["backbone"]
    values["test"] = {"videos": "test"}
    values["training"]["data"] |= {"videos": "v", "captions": "c.json"}
    values["training"]["model"] = {"weights": "ViT-B-32.pt"}


VIDEOS = {"videos": "elsewhere"}
NAMES = ", ".join(column.name for column in COLUMNS)
METRICS = ", ".join(column.metric for column in COLUMNS)

REFUSED: dict[str, tuple[Change, str]] = {
    "a name twice": (put("rows.1.name", "both"), "two rows are named 'both'"),
    "a folder twice": (
        put("rows.1.name", "Both!"),
        "the row 'Both!' needs another name: its folder would be 'both'",
    ),
    "the world's folder": (
        put("rows.1.name", "World"),
        "the row 'World' needs another name: its folder would be 'world'",
    ),
    "no folder": (
        put("rows.1.name", "?"),
        "the row '?' needs another name: its folder would be ''",
    ),
    "a table's row": (put("tables.0.rows.1", "neither"), "no row is named 'neither'"),
    "a finding's row": (put("findings.0.than", "neither"), "no row is named 'neither'"),
    "a metric": (
        put("findings.0.metric", "iou_point"),
        f"no metric 'iou_point'; known: {NAMES}",
    ),
    "a paper's metric": (
        put("rows.0.paper", {"IoU+Point": 12.0}),
        f"no metric 'IoU+Point'; known: {METRICS}",
    ),
    "neither world nor test": (without("world"), "names either a world to render, or test videos"),
    "world and test": (put("test", VIDEOS), "names either a world to render, or test videos"),
    "world and validation": (
        put("validation", VIDEOS),
        "a rendered world has validation videos of its own: leave out validation",
    ),
    "paths": (
        put("training.data.videos", "mine"),
        "a rendered world is the training data: leave out the paths of training.data",
    ),
    "paths of captions": (
        put("training.data.captions", "mine.json"),
        "a rendered world is the training data: leave out the paths of training.data",
    ),
    "the backbone's paths": (
        put("backbone.data.videos", "mine"),
        "a rendered world is the training data: leave out the paths of backbone.data",
    ),
    "tau": (put("tau", 0.5), "tau is chosen on the validation videos: leave it out"),
    "a seed twice": (put("seeds", [3, 1, 3]), "the seed 3 is named twice"),
    "a row's seed": (
        put("rows.1.set", {"seed": 5}),
        "the row 'local alone' sets the seed, which is that of the grid",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_go_together_is_refused(tmp_path: Path, name: str) -> None:
    change, reason = REFUSED[name]
    path = grid_file(tmp_path, change)
    with pytest.raises(InputError) as caught:
        read_grid(path)
    assert f"{path}: {reason}" in map(str, caught.value.faults)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (put("rows.1.set", {"loss.globl": 0}), "local alone: Object contains unknown"),
        (put("rows.1.set", {"loss.global": 0, "loss.local": 0}), "local alone: loss: local and"),
        (put("rows.1.set", {"seed.x": 0}), "local alone: seed is no group of values"),
        (put("rows.1.settings", {"wen": "local"}), "alone: settings: Object contains unknown"),
        (put("rows.1.settings", {"when": "lokal"}), "local alone: settings: Invalid enum value"),
        (put("backbone.optimisation.lr", "fast"), "backbone: Expected `float`"),
        (put("backbone.model", {"weights": "a.pt"}), "backbone: model.backbone must be small"),
        (put("backbone.model", {"backbone": "s3d", "weights": "a"}), "model.backbone must be"),
        (put("training.selection", {"keep": 9}), "both: selection.keep is 9, but a sample has 2"),
        (put("training.data", 5), "data is no group of values"),
        (put("seeds", []), "`$.seeds`"),
        (put("seeds", [-1]), "`$.seeds[0]`"),
        (put("rows", []), "`$.rows`"),
        (put("rows.0.name", ""), "`$.rows[0].name`"),
        (put("rows.0.name", "x" * 81), "`$.rows[0].name`"),
        (put("tables", []), "`$.tables`"),
        (put("tables.0.rows", []), "`$.tables[0].rows`"),
        (put("world.train", 0), "`$.world.train`"),
        (put("world.rules", {"gap_seconds": [9, 4]}), "gap_seconds is 9 to 4: the smaller number"),
        (put("world.rules", {"colour": 1}), "`$.world.rules`"),
        (put("wrld", {}), "unknown field `wrld`"),
        (without("title"), "missing required field `title`"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(tmp_path: Path, change: Change, reason: str) -> None:
    path = grid_file(tmp_path, change)
    with pytest.raises(InputError, match=re.escape(reason)) as caught:
        read_grid(path)
    assert str(caught.value).startswith(str(path))


def test_all_faults_of_names_are_told_at_once(tmp_path: Path) -> None:
    path = grid_file(tmp_path, put("findings.0.than", "neither"), put("seeds", [3, 3]))
    with pytest.raises(InputError) as caught:
        read_grid(path)
    assert len(caught.value.faults) == 2


def test_a_file_that_is_no_grid(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.yaml: cannot be read: No such file"):
        read_grid(tmp_path / "none.yaml")
    (tmp_path / "list.yaml").write_text("- 1\n")
    with pytest.raises(InputError, match="Expected `object`"):
        read_grid(tmp_path / "list.yaml")
    (tmp_path / "twice.yaml").write_text("title: a\ntitle: b\n")
    with pytest.raises(InputError, match="has the key 'title' a second time"):
        read_grid(tmp_path / "twice.yaml")


def test_real_videos_need_no_world(tmp_path: Path) -> None:
    read = read_grid(grid_file(tmp_path, real, put("tau", 0.25)))
    config = config_of(read, read.rows[0], data={}, weights="", seed=4, where="here")
    assert (config.seed, config.data.videos, config.model.weights) == (4, "v", "ViT-B-32.pt")
    read_grid(grid_file(tmp_path, real, put("validation", VIDEOS)))
    with pytest.raises(InputError, match="tau is chosen on the validation videos"):
        read_grid(grid_file(tmp_path, real, put("validation", VIDEOS), put("tau", 1)))


def test_packaged_grids_are_found_and_serve() -> None:
    path = find_grid("narrated-world")
    assert path.is_file()
    assert read_grid(path).world is not None


def test_a_path_is_found_as_it_is() -> None:
    assert find_grid("some/folder/mine.yml") == Path("some/folder/mine.yml")
    with pytest.raises(InputError, match=r"no grid 'narated'; packaged are .*narrated-world"):
        find_grid("narated")


def test_a_row_changes_the_training_it_is_given() -> None:
    made = grid()
    data = {"videos": "/w/videos", "captions": "/w/captions.json"}
    both, local = (
        config_of(made, row, data=data, weights="/b/backbone.pt", seed=9, where="here")
        for row in made.rows
    )
    assert (both.loss.local, both.loss.global_) == (1, 1)
    assert (local.loss.local, local.loss.global_) == (1, 0)
    for config in (both, local):
        assert (config.data.videos, config.data.captions) == tuple(data.values())
        assert (config.model.backbone, config.model.weights) == ("clip", "/b/backbone.pt")
        assert (config.seed, config.data.frames) == (9, 2)
    backbone = backbone_config(made, data, 9, "here")
    assert (backbone.model.backbone, backbone.seed, backbone.data.videos) == (
        "small",
        9,
        "/w/videos",
    )
    # What is given is not changed.
    assert made == grid()


def test_what_a_row_trained_is_run_in_its_variant() -> None:
    made = grid(put("training.variant", "official"))
    both, local = made.rows
    config = config_of(made, both, data={}, weights="", seed=1, where="here")
    assert row_settings(both, config) == {"variant": "official"}
    assert row_settings(local, config) == {"variant": "official", "when": "local"}


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("both losses", "both-losses"),
        ("Top-T, 2 of 4", "top-t-2-of-4"),
        ("../a/..", "a"),
        ("é", "é"),
    ],
)
def test_a_row_has_a_folder_of_its_name(name: str, folder: str) -> None:
    assert Row(name=name).folder == folder
