"""`label --web`: the same app in a real browser, and what stands before it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from support.browser import Browser

from sluice.cli.app import run
from sluice.core.project import Project
from sluice.curate.labels.log import read_log
from sluice.curate.labels.record import Judgement

pytest.importorskip("textual_serve", reason="the extra web is not installed")
PATIENCE_SECONDS = 60.0


class Served:
    """`sluice label t --web` while it runs."""

    def __init__(self, folder: Path):
        words = ["label", "t", "--labels", "billing,shipping", "--queue", "order", "--web", "--by", "ana"]
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sluice", *words], cwd=folder, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()

    def status(self, path: str, **headers: str) -> int:
        """Return the status of a request to a path of the server."""
        at = urlsplit(self.address)
        request = urllib.request.Request(f"http://{at.netloc}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status
        except urllib.error.HTTPError as refused:
            return refused.code

    def said(self) -> list[tuple[str, object]]:
        log = read_log(Project.find(self.folder))
        return [(record.by, record.value) for record in log.records if isinstance(record, Judgement)]

    def close(self) -> int:
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(timeout=30)
        finally:
            self.process.kill()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("web")
    lines = [json.dumps({"body": f"message number {n} of a customer"}) + "\n" for n in range(6)]
    (folder / "t.jsonl").write_text("".join(lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert run(["add", "t", "t.jsonl", "--input", "body", "--json"]) == 0
    found = Served(folder)
    yield found
    found.close()


def until(what: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not what():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)


def press(browser: Browser, key: str) -> None:
    """Press a key in whatever has the focus, as a person does."""
    from selenium.webdriver.common.action_chains import ActionChains

    ActionChains(browser.driver).send_keys(key).perform()


def test_keys_in_a_browser_are_decisions_and_nothing_comes_from_elsewhere(served: Served):
    browser = Browser()
    try:
        from selenium.webdriver.common.keys import Keys

        browser.driver.set_window_size(1200, 800)
        browser.driver.get_log("performance")
        browser.driver.get(served.address)
        until(lambda: browser.ask("return document.body.classList.contains('-first-byte')"))
        until(lambda: browser.ask("return document.activeElement.tagName") == "TEXTAREA")
        press(browser, "1")
        until(lambda: len(served.said()) == 1)
        press(browser, "2")
        until(lambda: len(served.said()) == 2)
        assert served.said() == [("ana", "billing"), ("ana", "shipping")]
        place = urlsplit(served.address).netloc
        asked = browser.requests()
        assert any("textual.js" in url for url in asked)
        assert {urlsplit(url).netloc for url in asked} == {place}
        assert not [line for line in browser.console() if "Refused" in line or "404" in line or "SEVERE" in line]
        press(browser, Keys.ESCAPE)
        until(lambda: browser.ask("return document.body.classList.contains('-closed')"))
    finally:
        browser.close()


def test_without_the_token_or_from_elsewhere_everything_is_403(served: Served):
    at = urlsplit(served.address)
    for path in ("", "ws", "static/js/textual.js", "static/css/xterm.css", "nothing"):
        assert served.status(f"/{path}") == 403
        assert served.status(f"/{'x' * 32}/{path}") == 403
        assert served.status(f"{at.path}{path}", Host="evil.example") == 403, "a name that was bound to this machine"
        assert served.status(f"{at.path}{path}", Origin="http://evil.example") == 403, "another site's script"
    assert served.status(at.path) == 200
    assert served.status(f"{at.path}static/js/textual.js") == 200
    assert served.status(f"{at.path}static/../../server.py") in (403, 404)
    assert served.status(f"{at.path}static/") in (403, 404)
    assert len(at.path.strip("/")) >= 32


def test_it_listens_on_the_loopback_address_alone(served: Served):
    port = urlsplit(served.address).port
    others = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    for address in others - {"127.0.0.1"}:
        if address.startswith("127."):
            continue
        with pytest.raises(OSError), socket.create_connection((address, port), timeout=2):  # noqa: PT011
            pass


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "::", "example.com"])
def test_another_address_has_to_be_said_twice(served: Served, monkeypatch, capsys, host):
    monkeypatch.chdir(served.folder)
    assert run(["label", "t", "--labels", "a,b", "--web", "--by", "ana", "--host", host]) == 2
    told = capsys.readouterr()
    assert "--yes-this-is-open" in told.err
    assert told.out == ""


def test_ctrl_c_ends_server_and_windows(tmp_path: Path):
    (tmp_path / "t.jsonl").write_text(json.dumps({"body": "one message of a customer"}) + "\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        assert run(["add", "t", "t.jsonl", "--input", "body", "--json"]) == 0
    served = Served(tmp_path)
    os.kill(served.process.pid, 0)
    assert served.close() == 0
    with pytest.raises(OSError):  # noqa: PT011
        served.status("/")
