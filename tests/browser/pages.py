#!/usr/bin/env python3
"""Opens the sandbox's pages in headless Chromium and looks at what a reader would see.

    tests/browser/pages.py [--program target/debug/usage-billing-sandbox] [--screenshots DIR]

Starts the sandbox by itself. Nothing but Python's standard library and a `chromium` is needed: the browser is
driven over its DevTools protocol, through the pipe of `--remote-debugging-pipe`. Without Chromium it says so and ends with 0.
"""

import argparse
import base64
import json
import os
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ORG, KEY = "sgr-demo1", "demo-suger-key"
PATIENCE = 30


class Chromium:
    """One page of a browser with a profile of its own."""

    def __init__(self, program, profile, *more):
        to_browser, self.out = os.pipe()
        self.inn, from_browser = os.pipe()

        def pipes():
            # Chromium reads commands from descriptor 3 and writes to 4. First out of the way, so that neither is overwritten.
            moved_in, moved_out = os.dup2(to_browser, 30), os.dup2(from_browser, 31)
            os.dup2(moved_in, 3)
            os.dup2(moved_out, 4)

        self.process = subprocess.Popen(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", f"--user-data-dir={profile}",
             "--remote-debugging-pipe", *more],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=pipes, close_fds=False)
        os.close(to_browser)
        os.close(from_browser)
        self.last, self.read, self.events = 0, b"", []
        target = self.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        self.session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        for domain in ["Page", "Network", "Runtime", "Log"]:
            self.page(f"{domain}.enable")

    def call(self, method, params=None, session=None):
        self.last += 1
        message = {"id": self.last, "method": method, "params": params or {}}
        if session:
            message["sessionId"] = session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + PATIENCE
        while True:
            response = self.message(end)
            if response.get("id") == self.last:
                if "error" in response:
                    raise RuntimeError(f"{method}: {response['error']}")
                return response["result"]
            self.events.append(response)

    def message(self, end):
        while b"\0" not in self.read:
            if not select.select([self.inn], [], [], max(0, end - time.monotonic()))[0]:
                raise TimeoutError("Chromium does not respond")
            chunk = os.read(self.inn, 1 << 16)
            if not chunk:
                raise EOFError("Chromium is gone")
            self.read += chunk
        text, self.read = self.read.split(b"\0", 1)
        return json.loads(text)

    def page(self, method, params=None):
        return self.call(method, params, self.session)

    def open(self, url):
        self.page("Page.navigate", {"url": url})

    def value(self, expression):
        result = self.page("Runtime.evaluate", {"expression": expression, "returnByValue": True})
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"])
        return result["result"].get("value")

    def wait(self, what, expression):
        """Until the expression is true: the pages draw when their data have come."""
        end = time.monotonic() + PATIENCE
        while not self.value(expression):
            if time.monotonic() > end:
                raise AssertionError(f"{what}: not there after {PATIENCE} s; the page says: " + self.value("document.body.innerText")[:2000])
            time.sleep(0.1)
        print(f"ok: {what}")

    def screenshot(self, path, width, height, dark=False):
        self.page("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})
        self.page("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})
        sideways = self.value("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        image = self.page("Page.captureScreenshot", {"format": "png"})["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(image))
        check(sideways <= 0, f"{width} pixels are wide enough ({path})")

    def close(self):
        try:
            self.call("Browser.close")
            self.process.wait(10)
        except (OSError, EOFError, TimeoutError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()


def check(good, what):
    if not good:
        raise AssertionError(what)
    print(f"ok: {what}")


def suger(url, path):
    request = urllib.request.Request(url + path, headers={"Authorization": f"Key {KEY}"})
    try:
        with opener().open(request, timeout=PATIENCE) as response:
            return response.status
    except urllib.error.HTTPError as error:
        return error.code


def opener():
    # Loopback needs no proxy.
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


def look(browser, url, shots):
    origin = json.dumps(url)
    rows = "[...document.querySelectorAll('#{} tbody tr')].length"
    browser.open(url + "/")
    browser.wait("three vendors with their addresses", f"[...document.querySelectorAll('.vendor dd')].filter(it => it.textContent.startsWith({origin})).length === 3")
    for part in ["genesys-tables", "suger-tables", "acronis-tables"]:
        browser.wait(f"rows in {part}", rows.format(part) + " >= 3")
    check(browser.value("[...document.querySelectorAll('table')].every(it => it.caption && it.tHead.querySelector('th[scope=col]'))"), "tables have captions and heads")
    check(browser.value("document.querySelectorAll('h1').length === 1 && document.documentElement.lang === 'en'"), "one heading above all, and a language")

    path = f"/org/{ORG}/buyer?limit=1001&x=<b>bold</b>".replace("<", "%3C").replace(">", "%3E")
    check(suger(url, path) == 400, "an invalid request is rejected")
    browser.wait("the request that was made meanwhile, its status and its violations",
                 "(row => row && row.includes('/buyer') && row.includes('400') && row.includes('query#/limit'))((document.querySelector('#request-table tbody tr') || {}).innerText)")
    check(browser.value("document.querySelector('#request-table b') === null"), "nothing of a request becomes HTML")
    browser.screenshot(os.path.join(shots, "sandbox.png"), 1200, 1600)
    browser.screenshot(os.path.join(shots, "sandbox-phone.png"), 390, 1600, dark=True)

    browser.open(url + "/openapi/suger")
    browser.wait("the reference has its operations and schemas", "document.querySelectorAll('section[aria-labelledby^=tag] .entry').length >= 20 && document.querySelectorAll('[id^=schema-]').length > 20")
    browser.value("document.getElementById('search').value = 'retryUsageRecordGroup'; document.getElementById('search').dispatchEvent(new Event('input'))")
    check(browser.value("[...document.querySelectorAll('section[aria-labelledby^=tag] .entry:not([hidden])')].some(it => it.id === 'retryUsageRecordGroup') && document.querySelectorAll('.entry:not([hidden])').length < 5"), "the search finds an operation")
    browser.value("location.hash = 'listUsageRecordGroups'; document.getElementById('search').value = ''; document.getElementById('search').dispatchEvent(new Event('input'))")
    browser.wait("a link opens an operation with its parameters and errors", "(it => it.open && it.querySelectorAll('table').length >= 2 && it.innerText.includes('startDate'))(document.getElementById('listUsageRecordGroups'))")
    browser.screenshot(os.path.join(shots, "reference.png"), 1200, 1600)
    browser.screenshot(os.path.join(shots, "reference-phone.png"), 390, 1600)
    for vendor in ["genesys", "acronis"]:
        browser.open(f"{url}/openapi/{vendor}")
        browser.wait(f"the reference of {vendor}", "document.querySelectorAll('section[aria-labelledby^=tag] .entry').length >= 20")

    asked = [event["params"]["request"]["url"] for event in browser.events if event.get("method") == "Network.requestWillBeSent"]
    outside = [one for one in asked if not one.startswith((url + "/", "data:", "about:"))]
    check(len(asked) > 5 and not outside, f"nothing is requested from outside ({len(asked)} requests) {outside}")
    wrong = [event for event in browser.events if event.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded")]
    check(not wrong, f"no errors in the console {wrong}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--program", default=os.path.join(os.path.dirname(__file__), "../../target/debug/usage-billing-sandbox"))
    arguments.add_argument("--screenshots", help="folder to keep them in")
    given = arguments.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        print("skipped: NOTHING WAS LOOKED AT, there is no chromium here")
        return
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        shots = given.screenshots or scratch
        os.makedirs(shots, exist_ok=True)
        sandbox = subprocess.Popen([given.program, "--port", "0"], stdout=subprocess.PIPE, text=True)
        try:
            # It prints settings for a shell: `export SUGER_BASE_URL=http://127.0.0.1:…`.
            url = next(found.group() for found in (re.search(r"http://[\d.:]+", line) for line in sandbox.stdout) if found)
            browser = Chromium(chromium, os.path.join(scratch, "profile"))
            try:
                look(browser, url, shots)
            finally:
                browser.close()
        finally:
            sandbox.terminate()
            sandbox.wait()


if __name__ == "__main__":
    try:
        main()
    except AssertionError as failure:
        sys.exit(f"failed: {failure}")
