"""A benchmark small enough to count by hand, and files of predictions for it."""

import gzip
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gytbench.benchmark import Benchmark, ClassMap, Instance
from gytbench.errors import InputError
from gytbench.predictions import Mask, Predictions, Tube, load_predictions

WIDE, TALL = "aaaaaaaaaaa", "bb_b-bbbbbb"

CLASSES = ClassMap(
    kind="mining512",
    names=("crack_egg", "pour_it", "fry_it"),
    lookup={"crack_egg": 0, "crack_eggs": 0, "pour_it": 1, "fry_it": 2, "sauté_it": 2},
)

BENCHMARK = Benchmark(
    classes=CLASSES,
    frames={WIDE: (640, 480), TALL: (480, 640)},
    instances=(
        Instance(WIDE, 0, 2, 5, "crack_eggs", "crack_egg"),
        Instance(WIDE, 2, 4, 6, "pour_it", "pour_it"),
        Instance(TALL, 0, 0, 2, "sauté_it", "fry_it"),
    ),
    boxes={WIDE: {2: (0, 0, 100, 100), 4: (10, 20, 30, 40)}, TALL: {0: (1, 1, 480, 640)}},
    dropped=frozenset({(WIDE, 1)}),
)

FORMS = (".json", ".json.gz", ".jsonl", ".jsonl.gz", ".parquet")


def tube(**fields: Any) -> dict[str, Any]:
    """A tube that is right, as a dictionary, with fields replaced or added."""
    return {"video": WIDE, "label": "crack_egg", "start": 2, "end": 5} | fields


def predictions(*tubes: dict[str, Any], task: Any = "st", **header: Any) -> Predictions:
    """Predictions in memory; their tubes need not be right."""
    made = [Tube(**each) for each in tubes]
    for each in made:
        if each.masks:
            each.masks = msgspec.convert(each.masks, list[Mask | None])
    return Predictions(task, made, {}, **header)


def document(*tubes: Any, **header: Any) -> dict[str, Any]:
    """The content of a .json file."""
    return {"format": "gytbench-predictions/1", "task": "st", **header, "tubes": list(tubes)}


def json_file(folder: Path, content: Any, name: str = "preds.json") -> Path:
    """A file of JSON; text and bytes are written as they are."""
    path = folder / name
    text = content if isinstance(content, str | bytes) else json.dumps(content)
    data = text.encode() if isinstance(text, str) else text
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def reading_faults(path: Path) -> list[str]:
    """The faults that reading a file meets, without the file's name in front."""
    with pytest.raises(InputError) as error:
        load_predictions(path)
    return [str(fault).removeprefix(f"{path}: ") for fault in error.value.faults]
