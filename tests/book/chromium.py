"""Where the browser of the tests is. Run as a script, it says in one sentence if there is none."""

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
MISSING = (
    "The browser tests need Chrome or Chromium: install one, or run `.venv/bin/playwright install chromium`."
)
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


def find(playwright):
    """The path of a Chromium: $CHROMIUM, an installed one, or Playwright's own; None if there is none."""
    installed = [
        os.environ.get("CHROMIUM"),
        *map(shutil.which, NAMES),
        MAC,
        playwright.chromium.executable_path,
    ]
    return next((str(path) for path in installed if path and Path(path).exists()), None)


if __name__ == "__main__":
    with sync_playwright() as playwright:
        sys.exit(None if find(playwright) else MISSING)
