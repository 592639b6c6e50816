"""Features of frames drawn around a centre for each class, as files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gytbench.models.frame_features import SIZE

Drawn = np.ndarray


class World:
    """Classes that can be told apart by their features."""

    def __init__(self, names: Sequence[str], seed: int = 0) -> None:
        self.names = tuple(names)
        self.random = np.random.default_rng(seed)
        centres = np.random.default_rng(99).random((len(names), SIZE))
        self.centres = dict(zip(names, centres, strict=True))

    def draw(self, labels: Sequence[str]) -> Drawn:
        """SIZE x frames, float32."""
        frames = np.stack([self.centres[label] for label in labels], axis=1)
        return (frames + self.random.normal(0, 1, frames.shape)).astype(np.float32)

    def sequence(self, frames: int) -> list[str]:
        """Labels in runs of 5 to 20 frames."""
        labels: list[str] = []
        while len(labels) < frames:
            labels += [str(self.random.choice(self.names))] * int(self.random.integers(5, 21))
        return labels[:frames]

    def write_dictionary(self, path: Path) -> Path:
        path.write_text("".join(f"{name} \n" for name in self.names))
        return path


def write_h5(path: Path, values: Drawn, **entries: object) -> None:
    """As MiningYouTube's training features."""
    import h5py

    with h5py.File(path, "w") as file:
        file["data"] = values
        for name, entry in entries.items():
            file[name] = entry
