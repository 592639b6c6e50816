"""Features on disk: what a frozen backbone says of each second, made once."""

import pickle
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch

from gytbench.errors import InputError
from gytbench.models.cross_attention import pair_scores
from gytbench.training.clips import ClipReader, Clips
from gytbench.training.config import Data, TrainingConfig
from gytbench.training.drawing import Draw
from gytbench.training.features import FeatureReader, Kept, keep_features
from gytbench.training.narrations import Narrated, Narration
from gytbench.training.networks import ClipNetwork, make_network
from gytbench.training.samples import Batch, Sample, stacked
from tests.models.clips import small_resnet, small_vit, written
from tests.videos.making import steady, write_image, write_video

from .narrating import narrated

pytest.importorskip("av")

DATA = Data(
    videos="videos", captions="captions.csv", frames=4, crop="stretch", flip=False,
    keep="features",
)  # fmt: skip


def network(folder: Path, kind: str = "vit", variant: str = "paper") -> ClipNetwork:
    """A frozen backbone of filled weights, and a head."""
    data = {"videos": "videos", "captions": "captions.csv"}
    model = {"weights": f"{kind}.pt"}
    config = msgspec.convert({"data": data, "model": model, "variant": variant}, TrainingConfig)
    made = make_network(config, folder, "cpu")
    assert isinstance(made, ClipNetwork)
    return made


