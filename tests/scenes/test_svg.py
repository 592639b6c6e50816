"""Scenes as SVG: valid, escaped, small."""

import io
from base64 import b64decode
from typing import Any

import numpy as np
import pytest
from defusedxml import ElementTree
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gytbench.evaluation import Protocol
from gytbench.scenes import Scene, scene_svg
from gytbench.scenes.svg import text_width
from tests.reference.strategies import st_cases

from .making import HOSTILE, LONG, TUBES, VIDEO, scene, scenes
from .test_laying import Case, benchmark_of, laid, predictions_of

NAMESPACE = "{http://www.w3.org/2000/svg}"


def parsed(each: Scene, href: str | None = None, width: int = 320) -> Any:
    return ElementTree.fromstring(scene_svg(each, href, width))


def texts(root: Any) -> list[str]:
    return [element.text for element in root.iter(f"{NAMESPACE}text")]


def test_what_it_says() -> None:
    root = parsed(scene())
    assert root.get("role") == "img"
    assert texts(root) == ["1:15 (second 75)", "right", "true: crack egg", "said: crack egg 0.50"]
    title = root.find(f"{NAMESPACE}title").text
    assert title == f"{VIDEO}, second 75: right; true: crack egg; said: crack egg 0.50"


def test_every_verdict_and_the_notes_of_captions() -> None:
    said = [texts(parsed(each))[1:] for each in scenes(*TUBES)[VIDEO].scenes]
    assert said[4] == ["missed", "true: crack egg / pour it", "said: nothing"]
    assert said[6] == ["ignored", "true: pour it (no box)", "said: fry it 0.90 (no point)"]
    assert said[8] == ["false alarm", "true: nothing", "said: fry it 0.70"]
    assert (
        texts(parsed(scene(point=(-1.0, 5.0), score=12.5)))[-1] == "said: crack egg 12.5 (outside)"
    )


@pytest.mark.parametrize("field", ["video", "label", "true_labels"])
def test_hostile_names(field: str) -> None:
    text = scene_svg(scene(**{field: (HOSTILE,) if field == "true_labels" else HOSTILE}), None, 320)
    ElementTree.fromstring(text.encode())
    assert "<script" not in text


def test_a_hostile_address() -> None:
    root = parsed(scene(heatmap=None), href=HOSTILE + '" onload="x')
    (image,) = root.iter(f"{NAMESPACE}image")
    assert set(image.keys()) == {"href", "width", "height", "preserveAspectRatio"}


@pytest.mark.parametrize("width", [40, 120, 320, 640])
def test_long_labels_are_shortened_and_keep_their_score(width: int) -> None:
    root = parsed(scene(label=LONG, true_labels=(LONG, LONG)), width=width)
    size = float(root.get("font-size"))
    assert all(text_width(text or "", size) <= width for text in texts(root))
    if width > 40:
        assert texts(root)[-1].endswith("… 0.50")


def test_small_whatever_the_heatmap() -> None:
    noise = np.random.default_rng(0).random((480, 640))
    text = scene_svg(scene(heatmap=noise), None, 320)
    assert len(text) < 6000


def test_the_heatmap_is_an_image_of_its_opacities() -> None:
    (image,) = parsed(scene()).iter(f"{NAMESPACE}image")
    png = Image.open(io.BytesIO(b64decode(image.get("href").partition(",")[2])))
    assert (png.size, png.mode) == ((2, 2), "RGBA")
    assert [png.getpixel(at)[3] for at in ((0, 0), (1, 0), (0, 1), (1, 1))] == [0, 17, 33, 166]


def test_no_heatmap_without_a_positive_value() -> None:
    assert not list(parsed(scene(heatmap=np.zeros((2, 2)))).iter(f"{NAMESPACE}image"))


@settings(max_examples=40, deadline=None)
@given(st_cases(), st.integers(60, 400))
def test_every_scene_is_valid(case: Case, width: int) -> None:
    for video in laid(predictions_of(case[1]), benchmark_of(case[0]), Protocol("st")):
        for each in video.scenes:
            ElementTree.fromstring(scene_svg(each, None, width))
