"""The programs that run GLIP, on stand-ins for mmdetection and for the authors' code.

What stands in gives boxes and scores that can be worked out by hand; the programs
themselves, their recipes and the protocol are the real ones.
"""

import importlib.util
import json
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gytbench.errors import InputError
from gytbench.grounding.contract import Asked, Request, Stretch
from gytbench.grounding.systems import Options, prepare
from gytbench.resources import baselines_folder
from gytbench.videos import open_frames
from tests.videos.making import steady, write_video

SIZE = (64, 48)

NETWORK = '''
import json, os
import numpy as np
import torch


def note(**what):
    with open(os.environ["NOTES"], "a") as notes:
        notes.write(json.dumps(what) + "\\n")


class Backbone(torch.nn.Module):
    def forward(self, pixels):
        note(backbone=list(pixels.shape))
        return [pixels.float().mean(dim=(0, 1))]


class Network(torch.nn.Module):
    """Scores a phrase by the red of the frame's corner, and less for each of its letters."""

    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.zeros(1))
        self.backbone = Backbone()

    def found(self, frame, phrases):
        """Index, score and box: two for each phrase, none where it begins with "no"."""
        note(phrases=len(phrases), tokens=sum(len(each.split()) for each in phrases))
        (red,) = self.backbone(torch.from_numpy(np.array(frame)))
        height, width = frame.shape[:2]
        for index, phrase in enumerate(phrases):
            if not phrase.startswith("no"):
                score = float(red[2]) / 255 * float(self.scale.detach()) - len(phrase) / 1000
                yield index, score / 2, [0.0, 0.0, 1.0, 1.0]
                yield index, score, [0.25 * width, 0.5 * height, 0.5 * width, height + 1.0]


def tokenizer(phrase, add_special_tokens):
    assert not add_special_tokens
    return {"input_ids": [7] * len(phrase.split())}
'''

MMDET = """
from types import SimpleNamespace

import torch
from stand_in import Network, note, tokenizer


def init_detector(config, checkpoint, device, cfg_options):
    note(config=config, device=device, options=cfg_options)
    assert checkpoint is None
    print("what a library prints")
    network = Network()
    network.language_model = SimpleNamespace(tokenizer=tokenizer)
    return network


def inference_detector(network, frame, text_prompt, custom_entities):
    assert custom_entities and type(text_prompt) is tuple and frame.dtype == "uint8"
    found = list(network.found(frame, text_prompt))
    return SimpleNamespace(pred_instances=SimpleNamespace(
        labels=torch.tensor([each[0] for each in found], dtype=torch.long),
        scores=torch.tensor([each[1] for each in found]),
        bboxes=torch.tensor([each[2] for each in found]).reshape(-1, 4),
    ))
"""

CFG = """
from types import SimpleNamespace

from stand_in import note


class Cfg:
    INPUT = SimpleNamespace(MIN_SIZE_TEST=96, MAX_SIZE_TEST=120)

    def merge_from_file(self, path):
        note(config=open(path).read())

    def merge_from_list(self, changed):
        note(options=changed)


cfg = Cfg()
"""

GLIP_DEMO = """
import torch
from stand_in import Network, tokenizer


class Boxes:
    def __init__(self, found):
        self.bbox = torch.tensor([each[2] for each in found]).reshape(-1, 4)
        self.fields = {
            "labels": torch.tensor([each[0] + 1 for each in found], dtype=torch.long),
            "scores": torch.tensor([each[1] for each in found]),
        }

    def get_field(self, name):
        return self.fields[name]


class GLIPDemo:
    def __init__(self, cfg, min_image_size):
        assert min_image_size is None and (cfg.local_rank, cfg.num_gpus) == (0, 1)
        self.model, self.tokenizer = Network(), tokenizer

    def compute_prediction(self, image, caption, custom_entity):
        print("what the code prints")
        spans = [each["char_bounds"] for each in custom_entity]
        assert len(spans) <= 80
        phrases = [caption[start:end] for start, end in spans]
        assert " . ".join(phrases) == caption
        return Boxes(list(self.model.found(image, phrases)))
"""


def red(time: float, size: tuple[int, int]) -> np.ndarray:
    """A frame of red alone, more of it in each second."""
    pixels = np.zeros((size[1], size[0], 3), np.uint8)
    pixels[..., 0] = 60 + 60 * int(time)
    return pixels


