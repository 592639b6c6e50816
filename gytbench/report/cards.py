"""Data cards as text for the terminal."""

from collections.abc import Iterable, Iterator, Mapping
from textwrap import fill

from tabulate import tabulate

from gytbench.benchmark import find_dataset
from gytbench.benchmark.cards import Card, CardFile
from gytbench.benchmark.releases import manifest

_WIDTH = 96


def cards_table(cards: Iterable[Card]) -> str:
    """One line a dataset: its name, its tasks, and what it is."""
    rows = [(card.name, ", ".join(find_dataset(card.name).tasks), card.summary) for card in cards]
    return tabulate(rows, headers=("dataset", "tasks", ""))


def card_text(card: Card) -> str:
    """Everything that a card says, under headings."""
    counts = {name: f"{number:,}" for name, number in card.counts.items()}
    frames = {video: f"{width}x{height}" for video, (width, height) in card.guessed_frames.items()}
    sections: Mapping[str, Iterable[str]] = {
        "Papers": [
            _wrapped(f"{paper.authors}: {paper.title}. {paper.venue}, {paper.year}.")
            for paper in card.papers
        ],
        "Source": map(_wrapped, card.source),
        "Licence": [_wrapped(card.licence)],
        "Videos": [_wrapped(card.videos)],
        "Files": (line for file in card.files for line in _file(file)),
        "Loader tested on": [_wrapped(card.tested)],
        "Tasks": [_wrapped(", ".join(find_dataset(card.name).tasks))],
        "Choices (first: the default)": _choices(card.choices),
        "Time": [_wrapped(card.time_unit)],
        "Frame": [_wrapped(card.frame)],
        "Guessed frames (no released file tells these)": _named(frames),
        "Columns of the paper's tables": [
            line
            for scored in card.scored
            for line in _entry(f"{scored.column}: {scored.metric}", scored.note)
        ],
        "Counted in the released files": _named(counts),
        "Stated by the publisher, not checked here": _named(card.stated),
        "Known faults": [_wrapped(fault, "  - ", "    ") for fault in card.faults],
    }
    shown = ((head, list(lines)) for head, lines in sections.items())
    parts = [f"{card.title} ({card.name})\n{card.summary}"]
    parts += ["\n".join([head, *lines]) for head, lines in shown if lines]
    return "\n\n".join(parts)


def _file(file: CardFile) -> Iterator[str]:
    released = next((each for each in manifest() if each.path == file.path), None)
    yield from _entry(file.path, file.holds)
    if released is not None:
        yield f"    {released.size:,} bytes, sha256 {released.sha256}"


def _choices(choices: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    for option, meanings in choices.items():
        for value, meaning in meanings.items():
            yield from _entry(f"--{option} {value}", meaning)


def _entry(name: str, text: str) -> Iterator[str]:
    yield f"  {name}"
    if text:
        yield _wrapped(text, "    ")


def _named(values: Mapping[str, str]) -> list[str]:
    width = max(map(len, values), default=0)
    return [f"  {name:<{width}}  {value}" for name, value in values.items()]


def _wrapped(text: str, first: str = "  ", rest: str = "") -> str:
    """Text in lines of the terminal's usual width; names and addresses are not broken."""
    return fill(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=rest or first,
        break_long_words=False,
        break_on_hyphens=False,
    )
