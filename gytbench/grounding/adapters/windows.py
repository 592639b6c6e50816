"""What systems share that find tubes in windows of a video: TubeDETR and STCAT."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from gytbench.grounding.contract import Asked, Request
from gytbench.metrics.arrays import Floats
from gytbench.predictions import Tube

if TYPE_CHECKING:
    from torch import Tensor

# Of ImageNet's red, green and blue, from 0 to 1.
_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)


def windows(seconds: range, length: int, hop: int) -> list[range]:
    """Parts of `length` seconds, one every `hop` seconds, the last one up to the end.

    Seconds that are no more than `length` are one window.
    """
    last = seconds.stop - length
    starts = [*range(seconds.start, last, hop), last]
    return [range(start, start + length) for start in starts] if last > seconds.start else [seconds]


def asked_by_window(
    request: Request, length: int, hop: int
) -> Iterator[tuple[range, Sequence[Asked]]]:
    """The seconds to look at together, each with all that is asked of them.

    In the task `spatial` that is a clip as it is given, else windows of what is given.
    """
    by_seconds: dict[range, list[Asked]] = defaultdict(list)
    for each in request.asked:
        by_seconds[each.seconds].append(each)
    for seconds, asked in by_seconds.items():
        parts = [seconds] if request.task == "spatial" else windows(seconds, length, hop)
        yield from ((part, asked) for part in parts)


def frame_times(seconds: range, fps: float, most: int) -> list[float]:
    """Times of the frames that stand for consecutive seconds, evenly from the first on.

    They come at `fps` a second, or are `most` where that would be more; at least one. Times
    of windows that overlap are the same to the last bit where they are the same.
    """
    count = max(1, round(min(fps * len(seconds), most)))
    return [round(seconds.start + i * len(seconds) / count, 6) for i in range(count)]


def frames_shown(window: range, count: int, seconds: range) -> list[int]:
    """Which of a window's `count` frames is shown at each of some of its seconds."""
    return [(second - window.start) * count // len(window) for second in seconds]


def seconds_touched(window: range, count: int, first: int, last: int) -> range:
    """The seconds that frames `first` to `last` of a window's `count` reach into.

    Frame i lasts from i to i + 1 of `count` parts of the window.
    """
    start = first * len(window) // count
    end = -(-(last + 1) * len(window) // count)
    return window[start:end]


def frame_size(size: tuple[int, int], short: int, longest: int) -> tuple[int, int]:
    """A frame's width and height in pixels, scaled so that the shorter side is `short`.

    It is less where the longer side would exceed `longest`. As facebookresearch/detr.
    """
    low, high = sorted(size)
    if high * short > longest * low:
        short = max(round(longest * low / high), 1)
    width, height = (short * side // low for side in size)
    return width, height


def pixels(frames: np.ndarray, device: str) -> "Tensor":
    """n x 3 x height x width, by ImageNet's mean and deviation; of n x height x width x 3 uint8."""
    import torch

    mean, deviation = (torch.tensor(value, device=device) for value in (_MEAN, _DEVIATION))
    values = torch.from_numpy(frames).to(device).float() / 255
    return ((values - mean) / deviation).permute(0, 3, 1, 2)


def start_and_end(logits: Floats) -> tuple[int, int, float]:
    """The likeliest first and last frame of frames x 2 logits, and how likely they are.

    The last comes after the first (where there are two). The score is the logarithm of
    their probability over that of chance: 0 where every frame begins and ends it alike.
    As antoyang/TubeDETR chooses them.
    """
    count = len(logits)
    if count == 1:
        return 0, 0, 0.0
    shifted = logits - logits.max(axis=0)
    likely = shifted - np.log(np.exp(shifted).sum(axis=0)) + np.log(count)
    pairs = likely[:, None, 0] + likely[None, :, 1]
    pairs[np.tril_indices(count)] = -np.inf
    first, last = divmod(int(pairs.argmax()), count)
    return first, last, float(pairs[first, last])


def without_rivals(tubes: Iterable[Tube]) -> list[Tube]:
    """Tubes of one video by score, without those that share a time with a better one.

    Only tubes of the same label are rivals: windows overlap, and find the same twice.
    """
    kept: dict[str, list[Tube]] = defaultdict(list)
    for tube in sorted(tubes, key=lambda tube: -tube.score):
        better = kept[tube.label]
        if all(tube.end <= other.start or other.end <= tube.start for other in better):
            better.append(tube)
    return [tube for best in kept.values() for tube in best]
