"""A real browser, and everything that a page did in it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_MILLISECONDS = 60_000  # a guard against a hang, no measure
SAY_VIOLATIONS = """document.addEventListener('securitypolicyviolation',
    event => console.error('policy: ' + event.violatedDirective + ' ' + event.blockedURI));"""


class Done(NamedTuple):
    """What pages did: requests, errors of the console and of the policy, dialogs."""

    requests: list[str]
    errors: list[str]
    dialogs: list[str]


class Tab(NamedTuple):
    """One tab, on the site at `address`."""

    page: Any
    address: str
    done: Done

    def open(self, path: str) -> None:
        """Go to a page of the site."""
        answer = self.page.goto(self.address + path)
        assert answer is not None
        assert answer.status == 200, f"{path}: {answer.status}"

    def elsewhere(self) -> list[str]:
        """Requests to anything but the site."""
        return [url for url in self.done.requests if not url.startswith((self.address + "/", "data:"))]


def chromium() -> str | None:
    """The browser of this machine; null where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def browser(executable: str) -> Iterator[Any]:
    """The browser, without a window; as root it has no sandbox."""
    from playwright.sync_api import sync_playwright

    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=executable, args=arguments)
        yield made
        made.close()


@contextmanager
def tab(browser: Any, address: str, width: int = 1400, height: int = 900, **options: Any) -> Iterator[Tab]:
    """A tab of a browser that knows nothing yet; `options` are those of Playwright's contexts."""
    context = browser.new_context(viewport={"width": width, "height": height}, **options)
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    context.add_init_script(SAY_VIOLATIONS)
    page = context.new_page()
    done = Done([], [], [])
    page.on("request", lambda request: done.requests.append(request.url))
    page.on("console", lambda message: done.errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: done.errors.append(str(error)))

    def close(dialog: Any) -> None:
        done.dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", close)
    yield Tab(page, address, done)
    context.close()
