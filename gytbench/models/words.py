"""Texts as the numbers of known words, for the text tower of S3D.

Source: antoine77340/S3D_HowTo100M, whose dictionary is `s3d_dict.npy`.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gytbench.errors import InputError
from gytbench.metrics.arrays import Ints

PAD = 0
"""The number that fills up a text that has too few words."""

_WORD = re.compile(r"[\w']+")


class Dictionary:
    """Numbers of words: a word's place in the dictionary, counted from 1."""

    def __init__(self, words: Sequence[str], lower_case: bool) -> None:
        # As in the reference, the last of two equal words counts.
        self._numbers = {word: number for number, word in enumerate(words, start=1)}
        self._lower_case = lower_case

    def numbers(self, text: str) -> list[int]:
        """Of the words of a text in their order, without those that are not known."""
        words = _WORD.findall(text.lower() if self._lower_case else text)
        return [self._numbers[word] for word in words if word in self._numbers]

    def ids(self, texts: Sequence[str], max_words: int) -> Ints:
        """Texts x max_words: the numbers of the first words, then `PAD`.

        A text of unknown words only is all `PAD`.
        """
        ids = np.full((len(texts), max_words), PAD, dtype=np.int64)
        for row, text in zip(ids, texts, strict=True):
            numbers = self.numbers(text)[:max_words]
            row[: len(numbers)] = numbers
        return ids


def load_dictionary(path: Path, rows: int, lower_case: bool) -> Dictionary:
    """The dictionary of a .npy file that holds one row of strings.

    `rows` are those of the table of word vectors, of which the first is the pad's.
    Raises `InputError` for another file, and for more words than the table has.
    """
    try:
        words = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"cannot be read as a .npy file: {error}", where=str(path)) from error
    if not isinstance(words, np.ndarray) or words.dtype.kind != "U" or words.ndim != 1:
        raise InputError("needs one row of strings: give s3d_dict.npy", where=str(path))
    if len(words) > rows - 1:
        reason = f"{len(words)} words, but the checkpoint knows {rows - 1}: give its dictionary"
        raise InputError(reason, where=str(path))
    return Dictionary(words.tolist(), lower_case)
