#!/usr/bin/env python3
"""Compares spec-diff with oasdiff, openapi-diff and api-smart-diff on pairs of documents with known levels.

    compare-tools/run.py [--pairs FOLDER]... [--spec-diff PROGRAM]

Without --pairs: the 190 pairs of tests/all/cases.jsonl, each after a public issue of such a tool. FOLDER is one of pairs in folders of
their own: base.json, revision.json and expected.json with the right levels in `right` (none, info, warning, breaking).

A tool that is not installed is skipped, and so is a pair that a tool cannot read. Levels are those that the tool prints; a tool that has
only "breaking" and "not breaking" is right where that is all that the pair asks for. Installing:

    cargo install spec-diff
    go install github.com/oasdiff/oasdiff@latest
    npm install --global openapi-diff api-smart-diff
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
CASES = HERE.parent / "tests" / "all" / "cases.jsonl"
LEVELS = ["none", "info", "warning", "breaking"]
SECONDS = 60


def run(command, text=None):
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=SECONDS)
    return done.returncode, done.stdout


def spec_diff(program, base, revision):
    code, out = run([program, base, revision, "--format", "json", "--fail-on", "none"])
    return json.loads(out)["apis"][0]["wire"] if code == 0 else None


def oasdiff(program, base, revision):
    code, out = run([program, "changelog", base, revision, "--format", "json"])
    if code not in (0, 1):
        return None
    worst = max((change.get("level", 1) for change in json.loads(out or "null") or []), default=0)
    return LEVELS[worst]


def openapi_diff(program, base, revision):
    code, out = run([program, base, revision])
    start = out.find("{")
    if code not in (0, 1) or start < 0:
        return "none" if code == 0 and "No changes" in out else None
    return "breaking" if json.loads(out[start:]).get("breakingDifferencesFound") else "not breaking"


API_SMART_DIFF = """
const { createRequire } = require("module");
const { execSync } = require("child_process");
const path = require("path");
const root = execSync("npm root --global").toString().trim();
const { apiDiff } = createRequire(path.join(root, "x.js"))("api-smart-diff");
const [base, revision] = process.argv.slice(1).map((file) => JSON.parse(require("fs").readFileSync(file)));
const level = { annotation: 0, "non-breaking": 1, deprecated: 1, unclassified: 2, breaking: 3 };
console.log(Math.max(0, ...apiDiff(base, revision).map((diff) => level[diff.type] ?? 2)));
"""


def api_smart_diff(program, base, revision):
    code, out = run([program, "-e", API_SMART_DIFF, base, revision])
    if code != 0:
        return None
    return LEVELS[json.loads(out)]


def has_api_smart_diff():
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    _, root = run([npm, "root", "--global"])
    return node if (pathlib.Path(root.strip()) / "api-smart-diff").is_dir() else None


def pairs_of_cases(folder):
    """Writes the pairs of the project's own test."""
    for line in CASES.read_text().splitlines():
        case = json.loads(line)
        place = folder / case["name"]
        place.mkdir()
        for side in ("base", "revision"):
            (place / f"{side}.json").write_text(json.dumps({**case["both"], **case[side]}))
        yield case["name"], place / "base.json", place / "revision.json", case["right"]


def pairs_of_folder(folder):
    for expected in sorted(folder.glob("*/expected.json")):
        place = expected.parent
        yield place.name, place / "base.json", place / "revision.json", json.loads(expected.read_text())["right"]


def is_right(level, right):
    if level == "not breaking":
        return any(one != "breaking" for one in right)
    return level in right


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=pathlib.Path, action="append")
    parser.add_argument("--spec-diff", default="spec-diff")
    arguments = parser.parse_args()
    tools = [
        ("spec-diff", spec_diff, shutil.which(arguments.spec_diff)),
        ("oasdiff", oasdiff, shutil.which("oasdiff")),
        ("openapi-diff", openapi_diff, shutil.which("openapi-diff")),
        ("api-smart-diff", api_smart_diff, has_api_smart_diff()),
    ]
    with tempfile.TemporaryDirectory() as folder:
        if arguments.pairs:
            pairs = [pair for place in arguments.pairs for pair in pairs_of_folder(place)]
        else:
            pairs = list(pairs_of_cases(pathlib.Path(folder)))
        print("| tool | right | too weak | too strong | cannot read |\n|---|--:|--:|--:|--:|")
        for name, tool, program in tools:
            if not program:
                print(f"| {name} | skipped: not installed | | | |")
                continue
            right, weak, strong, unread = 0, 0, 0, 0
            for _, base, revision, levels in pairs:
                try:
                    level = tool(program, str(base), str(revision))
                except (subprocess.TimeoutExpired, ValueError, KeyError, IndexError):
                    level = None
                wanted = [LEVELS.index(one) for one in levels]
                if level is None:
                    unread += 1
                elif is_right(level, levels):
                    right += 1
                elif level == "not breaking" or LEVELS.index(level) < min(wanted):
                    weak += 1
                else:
                    strong += 1
            print(f"| {name} | {right} of {len(pairs)} | {weak} | {strong} | {unread} |", flush=True)


if __name__ == "__main__":
    main()
