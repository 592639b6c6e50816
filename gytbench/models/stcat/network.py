"""STCAT as a whole: frames and a description in, boxes, start and end out."""

from pathlib import Path

import torch
from torch import Tensor, nn

from gytbench.models.checkpoints import load_strict, read_checkpoint
from gytbench.models.detr_blocks import BESIDE, WIDTH, Backbone, Mlp, Resizer
from gytbench.models.devices import check_device
from gytbench.models.positions import sine_times
from gytbench.models.resnet import CHANNELS
from gytbench.models.roberta import Roberta
from gytbench.models.stcat.decoder import GroundDecoder
from gytbench.models.stcat.encoder import MAX_FRAMES, GroundEncoder

_TIMES = ("ground_encoder.encoder.time_embed.te", "ground_decoder.time_embed.te")


class Stcat(nn.Module):
    """Frames and a description in, a tube out; in three steps, of which two can be shared.

    `look` sees only frames and `read` only text: what they give serves all descriptions
    of the same frames, and all windows that are asked the same. `find` joins the two.

    Source: jy0205/STCAT, with its names of the weights.
    """

    def __init__(self) -> None:
        super().__init__()
        # A list with one entry, as DETR has it: its second was the positions, without weights.
        self.vis_encoder = nn.ModuleList([Backbone()])
        self.text_encoder = nn.ModuleDict({"body": Roberta(), "resizer": Resizer()})
        self.ground_encoder = GroundEncoder()
        # One module under two names, as in the source; of two values in a file the later,
        # `bbox_embed`, counts.
        boxes = Mlp(4, layers=3)
        self.ground_decoder = GroundDecoder(boxes)
        self.input_proj = nn.Conv2d(CHANNELS, WIDTH, 1)
        self.temp_embed = Mlp(2, layers=2)
        self.bbox_embed = boxes
        self.action_embed = Mlp(1, layers=2)

    def look(self, pixels: Tensor) -> Tensor:
        """Frames x 256 x rows x columns, of normalised pixels, frames x 3 x height x width.

        A frame's cells do not depend on the others, so that frames may be given in parts.
        """
        cells: Tensor = self.input_proj(self.vis_encoder[0](pixels))
        return cells

    def read(self, ids: Tensor) -> Tensor:
        """Tokens x 256, of the ids of one description, as RoBERTa's tokenizer gives them."""
        texts = self.text_encoder["body"](ids[None], torch.ones_like(ids[None]))
        tokens: Tensor = self.text_encoder["resizer"](texts)[0]
        return tokens

    def find(self, cells: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Of what `look` (at most 300 frames) and `read` give, a tube.

        Returns boxes, frames x 4: centre x and y, width and height in fractions of the
        frame; logits, frames x 2, that the described begins at a frame, and that the frame
        is the last one of it; and logits, frames x 1, that it is in a frame.
        """
        boxes, found = self.ground_decoder(self.ground_encoder(cells, tokens))
        return boxes, self.temp_embed(found), self.action_embed(found)


def load_stcat(path: Path, device: str, half: bool) -> Stcat:
    """The model with the weights of a published checkpoint, in eval mode.

    Of a training run's checkpoint the averaged weights count (`model_ema`), where there are
    any. The times, which have no trained values, are made anew. Raises `InputError` for a
    file that holds something else, and for a device that is not there.
    """
    check_device(device)
    state = read_checkpoint(path)
    state = {name: value for name, value in state.items() if name not in _TIMES}
    # Without memory first: a file that does not fit takes none, and no weights are drawn.
    with torch.device("meta"):
        model = Stcat()
    load_strict(model, state, str(path), optional=(*BESIDE, *_TIMES))
    for name in _TIMES:
        model.get_submodule(name.removesuffix(".te")).te = sine_times(MAX_FRAMES + 1, WIDTH)
    model.eval().requires_grad_(False)
    return (model.half() if half else model).to(device)
