"""STCAT's decoders: boxes frame by frame from a common template, and when, frame by frame."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from gytbench.models.detr_blocks import (
    HEADS,
    WIDTH,
    FrameDecoderLayer,
    Mlp,
    TimeTable,
)
from gytbench.models.stcat.encoder import MAX_FRAMES, Encoded

_LAYERS = 6
_HIDDEN = 2048
_LONGEST = 10_000
# Of a coordinate whose logit is taken: DAB-DETR has it. No reference output comes near it.
_LEAST = 1e-3


class GroundDecoder(nn.Module):
    """Where and when, of what the encoder gives."""

    def __init__(self, bbox_embed: Mlp) -> None:
        """`bbox_embed`: the layers that make boxes, which belong to the whole network."""
        super().__init__()
        self.template_generator = TemplateGenerator()
        self.decoder = BoxDecoder(bbox_embed)
        self.temp_decoder = TimeDecoder()
        self.time_embed = TimeTable(MAX_FRAMES + 1)

    def forward(self, encoded: Encoded) -> tuple[Tensor, Tensor]:
        """Boxes, frames x 4 (centre, width and height, from 0 to 1); and frames x 256."""
        content, anchors = self.template_generator(encoded)
        times = self.time_embed(len(encoded.frames))
        boxes = self.decoder(encoded, anchors, times)
        return boxes, self.temp_decoder(encoded, content, times)


class TemplateGenerator(nn.Module):
    """What the whole video and the text are about: a vector, and a first box in each frame."""

    def __init__(self) -> None:
        super().__init__()
        self.content_proj = nn.Linear(WIDTH, WIDTH)
        self.gamma_proj = nn.Linear(WIDTH, WIDTH)
        self.beta_proj = nn.Linear(WIDTH, WIDTH)
        self.anchor_proj = nn.Linear(WIDTH, 4)

    def forward(self, encoded: Encoded) -> tuple[Tensor, Tensor]:
        """The content, 1 x 256, and boxes, frames x 4: centre, width and height."""
        scale = self.gamma_proj(encoded.video).tanh()
        shift = self.beta_proj(encoded.video).tanh()
        anchors = self.anchor_proj(scale * encoded.frames + shift).sigmoid()
        return self.content_proj(encoded.video), anchors


class TimeDecoder(nn.Module):
    """What tells when: one vector a frame."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(FrameDecoderLayer() for _ in range(_LAYERS))
        self.norm = nn.LayerNorm(WIDTH)

    def forward(self, encoded: Encoded, content: Tensor, times: Tensor) -> Tensor:
        """Frames x 256; `content` is 1 x 256, `times` are frames x 256."""
        x = torch.zeros_like(times)
        placed = encoded.memory + encoded.places
        for layer in self.layers:
            x = layer(x, encoded.memory, placed, over_time=content + times, within=content)
        normalised: Tensor = self.norm(x)
        return normalised


class BoxDecoder(nn.Module):
    """One box a frame, moved layer by layer, as in DAB-DETR (Liu et al. 2022)."""

    def __init__(self, bbox_embed: Mlp) -> None:
        super().__init__()
        self.layers = nn.ModuleList(BoxDecoderLayer(first=k == 0) for k in range(_LAYERS))
        self.norm = nn.LayerNorm(WIDTH)
        self.query_scale = Mlp(WIDTH, layers=2)
        self.ref_point_head = Mlp(WIDTH, layers=2, into=2 * WIDTH)
        self.bbox_embed = bbox_embed

    def forward(self, encoded: Encoded, boxes: Tensor, times: Tensor) -> Tensor:
        """Frames x 4, of the first boxes (frames x 4) and of times, frames x 256."""
        x = torch.zeros_like(times)
        for layer in self.layers:
            sines = sine_boxes(boxes)
            # The centre's sines; from the second layer on, scaled by what was found.
            centres = sines[:, :WIDTH]
            if not layer.first:
                centres = centres * self.query_scale(x)
            x = layer(x, encoded, self.ref_point_head(sines), centres, times)
            before, boxes = boxes, self._moved(boxes, x)
        return self._moved(before, self.norm(x))

    def _moved(self, boxes: Tensor, by: Tensor) -> Tensor:
        moved: Tensor = (self.bbox_embed(by) + _logits(boxes)).sigmoid()
        return moved


