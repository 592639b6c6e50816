"""The packaged recipes and grids are sound, and the page on training tells all there is to set."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gytbench.plain_yaml import read_yaml, read_yaml_file
from gytbench.reproduction.grid import Grid, config_of, find_grid, read_grid
from gytbench.resources import baselines_folder
from gytbench.training.captions import LeftOut, caption_rows
from gytbench.training.config import Data, TrainingConfig, read_config
from gytbench.training.runs import plain
from gytbench.world.rules import Rules

RECIPES = baselines_folder() / "training"
GRIDS = ("narrated-world", "table5", "table6")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "training.md"

CLIP, BACKBONE, HEAD = (
    "global-local-clip",
    "global-local-clip-finetuned-1-backbone",
    "global-local-clip-finetuned-2-head",
)

PUBLISHED: Mapping[str, Mapping[str, Any]] = {
    CLIP: {
        "data.frames": 16,
        "data.fps": 1,
        "selection.method": "sinkhorn",
        "selection.keep": 8,
        "selection.granularity": "word-frame",
        "optimisation.batch_size": 64,
        "optimisation.epochs": 15,
        "optimisation.lr": 1e-4,
        "model.finetune": False,
        "loss.local": 1,
        "loss.global": 1,
    },
    BACKBONE: {
        "optimisation.batch_size": 96,
        "optimisation.epochs": 33,
        "model.finetune": True,
    },
    HEAD: {
        "data.frames": 8,
        "data.fps": 1,
        "selection.method": "none",
        "optimisation.batch_size": 64,
        "optimisation.epochs": 150,
        "optimisation.lr": 1e-4,
        "model.finetune": False,
    },
}
"""What the authors' repository said of its two recipes."""


def test_every_packaged_recipe_holds_the_published_numbers() -> None:
    assert {path.stem for path in RECIPES.iterdir()} == set(PUBLISHED)
    for name, published in PUBLISHED.items():
        values = flat(plain(read_config(RECIPES / f"{name}.yaml")))
        assert {option: values[option] for option in published} == published, name
        assert values["model.backbone"] == "clip"
        # A head is run by the recipe of the same name as it was trained.
        use = read_yaml_file(baselines_folder() / f"{CLIP}.yaml", dict[str, Any])
        assert values["variant"] == use["settings"]["variant"], name


def test_the_second_stage_takes_what_the_first_writes() -> None:
    folder, name = read_config(RECIPES / f"{HEAD}.yaml").model.weights.split("/")
    assert name == "backbone.pt"
    text = PAGE.read_text(encoding="utf-8")
    assert f"gytbench train {BACKBONE}.yaml -o {folder} " in text


def test_the_packaged_grids_can_be_read() -> None:
    folder = baselines_folder() / "ablations"
    assert sorted(path.stem for path in folder.iterdir()) == sorted(GRIDS)
    for name in GRIDS:
        read_grid(find_grid(name))


def configs(name: str) -> dict[str, dict[str, Any]]:
    """The training of each row of a packaged grid, flat."""
    grid = read_grid(find_grid(name))
    return {row.name: flat(plain(of_row(grid, row.name))) for row in grid.rows}


def of_row(grid: Grid, name: str) -> TrainingConfig:
    row = next(row for row in grid.rows if row.name == name)
    return config_of(grid, row, data={}, weights="", seed=1, where=name)


def test_table_5_has_each_granularity_with_and_without_sinkhorn_and_no_selection() -> None:
    rows = configs("table5")
    chosen = [(row["selection.method"], row["selection.granularity"]) for row in rows.values()]
    granularities = {"text-frame", "text-region", "word-frame", "word-region", "average"}
    assert set(chosen[:-1]) == {(m, g) for m in ("sinkhorn", "top") for g in granularities}
    assert len(chosen) == 11
    assert chosen[-1][0] == "none"
    words = {"text-frame": "global text, global video", "text-region": "global text, local video"}
    words |= {"word-frame": "local text, global video", "word-region": "local text, local video"}
    for name, row in rows.items():
        if row["selection.method"] != "none":
            said = words.get(row["selection.granularity"], "local text, average of both")
            told = {"sinkhorn": "Sinkhorn", "top": "no Sinkhorn"}[row["selection.method"]]
            assert name == f"{said}, {told}"


def test_table_6_has_each_loss_alone_and_both() -> None:
    grid = read_grid(find_grid("table6"))
    rows = configs("table6")
    weights = {name: (row["loss.local"], row["loss.global"]) for name, row in rows.items()}
    assert weights == {
        "both losses": (1, 1),
        "local loss alone": (1, 0),
        "global loss alone": (0, 1),
    }
    # A branch that was not trained answers nothing.
    assert [row.settings for row in grid.rows] == [{}, {"when": "local"}, {"where": "global"}]


@pytest.mark.parametrize("name", ["table5", "table6"])
def test_the_papers_own_grids_train_by_the_recipe(name: str) -> None:
    recipe = flat(plain(read_config(RECIPES / f"{CLIP}.yaml")))
    free = ("title", "selection.method", "selection.granularity", "selection.through", "loss.")
    for row, values in configs(name).items():
        for option in recipe:
            assert option.startswith(free) or values[option] == recipe[option], (row, option)


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """By dotted name."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = value
    return found


def table(head: str) -> dict[str, str]:
    """The first two columns of a table of the page, by what its head begins with."""
    text = PAGE.read_text(encoding="utf-8")
    rows = text[text.index(head) :].partition("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return {name.strip("`"): default for name, default, *_ in cells}


def shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def test_every_option_of_training_is_told_with_its_default() -> None:
    needed = ("data.videos", "data.captions")
    defaults = flat(plain(TrainingConfig(data=Data(videos="", captions=""))))
    told = table("| option | default |")
    assert told == {
        name: "needed" if name in needed else shown(value) for name, value in defaults.items()
    }


def test_every_rule_of_the_world_is_told_with_its_default() -> None:
    defaults = msgspec.json.decode(msgspec.json.encode(Rules()))
    assert table("| rule | default |") == {name: shown(value) for name, value in defaults.items()}


def test_every_key_of_a_grid_is_told() -> None:
    told = set(table("| key | what it is |"))
    assert told | {"title", "seeds", "tau"} == set(Grid.__struct_fields__)


def files() -> Iterator[tuple[str, str]]:
    """Those that the page writes: name and content."""
    text = PAGE.read_text(encoding="utf-8")
    for found in re.finditer(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", text, re.DOTALL):
        yield found[1], found[2]


def test_the_files_that_the_page_shows_are_what_it_says(tmp_path: Path) -> None:
    for name, content in files():
        (tmp_path / name).write_text(content, encoding="utf-8")
    left_out = LeftOut()
    captions = [
        [row[:4] for row in caption_rows(tmp_path / name, lambda name: name, left_out)]
        for name in ("caption.json", "captions.csv")
    ]
    assert captions[0] == captions[1]
    assert len(captions[0]) == 2
    assert not left_out.counts
    read_config(tmp_path / "small.yaml")
    grid = read_grid(tmp_path / "loose.yaml")
    assert grid.world is not None
    assert grid.world.rules == Rules(**read_yaml("loose: 6", "rules"))
