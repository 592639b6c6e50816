"""Tiny detectors of transformers with random weights, stored as published ones are."""

from pathlib import Path
from typing import Any

import torch

WORDS = ("crack", "egg", "##s", "stir", "the", "pan", "step", *map(str, range(10)), "##0", "##1")


def make_owlv2(folder: Path) -> Any:
    """config.json and model.safetensors; the network that they hold."""
    from transformers import Owlv2Config, Owlv2ForObjectDetection

    part = {
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
    }
    config = Owlv2Config(
        text_config=part,
        vision_config={**part, "image_size": 64, "patch_size": 16},
        projection_dim=16,
    )
    torch.manual_seed(0)
    return _saved(Owlv2ForObjectDetection(config), folder)


def make_grounding_dino(folder: Path) -> Any:
    """The same with vocab.txt."""
    from transformers import GroundingDinoConfig, GroundingDinoForObjectDetection

    part = {"num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    config = GroundingDinoConfig(
        backbone_config={
            "model_type": "swin",
            "image_size": 64,
            "embed_dim": 8,
            "depths": [1, 1, 1, 1],
            "num_heads": [1, 1, 2, 2],
            "window_size": 4,
            "out_indices": [2, 3, 4],
        },
        text_config={"model_type": "bert", "vocab_size": 1100, "hidden_size": 16, **part},
        num_queries=10,
        encoder_layers=1,
        decoder_layers=2,
        d_model=64,  # more than one channel for each of the 32 groups
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
    )
    torch.manual_seed(0)
    network = _saved(GroundingDinoForObjectDetection(config), folder)
    (folder / "vocab.txt").write_text("\n".join(vocabulary()) + "\n", encoding="utf-8")
    return network


def vocabulary() -> list[str]:
    """Few words, and those that end a phrase at the ids that are fixed for them."""
    words = [f"[unused{number}]" for number in range(1100)]
    words[0], words[100], words[101], words[102] = "[PAD]", "[UNK]", "[CLS]", "[SEP]"
    words[1012], words[1029] = ".", "?"
    words[200 : 200 + len(WORDS)] = WORDS
    return words


def _saved(network: Any, folder: Path) -> Any:
    """The network, stored, with weights that are no longer zeros and ones."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    network.save_pretrained(folder)
    return network.eval()
