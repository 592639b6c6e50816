"""GLIP as mmdetection has it, for gytbench's `exec` grounder; docs/glip.md tells how to use it.

It runs in the environment of glip_mmdet.txt. GLIP's published weights were converted by
mmdetection's authors; the network, the size of frames and the thresholds are those of its
configuration.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from glip_shared import KEPT, THRESHOLD, Model, Once, fill, serve

CONFIG = "glip_atss_swin-l_fpn_dyhead_pretrain_mixeddata.py"


class MmdetGlip(Model):
    """GLIP of mmdetection 3.3."""

    def __init__(self, options: argparse.Namespace) -> None:
        import mmdet
        from mmdet.apis import init_detector

        config = Path(mmdet.__file__).parent / ".mim" / "configs" / "glip" / options.config
        bert = str(Path(options.bert).parent)
        changed: dict[str, Any] = {
            "model.language_model.name": bert,
            "model.bbox_head.lang_model_name": bert,
            "model.test_cfg.score_thr": options.threshold,
            "model.test_cfg.nms_pre": KEPT,
            "model.test_cfg.max_per_img": KEPT,
        }
        self._network = init_detector(str(config), None, device=options.device, cfg_options=changed)
        state = torch.load(options.checkpoint, map_location="cpu", weights_only=True)
        fill(self._network, state, options.checkpoint)
        self._network.backbone = Once(self._network.backbone)
        super().__init__(self._network.backbone)

    def tokens(self, phrase: str) -> int:
        tokenizer = self._network.language_model.tokenizer
        return len(tokenizer(phrase, add_special_tokens=False)["input_ids"])

    def detect(self, frame: np.ndarray, phrases: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        from mmdet.apis import inference_detector

        # Of a tuple, mmdetection joins the phrases with dots and makes each one span; a
        # string it would split itself, at any dot.
        found = inference_detector(
            self._network, frame, text_prompt=tuple(phrases), custom_entities=True
        ).pred_instances
        labels, scores, boxes = found.labels.tolist(), found.scores.tolist(), found.bboxes.tolist()
        for at, label in enumerate(labels):
            yield (label, scores[at], *boxes[at])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", required=True, help="glip_l_mmdet-abfe026b.pth")
    parser.add_argument("--bert", required=True, help="config.json in the folder of BERT's files")
    parser.add_argument("--config", default=CONFIG, help="among mmdetection's configs/glip")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--threshold", type=float, default=THRESHOLD)
    options = parser.parse_args()
    serve(lambda: MmdetGlip(options))


if __name__ == "__main__":
    main()
