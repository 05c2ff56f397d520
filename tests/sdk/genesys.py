"""Genesys Cloud through its official SDK: the operations of the Billing and the Usage API that the owner's documents show."""

import json
import time
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import checks
import sandbox

URL = sandbox.url()  # before the SDK, which could be led elsewhere by a file in the home directory

import PureCloudPlatformClientV2 as sdk  # noqa: E402
from PureCloudPlatformClientV2.rest import ApiException  # noqa: E402

TRUSTOR = "b7a0c2d4-19e6-4f3b-8d51-6c2e9f0a7713"
PRIMITIVES = {"str": str, "int": int, "float": (int, float), "bool": bool, "datetime": str, "date": str}


def connect():
    sdk.configuration.host = URL
    client = sdk.api_client.ApiClient(host=URL)
    return client.get_client_credentials_token(sandbox.key("GENESYS_CLIENT_ID"), sandbox.key("GENESYS_CLIENT_SECRET"))


def flaws(raw, declared, at=""):
    """What the SDK would swallow: it drops fields that it does not know and turns values into the type that it wants."""
    if raw is None:
        return [f"{at}: null"]
    if declared.startswith("list["):
        return sum((flaws(item, declared[5:-1], f"{at}/{place}") for place, item in enumerate(raw)), [])
    if declared.startswith("dict("):
        return sum((flaws(item, declared[5:-1].split(", ")[1], f"{at}/{name}") for name, item in raw.items()), [])
    if declared in PRIMITIVES:
        right = isinstance(raw, PRIMITIVES[declared]) and (declared == "bool" or not isinstance(raw, bool))
        return [] if right else [f"{at}: {raw!r} is not a {declared}"]
    if declared == "object":
        return []
    model = getattr(sdk.models, declared)()
    names = {wire: name for name, wire in model.attribute_map.items()}
    known = [flaws(value, model.swagger_types[names[name]], f"{at}/{name}") for name, value in raw.items() if name in names]
    return sum(known, [f"{at}/{name}: not a field of {declared}" for name in raw if name not in names])


def outdated(model, at=""):
    """Where the SDK put its word for enum values that it does not know."""
    if isinstance(model, list):
        return sum((outdated(item, f"{at}/{place}") for place, item in enumerate(model)), [])
    if isinstance(model, dict):
        return sum((outdated(item, f"{at}/{name}") for name, item in model.items()), [])
    return [at] if model == "outdated_sdk_version" else []


def decoded(name, api, model):
    """The response fits the model without loss."""
    raw = json.loads(api.api_client.last_response.data)
    checks.none(f"{name}: nothing is lost", flaws(raw, type(model).__name__))
    checks.none(f"{name}: all enum values are known", outdated(model.to_dict()))
    return model


def until(finished, call):
    """Calls again until the response is finished, for a minute at most."""
    states = []
    for _ in range(240):
        response = call()
        states.append(response)
        if finished(response):
            return states
        time.sleep(0.25)
    raise TimeoutError("not finished after a minute")


def rejected(name, status, call):
    """The call fails with the platform's error body, which names the correlation id of its header."""
    try:
        call()
    except ApiException as error:
        body = json.loads(error.body)
        headers = {header.lower(): value for header, value in dict(error.headers).items()}
        checks.same(f"{name}: status", error.status, status)
        checks.same(f"{name}: status in the body", body["status"], status)
        checks.same(f"{name}: correlation id", body["contextId"], headers.get("inin-correlation-id"))
        checks.that(f"{name}: code and message", bool(body["code"] and body["message"]), body)
    else:
        checks.that(name, False, "was not rejected")


CLIENT = connect()
BILLING = sdk.BillingApi(CLIENT)
USAGE = sdk.UsageApi(CLIENT)
THIS_MONTH = datetime.now(timezone.utc).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
LAST_MONTH = (THIS_MONTH - timedelta(days=1)).replace(day=1)
MONTH = (LAST_MONTH, THIS_MONTH - timedelta(milliseconds=1))


def billable_usage():
    states = until(lambda it: it.status == "Complete", lambda: BILLING.get_billing_reports_billableusage(*MONTH))
    checks.that("billable usage: in progress first", [it.status for it in states[:-1]] == ["InProgress"] * (len(states) - 1))
    checks.that("billable usage: nothing to see while in progress", all(not it.usages for it in states[:-1]))
    report = decoded("billable usage", BILLING, states[-1])
    checks.same("billable usage: start", report.start_date, MONTH[0])
    checks.same("billable usage: end", report.end_date, MONTH[1])
    checks.that("billable usage: has usages", bool(report.usages))
    checks.that("billable usage: totals are decimals", all(Decimal(it.total_usage) >= 0 for it in report.usages))
    checks.that("billable usage: usages are models", all(isinstance(it, sdk.BillingUsage) for it in report.usages))
    resources = [resource for usage in report.usages for resource in usage.resources or []]
    checks.that("billable usage: resources have dates", all(isinstance(it.date, datetime) for it in resources))
    # The same request again gives the same report; a text is taken as well as a datetime.
    again = BILLING.get_billing_reports_billableusage(f"{MONTH[0]:%FT%T}Z", f"{MONTH[1]:%FT%T}.999Z")
    checks.same("billable usage: asked for with text", again.to_dict(), report.to_dict())


