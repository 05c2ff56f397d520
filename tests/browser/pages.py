#!/usr/bin/env python3
"""Opens the pages of the sandbox and of an outbox in headless Chromium and looks at what a reader would see.

    tests/browser/pages.py [--program target/debug/usage-billing-sandbox] [--screenshots DIR]

Starts the sandbox by itself. Needs Python's standard library, a `chromium` and, for the check of accessibility, a package index.
Without Chromium or index it prints a line that begins with "skipped:".
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

import axe
import outbox
from chromium import TIME_LIMIT, Chromium, check

ORG, KEY = "sgr-demo1", "demo-suger-key"
PAGE_SIZES = [(360, 800), (768, 1024), (1280, 900)]
OPEN_ALL = "document.querySelectorAll('details').forEach(it => { it.open = true })"


def ask(url, path, **headers):
    """Status and body of a response."""
    request = urllib.request.Request(url + path, headers=headers)
    try:
        # Loopback needs no proxy.
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=TIME_LIMIT) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def suger(url, path):
    return ask(url, path, Authorization=f"Key {KEY}")[0]


def click(browser, selector):
    browser.value(f"document.querySelector({json.dumps(selector)}).click()")


def text(selector):
    return f"document.querySelector({json.dumps(selector)}).innerText"


def bill(browser, url):
    browser.wait("the bill of last month", "document.querySelectorAll('#bill-content .bar').length > 5")
    check(browser.value("[...document.querySelectorAll('main h2')].map(it => it.id).join()") == "bill,state,connect,requests",
          "the bill comes first, the requests come last")
    expected = json.loads(ask(url, "/_sandbox/expected")[1])
    month = expected["start"][:7]
    shown = browser.value("""[...document.querySelectorAll('#bill-content .lines')].map(table => [...table.querySelectorAll('tr')]
        .flatMap(row => [...row.querySelectorAll('td[data-label] .decimal')].map(it => it.textContent)))""")
    bills = ["genesys_clients", "acronis", "suger", "genesys", "acronis_per_gigabyte"]
    for name, numbers in zip(bills, shown, strict=True):
        # The order is that of the amounts, so that numbers are compared without it.
        rows = [number for line in expected[name] for number in [line["quantity"], line.get("amount")] if number is not None]
        check(sorted(rows) == sorted(numbers) and len(rows) > 3, f"the bill {name} has the numbers of /_sandbox/expected?period={month}, to the last digit")
    names = {line["customer"] for name in bills for line in expected[name] if line["customer"]}
    shown = set(browser.value("[...document.querySelectorAll('#bill-content .lines .customer th')].map(it => it.textContent)"))
    check(names - shown == set() and any("&" in name for name in names), "all customers are shown by their names")
    largest = browser.value("document.querySelector('#bill-content .bar rect').getBoundingClientRect().width")
    smallest = browser.value("[...document.querySelectorAll('#bill-content ol:first-of-type .bar rect')].at(-1).getBoundingClientRect().width")
    check(largest > 50 > smallest, "the bars of the chart are as long as the amounts")


def clock_faults_and_reset(browser, url):
    before = browser.value(text("#bill"))
    browser.value("document.querySelectorAll('#clock-buttons button')[2].focus()")
    browser.press("Enter")
    browser.wait("a month later there is another bill", f"{text('#bill')} !== {json.dumps(before)} && document.querySelector('#bill-content').ariaBusy === 'false'")
    after = browser.value(text("#bill"))
    click(browser, "#earlier")
    browser.wait("the bill of an earlier month", f"{text('#bill')} === {json.dumps(before)}")
    click(browser, "#later")
    browser.wait("and back", f"{text('#bill')} === {json.dumps(after)} && document.querySelector('#later').disabled")

    browser.value("document.getElementById('fault').focus()")
    browser.type("503; operation=listBuyers; times=<b>1</b>")
    browser.press("Enter")
    browser.wait("an invalid fault is rejected with a reason", f"{text('#message')}.startsWith('Failed: ')")
    browser.value("document.getElementById('fault').value = ''")
    browser.type("503; operation=listBuyers")
    browser.press("Enter")
    browser.wait("a fault that was typed is listed", f"{text('#faults')}.includes('503; operation=listBuyers')")
    check(suger(url, f"/org/{ORG}/buyer") == 503, "and it is injected")
    browser.wait("and counted", f"{text('#faults')}.includes('injected 1 time')")
    click(browser, "#fault-buttons button")
    browser.wait("a button adds a fault", "document.querySelectorAll('#faults li').length === 2")
    browser.value("document.querySelector('#faults li button').focus()")
    suger(url, f"/org/{ORG}/buyer")
    browser.wait("a list that is drawn again", f"{text('#faults')}.includes('injected 2 times')")
    check(browser.value("document.activeElement === document.querySelector('#faults li button')"), "keeps the focus")
    browser.press("Enter")
    browser.wait("a button removes a fault", "document.querySelectorAll('#faults li').length === 1")

    browser.value("document.getElementById('reset').focus()")
    browser.press("Enter")
    check(browser.value("document.activeElement.id === 'confirm-no' && document.getElementById('confirm').open"), "a reset must be confirmed")
    browser.press("Escape")
    check(browser.value("!document.getElementById('confirm').open && document.activeElement.id === 'reset'"), "Escape cancels it")
    click(browser, "#reset")
    click(browser, "#confirm-yes")
    browser.wait("a reset removes the faults", f"{text('#faults')}.startsWith('None')")
    browser.wait("and the requests", f"{text('#shown')}.startsWith('None yet')")
    browser.wait("and returns to the month of the start", f"{text('#bill')} === {json.dumps(before)}")


def samples(browser, url):
    browser.call("Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"], "origin": url})
    browser.page("Page.bringToFront")
    click(browser, "#vendors article:nth-child(2) dd:nth-of-type(2) button")
    browser.wait("a credential is copied", f"{text('#message')} === 'API key copied.'")
    check(browser.value("navigator.clipboard.readText()") == KEY, "to the clipboard")
    for language in ["Rust", "Python", "PowerShell", "sh"]:
        click(browser, f"#language input[value={language}]")
        shown = browser.value("[...document.querySelectorAll('#vendors pre')].map(it => it.textContent)")
        check(len(shown) == 3 and all(url in one for one in shown), f"samples in {language} have the address of the sandbox")
    click(browser, "#environment input[value=PowerShell]")
    check(browser.value(text("#environment pre")).startswith("$env:GENESYS_REGION"), "the environment is shown for PowerShell")
    if not shutil.which("curl") or not shutil.which("jq"):
        print("skipped: SAMPLES WERE NOT RUN: there is no curl or no jq here")
        return
    for place in [1, 2, 3]:
        click(browser, f"#vendors article:nth-child({place}) .code button")
        browser.wait("a sample is copied", f"{text('#message')}.includes('in sh copied')")
        copied = browser.value("navigator.clipboard.readText()")
        browser.value("document.getElementById('message').textContent = ''")
        done = subprocess.run(["sh", "-e"], input=copied, capture_output=True, text=True, timeout=TIME_LIMIT)
        check(done.returncode == 0 and isinstance(json.loads(done.stdout), (dict, list)), f"it runs {done.stderr}")


def requests(browser, url):
    check(suger(url, f"/org/{ORG}/buyer?limit=1001&x=%3Cb%3Ebold%3C/b%3E") == 400, "an invalid request is rejected")
    newest = "document.querySelector('#request-list details')"
    browser.wait("it is shown with its status", f"(row => row && row.innerText.includes('/buyer') && row.innerText.includes('400'))({newest})")
    browser.value(f"{newest}.querySelector('summary').focus()")
    browser.press("Enter")
    check(browser.value(f"{newest}.open && {newest}.innerText.includes('query#/limit')"), "its details have the violation")
    check(browser.value("document.querySelector('#request-list .body b') === null"), "nothing of a request becomes HTML")
    for number in range(20):
        suger(url, f"/org/{ORG}/product?offset={number}")
        if number == 3:
            browser.wait("newer requests come above it", "document.querySelectorAll('#request-list details')[4]?.open === true")
            check(browser.value("document.activeElement === document.querySelectorAll('#request-list details')[4].querySelector('summary')"), "and it keeps the focus")
    browser.wait("15 requests are shown", "document.querySelectorAll('#request-list details').length === 15")
    browser.value("document.getElementById('text').focus()")
    browser.type("offset=7")
    browser.wait("a filter finds a request", "document.querySelectorAll('#request-list details').length === 1")
    browser.value("document.getElementById('text').value = ''; document.getElementById('kind').value = 'violations'; document.getElementById('filter').dispatchEvent(new Event('input'))")
    browser.wait("another one those with violations", f"{text('#shown')}.startsWith('1 of')")
    browser.value("document.getElementById('kind').value = 'all'; document.getElementById('filter').dispatchEvent(new Event('input'))")


def keyboard(browser):
    """Tab reaches all controls, each with a visible focus, and leaves the page at its end."""
    browser.value("document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute('tabindex'); scrollTo(0, 0)")
    state = """(it => [it.tagName, it.id || it.innerText?.slice(0, 30) || it.value || '', getComputedStyle(it.type === 'radio' ? it.nextElementSibling : it).outlineStyle,
        (at => at.bottom > 0 && at.top < innerHeight)(it.getBoundingClientRect())])(document.activeElement)"""
    seen = []
    for _ in range(300):
        browser.press("Tab")
        now = browser.value(state)
        if now[0] == "BODY":
            break
        seen.append(now)
    check(seen[-1][0] == "SUMMARY" and len(seen) > 60, f"Tab goes through the page to the last request ({len(seen)} stops) {seen[-3:]}")
    check(seen[0][1] == "Skip to the bill", "the first stop skips the navigation")
    bad = [one for one in seen if one[2] == "none" or not one[3]]
    check(not bad, f"each stop is visible {bad}")


def widths(browser, library, shots):
    browser.value(OPEN_ALL)
    for width, height in PAGE_SIZES:
        for dark in [False, True]:
            kind = "dark" if dark else "light"
            browser.screenshot(os.path.join(shots, f"sandbox-{width}-{kind}.png"), width, height, dark)
            if library:
                axe.check_page(browser, library, f"the page, {width} pixels wide, {kind}")


def reference(browser, url, library, shots):
    browser.look_like(1280, 900)
    browser.open(url + "/openapi/suger")
    browser.wait("the reference has its operations and schemas", "document.querySelectorAll('section[aria-labelledby^=tag] .entry').length >= 20 && document.querySelectorAll('[id^=schema-]').length > 20")
    browser.value("document.getElementById('search').value = 'retryUsageRecordGroup'; document.getElementById('search').dispatchEvent(new Event('input'))")
    check(browser.value("[...document.querySelectorAll('section[aria-labelledby^=tag] .entry:not([hidden])')].some(it => it.id === 'retryUsageRecordGroup') && document.querySelectorAll('.entry:not([hidden])').length < 5"), "the search finds an operation")
    browser.value("location.hash = 'listUsageRecordGroups'; document.getElementById('search').value = ''; document.getElementById('search').dispatchEvent(new Event('input'))")
    browser.wait("a link opens an operation with its parameters and errors", "(it => it.open && it.querySelectorAll('table').length >= 2 && it.innerText.includes('startDate'))(document.getElementById('listUsageRecordGroups'))")
    browser.screenshot(os.path.join(shots, "reference.png"), 1200, 1600)
    browser.screenshot(os.path.join(shots, "reference-phone.png"), 360, 1600, dark=True)
    for vendor in ["genesys", "acronis", "suger"]:
        browser.open(f"{url}/openapi/{vendor}")
        browser.wait(f"the reference of {vendor}", "document.querySelectorAll('section[aria-labelledby^=tag] .entry').length >= 20")
        # All at once would take axe minutes.
        browser.value("document.querySelectorAll('.entry').forEach((it, at) => { it.open = at % 9 === 0 })")
        if library:
            axe.check_page(browser, library, f"the reference of {vendor}")


def look(browser, url, program, scratch, shots):
    library, reason = axe.source()
    if not library:
        print(f"skipped: ACCESSIBILITY WAS NOT CHECKED, axe-core cannot be downloaded: {reason}")
    browser.look_like(1280, 900)
    browser.open(url + "/")
    bill(browser, url)
    browser.wait("three vendors with their addresses", f"[...document.querySelectorAll('#vendors dd')].filter(it => it.textContent.startsWith({json.dumps(url)})).length === 3")
    browser.wait("tables of the state", "[...document.querySelectorAll('#tables tbody')].every(it => it.rows.length >= 3)")
    check(browser.value("[...document.querySelectorAll('table')].every(it => (it.caption || it.ariaLabel) && it.tHead.querySelector('th[scope=col]'))"), "tables have names and heads")
    check(browser.value("document.querySelectorAll('h1').length === 1 && document.documentElement.lang === 'en'"), "one heading above all, and a language")
    clock_faults_and_reset(browser, url)
    samples(browser, url)
    requests(browser, url)
    keyboard(browser)
    widths(browser, library, shots)
    reference(browser, url, library, shots)
    urls = (url + "/",)
    # The program beside that of the sandbox.
    program = os.path.join(os.path.dirname(program), "usage-billing")
    if os.path.exists(program):
        urls += (outbox.look(browser, program, url, scratch, library, shots),)
    else:
        print(f"skipped: THE PAGE OF AN OUTBOX WAS NOT LOOKED AT, there is no {program}")

    asked = [event["params"]["request"]["url"] for event in browser.events if event.get("method") == "Network.requestWillBeSent"]
    outside = [one for one in asked if not one.startswith((*urls, "data:", "about:"))]
    check(len(asked) > 5 and not outside, f"nothing is requested from outside ({len(asked)} requests) {outside}")
    wrong = [event["params"] for event in browser.events if event.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded")]
    # Chromium logs the status of the invalid fault too.
    wrong = [one for one in wrong if not one.get("entry", {}).get("url", "").endswith("/_sandbox/faults")]
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
        # In the middle of a month, so that a month later is the next one.
        sandbox = subprocess.Popen([given.program, "--port", "0", "--today", "2026-11-21"], stdout=subprocess.PIPE, text=True)
        try:
            # It prints settings for a shell: `export SUGER_BASE_URL=http://127.0.0.1:…`.
            url = next(found.group() for found in (re.search(r"http://[\d.:]+", line) for line in sandbox.stdout) if found)
            browser = Chromium(chromium, os.path.join(scratch, "profile"))
            try:
                look(browser, url, given.program, scratch, shots)
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
