"""The page of `usage-billing meter run --page`, with usage that is delivered, rejected and waiting."""

import json
import os
import re
import subprocess

import axe
from chromium import TIME_LIMIT, check

TODAY = "2026-11-21"
HEADER = "entitlement_id,timestamp,dimension,quantity\n"
EVIL = '<img src=x onerror=alert(1)>&"'
PAGE_SIZES = [(390, 844), (1200, 900)]


class Outbox:
    """An outbox whose sender runs until the end of a `with` block."""

    def __init__(self, program, sandbox, folder):
        self.program, self.folder = program, folder
        # Without the settings of the user who runs the tests.
        self.environment = {"PATH": os.environ["PATH"], "HOME": folder, "SUGER_ORG_ID": "sgr-demo1", "SUGER_API_KEY": "demo-suger-key",
                            "SUGER_BASE_URL": sandbox, "SUGER_OUTBOX": os.path.join(folder, "usage.sqlite")}

    def enqueue(self, lines):
        path = os.path.join(self.folder, "events.csv")
        with open(path, "w", encoding="utf-8") as file:
            file.write(HEADER + "".join(lines))
        subprocess.run([self.program, "meter", "enqueue", path, "--today", TODAY, "-q"], env=self.environment, check=True, timeout=TIME_LIMIT, stdout=subprocess.DEVNULL)

    def __enter__(self):
        command = [self.program, "meter", "run", "--yes", "--today", TODAY, "--listen", "127.0.0.1:0", "--page"]
        self.sender = subprocess.Popen(command, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.url = next(found.group() for found in (re.search(r"http://[\d.:]+/", line) for line in self.sender.stderr) if found)
        return self

    def __exit__(self, *_):
        self.sender.terminate()
        self.sender.wait(timeout=TIME_LIMIT)


def event(entitlement, minute):
    quoted = entitlement.replace('"', '""')
    return f'"{quoted}",{TODAY}T11:{minute:02}:00Z,ingest_gb,1\n'


def row(state):
    return f"""[...document.querySelectorAll('table')][0].innerText.match(/{state}\\s+(\\d+)/)?.[1]"""


def look(browser, program, sandbox, folder, library, shots):
    outbox = Outbox(program, sandbox, folder)
    outbox.enqueue([event("ent-aws01", minute) for minute in range(10)] + [event(EVIL, 1), event("ent-unknown", 2)])
    with outbox:
        browser.look_like(1200, 900)
        browser.open(outbox.url)
        browser.wait("the page has a heading", "document.querySelector('h1')?.innerText === 'Outbox of sgr-demo1'")
        browser.wait("and becomes up to date by itself", f"{row('delivered')} === '10' && {row('rejected')} === '2'")
        check(browser.value(f"document.body.innerText.includes({json.dumps(EVIL)}) && !document.querySelector('img')"), "nothing of an event becomes HTML")
        check(browser.value("[...document.querySelectorAll('li')].some(it => it.innerText.startsWith('not_billed: '))"), "a problem has advice")
        outbox.enqueue([event("ent-aws01", 30)])
        browser.wait("a new event appears", f"{row('delivered')} === '11'")
        browser.value("document.querySelector('.scroll').focus(), document.querySelector('.verdict').textContent = 'old'")
        outbox.enqueue([event("ent-aws01", 31)])
        browser.wait("while a table has the focus, the verdict is up to date", "document.querySelector('.verdict').textContent.startsWith('Usage is delivered')")
        check(browser.value(f"{row('delivered')} === '11' && /^Paused .* 2026-11-21 12:\\d\\d:\\d\\d.$/.test(live.textContent)"), "and the table stays, with its time")
        browser.value("document.activeElement.blur()")
        browser.wait("afterwards, the table is up to date", f"{row('delivered')} === '12' && live.textContent === ''")
        for width, height in PAGE_SIZES:
            for dark in [False, True]:
                kind = "dark" if dark else "light"
                browser.screenshot(os.path.join(shots, f"outbox-{width}-{kind}.png"), width, height, dark)
                check(browser.value("document.documentElement.scrollWidth <= innerWidth"), f"nothing is cut at {width} pixels")
                if library:
                    axe.check_page(browser, library, f"the page of an outbox, {width} pixels wide, {kind}")
    return outbox.url
