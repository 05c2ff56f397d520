"""Acronis, which has no SDK: the flow of the owner's document ("Creating a billing report") in plain requests, as it stands there."""

import csv
import io
import json
import time
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import checks
import sandbox

URL = sandbox.url()

import requests  # noqa: E402

END = datetime.now(timezone.utc).date().replace(day=1) - timedelta(days=1)
PERIOD = {"start": str(END.replace(day=1)), "end": str(END)}
QUANTITIES = [f"usage.{of}.{part}" for of in ("absolute", "delta", "effective") for part in ("production", "trial", "total")]

# The variables that the document takes for granted.
base_url = f"{URL}/api/2"
auth = {}
tenant_id = ""
# What is saved in each format.
files = {}


def authenticate():
    global auth, tenant_id
    client = (sandbox.key("ACRONIS_CLIENT_ID"), sandbox.key("ACRONIS_CLIENT_SECRET"))
    response = requests.post(
        f"{base_url}/idp/token",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        auth=client,
        data={"grant_type": "client_credentials"},
    )
    checks.same("token: status", response.status_code, 200)
    token = response.json()
    checks.same("token: type", token["token_type"], "bearer")
    checks.that("token: lives on", token["expires_on"] > time.time(), token["expires_on"])
    auth = {"Authorization": "Bearer " + token["access_token"]}
    response = requests.get(f"{base_url}/clients/{client[0]}", headers=auth)
    checks.same("client: status", response.status_code, 200)
    tenant_id = response.json()["tenant_id"]
    checks.that("client: tenant", UUID(tenant_id).int != 0)


def create():
    report_data = {
        "parameters": {
            "kind": "usage_summary",
            "tenant_id": tenant_id,
            "level": "direct_partners",
            "period": PERIOD,
            "formats": ["csv_v2_0", "json_v2_0"],
            "hide_zero_usage": True,
            "show_skus": True,
        },
        "schedule": {"type": "once"},
        "result_action": "save",
    }
    report_data = json.dumps(report_data, indent=4)
    response = requests.post(
        f"{base_url}/reports",
        headers={"Content-Type": "application/json", **auth},
        data=report_data,
    )
    checks.same("report: status", response.status_code, 200)
    report = response.json()
    checks.that("report: generation date", date.fromisoformat(report["generation_date"]) >= END)
    checks.same("report: version", report["version"], 1)
    checks.same("report: action", report["result_action"], "save")
    parameters = report["parameters"]
    checks.same("report: formats", parameters["formats"], ["csv_v2_0", "json_v2_0"])
    checks.same("report: period", parameters["period"], PERIOD)
    names = [parameters[name] for name in ("kind", "level", "tenant_id")]
    checks.same("report: kind, level, tenant", names, ["usage_summary", "direct_partners", tenant_id])
    return str(UUID(report["id"]))


def poll(report_id):
    """Until all formats are saved; a minute at most."""
    for _ in range(240):
        response = requests.get(f"{base_url}/reports/{report_id}/stored", headers=auth)
        checks.same("stored: status", response.status_code, 200)
        items = response.json()["items"]
        states = {item["status"] for item in items}
        checks.that("stored: states", states <= {"saved", "in_progress"}, states)
        if items and states == {"saved"}:
            return items
        time.sleep(0.25)
    raise TimeoutError("not saved after a minute")


def is_stored(item):
    name = f"stored {item['report_format']}"
    checks.that(f"{name}: created", datetime.fromisoformat(item["created_at"]).date() >= END, item["created_at"])
    checks.that(f"{name}: size", type(item["size"]) is int and item["size"] > 0, item["size"])


def download(report_id, stored_reports, format_):
    stored_report_id = [
        stored_report["id"]
        for stored_report in stored_reports
        if stored_report["report_format"] == format_ and stored_report["status"] == "saved"
    ][-1]
    response = requests.get(f"{base_url}/reports/{report_id}/stored/{stored_report_id}", headers=auth)
    checks.same(f"{format_}: status", response.status_code, 200)
    return response


def report():
    report_id = create()
    stored_reports = poll(report_id)
    checks.same("stored: formats", [it["report_format"] for it in stored_reports], ["csv_v2_0", "json_v2_0"])
    for item in stored_reports:
        is_stored(item)
    files["csv"] = download(report_id, stored_reports, "csv_v2_0").text
    files["json"] = download(report_id, stored_reports, "json_v2_0").json(parse_float=Decimal)
    response = requests.get(f"{base_url}/tenants/{tenant_id}/reports", headers=auth)
    checks.that("report: listed", report_id in response.json()["items"])


