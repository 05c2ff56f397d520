#!/usr/bin/env python3
"""Reads a data set of the program with DuckDB, dlt and Spark, and compares types, partitions and exact sums. See README.md."""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import prepare

ENGINES = ["duckdb", "dlt", "spark"]
# Seconds.
LONGEST_FETCH = 300
LONGEST_SCRIPT = 300
# Twelve months of three vendors. One client organization in place of all: its bills have amounts, and Genesys' rate limit is the time that this takes.
FETCH = ["usage", "fetch", "--sandbox", "--today", "2026-11-21", "--period", "2025-11..2026-10", "--clients", "b7a0c2d4-19e6-4f3b-8d51-6c2e9f0a7713"]

# dlt sends no telemetry, and Spark listens on loopback.
LOCAL = {"RUNTIME__DLTHUB_TELEMETRY": "false", "SPARK_LOCAL_IP": "127.0.0.1"}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", help="the program usage-billing, built already; without it, it is built")
    parser.add_argument("--only", action="append", choices=ENGINES, help="read with this engine only (may be repeated) [default: duckdb and dlt]")
    parser.add_argument("--require", action="store_true", help="fail, not skip, if the packages or Java are missing")
    return parser.parse_args()


def settings(home):
    """The user's settings, proxies and accounts are not reachable."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "JAVA_HOME", "LANG", "TZ")}
    return kept | {"HOME": home, "XDG_CONFIG_HOME": home, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"} | LOCAL


def files_of_program(program, folder, home):
    """Writes what the engines are compared with: the program's own exact sums, its rows as JSON lines, and its schemas."""

    def output(name, *command):
        with open(f"{folder}/{name}", "wb") as file:
            subprocess.run([program, *command], stdout=file, check=True, timeout=LONGEST_SCRIPT, env=settings(home))

    usage = f"{folder}/usage"
    output("sums.jsonl", "usage", "show", usage, "--by", "customer,sku,month", "--format", "jsonl")
    output("rows.jsonl", "usage", "show", usage, "--format", "jsonl")
    for engine in ("duckdb", "spark", "bigquery"):
        output(f"schema.{engine}", "schema", "--format", engine)


def read(python, engine, folder, home, program):
    """Returns how many checks passed and failed. The guide's lines find the program."""
    print(f"== {engine}", flush=True)
    command = [python, str(HERE / f"with_{engine}.py"), folder]
    environment = settings(home)
    # Where dlt keeps the state of pipelines; that of root would not be in its home.
    environment["DLT_DATA_DIR"] = f"{home}/dlt"
    environment["PATH"] = os.path.dirname(program) + os.pathsep + environment["PATH"]
    process = subprocess.Popen(command, env=environment, cwd=home, stdout=subprocess.PIPE, text=True, encoding="utf-8")
    last = ""
    for last in process.stdout:
        print(last, end="", flush=True)
    code = process.wait(timeout=LONGEST_SCRIPT)
    result = re.fullmatch(r"(\d+) passed, (\d+) failed\n", last)
    if not result:
        print(f"FAILED  {engine} ended without a result, exit code {code}")
        return 0, 1
    return int(result[1]), int(result[2])


def main():
    asked = arguments()
    engines = [it for it in ENGINES if it in (asked.only or ["duckdb", "dlt"])]
    if "spark" in engines and not shutil.which("java"):
        print("skipped: SPARK READ NOTHING: there is no Java here")
        engines.remove("spark")
        if asked.require or not engines:
            return 1 if asked.require else 0
    program = os.path.abspath(asked.program) if asked.program else prepare.build("usage-billing-cli")
    with tempfile.TemporaryDirectory(prefix="usage-billing-warehouse-") as folder:
        home = f"{folder}/home"
        os.mkdir(home)
        # While the packages are installed: both take their time to wait.
        with open(f"{folder}/fetch.log", "wb") as log:
            fetch = subprocess.Popen([program, *FETCH, "--output", f"{folder}/usage/"], stdout=log, stderr=log, env=settings(home))
        files = {"requirements-spark.txt" if engine == "spark" else "requirements.txt" for engine in engines}
        requirements = [HERE / file for file in sorted(files)]
        try:
            python, trouble = prepare.install(f"{folder}/environment", *requirements)
            if trouble:
                print(f"skipped: NOTHING WAS READ, the packages cannot be installed: {trouble}")
                return 1 if asked.require else 0
            if fetch.wait(timeout=LONGEST_FETCH):
                print(Path(f"{folder}/fetch.log").read_text())
                return 1
        finally:
            fetch.kill()
        files_of_program(program, folder, home)
        passed = failed = 0
        for engine in engines:
            good, bad = read(python, engine, folder, home, program)
            passed, failed = passed + good, failed + bad
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
