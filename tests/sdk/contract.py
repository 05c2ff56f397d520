"""schemathesis against the curated documents: every response of the sandbox is one that openapi/*.yaml describes."""

import base64
import json
import os
import sys
import tempfile
from pathlib import Path

import sandbox

URL = sandbox.url()

import requests  # noqa: E402
import schemathesis  # noqa: E402
from schemathesis.cli import schemathesis as command  # noqa: E402
from schemathesis.specs.openapi.checks import negative_data_rejection  # noqa: E402

HERE = Path(__file__).resolve().parent
DOCUMENTS = HERE.parents[1] / "openapi"
VENDORS = ["genesys", "suger", "acronis"]


def token(path, client):
    secret = (sandbox.key(f"{client}_CLIENT_ID"), sandbox.key(f"{client}_CLIENT_SECRET"))
    response = requests.post(URL + path, auth=secret, data={"grant_type": "client_credentials"}, timeout=10)
    response.raise_for_status()
    return response.json()["access_token"]


def set_keys():
    """schemathesis.toml reads them from the environment."""
    os.environ.update({name: sandbox.key(name) for name in sandbox.DEMO})
    basic = f"{sandbox.key('ACRONIS_CLIENT_ID')}:{sandbox.key('ACRONIS_CLIENT_SECRET')}"
    os.environ["ACRONIS_BASIC"] = base64.b64encode(basic.encode()).decode()
    os.environ["GENESYS_TOKEN"] = token("/oauth/token", "GENESYS")
    os.environ["ACRONIS_TOKEN"] = token("/api/2/idp/token", "ACRONIS")


# Fields of bodies that have to name something real; without them all requests would be rejected.
REAL = {
    "organizationID": sandbox.key("SUGER_ORG_ID"),
    "entitlementID": "ent-aws01",
    "tenant_id": "2f4c1b7e-0a55-4d1e-9b1f-6a1d3c8e7f10",
}


def with_real_ids(body):
    """Only where there is a text: what was generated to be wrong stays wrong."""
    if isinstance(body, list):
        return [with_real_ids(item) for item in body]
    if isinstance(body, dict):
        known = {name: REAL[name] for name in REAL.keys() & body.keys() if isinstance(body[name], str)}
        return {name: with_real_ids(value) for name, value in body.items()} | known
    return body


@schemathesis.hook
def before_call(context, case, kwargs):
    if isinstance(case.body, (dict, list)):
        case.body = with_real_ids(case.body)


def has_null(value):
    if isinstance(value, dict):
        value = list(value.values())
    return any(has_null(item) for item in value) if isinstance(value, list) else value is None


@schemathesis.check
def what_does_not_fit_is_rejected(ctx, response, case):
    """schemathesis' own check, but for what the vendors take for absent: `null` in a body, and a query parameter without a value."""
    is_absent = has_null(case.body) or any(value in ("", None, [], [""]) for value in (case.query or {}).values())
    return None if is_absent else negative_data_rejection(ctx, response, case)


def not_yet(vendor):
    """Lines `vendor operationId`; `#` begins a comment."""
    lines = [line.split("#")[0].split() for line in (HERE / "not-yet.txt").read_text().splitlines()]
    return [words[1] for words in lines if words and words[0] == vendor]


def run(vendor, report):
    """What schemathesis found, as it reports it; its words go to standard output."""
    arguments = ["--config-file", str(HERE / "schemathesis.toml"), "--no-color", "run"]
    arguments += [str(DOCUMENTS / f"{vendor}.yaml"), "--url", URL]
    arguments += ["--report", "json", "--report-json-path", str(report)]
    for operation in not_yet(vendor):
        arguments += ["--exclude-operation-id", operation]
    try:
        command(arguments, prog_name="schemathesis", standalone_mode=False)
    except SystemExit:
        pass  # 1 if something was found, which the report says better
    return json.loads(report.read_text()) if report.exists() else None


def judge(vendor, report):
    """Operations that passed and failed. An operation that nothing could be sent to has failed too."""
    if report is None or not report["complete"]:
        print(f"{vendor}: the run broke off")
        return 0, 1
    broken = {operation for failure in report["failures"] for operation in failure["operations"]}
    errors = sum(error["count"] for error in report["errors"])
    tested = report["operations"]["tested"]
    untested = report["operations"]["selected"] - tested
    print(f"{vendor}: {report['test_cases']['generated']} requests to {tested} operations; left out: {len(not_yet(vendor))}")
    for operation, phases in report["valid_rates"].items():
        if not any(phase["accepted"] for phase in phases.values()):
            print(f"{vendor}: note: {operation} never succeeded")
    return tested - len(broken), len(broken) + errors + untested


def main():
    set_keys()
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for vendor in VENDORS:
            good, bad = judge(vendor, run(vendor, Path(folder) / f"{vendor}.json"))
            passed, failed = passed + good, failed + bad
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


main()
