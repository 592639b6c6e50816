"""The page in a browser: tables, videos, widths, schemes, names that are markup, speed."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from gytbench.benchmark import Benchmark
from gytbench.bounds import make_bound
from gytbench.report.html import render_report, write_report
from tests.browser import browser, overflowing, severe, show_at
from tests.report.html.inputs import CLOSING, IMAGE, SCRIPT, hostile, inputs
from tests.report.html.made import demo, report_on

__all__ = ["browser"]

CLASSES, VIDEOS = "[data-table=classes]", "[data-table=videos]"
_LOADED = "return performance.getEntriesByType('navigation')[0].loadEventEnd"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(path, inputs())
    return path


def column(browser: webdriver.Chrome, table: str, number: int) -> list[str]:
    cells = f"{table} tbody tr > :nth-child({number})"
    texts: list[str] = browser.execute_script(
        "return [...document.querySelectorAll(arguments[0])].map(c => c.textContent)", cells
    )
    return texts


def head(browser: webdriver.Chrome, table: str, number: int) -> Any:
    return browser.find_element(By.CSS_SELECTOR, f"{table} thead th:nth-child({number}) button")


def sorting(browser: webdriver.Chrome, table: str) -> list[str | None]:
    heads = browser.find_elements(By.CSS_SELECTOR, f"{table} thead th")
    return [each.get_attribute("aria-sort") for each in heads]


def pressed(browser: webdriver.Chrome, element: Any) -> None:
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
    element.click()


def button(browser: webdriver.Chrome, inside: str, text: str) -> Any:
    return browser.find_element(
        By.XPATH, f"//*[{inside}]//button[starts-with(normalize-space(), '{text}')]"
    )


def opened(browser: webdriver.Chrome) -> str | None:
    """The heading of the open video."""
    return browser.execute_script(  # type: ignore[no-any-return]
        "const s = document.getElementById('video');"
        "return s.hidden ? null : s.querySelector('h2').textContent"
    )


def settled(browser: webdriver.Chrome, title: str | None) -> None:
    WebDriverWait(browser, 5).until(lambda _: opened(browser) == title)


def picture(browser: webdriver.Chrome, name: str, tmp_path: Path) -> None:
    folder = Path(os.environ.get("GYTBENCH_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    browser.save_screenshot(str(folder / f"report-{name}.png"))


def test_sorting(page: Path, browser: webdriver.Chrome) -> None:
    show_at(browser, 1440, 900)
    browser.get(page.as_uri())
    assert sorting(browser, CLASSES) == [None, None, None]
    pressed(browser, head(browser, CLASSES, 2))
    counts = [int(each) for each in column(browser, CLASSES, 2)]
    assert counts == sorted(counts, reverse=True)
    assert sorting(browser, CLASSES) == [None, "descending", None]
    # Stable: those with the same count keep the order that they had, that of the file.
    most = [
        name for name, n in zip(column(browser, CLASSES, 1), counts, strict=True) if n == counts[0]
    ]
    assert most == [f"class_{number}" for number in range(6, 60, 7)]

    by_score = head(browser, CLASSES, 3)
    by_score.send_keys(Keys.ENTER)
    scores = [float(each) for each in column(browser, CLASSES, 3)]
    assert scores == sorted(scores, reverse=True)
    by_score.send_keys(Keys.SPACE)
    scores = [float(each) for each in column(browser, CLASSES, 3)]
    assert scores == sorted(scores)
    assert sorting(browser, CLASSES) == [None, None, "ascending"]
    pressed(browser, button(browser, "@data-table='classes'", "Next"))
    assert column(browser, CLASSES, 3)[-1] == "n/a"

    pressed(browser, head(browser, CLASSES, 1))
    assert column(browser, CLASSES, 1)[:4] == ["class_0", "class_1", "class_2", "class_3"]
    pressed(browser, head(browser, CLASSES, 1))
    assert column(browser, CLASSES, 1)[:2] == ["cut_bread", "class_59"]


def test_search_and_pages(page: Path, browser: webdriver.Chrome) -> None:
    browser.get(page.as_uri())
    status = browser.find_element(By.CSS_SELECTOR, f"{VIDEOS} [role=status]")
    inside = "@data-table='videos'"
    assert status.text == "1 to 50 of 120 videos"
    assert not button(browser, inside, "Previous").is_enabled()
    for _ in range(2):
        pressed(browser, button(browser, inside, "Next"))
    assert status.text == "101 to 120 of 120 videos"
    assert column(browser, VIDEOS, 1)[0] == "video100"
    assert not button(browser, inside, "Next").is_enabled()
    search = browser.find_element(By.CSS_SELECTOR, f"{VIDEOS} input")
    search.send_keys("DEO01")
    assert column(browser, VIDEOS, 1) == [f"video01{number}" for number in range(10)]
    assert status.text == "1 to 10 of 10 videos, found in 120"
    search.send_keys("zzz")
    assert status.text == "none of 0 videos, found in 120"
    browser.find_element(By.CSS_SELECTOR, f"{CLASSES} input").send_keys("cut b")
    assert column(browser, CLASSES, 1) == ["cut_bread"]


def test_a_video_is_opened_and_closed(page: Path, browser: webdriver.Chrome) -> None:
    show_at(browser, 1440, 900)
    browser.get(page.as_uri())
    assert opened(browser) is None
    pressed(browser, browser.find_element(By.LINK_TEXT, "video003"))
    settled(browser, "video003")
    assert browser.execute_script("return location.hash") == "#video=video003"
    pictures = browser.find_elements(By.CSS_SELECTOR, "#video img")
    assert [p.find_element(By.XPATH, "..").text for p in pictures] == [
        *["best: hit"] * 2,
        *["worst: hit"] * 2,
        *["typical: hit"] * 2,
    ]
    WebDriverWait(browser, 5).until(
        lambda _: browser.execute_script(
            "return [...document.querySelectorAll('#video img')].every(i => i.naturalWidth > 0)"
        )
    )
    assert len(browser.find_elements(By.CSS_SELECTOR, "#video .span")) == 22 + 20
    pressed(browser, button(browser, "@id='video'", "Close"))
    settled(browser, None)
    browser.back()
    settled(browser, "video003")
    pressed(browser, browser.find_element(By.LINK_TEXT, "video045"))
    settled(browser, "video045")
    assert "No timeline was made" in browser.find_element(By.ID, "video").text


def test_a_bar_of_the_timeline_is_read_out(page: Path, browser: webdriver.Chrome) -> None:
    browser.get(page.as_uri() + "#video=video001")
    settled(browser, "video001")
    readout = browser.find_element(By.CSS_SELECTOR, "#video .readout")
    bars = browser.find_elements(By.CSS_SELECTOR, "#video .span")
    pressed(browser, bars[22])
    assert readout.text == "prediction: class 0, 0 to 9 s, score 1"
    bars[22].send_keys(Keys.ARROW_RIGHT)
    assert readout.text == "prediction: class 1, 9 to 18 s, score 0.5"
    assert len(browser.find_elements(By.CSS_SELECTOR, "#video .span.same")) == 5
    wide = browser.execute_script("return document.querySelector('.timeline').scrollWidth")
    pressed(browser, button(browser, "@id='video'", "Zoom in"))
    assert browser.execute_script(
        "return document.querySelector('.timeline').scrollWidth"
    ) == pytest.approx(2 * wide, rel=0.1)


@pytest.mark.parametrize("name", ["video001", "no such%20one", "50%"])
def test_the_address_opens_a_video(name: str, page: Path, browser: webdriver.Chrome) -> None:
    browser.get("about:blank")
    browser.get(page.as_uri() + f"#video={name}")
    titles = {
        "video001": "video001",
        "no such%20one": "There is no video no such one",
        "50%": None,
    }
    settled(browser, titles[name])
    assert severe(browser) == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_is_cut_off(
    width: int, dark: bool, page: Path, tmp_path: Path, browser: webdriver.Chrome
) -> None:
    show_at(browser, width, 900, dark)
    browser.get("about:blank")
    browser.get(page.as_uri())
    assert overflowing(browser) == []
    name = f"{width}-{'dark' if dark else 'light'}"
    picture(browser, f"top-{name}", tmp_path)
    browser.execute_script("document.getElementById('diagnosis').scrollIntoView()")
    picture(browser, f"diagnosis-{name}", tmp_path)
    pressed(browser, browser.find_element(By.LINK_TEXT, "video003"))
    settled(browser, "video003")
    assert overflowing(browser) == []
    picture(browser, f"video-{name}", tmp_path)
    assert texts_outside(browser) == []
    assert severe(browser) == []


def texts_outside(browser: webdriver.Chrome) -> list[str]:
    """Texts of charts that leave their drawing."""
    found: list[str] = browser.execute_script("""
        return [...document.querySelectorAll("figure.chart > svg text")].filter((text) => {
          const [own, all] = [text, text.closest("svg")].map((e) => e.getBoundingClientRect());
          return own.left < all.left || own.right > all.right || own.bottom > all.bottom;
        }).map((text) => text.textContent);
    """)
    return found


def test_names_that_are_markup_stay_text(tmp_path: Path, browser: webdriver.Chrome) -> None:
    path = tmp_path / "report.html"
    path.write_bytes(render_report(hostile()))
    show_at(browser, 390, 900)
    browser.get("about:blank")
    browser.get(path.as_uri())
    assert column(browser, CLASSES, 1) == [IMAGE, SCRIPT, CLOSING]
    pressed(browser, browser.find_element(By.CSS_SELECTOR, f"{VIDEOS} tbody a"))
    settled(browser, SCRIPT)
    assert browser.title == SCRIPT + CLOSING
    assert browser.find_elements(By.CSS_SELECTOR, "img[onerror], img[src=x]") == []
    assert len(browser.find_elements(By.TAG_NAME, "script")) == 3
    assert overflowing(browser) == []
    assert severe(browser) == []
    browser.get(path.as_uri() + "#video=" + quote(IMAGE))
    settled(browser, IMAGE)
    assert severe(browser) == []


@pytest.mark.parametrize("task", ["spatial", "temporal"])
def test_the_other_tasks(task: Any, tmp_path: Path, browser: webdriver.Chrome) -> None:
    made = demo(tmp_path / "data", task)
    path = tmp_path / "report.html"
    write_report(path, made)
    show_at(browser, 390, 900)
    browser.get(path.as_uri())
    name = next(iter(made.videos))
    pressed(browser, browser.find_element(By.LINK_TEXT, name))
    settled(browser, name)
    diagnosis = browser.find_element(By.ID, "diagnosis")
    assert f"no diagnosis for the task {task}" in diagnosis.text
    assert overflowing(browser) == []
    assert severe(browser) == []


def test_the_whole_benchmark_is_small_and_fast(
    benchmark: Benchmark, tmp_path: Path, browser: webdriver.Chrome
) -> None:
    path = tmp_path / "report.html"
    write_report(path, report_on(make_bound("random", benchmark, "st"), benchmark, "st"))
    assert path.stat().st_size < 10_000_000
    show_at(browser, 390, 900)
    browser.get("about:blank")
    browser.get(path.as_uri())
    assert browser.execute_script(_LOADED) < 4000  # milliseconds; a slow machine's share
    assert overflowing(browser) == []
    assert texts_outside(browser) == []
    assert browser.find_element(By.CSS_SELECTOR, f"{VIDEOS} [role=status]").text.endswith(
        "of 250 videos"
    )
    pressed(browser, browser.find_element(By.CSS_SELECTOR, f"{VIDEOS} tbody a"))
    WebDriverWait(browser, 5).until(lambda _: opened(browser))
    assert overflowing(browser) == []
    assert severe(browser) == []


def test_on_paper_everything_is_there(page: Path, browser: webdriver.Chrome) -> None:
    show_at(browser, 700, 1000)
    browser.get(page.as_uri() + "#video=video001")
    settled(browser, "video001")
    pressed(browser, button(browser, "@id='video'", "Zoom in"))
    browser.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert len(column(browser, VIDEOS, 1)) == 120
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        controls = browser.find_elements(By.CSS_SELECTOR, "nav, .controls")
        assert not any(each.is_displayed() for each in controls)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= 700
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    browser.execute_script("dispatchEvent(new Event('afterprint'))")
    assert len(column(browser, VIDEOS, 1)) == 50