@pytest.fixture(scope="module")
def shared() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")  # the module sets it, and here it is taken back
        spec = importlib.util.spec_from_file_location(
            "glip_shared", baselines_folder() / "runners" / "glip_shared.py"
        )
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("videos") / "v.mp4", steady(3), SIZE, draw=red)


class Made:
    """A folder of weights, the stand-ins, and what they noted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notes_path = folder / "notes"
        self.site = folder / "site"
        for name, text in {
            "stand_in.py": NETWORK,
            "mmdet/__init__.py": "",
            "mmdet/apis.py": MMDET,
            "maskrcnn_benchmark/__init__.py": "",
            "maskrcnn_benchmark/config.py": CFG,
            "maskrcnn_benchmark/engine/__init__.py": "",
            "maskrcnn_benchmark/engine/predictor_glip.py": GLIP_DEMO,
        }.items():
            write(self.site / name, text)
        self.weights = folder / "weights"
        for name in ("config.json", "model.safetensors", "vocab.txt"):
            write(self.weights / "bert-base-uncased" / name, "{}")
        write(self.weights / "GLIP" / "configs" / "pretrain" / "glip_Swin_L.yaml", "Swin-L")
        for environment in ("glip-env", "glip-official-env"):
            python = self.weights / environment / "bin" / "python"
            write(python, f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
            python.chmod(0o755)
        self.save({"state_dict": {"scale": torch.ones(1)}})

    def save(self, state: dict[str, Any], *names: str) -> None:
        """Write the checkpoints."""
        for name in names or ("glip_l_mmdet-abfe026b.pth", "glip_large_model.pth"):
            torch.save(state, self.weights / name)

    def notes(self, key: str) -> list[Any]:
        lines = map(json.loads, self.notes_path.read_text().splitlines())
        return [line[key] for line in lines if key in line]


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    made = Made(tmp_path_factory.mktemp("made"))
    made.save({"model": {"module.scale": torch.ones(1)}}, "glip_large_model.pth")
    return made


Start = Callable[[str], Any]


@pytest.fixture(scope="module")
def start(made: Made) -> Iterator[Start]:
    """Starts a recipe, as a run does; each once, for torch takes its time."""
    systems: dict[str, Any] = {}

    def started(name: str) -> Any:
        if name not in systems:
            systems[name] = prepare(name, Options(weights=made.weights)).start("st")
        return systems[name].where.grounder

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(made.site))
        patch.setenv("NOTES", str(made.notes_path))
        yield started
        for system in systems.values():
            system.close()


def request(video: Path, *asked: Asked, task: Any = "st") -> Request:
    return Request("v", video, range(3), task, asked)


def expected(phrase: str) -> list[float]:
    """The scores of the three seconds."""
    return [(60 + 60 * second) / 255 - len(phrase) / 1000 for second in range(3)]


def check_setup(made: Made, name: str) -> None:
    """What the network was made with."""
    (config,), (options,) = made.notes("config"), made.notes("options")
    if name == "glip":
        configs = made.site / "mmdet" / ".mim" / "configs" / "glip"
        assert config == str(configs / "glip_atss_swin-l_fpn_dyhead_pretrain_mixeddata.py")
        assert options["model.language_model.name"] == str(made.weights / "bert-base-uncased")
        assert options["model.test_cfg.score_thr"] == 0.05
        assert made.notes("device") == ["cpu"]
        return
    changed = dict(zip(options[::2], options[1::2], strict=True))
    assert changed["MODEL.DEVICE"] == "cpu"
    assert changed["MODEL.ATSS.INFERENCE_TH"] == 0.05
    assert config == "Swin-L"


QUERIES = ["crack egg", "Stir_(the pan)", "no such thing", "crack_egg"]


@pytest.mark.parametrize("name", ["glip", "glip-official"])
def test_each_second_has_the_best_box_of_each_description(
    made: Made, start: Start, video: Path, name: str
) -> None:
    made.notes_path.write_text("")
    grounder = start(name)
    check_setup(made, name)
    asked = request(video, *(Asked(query, range(3)) for query in QUERIES))
    stretch = Stretch(grounder.read(asked), range(3))
    scores = grounder.frame_scores(stretch, QUERIES)
    for column, phrase in enumerate(["crack egg", "stir the pan"]):
        np.testing.assert_allclose(scores[:, column], expected(phrase), atol=0.02)
    assert (scores[:, 2] == -np.inf).all()
    np.testing.assert_array_equal(scores[:, 3], scores[:, 0])
    # The stand-ins' boxes end a pixel below the frame.
    for query in ("crack egg", "crack_egg", "Stir_(the pan)"):
        boxes = grounder.boxes(stretch, query)
        np.testing.assert_allclose(boxes, [[0.25, 0.5, 0.5, 1.0]] * 3, atol=1e-6)
    assert np.isnan(grounder.boxes(stretch, "no such thing")).all()
    assert made.notes("phrases") == [3, 3, 3]
    # The authors' code is given frames in the size of its tests, 96 to 120 in the stand-in.
    size = [48, 64, 3] if name == "glip" else [90, 120, 3]
    assert made.notes("backbone") == [size] * 3


def test_a_pool_of_700_is_asked_in_captions_that_fit(made: Made, start: Start, video: Path) -> None:
    pool = [f"step {'and so on ' * (number % 7)}{number}" for number in range(700)]
    asked = request(video, *(Asked(query, range(1, 3)) for query in pool))
    for name, most in (("glip", 127), ("glip-official", 80)):
        grounder = start(name)
        made.notes_path.write_text("")
        stretch = Stretch(grounder.read(asked), range(3))
        scores = grounder.frame_scores(stretch, pool)
        assert (scores[0] == -np.inf).all()
        wanted = np.array([expected(query) for query in pool]).T
        np.testing.assert_allclose(scores[1:], wanted[1:], atol=0.02)
        phrases, tokens = made.notes("phrases"), made.notes("tokens")
        assert sum(phrases) == 2 * 700
        assert max(phrases) <= most
        lengths = [2 + token + phrase - 1 for token, phrase in zip(tokens, phrases, strict=True)]
        assert 200 < max(lengths) <= 256
        # However many captions there are, the backbone sees a frame once.
        assert len(made.notes("backbone")) == 2


def test_clips_and_the_background_are_asked_as_they_come(start: Start, video: Path) -> None:
    grounder = start("glip")
    clips = (Asked("stir", range(2), 1), Asked("stir", range(1, 3), 2), Asked("cut", range(1), 3))
    stretch = Stretch(grounder.read(request(video, *clips, task="spatial")), range(3))
    assert np.isfinite(grounder.boxes(stretch, "stir")).all()
    assert np.isfinite(grounder.boxes(stretch, "cut")).all(axis=1).tolist() == [True, False, False]
    names = ["background", "stir", "no such thing"]
    steps = (Asked(name, range(3)) for name in names)
    stretch = Stretch(grounder.read(request(video, *steps, task="temporal")), range(3))
    scores = grounder.frame_scores(stretch, names)
    np.testing.assert_allclose(scores[:, 0], expected("background"), atol=0.02)
    np.testing.assert_allclose(scores[:, 1], expected("stir"), atol=0.02)
    # An alignment needs a score for each second.
    assert (scores[:, 2] == 0).all()
    assert np.isnan(grounder.boxes(stretch, "no such thing")).all()


def test_weights_that_do_not_serve_are_told(shared: ModuleType) -> None:
    network = torch.nn.Linear(2, 1)
    with pytest.raises(SystemExit, match=r"x\.pth lacks 1 weights of this network: bias \.\.\."):
        shared.fill(network, {"model": {"module.weight": torch.ones(1, 2)}}, "x.pth")
    state = {"weight": torch.tensor([[1, torch.nan]]), "bias": torch.ones(1)}
    with pytest.raises(SystemExit, match=r"x\.pth is damaged: weight holds values that are no"):
        shared.fill(network, {"state_dict": state}, "x.pth")
    state["weight"] = torch.tensor([[1.0, 2.0]])
    shared.fill(network, {**state, "position_ids": torch.ones(1)}, "x.pth")
    assert network.weight.tolist() == [[1.0, 2.0]]


def test_files_that_are_missing_are_told(made: Made, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        prepare("glip", Options(weights=tmp_path))
    told = str(caught.value)
    assert "glip_l_mmdet-abfe026b.pth does not exist. Where to get it: https://download" in told
    assert "bert-base-uncased/vocab.txt does not exist. Where to get it: https://" in told
    assert "glip-env/bin/python does not exist. Where to get it: the Python of an env" in told
    assert "--file python=PATH" in told
    write(tmp_path / "bert" / "config.json", "{}")
    files = {"bert": tmp_path / "bert" / "config.json"}
    prepared = prepare("glip-official", Options(weights=made.weights, files=files))
    with pytest.raises(InputError, match="must be named bert-base-uncased"):
        prepared.start("st")


# Captions


def words(phrase: str) -> int:
    return len(phrase.split())


def test_captions_by_hand(shared: ModuleType) -> None:
    # The first takes 1 + 2 + dot + 1 + 1 tokens, and a third phrase would take 2 more.
    assert shared.captions(["a b", "c", "d"], words, 6, 9) == [["a b", "c"], ["d"]]
    assert shared.captions(["a b", "c", "d"], words, 8, 9) == [["a b", "c", "d"]]
    assert shared.captions(["a b", "c", "d"], words, 8, 2) == [["a b", "c"], ["d"]]
    assert shared.captions(["a b c d", "", "e"], words, 6, 9) == [["a b c d"], ["e"]]
    assert shared.captions([], words, 6, 9) == []
    with pytest.raises(ValueError, match="'a b c d e' has 5 tokens, and a caption 4 at most"):
        shared.captions(["a", "a b c d e"], words, 6, 9)


@given(st.lists(st.integers(0, 8), max_size=40), st.integers(10, 30), st.integers(1, 6))
def test_captions_hold_every_phrase_once_and_are_full(
    shared: ModuleType, lengths: list[int], most: int, most_phrases: int
) -> None:
    phrases = [f"{number}" for number in range(len(lengths))]
    groups = shared.captions(phrases, lambda phrase: lengths[int(phrase)], most, most_phrases)
    flat = [phrase for group in groups for phrase in group]
    assert flat == [phrase for phrase in phrases if lengths[int(phrase)]]

    def tokens(group: list[str]) -> int:
        return 2 + sum(lengths[int(phrase)] for phrase in group) + len(group) - 1

    assert all(tokens(group) <= most and len(group) <= most_phrases for group in groups)
    for group, after in pairwise(groups):
        assert len(group) == most_phrases or tokens([*group, after[0]]) > most


# Frames


@pytest.mark.parametrize("turned", [0, 90])
def test_frames_are_those_that_gytbench_sees(
    shared: ModuleType, tmp_path: Path, turned: int
) -> None:
    times = [0, 0.4, 1.2, 1.9, 3.0, 3.3, 5.05]
    path = write_video(tmp_path / "v.mp4", times, turned=turned)
    source = open_frames(path)
    found = dict(shared.frames(str(path), [5, 0, 2, 3]))
    assert list(found) == [0, 2, 3, 5]
    for frame, theirs in zip(
        found.values(), source.sampled([0, 2, 3, 5], source.size), strict=True
    ):
        assert frame.shape == theirs.shape
        assert np.abs(frame[..., ::-1].astype(int) - theirs).max() <= 6


def test_frames_of_a_folder_of_images(shared: ModuleType, tmp_path: Path) -> None:
    for name, grey in {"a_2.png": 20, "x_10.png": 100, "abcdefghijk_4_crack_egg.jpg": 40}.items():
        Image.new("RGB", (8, 6), (grey, 0, 0)).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no image")
    source = open_frames(tmp_path)
    seconds = [2, 3, 4, 12]
    found = list(shared.frames(str(tmp_path), seconds))
    assert [second for second, _ in found] == seconds
    assert [int(frame[0, 0, 2]) for _, frame in found] == [20, 20, 40, 100]
    assert [int(frame[0, 0, 0]) for frame in source.sampled(seconds, (8, 6))] == [20, 20, 40, 100]
    Image.new("RGB", (8, 6)).save(tmp_path / "cover.png")
    with pytest.raises(ValueError, match=r"the name of cover\.png says no second"):
        list(shared.frames(str(tmp_path), seconds))
