"""What the program states of a data set, and counted comparisons with what an engine read."""

import json
import sys
from decimal import Decimal
from pathlib import Path

passed = 0
failed = 0

# One sum of the program, as columns of the rows: billable quantities are added up by all of them.
GROUP = ["vendor", "account_id", "customer_id", "sku", "metric", "unit", "period", "report_level", "currency", "is_billable"]


def that(name, held, detail=""):
    global passed, failed
    passed, failed = passed + bool(held), failed + (not held)
    print(("ok      " if held else "FAILED  ") + name + ("" if held or not detail else f": {detail}"), flush=True)


def same(name, got, wanted):
    that(name, got == wanted, f"{got!r:.300} instead of {wanted!r:.300}")


def end():
    """Prints the result and ends the script."""
    print(f"{passed} passed, {failed} failed", flush=True)
    sys.exit(1 if failed or not passed else 0)


def block(language, number=1):
    """Returns a block of a language in the guide, counted from 1."""
    guide = Path(__file__).resolve().parents[2] / "docs" / "finops-warehouse.md"
    return guide.read_text().split(f"```{language}\n")[number].split("```")[0]


def lines(path):
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def sums(folder):
    """The program's sums of billable rows: (quantity, amount, cost, rows) by group."""
    decimal = lambda text: None if text is None else Decimal(text)
    found = {}
    for it in lines(f"{folder}/sums.jsonl"):
        if it["is_billable"] == "true":
            group = tuple(True if name == "is_billable" else it["month" if name == "period" else name] for name in GROUP)
            found[group] = (Decimal(it["quantity"]), decimal(it["amount"]), decimal(it["cost"]), it["rows"])
    assert len(found) > 100, len(found)
    return found


# The same sums in SQL, which DuckDB and Spark understand.
SUMS = f"SELECT {', '.join(GROUP)}, sum(quantity), sum(amount), sum(cost), count(*) FROM usage WHERE is_billable GROUP BY {', '.join(GROUP)}"


def compare_sums(folder, records):
    """Compares the records of `SUMS` digit by digit."""
    got = {tuple(record[: len(GROUP)]): tuple(record[len(GROUP) :]) for record in records}
    wanted = sums(folder)
    same("the groups are the program's", got.keys(), wanted.keys())
    other = [(group, got.get(group), wanted[group]) for group in wanted if got.get(group) != wanted[group]]
    that(f"{len(wanted)} sums of quantities, amounts and costs are equal", not other, f"{other[:3]}")
    floats = [value for values in got.values() for value in values if isinstance(value, float)]
    same("no sum is a float", floats, [])
