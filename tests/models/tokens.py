"""A small tokenizer in the files of roberta-base: all bytes, and a few pairs."""

import json
from pathlib import Path

PAIRS = (
    ("c", "r"),
    ("a", "c"),
    ("ac", "k"),
    ("cr", "ack"),
    ("Ġ", "crack"),
    ("e", "g"),
    ("eg", "g"),
    ("Ġ", "egg"),
    ("Ġ", "Ġ"),
    ("'", "s"),
    ("Ã", "©"),
    ("1", "2"),
    ("Ċ", "Ċ"),
)


def byte_symbols() -> list[str]:
    """The characters that stand for the 256 bytes, in the order of GPT-2's vocabulary."""
    visible = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1)]
    visible += range(ord("®"), ord("ÿ") + 1)
    return [chr(each) for each in visible] + [chr(256 + k) for k in range(256 - len(visible))]


def small_vocabulary() -> dict[str, int]:
    """Ids by piece: the special tokens where roberta-base has them, bytes, merged pairs."""
    pieces = ["<s>", "<pad>", "</s>", "<unk>", *byte_symbols(), *map("".join, PAIRS), "<mask>"]
    return {piece: number for number, piece in enumerate(pieces)}


def write_tokenizer(folder: Path) -> tuple[Path, Path]:
    """vocab.json and merges.txt of the small tokenizer."""
    vocabulary, merges = folder / "vocab.json", folder / "merges.txt"
    vocabulary.write_text(json.dumps(small_vocabulary()), encoding="utf-8")
    lines = ["#version: 0.2", *map(" ".join, PAIRS), ""]
    merges.write_text("\n".join(lines), encoding="utf-8")
    return vocabulary, merges
