#!/usr/bin/env python3
"""Runs the vendors' official SDKs, and schemathesis, against the sandbox. See README.md."""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import sandbox

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import prepare

SCRIPTS = ["genesys.py", "suger.py", "acronis.py", "contract.py"]
# Seconds. The SDKs have no time limit of their own.
LONGEST_START = 30
LONGEST_SCRIPT = 600


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", nargs="?", help="a sandbox that runs already; without it one is built and started")
    parser.add_argument("--program", help="the sandbox's program, built already")
    parser.add_argument("--only", action="append", choices=SCRIPTS, help="run this script only (may be repeated)")
    parser.add_argument("--require", action="store_true", help="fail, not skip, if the packages cannot be installed")
    return parser.parse_args()


def settings(lines):
    """Reads `export NAME=value` until all names are there, and drains the rest, so that the sandbox never waits for a reader."""
    found = {}
    for line in lines:
        name, _, value = line.removeprefix("export ").strip().partition("=")
        found[name] = value
        if sandbox.DEMO.keys() | {"GENESYS_REGION"} <= found.keys():
            threading.Thread(target=lambda: [None for _ in lines], daemon=True).start()
            return found
    sys.exit("the sandbox ended before it printed its address")


def start(program):
    """Returns the running sandbox and its settings."""
    process = subprocess.Popen([program, "--port", "0"], stdout=subprocess.PIPE, text=True)
    watch = threading.Timer(LONGEST_START, process.kill)
    watch.start()
    found = settings(process.stdout)
    watch.cancel()
    keys = {name: found[name] for name in sandbox.DEMO}
    return process, found["GENESYS_REGION"], keys


def run(python, script, url, keys, home):
    """Returns how many checks passed and failed. The home directory is empty, because the SDKs read settings there."""
    environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    environment |= keys | {"HOME": home, "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"}
    print(f"== {script}", flush=True)
    process = subprocess.Popen(
        [python, str(HERE / script), url], env=environment, cwd=home, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )
    watch = threading.Timer(LONGEST_SCRIPT, process.kill)
    watch.start()
    last = ""
    for last in process.stdout:
        print(last, end="", flush=True)
    code = process.wait()
    watch.cancel()
    result = re.fullmatch(r"(\d+) passed, (\d+) failed\n", last)
    if not result:
        print(f"FAILED  {script} ended without a result, exit code {code}")
        return 0, 1
    return int(result[1]), int(result[2])


def prove(python, url, keys, scripts, home):
    passed = failed = 0
    for script in scripts:
        good, bad = run(python, script, url, keys, home)
        passed, failed = passed + good, failed + bad
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


def main():
    asked = arguments()
    scripts = [it for it in SCRIPTS if not asked.only or it in asked.only]
    given = asked.url and sandbox.checked(asked.url)
    with tempfile.TemporaryDirectory(prefix="usage-billing-sdk-") as folder:
        python, trouble = prepare.install(f"{folder}/environment", HERE / "requirements.txt")
        if trouble:
            print(f"skipped: NOTHING WAS CHECKED, the vendors' SDKs cannot be installed: {trouble}")
            return 1 if asked.require else 0
        process = None
        try:
            if given:
                url, keys = given, {}
            else:
                process, url, keys = start(os.path.abspath(asked.program) if asked.program else prepare.build("usage-billing-sandbox"))
            return prove(python, sandbox.checked(url), keys, scripts, folder)
        finally:
            if process:
                process.terminate()
                process.wait()


if __name__ == "__main__":
    sys.exit(main())
