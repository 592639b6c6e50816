"""Files to convert, and what comes out of them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gytbench.errors import InputError
from gytbench.predictions import Predictions, Tube, load_predictions, save_predictions
from gytbench.predictions.convert import Options, Report, convert_from, convert_to


def plain(tube: Tube) -> dict[str, Any]:
    """The fields of a tube that are not the defaults, as JSON has them."""
    found: dict[str, Any] = json.loads(msgspec.json.encode(tube))
    if found.get("score") == 1:
        del found["score"]
    return found


def read(
    folder: Path, name: str, content: Any, suffix: str = "", strict: bool = False, **options: Any
) -> tuple[list[dict[str, Any]], Report]:
    """The tubes that a file of the format gives, and the report."""
    source, out = folder / f"in{suffix or '.txt'}", folder / "out.json"
    if isinstance(content, bytes):
        source.write_bytes(content)
    else:
        source.write_text(content if isinstance(content, str) else json.dumps(content))
    report = Report(strict=strict)
    convert_from(name, source, out, Options(**options), report)
    return [plain(tube) for tube in load_predictions(out).tubes], report


def write(
    folder: Path, name: str, tubes: list[Tube], suffix: str = ".txt", **options: Any
) -> tuple[bytes, Report]:
    """The file of the format that tubes give, and the report."""
    source, out = folder / "preds.json", folder / f"out{suffix}"
    frame = options.pop("header_frame", None)
    save_predictions(Predictions("st", tubes, {}, frame), source)
    report = Report()
    convert_to(name, source, out, Options(**options), report)
    return out.read_bytes(), report


def fault(call: Callable[[], Any], folder: Path) -> str:
    """The one fault that a call ends with, with no trace of the folder; no file is left."""
    before = {path.name for path in folder.iterdir()}
    with pytest.raises(InputError) as error:
        call()
    after = {path.name for path in folder.iterdir()} - before
    assert after <= {"in.txt", "in.json", "in.pkl", "in.pt", "in.zip", "preds.json"}
    return str(error.value.faults[0]).replace(f"{folder}/", "")
