"""A headless Chromium, driven through ChromeDriver's HTTP interface (W3C WebDriver), without a network."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from typing import Any

_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
    "--window-size=1280,900",
)  # fmt: skip
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key of an element's id, by the standard


def missing() -> str:
    """What is not there to drive a browser, "" if all is."""
    wanted = [name for name in ("chromium", "chromedriver") if not shutil.which(name)]
    return f"no {' and no '.join(wanted)} here" if wanted else ""


class Browser:
    """One window."""

    def __init__(self, session: str) -> None:
        self._session = session

    def ask(self, path: str, **body: Any) -> Any:
        """The answer to a command."""
        return _answer(f"{self._session}/{path}", body)

    def open(self, address: str) -> None:
        """Go to an address."""
        self.ask("url", url=address)

    def run(self, script: str, *arguments: Any) -> Any:
        """What the body of an asynchronous function returns, for its `arguments`."""
        wrapped = (
            "const [given, done] = [[...arguments].slice(0, -1), arguments[arguments.length - 1]];"
            f"(async (...a) => {{ {script} }})(...given).then("
            "value => done({value}), error => done({error: String(error.stack)}))"
        )
        found = self.ask("execute/async", script=wrapped, args=list(arguments))
        assert "error" not in found, found["error"]
        return found.get("value")

    def type(self, selector: str, text: str) -> None:
        """Keys into the first element that `selector` finds."""
        self.ask(f"element/{self._element(selector)}/value", text=text)

    def click(self, selector: str) -> None:
        """A click, as of a person, on the first element that `selector` finds."""
        self.ask(f"element/{self._element(selector)}/click")

    def _element(self, selector: str) -> str:
        return self.ask("element", using="css selector", value=selector)[_ELEMENT]

    def look_at_tab(self, number: int) -> None:
        """What is asked from now on is of this tab; 0 is the first."""
        self.ask("window", handle=_answer(f"{self._session}/window/handles", None, "GET")[number])

    def log(self, kind: str) -> list[dict[str, Any]]:
        """What was logged since it was last asked: `browser` (the console) or `performance`."""
        return self.ask("se/log", type=kind)

    def requested(self) -> list[str]:
        """The addresses of all requests since it was last asked."""
        messages = [json.loads(entry["message"])["message"] for entry in self.log("performance")]
        sent = [each for each in messages if each["method"] == "Network.requestWillBeSent"]
        return [each["params"]["request"]["url"] for each in sent]


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """A browser that is offline, until the block ends."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        driver = subprocess.Popen(
            ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )  # fmt: skip
        try:
            assert driver.stdout is not None
            port = next(
                found[1]
                for line in driver.stdout
                if (found := re.search(r"successfully on port (\d+)", line))
            )
            at = f"http://127.0.0.1:{port}/session"
            options = {"args": [*_FLAGS, f"--user-data-dir={profile}"]}
            wanted = {
                "goog:chromeOptions": options,
                "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
                "timeouts": {"script": 60_000},
            }
            session = _answer(at, {"capabilities": {"alwaysMatch": wanted}})["sessionId"]
            window = Browser(f"{at}/{session}")
            window.ask("goog/cdp/execute", cmd="Network.enable", params={})
            offline = {
                "offline": True,
                "latency": 0,
                "downloadThroughput": 0,
                "uploadThroughput": 0,
            }
            window.ask("goog/cdp/execute", cmd="Network.emulateNetworkConditions", params=offline)
            try:
                yield window
            finally:
                _answer(f"{at}/{session}", None, "DELETE")
        finally:
            driver.terminate()
            driver.wait()


def _answer(address: str, body: Any, method: str = "POST") -> Any:
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        address, content, {"Content-Type": "application/json"}, method=method
    )
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(request, timeout=120) as reply:
        return json.loads(reply.read())["value"]
