#!/usr/bin/env python3
"""Validates the FOCUS export of the sandbox's rows with two validators, and with checks that they lack. See README.md."""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from decimal import Decimal, getcontext
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import prepare

# Seconds.
LONGEST_RUN = 300
FETCH = ["usage", "fetch", "acronis", "genesys", "--genesys-contracts", "--sandbox", "--today", "2026-11-21", "--period", "2026-10"]
# What the vendors' data supports. Without public price lists, and no discounts for commitments.
CRITERIA = "ACCOUNT_NAMING_SUPPORTED,SUB_ACCOUNT_SUPPORTED,TAGGING_SUPPORTED,USAGE_MEASUREMENT_SUPPORTED,UNIT_PRICING_SUPPORTED,NEGOTIATED_PRICING_SUPPORTED"
# Rules of FinOps' validator that no correct file passes: it counts both leaves of "the invoice id is null before the invoice, and not null after
# it", and takes names with letters beyond ASCII (the sandbox has "Söhne" and Japanese ones) for malformed.
IMPOSSIBLE = {"InvoiceId-C-005-C", "SubAccountName-C-000-C", "SubAccountName-C-002-M"}

getcontext().prec = 60
failures = 0
passed = 0


def check(what, holds, detail=""):
    global failures, passed
    if holds:
        passed += 1
    else:
        failures += 1
        print(f"FAILED  {what}: {detail}")


def run(*command, **options):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=LONGEST_RUN, **options)


def write_prices(rows, path):
    """A price for every billable item whose amount the vendor does not state."""
    items = {(row["vendor"], row["sku"], row["unit"]) for row in rows if row["is_billable"] and row["amount"] is None}
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["vendor", "sku", "unit", "currency", "unit_price", "prepaid_unit_price", "valid_from", "valid_to"])
        for vendor, sku, unit in sorted(items):
            writer.writerow([vendor, sku, unit, "EUR", "1.25", "1.1", "2026-01-01", ""])


def check_charges(rows, path):
    """What the validators do not check: products, sums, keys and periods."""
    with open(path, newline="") as file:
        charges = list(csv.DictReader(file))
    billable = {row["row_key"]: row for row in rows if row["is_billable"]}
    check("every billable row is a charge", {charge["x_RowKey"] for charge in charges} == set(billable))
    keys = [(charge["x_RowKey"], charge["ChargeCategory"]) for charge in charges]
    check("no charge is there twice", len(keys) == len(set(keys)))
    for charge in charges:
        name = f"{charge['SkuId']} of {charge['SubAccountName']}"
        if charge["ContractedUnitPrice"]:
            product = Decimal(charge["ContractedUnitPrice"]) * Decimal(charge["PricingQuantity"])
            check(f"{name}: price times quantity is the cost", product == Decimal(charge["ContractedCost"]), product)
        row = billable[charge["x_RowKey"]]
        check(f"{name}: period", charge["ChargePeriodStart"] == row["period_start"] and charge["ChargePeriodEnd"] == row["period_end"])
        check(f"{name}: currency", row["amount"] is None or charge["BillingCurrency"] == row["currency"])
    sums = {}
    for charge in charges:
        sums.setdefault(charge["x_RowKey"], []).append(charge)
    for key, parts in sums.items():
        billed, effective = (sum(Decimal(part[column]) for part in parts) for column in ("BilledCost", "EffectiveCost"))
        check(f"{key}: billed and effective cost have the same sum", billed == effective, f"{billed}, {effective}")
        amount = billable[key]["amount"]
        check(f"{key}: sum is the amount of the row", amount is None or abs(billed - Decimal(amount)) <= Decimal("1e-9"), billed)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", help="the program usage-billing, built already; without it, it is built")
    parser.add_argument("--require", action="store_true", help="fail, not skip, if the validators cannot be installed")
    asked = parser.parse_args()
    program = os.path.abspath(asked.program) if asked.program else prepare.build("usage-billing-cli")
    if sys.version_info < (3, 12):
        print("skipped: NO VALIDATOR READ THE EXPORT: FinOps' validator needs Python 3.12")
        return 1 if asked.require else 0
    with tempfile.TemporaryDirectory(prefix="usage-billing-focus-") as folder:
        python, reason = prepare.install(f"{folder}/environment", HERE / "requirements.txt")
        if reason:
            print(f"skipped: NO VALIDATOR READ THE EXPORT: {reason}")
            return 1 if asked.require else 0
        environment = {"HOME": folder, "XDG_CONFIG_HOME": folder, "PATH": os.environ["PATH"]}
        rows_file = f"{folder}/rows.jsonl"
        run(program, *FETCH, "--output", rows_file, env=environment, check=True)
        with open(rows_file, encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        write_prices(rows, f"{folder}/prices.csv")

        without = run(program, "usage", "export", rows_file, "--focus", "1.2", "--output", f"{folder}/none.csv", env=environment)
        check("without prices nothing is written", without.returncode == 6 and not os.path.exists(f"{folder}/none.csv"), without.stderr)
        for version in ("1.2", "1.4"):
            done = run(program, "usage", "export", rows_file, "--focus", version, "--prices", f"{folder}/prices.csv", "--output", f"{folder}/{version}.csv", env=environment)
            check(f"export of {version}", done.returncode in (0, 4), done.stderr)
            check_charges(rows, f"{folder}/{version}.csv")

        toolkit = run(f"{folder}/environment/bin/focus-toolkit", "validate", "--dataset", "cost-and-usage", f"{folder}/1.4.csv")
        check("focus-data-toolkit accepts 1.4", toolkit.returncode == 0 and "STRUCTURAL_VALID, SEMANTIC_VALID" in toolkit.stdout, toolkit.stdout + toolkit.stderr)

        # It reads a table of currencies relative to the working directory, and exits with 0 whatever fails.
        packages = run(python, "-c", "import focus_validator, pathlib; print(pathlib.Path(focus_validator.__file__).parent.parent)", check=True).stdout.strip()
        report = f"{folder}/report.xml"
        validator = run(
            f"{folder}/environment/bin/focus-validator", "--data-file", f"{folder}/1.2.csv", "--block-download", "--validate-version", "1.2",
            "--applicability-criteria", CRITERIA, "--output-type", "unittest", "--output-destination", report, cwd=packages,
        )
        check("FinOps' validator ends", os.path.exists(report), validator.stderr[-2000:])
        cases = list(ElementTree.parse(report).getroot().iter("testcase"))
        failed = {case.get("name").split(" ")[0] for case in cases if case.find("failure") is not None}
        skipped = sum(case.find("skipped") is not None for case in cases)
        check("FinOps' validator has checks", len(cases) - skipped > 150, len(cases) - skipped)
        check("FinOps' validator accepts 1.2", failed <= IMPOSSIBLE, failed - IMPOSSIBLE)
        print(f"FinOps' validator: {len(cases) - skipped - len(failed)} rules pass, {len(failed)} cannot pass, {skipped} do not apply")
    print(f"{passed} passed, {failures} failed")
    return 1 if failures else 0


sys.exit(main())
