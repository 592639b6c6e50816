"""The page: what it draws, and that a browser shows it whole."""

import re
from pathlib import Path

import av
import numpy as np
import pytest
from selenium import webdriver

from gytbench.audit import RULES, audit, images, read_release
from gytbench.audit.drawings import Drawing, Shape, draw
from gytbench.audit.page import audit_page, gradient, spread_out
from gytbench.audit.rules import Finding
from tests.audit.release import FULL, OTHER, PUBLISHED, README, SECOND, WIDE, Files, clean, write
from tests.browser import browser, overflowing, severe, show_at

__all__ = ["browser"]

HOSTILE = "<script>alert(1)</script>"


def hostile() -> Files:
    """A release with faults, and with a step that is markup."""
    files = clean()
    files["seg.json"][OTHER][0]["sentence"] = HOSTILE
    files[PUBLISHED][OTHER]["0"] = {"box": [300, 0, 480, 500], "step": "</svg><b>x"}
    files[README] = {WIDE: {}, OTHER: {"0": [300, 0, 480, 180]}}
    files[FULL] = {WIDE: {"2": [490, 0, 480, 100]}}
    files[SECOND][0]["x"] = 400
    return files


def page_of(folder: Path, pictures: int = 12, videos: Path | None = None) -> str:
    release = read_release(folder)
    return audit_page(release, audit(release), pictures, videos).decode()


def drawing_of(folder: Path, file: str, video: str, second: int) -> Drawing:
    finding = Finding("swapped-clipping", file, video, second, "")
    return draw(read_release(folder), finding, {}, {})


def film(path: Path, frames: int = 20) -> None:
    """A video of 2 frames a second, 160x90."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=2)
        stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
        for number in range(frames):
            pixels = np.full((90, 160, 3), 10 * number, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())


def test_a_cut_box_is_drawn_as_released_and_as_rebuilt(tmp_path: Path) -> None:
    drawing = drawing_of(write(tmp_path, hostile()), PUBLISHED, OTHER, 0)
    assert drawing.released == Shape(300, 0, 180, 500)
    assert drawing.rebuilt == Shape(300, 0, 200, 480)
    assert drawing.others == (Shape(300, 0, 180, 180),)
    assert drawing.view == Shape(-16, -16, 640 + 32, 500 + 32)
    assert drawing.heat_radius == pytest.approx(3 * 32)
    assert drawing.step == HOSTILE


def test_the_point_of_the_first_round_is_drawn_in_the_annotation_frame(tmp_path: Path) -> None:
    files = clean()
    files["id2wh.json"][WIDE] = [1280, 480]
    files["pumpkin_youtube_annotation_full_agg_subset.json"][0].update(mean_y=220, mean_dist=10)
    drawing = drawing_of(write(tmp_path, files), PUBLISHED, WIDE, 2)
    assert drawing.rebuilt is None
    assert [tuple(point) for point in drawing.points] == [(200, 220, 5, 10)]


def test_a_negative_distance_is_no_ring(tmp_path: Path) -> None:
    files = clean()
    files[SECOND][0]["mean_dist"] = -5
    points = drawing_of(write(tmp_path, files), PUBLISHED, OTHER, 0).points
    assert [tuple(point) for point in points] == [(140, 80, 0, 0)]


def test_nothing_reaches_far_out(tmp_path: Path) -> None:
    files = clean()
    files[README] = {WIDE: {"2": [-90000, 0, 90000, 99000]}}
    drawing = drawing_of(write(tmp_path, files), README, WIDE, 2)
    assert drawing.view == Shape(-640 - 16, -16, 3 * 640 + 32, 2 * 480 + 32)


def test_markup_is_escaped_and_nothing_is_fetched(tmp_path: Path) -> None:
    page = page_of(write(tmp_path, hostile()))
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<b>x" not in page
    assert not re.findall(r'(?:src|href)="(?!#|data:)', page)
    assert not re.findall(r"url\((?!#)|@import|http", page)


def cut_boxes() -> Files:
    """A release with cut boxes: one second in all files, one in two of them."""
    files = clean()
    for name in (README, FULL):
        files[name] = {WIDE: {"2": [300, 0, 480, 100], "3": [310, 0, 480, 100]}}
    files[PUBLISHED][WIDE]["2"]["box"] = [300, 0, 480, 100]
    return files


def swapped_clipping(page: str) -> str:
    return page[page.index('<h2 id="swapped-clipping"') : page.index('<h2 id="degenerate-box"')]


@pytest.mark.parametrize(("pictures", "expected"), [(0, 0), (1, 1), (100, 2)])
def test_number_of_pictures(pictures: int, expected: int, tmp_path: Path) -> None:
    page = page_of(write(tmp_path, cut_boxes()), pictures)
    assert swapped_clipping(page).count("<figure>") == expected


def test_a_place_is_shown_once_and_its_files_are_named(tmp_path: Path) -> None:
    section = swapped_clipping(page_of(write(tmp_path, cut_boxes())))
    assert "5 found, 2 of them shown, from all over the list, each place once." in section
    assert f"Box of published ({PUBLISHED}); also in readme, full<" in section
    assert f"Box of readme ({README}); also in full<" in section


def test_faults_of_whole_files_are_all_shown(tmp_path: Path) -> None:
    """They have no place, so that none is another's."""
    page = page_of(write(tmp_path, clean()), 100)
    section = page[page.index('<h2 id="checksum-drift"') :]
    release = read_release(tmp_path)
    drifted = audit(release, RULES.keys() - {"checksum-drift"}).outcomes[0].findings
    assert section.count("<li>") == len(drifted) > 1


