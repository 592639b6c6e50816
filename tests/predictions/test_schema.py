"""The JSON Schema says of a file's structure what the reader says."""

import json
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from gytbench.errors import InputError
from gytbench.predictions import json_schema, load_predictions

from .making import document, json_file, tube
from .tubes import tubes

SCHEMA = json_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
PUBLISHED = Path(__file__).parents[2] / "docs" / "gytbench-predictions-1.schema.json"


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_the_published_file_is_current() -> None:
    # `gytbench schema > docs/gytbench-predictions-1.schema.json` writes it.
    assert json.loads(PUBLISHED.read_text(encoding="utf-8")) == SCHEMA


@settings(max_examples=50, deadline=None)
@given(st.lists(tubes(), max_size=3))
def test_good_files_fit(written: Any) -> None:
    content = document(*msgspec.to_builtins(written), model={"name": "m", "depth": 3})
    VALIDATOR.validate(json.loads(json.dumps(content)))


FIT: list[dict[str, Any]] = [
    document(),
    document(tube()),
    document(tube(points=[[1, 2.5], None]), frame_size=[640, 480]),
    document(tube(heatmaps=[[[1, 2]], {"shape": [1, 1], "dtype": "uint8", "data": "AA=="}])),
    document(tube(masks=[{"size": [1, 1], "counts": "01"}, {"size": [1, 1], "counts": [0, 1]}])),
    document(tube(points=None, frame_size=None, instance=None, meta={"any": [1, {}]})),
]

UNFIT: list[Any] = [
    [],
    None,
    {},
    document() | {"format": "gytbench-predictions/2"},
    document(task="spacial"),
    document(note="x"),
    document(model=None),
    document(frame_size=[640]),
    document(frame_size=[640, 0]),
    {key: value for key, value in document().items() if key != "tubes"},
    document() | {"tubes": {}},
    document(None),
    document(tube(score=None)),
    document(tube(video=1)),
    document(tube(start=-1)),
    document(tube(end=86_401)),
    document(tube(end="5")),
    document(tube(times=[2.5])),
    document(tube(times=[None])),
    document(tube(points=[[1, 2, 3]])),
    document(tube(points=[[1, None]])),
    document(tube(boxes=[[1, 2, 3]])),
    document(tube(scores=[None])),
    document(tube(heatmaps=[[1, 2]])),
    document(tube(heatmaps=[{"shape": [1, 1], "dtype": "int8", "data": "AA=="}])),
    document(tube(heatmaps=[{"shape": [1, 0], "dtype": "uint8", "data": ""}])),
    document(tube(masks=[{"size": [1, 1]}])),
    document(tube(masks=[{"size": [1, 1], "counts": [-1]}])),
    document(tube(masks=[{"size": [1, 1], "counts": "01", "area": 1}])),
    document(tube(instance=-1)),
    document(tube(instance=1.5)),
    document(tube(meta=[1])),
    document(tube(pionts=[])),
]


@pytest.mark.parametrize("content", FIT)
def test_what_fits_is_read(content: Any, tmp_path: Path) -> None:
    VALIDATOR.validate(content)
    load_predictions(json_file(tmp_path, content))


@pytest.mark.parametrize("content", UNFIT)
def test_what_does_not_fit_is_refused(content: Any, tmp_path: Path) -> None:
    assert not VALIDATOR.is_valid(content)
    with pytest.raises(InputError):
        load_predictions(json_file(tmp_path, content))


@st.composite
def damaged(draw: st.DrawFn) -> Any:
    """A document that fits, with something in it replaced, removed or added."""
    content = json.loads(json.dumps(draw(st.sampled_from(FIT[1:]))))
    at: Any = content
    while True:
        key = draw(st.sampled_from(list(at) if isinstance(at, dict) else list(range(len(at)))))
        if not isinstance(at[key], dict | list) or not at[key] or draw(st.integers(0, 3)) == 0:
            break
        at = at[key]
    # No 1.0: to JSON Schema it is an integer, to the reader it is none.
    junk = st.sampled_from((None, True, -1, 0, 2, 0.5, 1e7 + 0.5, "", "x", [], [1], [[1, 2]], {}))
    action = draw(st.sampled_from(("replace", "remove", "add")))
    if action == "replace":
        at[key] = draw(junk)
    elif action == "remove":
        del at[key]
    elif isinstance(at, dict):
        at["extra"] = draw(junk)
    else:
        at.append(draw(junk))
    return content


@settings(max_examples=250, deadline=None)
@given(damaged())
def test_schema_and_reader_agree(content: Any) -> None:
    with TemporaryDirectory() as folder:
        path = json_file(Path(folder), content)
        fits = VALIDATOR.is_valid(content)
        with nullcontext() if fits else pytest.raises(InputError) as error:
            load_predictions(path)
    if error is not None:
        assert error.value.faults
        assert not any("not JSON" in fault.reason for fault in error.value.faults)
