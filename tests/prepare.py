"""A program that cargo builds, and a Python environment with packages, for the checks in the folders beside this file."""

import json
import subprocess
import sys
from pathlib import Path

# Seconds.
LONGEST_INSTALL = 900


def build(package):
    """Returns the path of the package's program, from cargo's own messages: the target directory may be anywhere."""
    command = ["cargo", "build", "--locked", "-p", package, "--message-format", "json-render-diagnostics"]
    done = subprocess.run(command, cwd=Path(__file__).parent, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{package} cannot be built")
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    return next(it["executable"] for it in messages if it.get("executable") and it["target"]["kind"] == ["bin"])


def install(folder, *requirements):
    """Returns the Python of a new environment with the packages of these files, or None and the reason why there is none."""
    python = f"{folder}/bin/python"
    commands = [
        [sys.executable, "-m", "venv", folder],
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *(f"--requirement={file}" for file in requirements)],
    ]
    for command in commands:
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_INSTALL)
        except subprocess.TimeoutExpired:
            return None, f"not installed after {LONGEST_INSTALL} seconds"
        if done.returncode:
            lines = (done.stderr or done.stdout).strip().splitlines()
            return None, lines[-1] if lines else f"exit code {done.returncode}"
    return python, None
