"""CLIP's byte-pair tokens of texts, as OpenAI's code makes them."""

import html
import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from gytbench.errors import InputError

if TYPE_CHECKING:
    from instant_clip_tokenizer import Tokenizer

START, END = 49406, 49407

# What OpenAI's code leaves to the package ftfy; its repairs of broken encodings are not made.
_STRAIGHT = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"'})


def tokenize(texts: Sequence[str], context: int = 77) -> Tensor:
    """Token ids, texts x context: start, the tokens, end, zeros.

    Texts are cleaned and lower-cased first; what is too long is cut, and the end kept.
    Raises `InputError` where the package that ships the vocabulary is missing.
    """
    rows = tokenizer().tokenize_batch([_cleaned(text) for text in texts], context)
    return torch.from_numpy(np.asarray(rows, dtype=np.int64).reshape(len(texts), context))


@lru_cache(maxsize=1)
def tokenizer() -> "Tokenizer":
    """The vocabulary; raises `InputError` where the package that ships it is missing."""
    try:
        from instant_clip_tokenizer import Tokenizer
    except ImportError:
        raise InputError("needs instant-clip-tokenizer: pip install 'gytbench[models]'") from None
    return Tokenizer()


def _cleaned(text: str) -> str:
    plain = unicodedata.normalize("NFC", text).translate(_STRAIGHT)
    return re.sub(r"\s+", " ", html.unescape(html.unescape(plain))).strip().lower()
