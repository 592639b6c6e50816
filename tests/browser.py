"""Chromium for tests of pages: real clicks and keys, and what a page must never do."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
)

# Elements wider than the window, text cut off in its own box, boxes that leave the window.
_OVERFLOWING = """
const found = [];
if (document.documentElement.scrollWidth > window.innerWidth)
  found.push("the page scrolls sideways: " + document.documentElement.scrollWidth);
for (const element of document.querySelectorAll("body *")) {
  const box = element.getBoundingClientRect();
  if (!box.width || element.closest("svg, script, style, noscript")) continue;
  const name = element.tagName + "#" + element.id + " " + element.textContent.slice(0, 40);
  const text = [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
  if (text && getComputedStyle(element).overflowX !== "auto"
      && getComputedStyle(element).display !== "inline"
      && (element.scrollWidth > element.clientWidth + 1
          || element.scrollHeight > element.clientHeight + 4))
    found.push("text leaves its box: " + name);
  if (text && (box.left < -1 || box.right > window.innerWidth + 1)
      && !element.closest("[data-scrolls]"))
    found.push("leaves the window: " + name);
}
return found;
"""


@contextmanager
def chromium(profile: Path) -> Iterator[webdriver.Chrome]:
    """A fresh headless Chromium with its profile in a folder; fails where none is installed."""
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if binary is None or driver is None:
        pytest.fail("Chromium and its driver are missing: run `make browser`")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for option in (*OPTIONS, f"--user-data-dir={profile}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    try:
        chrome.set_page_load_timeout(30)
        chrome.set_script_timeout(30)
        yield chrome
    finally:
        chrome.quit()


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """One Chromium for all tests that import this fixture."""
    with chromium(tmp_path_factory.mktemp("chromium")) as chrome:
        yield chrome


def show_at(browser: webdriver.Chrome, width: int, height: int, dark: bool = False) -> None:
    """Set the size of the page in pixels and its colour scheme."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})


def overflowing(browser: webdriver.Chrome) -> list[str]:
    """What leaves its box or the window, in words; empty where the page is right."""
    found: list[str] = browser.execute_script(_OVERFLOWING)
    return found


def severe(browser: webdriver.Chrome) -> list[Any]:
    """The console's errors since the last call."""
    return [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
