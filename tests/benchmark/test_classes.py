"""The class map: names, their normal form, and what stands for what."""

from pathlib import Path

import pytest

from gytbench.benchmark.classes import ClassMap, normalise_label, read_classes
from gytbench.errors import InputError
from gytbench.resources import annotations_folder

HEADER = "step\tclass\tclass_index\n"
HERE = Path("classes.tsv")


def packaged(kind: str) -> ClassMap:
    path = annotations_folder() / "classes.tsv"
    return read_classes(path.read_text(encoding="utf-8"), kind, path)


@pytest.mark.parametrize(
    ("name", "normal"),
    [
        ("crack eggs", "crack_eggs"),
        ("  Crack  EGGS\n", "crack__eggs"),
        ("saute\u0301 it", "saut\u00e9_it"),
        ("SAUT\u00c9 IT", "saut\u00e9_it"),
        ("", ""),
    ],
)
def test_normal_form(name: str, normal: str) -> None:
    assert normalise_label(name) == normal
    assert normalise_label(normal) == normal


def test_packaged_classes() -> None:
    classes = packaged("mining512")
    assert classes.kind == "mining512"
    assert len(classes.names) == 512
    assert classes.names[0] == "add_apple"
    assert classes.names[511] == "wrap_roll"
    assert classes.index("Add apples") == classes.index("add_apple") == 0
    assert classes.name_of("saute them") == classes.name_of("saute\u0301 it") == "saute_it"
    assert classes.index("background") is None
    assert classes.name_of("background") is None


def test_packaged_steps() -> None:
    steps = packaged("step")
    assert steps.kind == "step"
    assert len(steps.names) == 690
    assert list(steps.names) == sorted(steps.names)
    assert steps.name_of("Add apples") == "add_apples"
    assert steps.index("add_asparagu") is None  # a class, but no step


def test_no_packaged_step_is_another_class() -> None:
    # The rule for such a collision (the step wins) never has to decide on the real map.
    classes = packaged("mining512")
    for index, name in enumerate(classes.names):
        assert classes.index(name) == index


def test_a_step_wins_over_a_class_of_its_name() -> None:
    text = HEADER + "cut_it\tslice_it\t0\nslice_it\tcut_it\t1\n"
    classes = read_classes(text, "mining512", HERE)
    assert classes.names == ("slice_it", "cut_it")
    assert classes.name_of("slice_it") == "cut_it"
    assert classes.name_of("cut_it") == "slice_it"


def test_suggestions() -> None:
    classes = packaged("mining512")
    assert classes.suggest("crack egs")[0] in ("crack_egg", "crack_eggs")
    assert len(classes.suggest("add_eg")) <= 3
    assert classes.suggest("xyzzy") == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1 must be"),
        ("step,class,class_index\n", "line 1 must be"),
        (HEADER + "a\tb\n", "line 2: not step"),
        (HEADER + "a\tb\t0\na\tb\tx\n", "line 3: not step"),
        (HEADER + "a\tb\t-1\n", "line 2: not step"),
        (HEADER + "a\tb\t" + "1" * 5000 + "\n", "line 2: not step"),
        (HEADER + "a\tb\t0\nA\tb\t0\n", "line 3: step 'a' stands in line 2 already"),
        (HEADER + "a\tb\t0\nc\tb\t1\n", "line 3: class 'b' has index 0 already"),
        (HEADER + "a\tb\t0\nc\td\t2\n", "must count from 0"),
        (HEADER + "a\tb\t0\nc\td\t0\n", "line 3: index 0 is that of class 'b'"),
    ],
)
def test_bad_class_maps(text: str, message: str) -> None:
    with pytest.raises(InputError, match=r"classes\.tsv") as caught:
        read_classes(text, "mining512", HERE)
    assert message in str(caught.value)


def test_unknown_kind() -> None:
    with pytest.raises(InputError, match=r"'coco'; known are mining512, step"):
        read_classes(HEADER + "a\tb\t0\n", "coco", HERE)
