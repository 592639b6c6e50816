"""Outputs that must not replace what a command reads, nor each other."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from gytbench.errors import InputError


def keep_inputs(outputs: Iterable[Path | None], inputs: Iterable[Path | None]) -> None:
    """Raise `InputError` where an output would overwrite an input."""
    read = {path.resolve() for path in inputs if path is not None}
    for path in outputs:
        if path is not None and path.resolve() in read:
            raise InputError("is read, and would be overwritten", where=str(path))


def keep_predictions(predictions: Path, outputs: Mapping[str, Path | None]) -> None:
    """Raise `InputError` where an output would overwrite the predictions or another output."""
    seen: dict[Path, str] = {}
    for option, path in outputs.items():
        if path is None or (option == "--json" and str(path) == "-"):
            continue
        if path.resolve() == predictions.resolve():
            raise InputError(f"{option} would overwrite the predictions", where=str(path))
        other = seen.setdefault(path.resolve(), option)
        if other != option:
            raise InputError(f"{other} and {option} name the same file", where=str(path))
