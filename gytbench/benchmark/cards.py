"""Data cards: what is known of a dataset, from the package's annotations/cards."""

from collections.abc import Mapping

import msgspec

from gytbench.benchmark.datasets import find_dataset
from gytbench.plain_yaml import read_yaml_file
from gytbench.resources import annotations_folder


class Paper(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A paper to cite."""

    title: str
    authors: str
    venue: str
    year: int


class CardFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of the dataset."""

    path: str
    """Its place in a data folder. Size and SHA-256 stand in releases.toml where they are known."""
    holds: str


class Scored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A number of the paper's tables for this dataset, and what it is here."""

    column: str
    metric: str
    note: str = ""


class Card(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known of a dataset."""

    name: str
    title: str
    summary: str
    """One line."""
    papers: tuple[Paper, ...]
    source: tuple[str, ...]
    licence: str
    files: tuple[CardFile, ...]
    videos: str
    """Where the videos come from."""
    tested: str
    """On which files the loader was tested."""
    time_unit: str
    frame: str
    """What boxes are measured in."""
    choices: Mapping[str, Mapping[str, str]]
    """By option, what each of its values means."""
    scored: tuple[Scored, ...]
    faults: tuple[str, ...]
    """What is known to be wrong with the dataset, or with how it has been scored."""
    counts: Mapping[str, int] = {}
    """Counted in the released files; a test holds the loader to them."""
    stated: Mapping[str, str] = {}
    """Numbers of the publisher that were not checked here."""
    guessed_frames: Mapping[str, tuple[int, int]] = {}
    """By video: width and height that no released file tells."""


def read_card(name: str) -> Card:
    """The card of a dataset; `InputError`, with a suggestion, where there is no such dataset."""
    dataset = find_dataset(name)
    return read_yaml_file(annotations_folder() / "cards" / f"{dataset.name}.yaml", Card)