class BoxDecoderLayer(nn.Module):
    """A query's content, its box and its time, each with projections of its own."""

    def __init__(self, *, first: bool) -> None:
        """`first`: whether content and box are added before cells are looked at."""
        super().__init__()
        self.first = first
        for kind in ("qcontent", "qpos", "qtime", "kcontent", "kpos", "ktime", "v"):
            self.add_module(f"sa_{kind}_proj", nn.Linear(WIDTH, WIDTH))
        self.self_attn = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
        added = ("qpos",) if first else ()
        # `ca_qtime_proj` counts for nothing.
        for kind in ("qcontent", *added, "kcontent", "kpos", "qtime", "v", "qpos_sine"):
            self.add_module(f"ca_{kind}_proj", nn.Linear(WIDTH, WIDTH))
        self.cross_attn = nn.ModuleDict({"out_proj": nn.Linear(WIDTH, WIDTH)})
        self.linear1 = nn.Linear(WIDTH, _HIDDEN)
        self.linear2 = nn.Linear(_HIDDEN, WIDTH)
        self.norm1 = nn.LayerNorm(WIDTH)
        self.norm3 = nn.LayerNorm(WIDTH)
        self.norm4 = nn.LayerNorm(WIDTH)

    def forward(
        self, x: Tensor, encoded: Encoded, box: Tensor, centre: Tensor, times: Tensor
    ) -> Tensor:
        """Frames x 256, of the same; `box`, `centre` and `times` too are frames x 256."""
        x = self.norm1(x + self._over_time(x, box, times))
        x = self.norm3(x + self._looked(x, encoded, box, centre))
        hidden = functional.relu(self.linear1(x))
        normalised: Tensor = self.norm4(x + self.linear2(hidden))
        return normalised

    def _over_time(self, x: Tensor, box: Tensor, times: Tensor) -> Tensor:
        query, key = (
            self._projected(f"sa_{kind}content", x)
            + self._projected(f"sa_{kind}pos", box)
            + self._projected(f"sa_{kind}time", times)
            for kind in "qk"
        )
        value = self._projected("sa_v", x)
        mixed: Tensor = self.self_attn(query, key, value, need_weights=False)[0]
        return mixed

    def _looked(self, x: Tensor, encoded: Encoded, box: Tensor, centre: Tensor) -> Tensor:
        """What each frame's query sees in its frame: what it shows, and where that is."""
        query = self._projected("ca_qcontent", x)
        key = self._projected("ca_kcontent", encoded.memory)
        place = self._projected("ca_kpos", encoded.places)
        if self.first:
            query, key = query + self._projected("ca_qpos", box), key + place
        centre = self._projected("ca_qpos_sine", centre)
        mixed = functional.scaled_dot_product_attention(
            torch.cat([_by_head(query[:, None]), _by_head(centre[:, None])], dim=-1),
            torch.cat([_by_head(key), _by_head(place.expand_as(key))], dim=-1),
            _by_head(self._projected("ca_v", encoded.memory)),
        )
        looked: Tensor = self.cross_attn["out_proj"](mixed.flatten(1))
        return looked

    def _projected(self, name: str, x: Tensor) -> Tensor:
        projected: Tensor = self.get_submodule(f"{name}_proj")(x)
        return projected


def sine_boxes(boxes: Tensor) -> Tensor:
    """Boxes as sines and cosines: n x 512, of n x 4 from 0 to 1.

    128 channels each for the centre's y and x, the width and the height, as DAB-DETR has
    them; sines in the even channels, cosines in the odd ones.
    """
    count = WIDTH // 2
    periods = _LONGEST ** (torch.arange(0, count, 2, device=boxes.device) / count)
    # In half precision the sines of the short periods would lose the place.
    angles = boxes[:, [1, 0, 2, 3], None].float() * (2 * math.pi) / periods
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1).to(boxes)


def _by_head(x: Tensor) -> Tensor:
    """Frames x heads x tokens x width of a head, of frames x tokens x 256."""
    return x.reshape(*x.shape[:2], HEADS, -1).transpose(1, 2)


def _logits(boxes: Tensor) -> Tensor:
    return torch.log(boxes.clamp(min=_LEAST) / (1 - boxes).clamp(min=_LEAST))
