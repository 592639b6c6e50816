"""Frames with labels: which belong together, and what is refused."""

import numpy as np
import pytest

from gytbench.errors import InputError
from gytbench.models.frame_features import SIZE
from gytbench.training.frame_labels import LabelledFrames
from tests.models.features import write_h5

CLASSES = ("cut", "stir", "background")


def world(folder, frames=3, text="cut\nstir\ncut\n", name="a"):
    """A folder of features and one of labels; the features of frame k are all k."""
    features, labels = folder / "features", folder / "labels"
    features.mkdir(exist_ok=True)
    labels.mkdir(exist_ok=True)
    np.save(features / f"{name}.npy", np.tile(np.arange(frames, dtype=np.float32), (SIZE, 1)))
    (labels / f"{name}.gt").write_text(text)
    return features, labels


def rows(frames, seed=0):
    """(first feature, classes) of every frame, in the order given, pool by pool."""
    return [
        [
            (float(feature[0]), tuple(np.array(CLASSES)[there]))
            for feature, there in zip(*pool, strict=True)
        ]
        for pool in frames.pools(np.random.default_rng(seed))
    ]


def test_each_frame_has_the_label_of_its_line(tmp_path):
    found = rows(LabelledFrames(*world(tmp_path), CLASSES))
    assert found == [[(0, ("cut",)), (1, ("stir",)), (2, ("cut",))]]


@pytest.mark.parametrize("extra", ["", "stir\n"])
def test_of_two_lines_a_frame_the_first_counts(tmp_path, extra):
    text = "cut\nstir\nbackground\nstir\nCut \nstir\n" + extra
    found = rows(LabelledFrames(*world(tmp_path, text=text), CLASSES))
    assert found == [[(0, ("cut",)), (1, ("background",)), (2, ("cut",))]]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("cut\n" * 15, "15 labels do not fit 10 frames of features"),
        ("cut\n" * 8, "8 labels do not fit 10 frames of features"),
        ("", "0 labels do not fit 10 frames"),
        ("cut\nstir\nbake\n", "line 3: the dictionary has no 'bake'"),
    ],
)
def test_labels_that_do_not_fit_are_refused(tmp_path, text, told):
    features, labels = world(tmp_path, 10, text)
    with pytest.raises(InputError, match=f"{labels / 'a.gt'}.*{told}"):
        rows(LabelledFrames(features, labels, CLASSES))


def test_a_few_lines_too_many_in_a_long_video_do_not_matter(tmp_path):
    text = "cut\n" * 500 + "stir\n" * 506
    (found,) = rows(LabelledFrames(*world(tmp_path, 1000, text), CLASSES))
    assert next(each for each, (_, there) in enumerate(found) if there == ("stir",)) == 500
    assert len(found) == 1000


def test_files_without_a_partner_are_left_out(tmp_path):
    features, labels = world(tmp_path)
    world(tmp_path, name="b")
    (features / "b.npy").unlink()
    np.save(features / "c.npy", np.zeros((SIZE, 3)))
    frames = LabelledFrames(features, labels, CLASSES)
    assert [id_ for id_, _ in frames.files] == ["a"]
    (labels / "a.gt").unlink()
    with pytest.raises(InputError, match="holds no files that labels are named for in"):
        LabelledFrames(features, labels, CLASSES)


def test_little_memory_gives_all_frames_all_the_same(tmp_path):
    for number, name in enumerate("abcde"):
        world(tmp_path, 7 + number, "cut\nstir\n" * 3 + "cut\n" * (1 + number), name)
    features, labels = world(tmp_path)
    whole = rows(LabelledFrames(features, labels, CLASSES))
    parts = rows(LabelledFrames(features, labels, CLASSES, pool=4))
    assert len(whole) == 1
    assert max(map(len, parts)) <= 4
    assert [each for part in parts for each in part] == whole[0]
    assert rows(LabelledFrames(features, labels, CLASSES), seed=1) != whole


def test_clips_have_all_their_classes_in_every_frame(tmp_path):
    pytest.importorskip("h5py")
    features, mapping = tmp_path / "features", tmp_path / "mapping.txt"
    features.mkdir()
    mapping.write_text("0 stir\n1 cut\n7 background\n")
    write_h5(features / "a.h5", np.zeros((SIZE, 2), dtype=np.float32), labels=[[0, 1]])
    np.save(features / "b.npy", np.zeros((SIZE, 2)))
    found = rows(LabelledFrames(features, mapping, CLASSES))
    assert found == [[(0, ("cut", "stir"))] * 2]
    for labels, told in (
        ([2], "has class 2, which has no name"),
        ([b"x"], "no numbers of classes"),
    ):
        write_h5(features / "a.h5", np.zeros((SIZE, 2)), labels=labels)
        with pytest.raises(InputError, match=told):
            rows(LabelledFrames(features, mapping, CLASSES))
    write_h5(features / "a.h5", np.zeros((SIZE, 2)))
    with pytest.raises(InputError, match="has no array 'labels'"):
        rows(LabelledFrames(features, mapping, CLASSES))


def test_numbers_of_classes_are_checked_first(tmp_path):
    features, _ = world(tmp_path)
    mapping = tmp_path / "mapping.txt"
    for text, told in (
        ("cut\n", "line 1: not a number and a class; give mapping_without_meta.txt"),
        ("0 cut\n1 bake\n", "line 2: the dictionary has no 'bake'"),
        ("0 cut\n", "holds no HDF5 files"),
    ):
        mapping.write_text(text)
        with pytest.raises(InputError, match=told):
            LabelledFrames(features, mapping, CLASSES)


def test_the_released_labels(facts, tmp_path):
    """The one example of MiningYouTube: a line for each frame of 112.6 s of video."""
    data = facts.parent / "data" / "miningyoutube" / "alignment"
    features = tmp_path / "features"
    features.mkdir()
    classes = (data / "weakYouTube_dict.txt").read_text().split()
    for frames in (3374, 1687):
        np.save(features / "-1okAudsnAc.npy", np.zeros((SIZE, frames), dtype=np.float16))
        (pool,) = LabelledFrames(features, data / "gt", classes).pools(np.random.default_rng(0))
        assert pool.there.sum(axis=1).tolist() == [1] * frames
        assert pool.there[0].argmax() == 512
        names = np.array(classes)[pool.there.argmax(axis=1)]
        changes = names[np.flatnonzero(np.append(True, names[1:] != names[:-1]))]
        expected = (data / "grammar" / "-1okAudsnAc.grammar").read_text().split()
        assert changes.tolist() == expected
