"""Rules as a file has them: what does not fit is named."""

from pathlib import Path

import pytest

from gytbench.errors import InputError
from gytbench.plain_yaml import converted, read_yaml_file
from gytbench.reproduction.grid import World
from gytbench.world.rules import Rules


@pytest.mark.parametrize("name", ["step_seconds", "gap_seconds", "said_seconds"])
def test_a_range_given_backwards_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(f"{name}: [9, 4]\n")
    with pytest.raises(InputError) as caught:
        read_yaml_file(path, Rules)
    assert str(caught.value) == f"{path}: {name} is 9 to 4: the smaller number goes first"
    with pytest.raises(ValueError, match="smaller number goes first"):
        Rules(**{name: (9, 4)})


def test_within_a_grid_it_is_said_where() -> None:
    with pytest.raises(InputError, match=r"grid.yaml: gap_seconds .* - at `\$.rules`"):
        converted({"rules": {"gap_seconds": [2, 1]}}, World, "grid.yaml")


@pytest.mark.parametrize(
    "text",
    [
        "step_seconds: [9]",
        "step_seconds: [1, 3]",
        "said: 1.5",
        "steps: 0",
        "loose: -1",
        "late: .nan",
        "clutter: 2.5",
        "drift: .inf",
        "step_secs: [1, 2]",
        "[1, 2]",
        "said_seconds: [.nan, 3]",
    ],
)
def test_a_rule_out_of_range_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"rules\.yaml: "):
        read_yaml_file(path, Rules)


def test_a_range_of_one_number_is_a_range(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text("step_seconds: [5, 5]\nclutter: 0\n")
    assert read_yaml_file(path, Rules) == Rules(step_seconds=(5, 5), clutter=0)
