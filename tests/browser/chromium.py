"""Headless Chromium, driven over its DevTools protocol through the pipe of `--remote-debugging-pipe`."""

import base64
import json
import os
import select
import subprocess
import time

TIME_LIMIT = 120


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
        end = time.monotonic() + TIME_LIMIT
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
        """The value of an expression, or what its promise resolves to."""
        result = self.page("Runtime.evaluate", {"expression": expression, "returnByValue": True, "awaitPromise": True})
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"])
        return result["result"].get("value")

    def wait(self, what, expression):
        """Until the expression is true: the pages draw when their data have come."""
        end = time.monotonic() + TIME_LIMIT
        while not self.value(expression):
            if time.monotonic() > end:
                raise AssertionError(f"{what}: not there after {TIME_LIMIT} s; the page says: " + self.value("document.body.innerText")[:2000])
            time.sleep(0.1)
        print(f"ok: {what}")

    def look_like(self, width, height, dark=False):
        """Sets the size of the window, and the color scheme."""
        self.page("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})
        self.page("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})

    def screenshot(self, path, width, height, dark=False):
        self.look_like(width, height, dark)
        sideways = self.value("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        image = self.page("Page.captureScreenshot", {"format": "png"})["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(image))
        check(sideways <= 0, f"{width} pixels are wide enough ({path})")

    def press(self, key):
        """Presses and releases a key: `Tab`, `Enter`, `Escape`, `End`."""
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, "End": 35}
        event = {"key": key, "code": key, "windowsVirtualKeyCode": codes[key]}
        self.page("Input.dispatchKeyEvent", event | {"type": "keyDown"} | ({"text": "\r"} if key == "Enter" else {}))
        self.page("Input.dispatchKeyEvent", event | {"type": "keyUp"})

    def type(self, text):
        self.page("Input.insertText", {"text": text})

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
