#!/usr/bin/env python3
"""Runs spec-diff over the published versions of vendors' documents, and counts the findings by rule.

    compare-tools/steps.py [--steps N] [--spec-diff PROGRAM] [--reports FOLDER] [--clones FOLDER] [REPOSITORY:PATH]...

A step is two consecutive different versions of a file, along the first parents of the repository's newest commit. REPOSITORY is a folder
that git can read, with or without a working tree, or an address, which is cloned into --clones (kept, and used again). Without arguments:
the documents of SOURCES. The documents are the vendors'; none of them is in this repository.

Prints a table of the steps by document, then one of the breaking findings and warnings by id. --reports keeps the report of each step,
with `base` and `revision` as spec-diff reads them in the repository (git:COMMIT:PATH).
"""
import argparse
import collections
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

GITHUB = "https://github.com/"
SOURCES = [
    "getlago/lago-openapi:openapi.yaml",
    "openmeterio/openmeter:api/openapi.yaml",
    "openmeterio/openmeter:api/v3/openapi.yaml",
    "sugerio/suger-sdk-go:api/openapi.yaml",
    "plaid/plaid-openapi:2020-09-14.yml",
    "twilio/twilio-oai:spec/json/twilio_api_v2010.json",
    "twilio/twilio-oai:spec/json/twilio_messaging_v1.json",
    "Adyen/adyen-openapi:json/ManagementService-v3.json",
    "Adyen/adyen-openapi:json/BalancePlatformService-v2.json",
    "XeroAPI/Xero-OpenAPI:xero_accounting.yaml",
    "XeroAPI/Xero-OpenAPI:xero-payroll-nz.yaml",
]
SECONDS = 120


def git(repository, *arguments):
    command = ["git", "-C", str(repository), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def repository_of(address, clones):
    """Returns the folder of a repository, cloned if it is an address."""
    if pathlib.Path(address).is_dir():
        return pathlib.Path(address)
    folder = clones / re.sub(r"[^\w.-]+", "-", address.removeprefix(GITHUB).removesuffix(".git"))
    if not folder.exists():
        subprocess.run(["git", "clone", "--quiet", "--bare", address, str(folder)], check=True)
    return folder


def versions(repository, path):
    """Returns the commits of the different versions of a file, oldest first."""
    log = git(repository, "log", "--first-parent", "--diff-merges=first-parent", "--raw", "--no-abbrev", "--format=commit %H", "--", path)
    commit, found = None, []
    for line in log.splitlines():
        if line.startswith("commit "):
            commit = line.removeprefix("commit ")
        elif line.startswith(":"):
            blob, status = line.split()[3:5]
            if status in ("A", "M") and (not found or found[-1][1] != blob):
                found.append((commit, blob))
    return [commit for commit, _ in reversed(found)]


def report(program, repository, base, revision):
    """Returns spec-diff's report, or why there is none."""
    command = [program, base, revision, "--format", "json", "--fail-on", "none"]
    try:
        done = subprocess.run(command, cwd=repository, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return f"not within {SECONDS} seconds"
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr.strip().splitlines()[-1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="*", metavar="REPOSITORY:PATH")
    parser.add_argument("--steps", type=int, default=60, help="the newest N of each document")
    parser.add_argument("--spec-diff", default="spec-diff")
    parser.add_argument("--reports", type=pathlib.Path)
    parser.add_argument("--clones", type=pathlib.Path)
    arguments = parser.parse_args()
    program = shutil.which(arguments.spec_diff)
    if not program:
        sys.exit(f"{arguments.spec_diff}: no such program; cargo install spec-diff")
    program = str(pathlib.Path(program).resolve())
    if arguments.reports:
        arguments.reports.mkdir(parents=True, exist_ok=True)
    by_id = collections.defaultdict(collections.Counter)
    print("| document | steps | breaking | warning | info | none | cannot read |\n|---|--:|--:|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as temporary:
        clones = arguments.clones or pathlib.Path(temporary)
        for source in arguments.sources or [GITHUB + source for source in SOURCES]:
            address, path = source.rsplit(":", 1)
            repository = repository_of(address, clones)
            commits = versions(repository, path)[-arguments.steps - 1 :]
            steps = list(zip(commits, commits[1:]))
            count, unread = collections.Counter(), 0
            for number, (old, new) in enumerate(steps, 1):
                base, revision = f"git:{old}:{path}", f"git:{new}:{path}"
                found = report(program, repository, base, revision)
                if isinstance(found, str):
                    unread += 1
                    print(f"{source} {old[:10]} {new[:10]}: {found}", file=sys.stderr)
                    continue
                for change in found["changes"]:
                    count[change["level"]] += 1
                    by_id[change["level"]][change["id"]] += 1
                if arguments.reports:
                    name = re.sub(r"[^\w.-]+", "-", f"{source.removeprefix(GITHUB)}-{number:03}").strip("-.")
                    found |= {"base": base, "revision": revision}
                    (arguments.reports / f"{name}.json").write_text(json.dumps(found, indent=1))
            levels = " | ".join(str(count[level]) for level in ("breaking", "warning", "info", "none"))
            print(f"| {source.removeprefix(GITHUB)} | {len(steps)} | {levels} | {unread} |", flush=True)
    for level in ("breaking", "warning"):
        print(f"\n| {level} | findings |\n|---|--:|")
        for name, number in by_id[level].most_common():
            print(f"| {name} | {number} |")


if __name__ == "__main__":
    main()
