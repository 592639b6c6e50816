"""Which system's weights a checkpoint holds, by the names of its entries."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

_MARKS = (
    ("STCAT", ("ground_encoder.*", "ground_decoder.*")),
    ("TubeDETR", ("transformer.text_encoder.*", "sted_embed.*")),
    ("MDETR", ("transformer.text_encoder.*", "transformer.decoder.*")),
    ("GLIP", ("language_backbone.*", "rpn.head.*")),
    ("GLIP of mmdetection", ("language_model.*", "bbox_head.head.*")),
    ("Grounding DINO", ("*text_backbone.*", "*bbox_embed*")),
    ("OWLv2 or OWL-ViT", ("owlv*", "class_head.*")),
    ("a region proposal network of detectron2", ("backbone.bottom_up.*", "proposal_generator.*")),
    ("RegionCLIP", ("backbone.attnpool.*", "backbone.layer4.*")),
    ("a global-local model on S3D", ("mixed_5c.*", "vis_proj_mat_g.*")),
    ("a global-local head", ("vis_proj_mat_g.*", "sa_layer.*")),
    ("CoMMA", ("mixed_5c.*", "sa_layer.*")),
    ("MIL-NCE's S3D", ("mixed_5c.*", "text_module.*")),
    ("CLIP", ("visual.*", "token_embedding.weight")),
    ("CLIP, as of Hugging Face", ("vision_model.*", "text_model.*")),
    ("a ResNet of torchvision", ("layer4.*", "fc.weight")),
    ("the MLP of MiningYouTube", ("fc.*", "out_fc.*")),
)
"""Systems, each with patterns (as of `fnmatch`) of which every one matches a name of theirs.

The first that fits counts: those whose names include another's come before it.
"""


def looks_like(names: Iterable[str]) -> str:
    """The system whose checkpoints have such entries; empty where none is known.

    names: of the entries of a state dict, without a prefix that all of them have.
    """
    known = list(names)
    for system, patterns in _MARKS:
        if all(any(fnmatchcase(name, pattern) for name in known) for pattern in patterns):
            return system
    return ""
