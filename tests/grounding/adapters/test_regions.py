"""Windows, files of proposals, and files of RegionCLIP's extraction script."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from gytbench.errors import InputError
from gytbench.grounding.adapters.regions import ProposalsFile, RegionFiles, sliding_windows

SIZE = (200, 100)
WIDTH = 3


def test_windows_cover_the_frame_at_every_scale():
    windows = sliding_windows()
    assert windows.shape == (107, 4)
    assert windows[0].tolist() == [0, 0, 1, 1]
    assert ((windows >= 0) & (windows <= 1)).all()
    assert len(np.unique(windows, axis=0)) == 107
    sides = windows[:, 2:] - windows[:, :2]
    areas = sides.prod(axis=1)
    assert (np.diff(areas) <= 0).all()
    counts = {tuple(size): 0 for size in sides.tolist()}
    for size in sides.tolist():
        counts[tuple(size)] += 1
    assert counts == {
        (1, 1): 1, (1, 0.5): 3, (0.5, 1): 3, (0.5, 0.5): 9,
        (0.5, 0.25): 21, (0.25, 0.5): 21, (0.25, 0.25): 49,
    }  # fmt: skip
    # Each size reaches both borders, and leaves no gap.
    for size in counts:
        own = windows[(sides == size).all(axis=1)]
        for axis in (0, 1):
            starts = np.unique(own[:, axis])
            assert starts[0] == 0
            assert starts[-1] + size[axis] == 1
            assert (np.diff(starts) == size[axis] / 2).all()


def proposals(folder: Path, content: object) -> ProposalsFile:
    path = folder / "proposals.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return ProposalsFile(path)


def test_proposals_by_video_and_second(tmp_path):
    boxes = [[0.1, 0.2, 0.5, 0.6], [-0.1, 0, 0.3, 1.2], [0.4, 0.4, 0.4, 0.9], [1.2, 0, 1.5, 1]]
    found = proposals(tmp_path, {"a": {"3": boxes, "5": []}, "b.c": {"0": boxes[:1]}})
    # Cut to the frame; what has no area there is left out.
    np.testing.assert_allclose(found.at("a", 3), [[0.1, 0.2, 0.5, 0.6], [0, 0, 0.3, 1]])
    assert found.at("a", 5).shape == (0, 4)
    assert found.at("a", 4).shape == (0, 4)
    assert found.at("b.c", 0).tolist() == boxes[:1]
    assert len(found.at("a", 3)) == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[1", "not JSON"),
        ("", "empty"),
        ([], "$: expected object, got array"),
        ({"b": {}}, "has no proposals for the video 'a'"),
        ({"a": []}, "$.a: expected object, got array"),
        ({"a": {"first": []}}, "$.a"),
        ({"a": {"3": [[0, 0, 1]]}}, "$.a.3[0]: expected array of length 4"),
        ({"a": {"3": [[0, 0, 1, "1"]]}}, "$.a.3[0][3]: expected number, got string"),
        ({"a": {"3": [[0, 0, 320, 200]]}}, "$.a.3: a box lies far outside the frame"),
    ],
)
def test_files_that_are_no_proposals(tmp_path, content, message):
    with pytest.raises(InputError) as caught:
        proposals(tmp_path, content).at("a", 3)
    assert message in str(caught.value)
    assert str(tmp_path / "proposals.json") in str(caught.value)


def stored(path: Path, boxes: list[list[float]], more: dict[str, object] | None = None) -> Path:
    """A file as the official script writes it, with detections of its own classes."""
    path.parent.mkdir(exist_ok=True)
    found = {
        "boxes": torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        "classes": torch.zeros(len(boxes), dtype=torch.long),
        "probs": torch.zeros(len(boxes), 9),
        "feats": torch.arange(len(boxes) * WIDTH).reshape(-1, WIDTH).half(),
    }
    torch.save(found | (more or {}), path)
    return path


@pytest.mark.parametrize("name", ["a_1/3.pth", "a_1/0003.pth", "a_1_3.pth", "a_1_00003.pth"])
def test_region_files_by_video_and_second(tmp_path, name):
    stored(tmp_path / name, [[20, 10, 100, 50], [-0.5, 0, 200.9, 100]])
    stored(tmp_path / "a_12_3.pth", [])
    (tmp_path / "a_1_notes.pth").touch()
    files = RegionFiles(tmp_path)
    boxes, features = files.at("a_1", 3, SIZE, WIDTH)
    np.testing.assert_allclose(boxes, [[0.1, 0.1, 0.5, 0.5], [0, 0, 1, 1]])
    assert features.dtype == torch.float32
    assert features.tolist() == [[0, 1, 2], [3, 4, 5]]
    for video, second in (("a_1", 4), ("a_12", 3)):
        boxes, features = files.at(video, second, SIZE, WIDTH)
        assert boxes.shape == (0, 4)
        assert features.shape == (0, WIDTH)


def test_a_folder_without_the_video(tmp_path):
    with pytest.raises(InputError, match="no such folder of region features"):
        RegionFiles(tmp_path / "missing")
    with pytest.raises(InputError) as caught:
        RegionFiles(tmp_path).at("a", 3, SIZE, WIDTH)
    assert str(caught.value).startswith(f"{tmp_path}: has neither a/SECOND.pth nor a_SECOND.pth")


@pytest.mark.parametrize(
    ("boxes", "more", "message"),
    [
        ([[0, 0, 9, 9]], {"feats": torch.zeros(1, 4)}, "(1, 4) and (1, 4), not n x 4 and n x 3"),
        ([[0, 0, 9, 9]], {"feats": torch.zeros(2, 3)}, "(1, 4) and (2, 3)"),
        ([[0, 0, 9, 9]], {"feats": [[0.0] * 3]}, "lacks feats"),
        ([[0, 0, 9, 9]], {"boxes": torch.zeros(1, 5)}, "(1, 5) and (1, 3)"),
        ([[0, 0, 9, 9]], {"boxes": torch.zeros(())}, "() and (1, 3)"),
        ([[0, 0, 300, 9]], {}, "beyond the frame of 200 x 100 pixels"),
        ([[0, 0, 9, float("nan")]], {}, "beyond the frame of 200 x 100 pixels"),
    ],
)
def test_files_that_are_no_regions(tmp_path, boxes, more, message):
    path = stored(tmp_path / "a_3.pth", boxes, more)
    with pytest.raises(InputError) as caught:
        RegionFiles(tmp_path).at("a", 3, SIZE, WIDTH)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)
