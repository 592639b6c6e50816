"""TubeDETR (Yang et al. 2022): for a description, a box in each frame, and a start and an end."""

from pathlib import Path

import torch
from torch import Tensor, nn

from gytbench.models.checkpoints import load_strict, read_checkpoint
from gytbench.models.detr_blocks import (
    BESIDE,
    WIDTH,
    Backbone,
    EncoderLayer,
    FrameDecoderLayer,
    Mlp,
    Resizer,
    TimeTable,
)
from gytbench.models.devices import check_device
from gytbench.models.positions import sine_positions, sine_times
from gytbench.models.resnet import CHANNELS
from gytbench.models.roberta import Roberta

MAX_FRAMES = 200
"""Of a window: the model was trained with no more."""

_LAYERS = 6
_TIMES = "transformer.time_embed.te"
_QUERIES = "query_embed.weight"


class TubeDetr(nn.Module):
    """Frames and a description in, a tube out; in three steps, of which two can be shared.

    `look` sees only frames and `read` only text: what they give serves all descriptions
    of the same frames, and all windows that are asked the same. `find` joins the two.

    Source: antoyang/TubeDETR, with its names of the weights: the variant of the published
    checkpoints, which encodes every `stride`-th frame with the text (slow) and adds to
    that what each frame shows (fast).
    """

    def __init__(self, stride: int = 4) -> None:
        super().__init__()
        self.stride = stride
        # A list with one entry, as DETR has it: its second was the positions, without weights.
        self.backbone = nn.ModuleList([Backbone()])
        self.input_proj = nn.Conv2d(CHANNELS, WIDTH, 1)
        self.query_embed = nn.Embedding(1, WIDTH)
        self.transformer = _Transformer()
        self.bbox_embed = Mlp(4, layers=3)
        self.sted_embed = Mlp(2, layers=2)

    def look(self, pixels: Tensor) -> Tensor:
        """Frames x 256 x rows x columns, of normalised pixels, frames x 3 x height x width.

        A frame's cells do not depend on the others, so that frames may be given in parts.
        """
        cells: Tensor = self.input_proj(self.backbone[0](pixels))
        return cells

    def read(self, ids: Tensor) -> Tensor:
        """Tokens x 256, of the ids of one description, as RoBERTa's tokenizer gives them."""
        texts = self.transformer.text_encoder(ids[None], torch.ones_like(ids[None]))
        tokens: Tensor = self.transformer.resizer(texts)[0]
        return tokens

    def find(self, cells: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Of what `look` (at most 200 frames) and `read` give, a tube.

        Returns boxes, frames x 4: centre x and y, width and height in fractions of the
        frame; and logits, frames x 2, that the described begins at a frame, and that the
        frame is the last one of it.
        """
        found = self.transformer(cells, tokens, self.query_embed.weight, self.stride)
        return self.bbox_embed(found).sigmoid(), self.sted_embed(found)


class _Transformer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = _Encoder()
        self.decoder = _Decoder()
        self.time_embed = TimeTable(MAX_FRAMES)
        self.fast_encoder = nn.Linear(WIDTH, WIDTH)
        self.fast_residual = nn.Linear(WIDTH, WIDTH)
        self.text_encoder = Roberta()
        self.resizer = Resizer()

    def forward(self, cells: Tensor, tokens: Tensor, query: Tensor, stride: int) -> Tensor:
        """One vector a frame (frames x 256); `query` is 1 x 256."""
        count, _, rows, columns = cells.shape
        seen = cells.flatten(2).transpose(1, 2)
        places = sine_positions((rows, columns), WIDTH).to(cells).flatten(1).T
        places = torch.cat([places, torch.zeros_like(tokens)])
        slow = seen[::stride]
        memory = torch.cat([slow, tokens.expand(len(slow), -1, -1)], dim=1)
        memory = self.encoder(memory, places).repeat_interleave(stride, dim=0)[:count]
        image, text = memory[:, : rows * columns], memory[:, rows * columns :]
        image = image + self.fast_residual(image + self.fast_encoder(seen))
        memory = torch.cat([image, text], dim=1)
        found: Tensor = self.decoder(memory, places, query + self.time_embed(count))
        return found


class _Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(EncoderLayer() for _ in range(_LAYERS))

    def forward(self, x: Tensor, places: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x, places)
        return x


class _Decoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(FrameDecoderLayer() for _ in range(_LAYERS))
        self.norm = nn.LayerNorm(WIDTH)

    def forward(self, memory: Tensor, places: Tensor, queries: Tensor) -> Tensor:
        """Frames x 256, of the frames' tokens (frames x tokens x 256) and one query a frame."""
        x = torch.zeros_like(queries)
        placed = memory + places
        for layer in self.layers:
            x = layer(x, memory, placed, over_time=queries, within=queries)
        normalised: Tensor = self.norm(x)
        return normalised


def load_tube_detr(path: Path, device: str, half: bool, stride: int = 4) -> TubeDetr:
    """The model with the weights of a published checkpoint, in eval mode.

    Of a training run's checkpoint the averaged weights count (`model_ema`). The times,
    which have no trained values, are made anew; of several object queries, as MDETR has,
    the first counts. Raises `InputError` for a file that holds something else, and for a
    device that is not there.
    """
    check_device(device)
    state = read_checkpoint(path)
    state[_TIMES] = sine_times(MAX_FRAMES, WIDTH)
    if _QUERIES in state and state[_QUERIES].ndim:
        state[_QUERIES] = state[_QUERIES][:1]
    # Without memory first: a file that does not fit takes none, and no weights are drawn.
    with torch.device("meta"):
        model = TubeDetr(stride)
    load_strict(model, state, str(path), optional=BESIDE)
    model.eval().requires_grad_(False)
    return (model.half() if half else model).to(device)
