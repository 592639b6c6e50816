"""The page in a real browser, served by the real command: clicks, keys, and a kill midway."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from ..browser import browser, overflowing, severe, show_at
from ..videos.making import steady, write_video
from .making import Annotating, annotating, logged

__all__ = ["browser"]

WIDTH, HEIGHT = 320, 180
STEPS = [(1, 3, "crack eggs"), (3, 3, "pour the beaten eggs into the hot pan"), (5, 5, "fry")]
QUESTIONS = [(1, "crack_eggs"), (2, "crack_eggs"), (3, "crack_eggs")]
QUESTIONS += [(3, "pour_the_beaten_eggs_into_the_hot_pan"), (5, "fry")]


class Page:
    """What an annotator does and sees."""

    def __init__(self, browser: Chrome, served: Annotating) -> None:
        self.browser = browser
        self.open(served)

    def open(self, served: Annotating) -> None:
        self.browser.get(served.url)
        self.wait("!document.getElementById('start').hidden")

    def wait(self, condition: str) -> None:
        WebDriverWait(self.browser, 15, 0.02).until(
            lambda chrome: chrome.execute_script(f"return Boolean({condition})"), condition
        )

    def text(self, name: str) -> str:
        return self.browser.find_element(By.ID, name).text

    def press(self, name: str) -> None:
        self.browser.find_element(By.ID, name).click()

    def enter(self, name: str) -> None:
        field = self.browser.find_element(By.ID, "name")
        field.clear()
        field.send_keys(name, Keys.ENTER)

    def at(self, number: int) -> None:
        """Waits until the frame of this number, counted from 1, can be answered."""
        place = f"second {QUESTIONS[number - 1][0]} · {number} of {len(QUESTIONS)}"
        self.wait(f"ready && !busy && document.getElementById('place').textContent === '{place}'")

    def key(self, key: str) -> None:
        ActionChains(self.browser, duration=0).send_keys(key).perform()

    def click(self, x: float, y: float) -> None:
        """A click at the pixel (x, y) of the frame, wherever that is on the screen."""
        frame = self.browser.find_element(By.ID, "frame")
        box = self.browser.execute_script(
            "const b = arguments[0].getBoundingClientRect(); "
            "return [b.left, b.top, b.width, b.height]",
            frame,
        )
        assert box[2] / box[3] == pytest.approx(WIDTH / HEIGHT, rel=0.01)
        across, down = box[0] + x * box[2] / WIDTH, box[1] + y * box[3] / HEIGHT
        chain = ActionChains(self.browser, duration=0)
        chain.w3c_actions.pointer_action.move_to_location(round(across), round(down))
        chain.w3c_actions.pointer_action.click()
        chain.perform()

    def marker(self) -> tuple[float, float] | None:
        """Where the earlier answer is shown, in pixels of the frame."""
        shown = self.browser.execute_script(
            "const m = document.getElementById('marker'); if (m.hidden) return null;"
            "const b = document.getElementById('frame').getBoundingClientRect();"
            "const c = m.getBoundingClientRect(); return ["
            f"((c.left + c.right) / 2 - b.left) * {WIDTH} / b.width,"
            f"((c.top + c.bottom) / 2 - b.top) * {HEIGHT} / b.height]"
        )
        return None if shown is None else (shown[0], shown[1])


def given(log: Path, annotator: str) -> list[tuple[object, ...]]:
    """What the log says of an annotator: second, step, answer."""
    lines = [line for line in logged(log) if line["annotator"] == annotator]
    return [(line["second"], line["step"], line["answer"]) for line in lines]


def near(x: float, y: float) -> object:
    return pytest.approx((x, y), abs=1)


def last_point(log: Path) -> tuple[float, float]:
    line = logged(log)[-1]
    assert (line["width"], line["height"]) == (WIDTH, HEIGHT)
    return line["x"], line["y"]


@pytest.fixture
def source(tmp_path: Path) -> list[object]:
    """Arguments of the command: a video, its segments, and the log in log.jsonl."""
    video = write_video(tmp_path / "abc.mp4", steady(7), (WIDTH, HEIGHT))
    rows = [
        {"segment": [first, last], "id": i, "sentence": step}
        for i, (first, last, step) in enumerate(STEPS)
    ]
    segments = tmp_path / "seg.json"
    segments.write_text(json.dumps({"abc": rows}))
    return [video, "--segments", segments, "-o", tmp_path / "log.jsonl"]


@pytest.fixture
def chrome(browser: Chrome) -> Iterator[Chrome]:
    show_at(browser, 1440, 900)
    severe(browser)
    yield browser
    browser.get("about:blank")


def test_two_annotators_and_a_kill(chrome: Chrome, source: list[object], tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    with annotating(*source) as served:
        page = Page(chrome, served)
        page.enter("Ann <b>&amp;")
        page.at(1)
        assert (page.text("step"), page.text("annotator")) == ("crack eggs", "Ann <b>&amp;")
        page.click(40, 30)
        page.at(2)
        assert last_point(log) == near(40, 30)
        page.key("n")
        page.at(3)
        page.key("s")
        page.at(4)
        assert page.text("step") == "pour the beaten eggs into the hot pan"
        served.kill()
        before = log.read_bytes()
        page.click(100, 100)
        page.wait("document.getElementById('error').textContent.includes('Not saved')")
        assert "4 of 5" in page.text("place")
        assert log.read_bytes() == before
    assert all("net::ERR_" in entry["message"] for entry in severe(chrome))

    with annotating(*source) as served:
        page.open(served)
        page.browser.find_element(By.XPATH, "//button[.='Ann <b>&amp;']").click()
        page.at(4)
        page.click(319, 179)
        page.at(5)
        assert last_point(log) == near(319, 179)
        page.click(1, 1)
        page.at(3)  # skipped before, asked again
        assert page.text("earlier") == "Skipped before"
        page.key(Keys.ARROW_LEFT)
        page.at(2)
        assert page.text("earlier") == "Answered: nothing visible"
        page.key(Keys.BACKSPACE)
        page.at(1)
        assert page.marker() == near(40, 30)
        page.click(200, 90)
        page.at(3)
        assert last_point(log) == near(200, 90)
        page.press("skip")
        page.wait("!document.getElementById('done').hidden")
        assert page.text("sum") == "Ann <b>&amp;: 3 points, 1 with nothing visible, 1 skipped."
        page.press("again")
        page.at(3)
        page.click(60, 120)
        page.wait("!document.getElementById('done').hidden")

        page.press("other")
        page.wait("!document.getElementById('start').hidden")
        page.enter("Bob")
        page.at(1)
        assert page.marker() is None
        page.press("none")
        page.at(2)
        assert severe(chrome) == []
        assert served.interrupt() == 0
    assert given(log, "Bob") == [(1, "crack_eggs", "none")]
    assert [point[2] for point in given(log, "Ann <b>&amp;")] == [
        *("point", "none", "skip", "point", "point", "point", "skip", "point")
    ]
    _check_export(tmp_path, source)


def _check_export(folder: Path, source: list[object]) -> None:
    from click.testing import CliRunner

    from gytbench.cli.main import main

    args = ["annotate", *map(str, source), "--export", str(folder / "out.csv")]
    assert CliRunner().invoke(main, args).exit_code == 0
    with (folder / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    points = {
        (row["annotator"], int(row["second"]), row["step"]): row["x"] and (row["x"], row["y"])
        for row in rows
    }
    name = "Ann <b>&amp;"
    expected = [(200, 90), None, (60, 120), (319, 179), (1, 1)]
    for question, point in zip(QUESTIONS, expected, strict=True):
        found = points.pop((name, *question))
        assert bool(found) == bool(point)
        if point:
            assert tuple(map(float, found)) == near(*point)
    assert points == {("Bob", 1, "crack_eggs"): ""}


def test_going_back_changes_nothing(chrome: Chrome, source: list[object], tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    with annotating(*source) as served:
        page = Page(chrome, served)
        page.enter("Ann")
        page.at(1)
        page.click(10, 10)
        page.at(2)
        page.key("N")
        page.at(3)
        before = log.read_bytes()
        for number in (2, 1, 1):
            page.press("back") if number == 2 else page.key(Keys.ARROW_LEFT)
            page.at(number)
        assert page.text("skip").startswith("Keep")
        for number in (2, 3):
            page.key(Keys.ARROW_RIGHT)
            page.at(number)
        assert log.read_bytes() == before
        # A double click answers one frame, not two.
        ActionChains(chrome).double_click(chrome.find_element(By.ID, "frame")).perform()
        page.at(4)
        assert len(logged(log)) == 3
        chrome.refresh()
        page.wait("!document.getElementById('start').hidden")
        assert chrome.find_element(By.ID, "name").get_property("value") == "Ann"
        page.enter("Ann")
        page.at(4)
        # While the server still runs: the next frame may be on its way.
        assert severe(chrome) == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(390, 844), (1440, 900)])
def test_the_page_fits(
    chrome: Chrome, source: list[object], tmp_path: Path, width: int, height: int, dark: bool
) -> None:
    show_at(chrome, width, height, dark)
    with annotating(*source) as served:
        page = Page(chrome, served)

        def check(name: str) -> None:
            assert overflowing(chrome) == []
            chrome.save_screenshot(str(tmp_path / f"{name}.png"))

        check("start")
        page.enter("x" * 80)
        page.at(1)
        check("first")
        for number, point in enumerate([(30, 40), (300, 170), (160, 90)], start=2):
            page.click(*point)
            page.at(number)
            assert last_point(tmp_path / "log.jsonl") == near(*point)
        check("long")
        page.key(Keys.ARROW_LEFT)
        page.at(3)
        assert page.marker() == near(160, 90)
        check("earlier")
        page.press("change")
        page.wait("!document.getElementById('start').hidden")
        check("names")
        page.enter("Ann")
        for number in range(1, 6):
            page.at(number)
            page.press("none")
        page.wait("!document.getElementById('done').hidden")
        check("done")
        page.press("last")
        page.at(5)
        served.kill()
        page.key("n")
        page.wait("document.getElementById('error').textContent.includes('Not saved')")
        check("error")
