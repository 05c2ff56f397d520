"""Counts what held and what did not."""

import sys
import traceback

passed = 0
failed = 0


def that(name, held, detail=""):
    global passed, failed
    if held:
        passed += 1
    else:
        failed += 1
    print(("ok      " if held else "FAILED  ") + name + ("" if held or detail == "" else f": {detail}"), flush=True)
    return held


def same(name, got, wanted):
    return that(name, got == wanted and type(got) is type(wanted), f"{got!r} instead of {wanted!r}")


def none(name, flaws):
    """For lists of what is wrong: the first few are reported."""
    return that(name, not flaws, "; ".join(map(str, flaws[:5])))


def all_of(stories):
    """Runs each story; one that breaks down is a failed check. Ends the program."""
    for story in stories:
        print(f"-- {story.__name__.replace('_', ' ')}")
        try:
            story()
        except Exception as error:  # an SDK that cannot decode raises whatever it likes
            where = traceback.extract_tb(error.__traceback__)[-1]
            that(story.__name__, False, f"{type(error).__name__}: {error} ({where.filename}:{where.lineno})")
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)
