"""Grounding DINO of transformers, asked with many descriptions about each frame.

Source: Liu et al. 2023, Grounding DINO: Marrying DINO with Grounded Pre-Training.
"""

import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn

from gytbench.errors import InputError
from gytbench.models.hugging_face import config_of, load_network, read_config, transformers_class

if TYPE_CHECKING:
    from tokenizers import BertWordPieceTokenizer

_ENDS = {"[CLS]": 101, "[SEP]": 102, ".": 1012, "?": 1029}
"""The tokens at which the network ends a phrase, with the ids that are fixed in it."""
_MAX_VOCABULARY = 10 << 20
_CAPTIONS_KEPT = 64


class Caption(NamedTuple):
    """Some of the queries in one text."""

    ids: tuple[int, ...]
    spans: Mapping[str, range]
    """Which tokens are a query's."""


class GroundingDino:
    """The network with its tokenizer; the captions of a frame share its backbone."""

    def __init__(
        self, checkpoint: Path, config: Path, vocabulary: Path, device: str, half: bool
    ) -> None:
        """Raises `InputError` for files that do not serve, and where transformers is missing."""
        kind = transformers_class("GroundingDinoForObjectDetection")
        described = read_config(config, "grounding-dino")
        _check_parts(described, config)
        full = config_of(kind, described, config)
        self._tokenizer = _tokenizer(vocabulary, full.text_config.vocab_size)
        self._most_tokens = int(full.max_text_len)
        self._network = load_network(kind, full, checkpoint, device, half)
        model = self._network.model
        self._backbone = model.backbone = _Once(model.backbone)
        model.text_backbone = _Remembering(model.text_backbone)
        self._pool: tuple[str, ...] = ()
        self._captions: list[Caption] = []

    def detect(self, pixels: Tensor, queries: Sequence[str]) -> dict[str, tuple[float, Tensor]]:
        """Of each query the score and box of the best detection; of those that have words.

        pixels: of one frame, 3 x height x width, normalised. Boxes are x1, y1, x2, y2 in
        fractions of the frame. A score is the mean of the sigmoids of the query's tokens.
        """
        weight = next(self._network.parameters())
        found = {}
        self._backbone.forget()
        with torch.inference_mode():
            for caption in self._captioned(tuple(queries)):
                likely, boxes = self._detections(pixels[None].to(weight), caption)
                for query, span in caption.spans.items():
                    best, at = likely[:, span.start : span.stop].mean(dim=1).max(dim=0)
                    found[query] = best.item(), boxes[at]
        return found

    def _detections(self, pixels: Tensor, caption: Caption) -> tuple[Tensor, Tensor]:
        """Of each detection the sigmoids of its tokens, and the corners of its box."""
        ids = torch.tensor([caption.ids], device=pixels.device)
        found = self._network(pixel_values=pixels, input_ids=ids)
        centres, sizes = found.pred_boxes[0].double().cpu().split(2, dim=1)
        boxes = torch.cat((centres - sizes / 2, centres + sizes / 2), dim=1).clamp(0, 1)
        return found.logits[0].double().sigmoid().cpu(), boxes

    def _captioned(self, pool: tuple[str, ...]) -> list[Caption]:
        """The captions that hold the queries; kept, for a pool is asked every second."""
        if pool != self._pool:
            tokens = {query: self._tokens(query) for query in pool}
            self._pool, self._captions = pool, captions(tokens, self._most_tokens)
        return self._captions

    def _tokens(self, query: str) -> list[int]:
        """The ids of a query's words; what would end the phrase is left out."""
        plain = re.sub(r"[.?]", " ", query)
        ids: list[int] = self._tokenizer.encode(plain, add_special_tokens=False).ids
        return [each for each in ids if each not in _ENDS.values()]


def captions(tokens: Mapping[str, Sequence[int]], most: int) -> list[Caption]:
    """Queries in their order, in as many captions of at most so many tokens as it takes.

    tokens: of each query; after each comes a dot, and the whole is put between [CLS] and
    [SEP]. A query that is too long for a caption is cut, one without tokens left out.
    """
    made: list[Caption] = []
    ids: list[int] = []
    spans: dict[str, range] = {}
    for query, all_of_it in tokens.items():
        own = all_of_it[: most - 3]
        if not own:
            continue
        if spans and len(ids) + len(own) + 2 > most:
            made.append(Caption((*ids, _ENDS["[SEP]"]), spans))
            spans = {}
        if not spans:
            ids = [_ENDS["[CLS]"]]
        spans[query] = range(len(ids), len(ids) + len(own))
        ids += [*own, _ENDS["."]]
    return [*made, Caption((*ids, _ENDS["[SEP]"]), spans)] if spans else made


class _Once(nn.Module):
    """A backbone that is run once for a frame, however many captions it is asked with."""

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.position_embedding = backbone.position_embedding
        self._found: Any = None

    def forget(self) -> None:
        """To be called before each new frame."""
        self._found = None

    def forward(self, pixels: Tensor, mask: Tensor) -> tuple[list[Any], ...]:
        if self._found is None:
            self._found = self.backbone(pixels, mask)
        # The network appends to what it is given.
        return tuple(list(each) for each in self._found)


class _Remembering(nn.Module):
    """A text encoder that is run once for a caption; the last answers are kept."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self._found: OrderedDict[tuple[int, ...], Any] = OrderedDict()

    def forward(self, ids: Tensor, *rest: Any, **options: Any) -> Any:
        key = tuple(ids[0].tolist())
        if key not in self._found:
            self._found[key] = self.encoder(ids, *rest, **options)
        self._found.move_to_end(key)
        if len(self._found) > _CAPTIONS_KEPT:
            self._found.popitem(last=False)
        return self._found[key]


def _check_parts(described: Mapping[str, Any], path: Path) -> None:
    """That the network's parts are those that the published weights have."""
    for part, model_type in {"backbone_config": "swin", "text_config": "bert"}.items():
        inner = described.get(part)
        found = inner.get("model_type") if isinstance(inner, dict) else None
        if found != model_type:
            reason = f"its {part} is of type {found!r}; only {model_type!r} is supported"
            raise InputError(reason, where=str(path))


def _tokenizer(path: Path, size: int) -> "BertWordPieceTokenizer":
    """BERT's tokenizer; raises `InputError` for a vocabulary that is not the network's."""
    from tokenizers import BertWordPieceTokenizer

    words = _lines(path)
    known = {word: number for number, word in enumerate(words)}
    wrong = any(known.get(word) != number for word, number in _ENDS.items())
    if wrong or "[UNK]" not in known or len(words) > size:
        reason = (
            "is not the vocabulary of bert-base-uncased, one token a line; take the vocab.txt "
            "that came with the weights"
        )
        raise InputError(reason, where=str(path))
    return BertWordPieceTokenizer(known, lowercase=True)


def _lines(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_VOCABULARY + 1)
        if len(text) > _MAX_VOCABULARY:
            raise InputError("is too large for a vocab.txt", where=str(path))
        return text.decode("utf-8").removesuffix("\n").split("\n")
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from None
    except UnicodeDecodeError:
        raise InputError("is not UTF-8 text, as a vocab.txt is", where=str(path)) from None