def rows_of_csv():
    rows = list(csv.DictReader(io.StringIO(files["csv"])))
    checks.that("csv: no mark of byte order", not files["csv"].startswith("\ufeff"))
    checks.that("csv: rows", len(rows) > 0, len(rows))
    checks.that("csv: rows are as wide as the head", all(None not in row and None not in row.values() for row in rows))
    missing = {"tenant.id", "name", "edition", "sku", "measurement_unit", *QUANTITIES} - set(rows[0])
    checks.none("csv: columns", sorted(missing))
    return rows


def amounts(row):
    return {name: Decimal(row[name]) for name in QUANTITIES}


def adds_up(have):
    kinds = ("usage.absolute", "usage.delta", "usage.effective")
    return all(have[f"{of}.total"] == have[f"{of}.production"] + have[f"{of}.trial"] for of in kinds)


def csv_file():
    rows = rows_of_csv()
    checks.none("csv: totals are sums", [row for row in rows if not adds_up(amounts(row))])
    checks.that("csv: tenants have ids", all(UUID(row["tenant.id"]) for row in rows))
    checks.that("csv: no row is without usage", all(any(amounts(row).values()) for row in rows))
    # The document: "Verify that SKUs are present in the sku field before using it."
    checks.that("csv: SKUs", any(row["sku"] for row in rows))
    odd = {row["tenant.name"] for row in rows if "," in row["tenant.name"] or not row["tenant.name"].isascii()}
    checks.that("csv: names with commas or other letters survive", bool(odd))


def flat(row, at=""):
    """Objects folded to dots, values as the CSV has them."""
    cells = {}
    for name, value in row.items():
        cells |= flat(value, f"{at}{name}.") if isinstance(value, dict) else {at + name: "" if value is None else str(value)}
    return cells


def json_file():
    rows = files["json"]["tenants"]
    params = files["json"]["params"]
    span = [datetime.fromtimestamp(params[name], timezone.utc).date().isoformat() for name in ("begin_date", "end_date")]
    checks.same("json: period", span, [PERIOD["start"], PERIOD["end"]])
    numbers = [value for row in rows for part in row["usage"].values() for value in part.values()]
    checks.that("json: quantities are numbers", numbers and all(type(it) in (int, Decimal) for it in numbers))
    lines = rows_of_csv()
    checks.same("json: as many rows as the CSV", len(rows), len(lines))
    checks.none("json: the rows are those of the CSV", [flat(row) for row, line in zip(rows, lines) if flat(row) != line])
    seconds = [row for row in rows if row["name"].endswith("compute_points")]
    for row in seconds:
        # The document: seconds in all formats but csv and html; points are a 3600th, rounded to two places.
        points = round(Decimal(row["usage"]["effective"]["total"]) / 3600, 2)
        checks.that(f"json: compute points of {row['tenant']['name']}", points > 0 and points.as_tuple().exponent == -2, points)
    checks.that("json: has compute points", bool(seconds))


def rejected(name, status, response):
    checks.same(f"{name}: status", response.status_code, status)
    error = response.json()["error"]
    # Code and status differ now and then: the vendor's own numbers, and '401' as a text.
    checks.that(f"{name}: code and message", bool(error["code"] and error["message"]), error)


def rejections():
    rejected("no token", 401, requests.get(f"{base_url}/tenants/{tenant_id}"))
    stranger = {"parameters": {"kind": "usage_current", "tenant_id": str(UUID(int=1 << 76)), "level": "accounts"}}
    stranger |= {"schedule": {"type": "once"}, "result_action": "save"}
    rejected("tenant of someone else", 403, requests.post(f"{base_url}/reports", headers=auth, json=stranger))
    rejected("no such field", 400, requests.post(f"{base_url}/reports", headers=auth, json=stranger | {"no": "field"}))
    client = (sandbox.key("ACRONIS_CLIENT_ID"), "wrong")
    response = requests.post(f"{base_url}/idp/token", auth=client, data={"grant_type": "client_credentials"})
    checks.that("wrong secret", response.status_code in (400, 401) and "error" in response.json(), response.text)


checks.all_of([authenticate, report, csv_file, json_file, rejections])