def test_a_ring_that_leaves_the_frame_is_in_view(tmp_path: Path) -> None:
    files = clean()
    files[SECOND][0]["mean_dist"] = 100
    drawing = drawing_of(write(tmp_path, files), PUBLISHED, OTHER, 0)
    assert drawing.view == Shape(-16, 80 - 100 - 16, 640 + 32, 480 + 20 + 32)


def test_missing_files_are_named(tmp_path: Path) -> None:
    files = clean()
    del files[SECOND]
    page = page_of(write(tmp_path, files))
    assert f"not checked: needs {SECOND}" in page


def test_frames_of_videos(tmp_path: Path) -> None:
    folder = write(tmp_path / "data", hostile())
    videos = tmp_path / "videos"
    videos.mkdir()
    (videos / f"{OTHER}.info").write_text("no video")
    film(videos / f"{OTHER}.mp4")
    (videos / f"{WIDE}.mp4").write_bytes(b"broken")
    page = page_of(folder, videos=videos)
    assert page.count("data:image/jpeg;base64,") >= 2
    assert "no frame: cannot be decoded as a video" in page
    (videos / f"{WIDE}.mp4").unlink()
    assert "no frame: no video of it in the folder" in page_of(folder, videos=videos)
    film(videos / f"{WIDE}.mp4", frames=2)
    assert "no frame: has no frame of second 2" in page_of(folder, videos=videos)


def test_the_page_stays_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path / "data", hostile())
    videos = tmp_path / "videos"
    videos.mkdir()
    film(videos / f"{OTHER}.mp4")
    monkeypatch.setattr(images, "_ALL_IMAGES", 100)
    page = page_of(folder, videos=videos)
    assert "data:image" not in page
    assert "no frame shown: the page would grow too large" in page


def test_spread_out() -> None:
    assert spread_out(range(10), 3) == [0, 3, 6]
    assert spread_out(range(2), 5) == [0, 1]
    assert spread_out([], 5) == []
    assert spread_out([1], 0) == []


def test_gradient_is_a_gaussian() -> None:
    stops = dict(gradient())
    assert stops[0] == 1
    assert stops[1 / 3] == pytest.approx(np.exp(-0.5))
    assert stops[1] < 0.012


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 1440])
def test_in_a_browser(width: int, dark: bool, tmp_path: Path, browser: webdriver.Chrome) -> None:
    page = tmp_path / "page.html"
    page.write_text(page_of(write(tmp_path / "data", hostile())))
    show_at(browser, width, 900, dark)
    browser.get(page.as_uri())
    assert severe(browser) == []
    assert overflowing(browser) == []
    assert HOSTILE in browser.execute_script("return document.body.innerText")
    widths = browser.execute_script(
        "return [...document.querySelectorAll('figure > svg')].map(s => s.clientWidth)"
    )
    assert len(widths) > 5
    assert min(widths) > 250


def test_the_released_files_in_a_browser(
    released: Path, tmp_path: Path, browser: webdriver.Chrome
) -> None:
    page = tmp_path / "page.html"
    page.write_text(page_of(released))
    assert page.stat().st_size < 500_000
    show_at(browser, 390, 900)
    browser.get(page.as_uri())
    assert severe(browser) == []
    assert overflowing(browser) == []