def drawn(video: str, first: int, start: float = 0.0) -> Draw:
    """Four seconds from one on."""
    times = tuple(float(first + number) for number in range(4))
    return Draw(Narration(video, start, start + 5, "crack egg"), times, flip=False, crop=None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("features")
    written(small_vit(), folder / "vit.pt")
    written(small_resnet(), folder / "resnet.pt")
    return folder


@pytest.fixture(scope="module")
def world(folder) -> Narrated:
    """A video of 6 seconds, one that cannot be decoded, and images of seconds 2, 3 and 5."""
    (folder / "videos" / "images").mkdir(parents=True)
    write_video(folder / "videos" / "grey.mp4", steady(6, 5))
    (folder / "videos" / "broken.mp4").write_bytes(b"\x00\x00\x00 ftypisom" * 50)
    for second in (2, 3, 5):
        write_image(folder / "videos" / "images" / f"images_{second}.jpg", second)
    said = {
        "grey": [(1.0, 3.0, "crack egg"), (90.0, 95.0, "after it")],
        "broken": [(0.0, 1.0, "whisk")],
        "images": [(0.0, 9.0, "whisk the cream")],
    }
    return narrated(folder, said, {"grey": "grey.mp4", "broken": "broken.mp4"})


def paths(world: Narrated) -> dict[str, Path]:
    return {video: world.file(video) for video in world.videos}


@pytest.fixture(scope="module", params=["vit", "resnet"])
def case(request, folder, world) -> tuple[ClipNetwork, Kept]:
    """A backbone, and what it says of the videos."""
    made = network(folder, request.param)
    return made, keep_features(made, paths(world), folder / request.param, batch_size=4)


@pytest.fixture
def sees_nothing(monkeypatch) -> None:
    """From now on only black frames are looked at."""
    look_at = ClipNetwork.look_at

    def only_black(self: ClipNetwork, frames: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        assert not frames.any()
        return look_at(self, frames)

    monkeypatch.setattr(ClipNetwork, "look_at", only_black)


def both(case, world, draws: list[Draw]) -> tuple[Batch, Batch]:
    """The samples with features, and the same with pixels."""
    made, kept = case
    features = FeatureReader(world, DATA, made.size, kept)
    pixels = ClipReader(world, DATA, made.size)
    return tuple(stacked([reader.read(draw) for draw in draws]) for reader in (features, pixels))


def test_features_are_what_is_seen_in_the_pixels(case, world) -> None:
    made, _ = case
    features, pixels = both(case, world, [drawn("grey", -2), drawn("grey", 4), drawn("images", 1)])
    assert features.frames is None
    assert features[:2] == pixels[:2]
    np.testing.assert_array_equal(features.present, pixels.present)
    assert features.present.tolist() == [
        [False, False, True, True],
        [True, True, False, False],
        [False, True, True, True],
    ]
    looked, expected = made.look(features), made.look(pixels)
    torch.testing.assert_close(looked.frames, expected.frames, rtol=1e-4, atol=1e-5)
    for mine, theirs in zip(looked[1:3], expected[1:3], strict=True):
        # float16: 11 bits.
        torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=1e-3 * theirs.abs().max().item())
    assert torch.equal(looked.present, expected.present)
    # Each second is another, so that none was taken for its neighbour.
    assert len(torch.unique(looked.frames[0, 2:].round(decimals=3), dim=0)) == 2


@pytest.mark.parametrize("variant", ["paper", "official"])
def test_half_precision_changes_scores_of_pairs_less_than_a_thousandth(
    case, world, variant
) -> None:
    made, _ = case
    scores = []
    for given in both(case, world, [drawn("grey", 0), drawn("grey", 2), drawn("images", 2)]):
        looked, texts = made.look(given), made.texts(["crack egg", "whisk the cream", "fry"])
        regions = looked.regions.flatten(1, 2)
        with torch.no_grad():
            found = pair_scores(made.head, regions, texts.words, texts.mask, variant)
        scores.append(found)
    torch.testing.assert_close(*scores, rtol=0, atol=1e-3 * scores[1].abs().max().item())


def test_a_video_that_fails_is_left_out_and_said_to_have_failed(case, world) -> None:
    made, kept = case
    assert sorted(kept.files) == ["grey", "images"]
    (failure,) = kept.failures
    assert "broken.mp4" in failure
    reader = FeatureReader(world, DATA, made.size, kept)
    with pytest.raises(InputError, match=r"broken.mp4.*could not be looked at"):
        reader.read(drawn("broken", 0))
    with pytest.raises(InputError, match=r"grey.mp4, 90.0 to 95.0 s.*after the video's end at 6 s"):
        reader.read(drawn("grey", 3, start=90.0))
    with pytest.raises(InputError, match=r"from 9.0 to 12.0 s, the video's from 2 to 6 s"):
        reader.read(drawn("images", 9))


def test_samples_are_drawn_as_those_of_pixels_are(case, world) -> None:
    made, kept = case
    features = Clips(FeatureReader(world, DATA, made.size, kept), seed=1)
    pixels = Clips(ClipReader(world, DATA, made.size), seed=1)
    for index in range(len(pixels)):
        mine, theirs = features.sample(2, index), pixels.sample(2, index)
        assert mine.sample.name == theirs.sample.name
        assert len(mine.failures) == len(theirs.failures)


def test_a_reader_goes_to_other_processes(case, world) -> None:
    made, kept = case
    reader = FeatureReader(world, DATA, made.size, kept)
    again = pickle.loads(pickle.dumps(reader))
    one, other = (each.read(drawn("grey", 4)) for each in (reader, again))
    assert isinstance(one, Sample)
    for name, values in one.features.items():
        np.testing.assert_array_equal(values, other.features[name])
        assert values.flags.writeable


@pytest.mark.usefixtures("sees_nothing")
def test_what_is_there_is_not_looked_at_again(case, world) -> None:
    made, kept = case
    again = keep_features(made, paths(world), kept.files["grey"].parent, batch_size=2)
    assert again.files == kept.files


def test_a_file_that_is_cut_short_is_made_again(folder, world, tmp_path) -> None:
    made, given = network(folder), {"grey": world.file("grey")}
    path = keep_features(made, given, tmp_path, 3).files["grey"]
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    assert keep_features(made, given, tmp_path, 3).files["grey"].read_bytes() == whole
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_is_for_these_weights_these_pixels_and_this_video(folder, world, tmp_path) -> None:
    given = {"grey": world.file("grey")}
    made = network(folder)
    files = [keep_features(made, given, tmp_path, 3).files["grey"]]
    other = network(folder, variant="official")
    files.append(keep_features(other, given, tmp_path, 3).files["grey"])
    made.clip.visual.proj.data += 1
    files.append(keep_features(made, given, tmp_path, 3).files["grey"])
    changed = write_video(tmp_path / "grey.mp4", steady(5, 5))
    files.append(keep_features(made, {"grey": changed}, tmp_path, 3).files["grey"])
    assert len(set(files)) == 4
    rows = [len(np.load(path)) for path in files]
    assert rows == [6, 6, 6, 5]
    # The head has nothing to do with them.
    made.head.vis_proj_mat_g[0].weight.data += 1
    assert keep_features(made, {"grey": changed}, tmp_path, 3).files["grey"] == files[3]


def test_values_too_large_for_the_file_fail(folder, world, tmp_path) -> None:
    made = network(folder)
    made.clip.visual.proj.data *= 1e6
    kept = keep_features(made, {"grey": world.file("grey")}, tmp_path, 3)
    assert kept.files == {}
    assert "regions are not finite, or too large for float16" in kept.failures[0]


def test_a_folder_that_cannot_be_made_is_named(folder, world) -> None:
    with pytest.raises(InputError, match=r"vit.pt.*cannot be made"):
        keep_features(network(folder), paths(world), folder / "vit.pt" / "features", 3)


def test_a_trained_backbone_has_none(folder, world, tmp_path) -> None:
    made = network(folder)
    made.trained = True
    with pytest.raises(ValueError, match="trained"):
        keep_features(made, paths(world), tmp_path, 3)


def test_reading_them_needs_no_torch() -> None:
    code = "import sys, gytbench.training.features; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
