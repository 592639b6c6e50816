"""GLIP by its authors' code, for gytbench's `exec` grounder; docs/glip.md tells how to use it.

It runs in the environment of glip_official.txt, with microsoft/GLIP built in it, on a GPU:
the code's deformable convolutions have no other form.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from glip_shared import KEPT, THRESHOLD, Model, Once, fill, serve

BETWEEN = " . "


class OfficialGlip(Model):
    """GLIP of microsoft/GLIP."""

    # The code has as many outputs as the classes of COCO, whatever is in the caption.
    most_phrases = 80

    def __init__(self, options: argparse.Namespace) -> None:
        checkpoint, config, bert = (
            Path(each).absolute() for each in (options.checkpoint, options.config, options.bert)
        )
        # The code knows BERT by this name alone; transformers then takes a folder of that name.
        if bert.parent.name != "bert-base-uncased":
            raise SystemExit(f"the folder of {bert} must be named bert-base-uncased")
        os.chdir(bert.parent.parent)
        from maskrcnn_benchmark.config import cfg
        from maskrcnn_benchmark.engine.predictor_glip import GLIPDemo

        cfg.local_rank, cfg.num_gpus = 0, 1
        cfg.merge_from_file(str(config))
        changed = {
            "MODEL.DEVICE": options.device,
            "MODEL.WEIGHT": "",
            "MODEL.ATSS.INFERENCE_TH": options.threshold,
            "MODEL.ATSS.PRE_NMS_TOP_N": KEPT,
            "MODEL.ATSS.DETECTIONS_PER_IMG": KEPT,
        }
        cfg.merge_from_list([part for pair in changed.items() for part in pair])
        # Without a size of its own, it takes frames as they are given.
        self._glip = GLIPDemo(cfg, min_image_size=None)
        self._short, self._long = cfg.INPUT.MIN_SIZE_TEST, cfg.INPUT.MAX_SIZE_TEST
        fill(self._glip.model, torch.load(checkpoint, map_location="cpu"), str(checkpoint))
        self._glip.model.backbone = Once(self._glip.model.backbone)
        super().__init__(self._glip.model.backbone)

    def tokens(self, phrase: str) -> int:
        return len(self._glip.tokenizer(phrase, add_special_tokens=False)["input_ids"])

    def detect(self, frame: np.ndarray, phrases: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        resized, scale = self._resized(frame)
        spans: list[dict[str, Any]] = []
        start = 0
        for phrase in phrases:
            spans.append({"char_bounds": [start, start + len(phrase)]})
            start += len(phrase) + len(BETWEEN)
        found = self._glip.compute_prediction(resized, BETWEEN.join(phrases), spans)
        labels, scores = found.get_field("labels").tolist(), found.get_field("scores").tolist()
        boxes = found.bbox.tolist()
        for at, label in enumerate(labels):
            # Labels count from 1.
            yield (label - 1, scores[at], *(side / scale for side in boxes[at]))

    def _resized(self, frame: np.ndarray) -> tuple[np.ndarray, float]:
        """The frame as the code's tests have it, and its size in parts of the frame's own."""
        from PIL import Image

        height, width = frame.shape[:2]
        scale = min(self._short / min(height, width), self._long / max(height, width))
        size = round(width * scale), round(height * scale)
        return np.asarray(Image.fromarray(frame).resize(size, Image.BILINEAR)), scale


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", required=True, help="glip_large_model.pth")
    parser.add_argument("--config", required=True, help="configs/pretrain/glip_Swin_L.yaml")
    parser.add_argument("--bert", required=True, help="config.json in the folder of BERT's files")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--threshold", type=float, default=THRESHOLD)
    options = parser.parse_args()
    serve(lambda: OfficialGlip(options))


if __name__ == "__main__":
    main()
