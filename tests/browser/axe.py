"""axe-core, which finds violations of the accessibility guidelines in a page."""

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from chromium import check

# Seconds. An index that cannot be reached must not delay the other steps.
LONGEST_DOWNLOAD = 120


def source():
    """The library, or the reason why it cannot be downloaded."""
    requirements = Path(__file__).resolve().parent / "requirements.txt"
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--retries", "1", "--no-deps",
                   "--only-binary", ":all:", "--require-hashes", "-d", folder, "-r", str(requirements)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_DOWNLOAD)
        except subprocess.TimeoutExpired:
            return None, f"not downloaded after {LONGEST_DOWNLOAD} seconds"
        if done.returncode:
            lines = (done.stderr or done.stdout).strip().splitlines()
            return None, lines[-1] if lines else f"exit code {done.returncode}"
        [wheel] = Path(folder).iterdir()
        with zipfile.ZipFile(wheel) as files:
            return files.read("axe_playwright_python/axe.min.js").decode(), None


def check_page(browser, library, what):
    """Fails with each violation and the elements that it is about."""
    if not browser.value("typeof axe === 'object'"):
        browser.value(library + "; null")
    violations = browser.value("""axe.run().then(found => found.violations.map(one =>
        one.id + ': ' + one.help + ' (' + one.nodes.slice(0, 5).map(node => node.target.join(' ')).join('; ') + ')'))""")
    check(not violations, f"axe-core finds no violation in {what} {violations}")