def billable_usage_of_a_period_that_ends_before_it_starts():
    rejected("end before start", 400, lambda: BILLING.get_billing_reports_billableusage(MONTH[1], MONTH[0]))


def overview(index):
    response = BILLING.get_billing_trusteebillingoverview_trustor_org_id(TRUSTOR, billing_period_index=index)
    response = decoded(f"overview {index}", BILLING, response)
    checks.same(f"overview {index}: organization", response.organization.id, TRUSTOR)
    checks.that(f"overview {index}: currency", len(response.currency) == 3, response.currency)
    ends = (response.billing_period_start_date, response.billing_period_end_date)
    checks.that(f"overview {index}: period", all(isinstance(it, datetime) for it in ends) and ends[0] < ends[1], ends)
    checks.that(f"overview {index}: contract", response.contract_effective_date < response.contract_end_date)
    checks.that(f"overview {index}: flag", isinstance(response.in_ramp_period, bool))
    checks.that(f"overview {index}: minimum is a decimal", Decimal(response.minimum_monthly_amount) >= 0)
    checks.that(f"overview {index}: has usages", bool(response.usages))
    for usage in response.usages:
        amounts = (usage.usage_quantity, usage.prepay_quantity, usage.overage_price)
        checks.that(f"overview {index}: {usage.name}: decimals", all(Decimal(it) >= 0 for it in amounts), amounts)
        flags = (usage.is_cancellable, usage.is_third_party)
        checks.that(f"overview {index}: {usage.name}: flags", all(isinstance(it, bool) for it in flags), flags)
    return response


def trustee_overview():
    now, before = overview(0), overview(1)
    default = BILLING.get_billing_trusteebillingoverview_trustor_org_id(TRUSTOR)
    checks.same("overview: 0 is the default", default.to_dict(), now.to_dict())
    gap = now.billing_period_start_date - before.billing_period_end_date
    checks.that("overview: the periods are neighbours", timedelta(0) < gap <= timedelta(seconds=1), gap)
    today = datetime.now(timezone.utc)
    checks.that("overview: 0 is the period of today", now.billing_period_start_date <= today <= now.billing_period_end_date)


def overview_of_an_organization_that_is_no_customer():
    stranger = "00000000-0000-4000-8000-000000000000"
    rejected("no customer", 404, lambda: BILLING.get_billing_trusteebillingoverview_trustor_org_id(stranger))


def usage_query():
    body = sdk.ApiUsageOrganizationQuery()
    body.interval = f"{LAST_MONTH:%FT%T}Z/{THIS_MONTH:%FT%T}Z"
    body.granularity = "Month"
    body.group_by = ["OAuthClientId", "TemplateUri", "HttpMethod"]
    body.metrics = ["Requests", "Status200", "Status400", "Status500", "Status429"]
    started = decoded("usage query", USAGE, USAGE.post_usage_query(body))
    status = USAGE.api_client.last_response.status
    checks.that("usage query: 200 or 202", status in (200, 202), status)
    where = f"/api/v2/usage/query/{started.execution_id}/results"
    checks.that("usage query: says where its results are", started.results_uri.endswith(where), started.results_uri)
    states = until(
        lambda it: it.query_status == "Complete",
        lambda: USAGE.get_usage_query_execution_id_results(started.execution_id),
    )
    checks.that("usage query: runs first", {it.query_status for it in states[:-1]} <= {"Queued", "Running"})
    result = decoded("usage query results", USAGE, states[-1])
    checks.that("usage query results: rows", bool(result.results))
    for row in result.results:
        counts = (row.requests, row.status200, row.status400, row.status500)
        whole = all(type(count) is int for count in counts) and row.requests == sum(counts[1:])
        checks.that(f"usage of {row.client_name}, {row.http_method} {row.template_uri}: counts add up", whole, counts)
    dates = {row.date for row in result.results}
    checks.same("usage query results: one month", dates, {LAST_MONTH})


def unknown_usage_query():
    rejected("no such query", 404, lambda: USAGE.get_usage_query_execution_id_results("no-such-query"))


def usage_query_without_an_interval():
    rejected("no interval", 400, lambda: USAGE.post_usage_query(sdk.ApiUsageOrganizationQuery()))


def a_caller_without_a_token():
    stranger = sdk.BillingApi(sdk.api_client.ApiClient(host=URL))
    rejected("no token", 401, lambda: stranger.get_billing_reports_billableusage(*MONTH))


def a_wrong_secret():
    client = sdk.api_client.ApiClient(host=URL)
    try:
        client.get_client_credentials_token(sandbox.key("GENESYS_CLIENT_ID"), "wrong")
    except ApiException as error:
        checks.same("wrong secret: status", error.status, 400)
        checks.same("wrong secret: error", json.loads(error.body)["error"], "invalid_client")
    else:
        checks.that("wrong secret", False, "was not rejected")


checks.all_of([
    billable_usage,
    billable_usage_of_a_period_that_ends_before_it_starts,
    trustee_overview,
    overview_of_an_organization_that_is_no_customer,
    usage_query,
    unknown_usage_query,
    usage_query_without_an_interval,
    a_caller_without_a_token,
    a_wrong_secret,
])
