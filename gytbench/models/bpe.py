"""RoBERTa's tokens of texts: byte pairs, from the two files that its tokenizer is published as.

The way of GPT-2 (Radford et al. 2019), whose vocabulary RoBERTa took and numbered anew.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import msgspec

from gytbench.errors import InputError
from gytbench.inputs import read_limited

MAX_IDS = 512
"""Of a text, its start and end among them: RoBERTa has no more positions."""
MAX_BYTES = 16 << 20
"""Of either file; the published ones are below 1 MiB."""
COUNT = 50_265
"""Of the ids that RoBERTa knows."""

_START, _END = "<s>", "</s>"
_VERSION = "#version"
_SOURCE = "https://huggingface.co/FacebookAI/roberta-base"
# The kinds of characters that a text is split by, each as one character: letters, numbers,
# spaces, other blanks, and all else; a space goes with what comes after it.
_LETTER, _NUMBER, _SPACE, _BLANK, _ELSE = "a0 _!"
_PIECE = re.compile(r" ?a+| ?0+| ?!+|[ _]+(?![a0!])|[ _]+")
_CONTRACTION = re.compile(r"'(?:[stmd]|re|ve|ll)")
_NO_BLANKS = "\x1c\x1d\x1e\x1f"  # to Python they are


class BytePairs:
    """Texts as ids; the same as Hugging Face's RobertaTokenizer gives with these files.

    Only the names of special tokens are plain text here, should a text hold one.
    """

    def __init__(self, ids: Mapping[str, int], ranks: Mapping[tuple[str, str], int]) -> None:
        """The ids of all pieces; the pairs that are merged into one, the lowest rank first."""
        self._ids, self._ranks = ids, ranks

    def ids(self, text: str) -> list[int]:
        """Start, the pieces of the text, end; what is more than 512 is cut off before the end."""
        pieces = (piece for word in _words(text) for piece in self._pieces(word))
        inner = [self._ids[piece] for piece in pieces][: MAX_IDS - 2]
        return [self._ids[_START], *inner, self._ids[_END]]

    def _pieces(self, word: str) -> list[str]:
        """A word's bytes, merged as far as there are pairs for it."""
        pieces = [_SYMBOLS[byte] for byte in word.encode("utf-8", "replace")]
        while True:
            pairs = set(pairwise(pieces)) & self._ranks.keys()
            if not pairs:
                return pieces
            pieces = _merged(pieces, min(pairs, key=self._ranks.__getitem__))


def load_byte_pairs(vocabulary: Path, merges: Path) -> BytePairs:
    """The tokenizer of `vocab.json` and `merges.txt`.

    Raises `InputError` for files that are missing, too large, malformed, of different
    tokenizers, or not RoBERTa's.
    """
    ids = _read_vocabulary(vocabulary)
    ranks: dict[tuple[str, str], int] = {}
    for number, line in enumerate(_read(merges).replace("\r\n", "\n").split("\n"), start=1):
        if not line or (number == 1 and line.startswith(_VERSION)):
            continue
        pair = tuple(line.split(" "))
        if len(pair) != 2 or not all(pair):
            raise _odd(merges, f"line {number} is no pair of pieces with a space between")
        if not {*pair, "".join(pair)} <= ids.keys():
            raise _odd(merges, f"line {number} has a piece that {vocabulary} lacks")
        ranks.setdefault((pair[0], pair[1]), number)
    if not ranks:
        raise _odd(merges, "has no pairs")
    return BytePairs(ids, ranks)


def _read_vocabulary(path: Path) -> dict[str, int]:
    try:
        ids = msgspec.json.decode(_read(path), type=dict[str, int])
    except msgspec.MsgspecError as error:
        raise _odd(path, f"is no JSON object of ids by piece: {error}") from None
    lacks = {_START, _END, *_SYMBOLS} - ids.keys()
    if lacks:
        listed = ", ".join(sorted(lacks)[:3])
        raise _odd(path, f"lacks {len(lacks)} of the pieces that RoBERTa has: {listed}")
    if len(set(ids.values())) < len(ids) or not all(0 <= each < COUNT for each in ids.values()):
        raise _odd(path, f"needs one id from 0 to {COUNT - 1} for each piece")
    return ids


def _read(path: Path) -> str:
    if not path.is_file():
        raise _odd(path, "no such file")
    try:
        return read_limited(path, MAX_BYTES).decode()
    except UnicodeDecodeError:
        raise _odd(path, "is not UTF-8") from None


def _odd(path: Path, reason: str) -> InputError:
    hint = f"give vocab.json and merges.txt of roberta-base ({_SOURCE})"
    return InputError(f"{reason}; {hint}", where=str(path))


def _words(text: str) -> list[str]:
    """The text, split: contractions, then letters, numbers or others with a space before."""
    kinds = "".join(map(_kind, text))
    words, at = [], 0
    while at < len(text):
        found = _CONTRACTION.match(text, at) or _PIECE.match(kinds, at)
        assert found  # each kind of character begins a piece
        words.append(text[at : found.end()])
        at = found.end()
    return words


def _kind(character: str) -> str:
    if character == " ":
        return _SPACE
    if character.isspace() and character not in _NO_BLANKS:
        return _BLANK
    return {"L": _LETTER, "N": _NUMBER}.get(unicodedata.category(character)[0], _ELSE)


def _merged(pieces: Sequence[str], pair: tuple[str, str]) -> list[str]:
    """The pieces with every occurrence of the pair made one, from the left."""
    merged: list[str] = []
    at = 0
    while at < len(pieces):
        width = 2 if tuple(pieces[at : at + 2]) == pair else 1
        merged.append("".join(pieces[at : at + width]))
        at += width
    return merged


def _symbols() -> tuple[str, ...]:
    """A visible character for each byte, as GPT-2 has them: where it has none, one above 255."""
    visible = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    spare = iter(range(0x100, 0x200))
    return tuple(chr(byte if byte in visible else next(spare)) for byte in range(256))


_SYMBOLS = _symbols()
