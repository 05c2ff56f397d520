"""Suger through its official SDK: all thirteen operations of the Metering API that the owner's document shows."""

import json
import time
from datetime import datetime, timedelta, timezone
from enum import Enum

import checks
import sandbox

URL = sandbox.url()

import suger_sdk_python as sdk  # noqa: E402
from suger_sdk_python.exceptions import ApiException, ConflictException, NotFoundException, ServiceException  # noqa: E402

ORG = sandbox.key("SUGER_ORG_ID")
AWS, GCP, CANCELLED = "ent-aws01", "ent-gcp01", "ent-aws02"
STATUSES = {"CREATED", "INVALID", "REPORTED", "REPORT_FAILED", "REPORT_PENDING", "DELETED"}
# Ids of this run, so that it can run again on a sandbox that was not restarted.
RUN = f"{time.time_ns():x}"
TODAY = datetime.now(timezone.utc).date()


def connect():
    configuration = sdk.Configuration(host=URL)
    configuration.api_key["APIKeyAuth"] = sandbox.key("SUGER_API_KEY")
    configuration.api_key_prefix["APIKeyAuth"] = "Key"
    return sdk.MeteringApi(sdk.ApiClient(configuration))


API = connect()


def alike(raw, got):
    """A value of the wire and what the SDK made of it. Its numbers are floats: that is its loss, not the sandbox's."""
    if isinstance(got, datetime):
        return isinstance(raw, str) and datetime.fromisoformat(raw) == got
    if isinstance(got, Enum):
        return raw == got.value
    return raw == got and isinstance(raw, bool) == isinstance(got, bool)


def lost(raw, got, at=""):
    """What the wire has and the model has not: the SDK drops fields that it does not know."""
    if isinstance(raw, dict) and isinstance(got, dict):
        given = {name: value for name, value in raw.items() if value is not None}
        return sum((lost(value, got.get(name), f"{at}/{name}") for name, value in given.items()), [])
    if isinstance(raw, list) and isinstance(got, list) and len(raw) == len(got):
        return sum((lost(one, other, f"{at}/{place}") for place, (one, other) in enumerate(zip(raw, got))), [])
    return [] if alike(raw, got) else [f"{at}: {raw!r} became {got!r}"]


def decoded(operation, *arguments, **options):
    """Calls, and compares the response's text with what was decoded from it."""
    response = getattr(API, f"{operation}_with_http_info")(*arguments, **options)
    model = response.data
    plain = [one.to_dict() for one in model] if isinstance(model, list) else model.to_dict() if hasattr(model, "to_dict") else model
    checks.none(f"{operation}: nothing is lost", lost(json.loads(response.raw_data), plain))
    return model


def rejected(name, kind, status, call):
    """The call fails with a bare JSON string."""
    try:
        call()
    except ApiException as error:
        checks.that(f"{name}: {kind.__name__}", isinstance(error, kind), repr(error))
        checks.same(f"{name}: status", error.status, status)
        # The SDK reads the body only of statuses that its document has; 409 is not one of them.
        if status != 409:
            checks.that(f"{name}: message", isinstance(error.data, str) and error.data, repr(error.data))
    else:
        checks.that(name, False, "was not rejected")


def order(identity, quantity, **more):
    fields = {"id": identity, "organizationID": ORG, "entitlementID": AWS, "records": {"ingest_gb": quantity}}
    return sdk.CreateUsageRecordGroupParams.from_dict(fields | more)


def new(records, entitlement=AWS):
    return sdk.NewUsageRecordGroup(entitlementID=entitlement, records=records)


def is_group(name, group, status):
    checks.same(f"{name}: status", group.status, status)
    checks.same(f"{name}: organization", group.organization_id, ORG)
    checks.that(f"{name}: partner", group.partner in ("AWS", "AZURE", "GCP"), group.partner)
    checks.that(f"{name}: created", isinstance(group.creation_time, datetime), repr(group.creation_time))
    checks.that(f"{name}: serial number", type(group.serial_id) is int, repr(group.serial_id))
    checks.same(f"{name}: source", group.meta_info.source, sdk.UsageRecordGroupSource.UsageRecordGroupSourceAPI)


def report_single_with_an_id_twice():
    identity, moment = f"one-{RUN}", datetime.now(timezone.utc).replace(microsecond=0) - timedelta(hours=1)
    group = decoded("report_usage_record_group", ORG, AWS, order(identity, 0.1, timestamp=moment.isoformat()))
    is_group("report", group, "CREATED")
    checks.same("report: id", group.id, identity)
    checks.same("report: records", group.records, {"ingest_gb": 0.1})
    checks.same("report: records before mapping", group.meta_info.origin_records, {"ingest_gb": 0.1})
    checks.same("report: timestamp", group.meta_info.timestamp, moment)
    again = order(identity, 0.1)
    rejected("report with a known id", ConflictException, 409, lambda: API.report_usage_record_group(ORG, AWS, again))


def report_single_of_billable_metrics():
    event = {"key": "gpu_seconds", "quantity": 3600, "properties": {"region": "eu-north-1"}}
    body = order(f"event-{RUN}", 0, entitlementID=GCP, records={}, billableRecords=[event])
    group = decoded("report_usage_record_group", ORG, GCP, body)
    is_group("report of events", group, "CREATED")
    checks.same("report of events: event", group.meta_info.billable_records[0].to_dict(), event)
    checks.that("report of events: no records", not group.records, group.records)


def report_single_of_nothing():
    body = order(f"zero-{RUN}", 0)
    rejected("all zero", ApiException, 400, lambda: API.report_usage_record_group(ORG, AWS, body))


def batch():
    body = [new({"ingest_gb": 1843.5, "api_calls": 120000}), new({"api_calls": 7}), new({"ingest_gb": 1}, CANCELLED)]
    groups = decoded("batch_report_usage_record_groups", ORG, body)
    checks.same("batch: statuses, in order", [it.status for it in groups], ["CREATED", "CREATED", "INVALID"])
    checks.same("batch: records", groups[0].records, {"ingest_gb": 1843.5, "api_calls": 120000})
    checks.same("batch: ids are its own", len({it.id for it in groups}), 3)


def validate():
    fine = new({"ingest_gb": 2.5})
    response = API.batch_validate_usage_record_groups(ORG, [fine])
    checks.that("validate: a string", isinstance(response, str), repr(response))
    call = lambda: API.batch_validate_usage_record_groups(ORG, [fine, new({"no such dimension": 1})])  # noqa: E731
    rejected("validate: unknown dimension", ServiceException, 500, call)


def every_page(operation, rows, **filters):
    """All rows, page by page; offsets have to be those of the rows."""
    found, offset = [], 0
    while offset is not None:
        page = decoded(operation, ORG, limit=100, offset=offset, **filters)
        found += getattr(page, rows) or []
        checks.that(f"{operation}: next offset", page.next_offset in (None, len(found)), page.next_offset)
        offset = page.next_offset
    return found


def list_groups_page_by_page():
    last = TODAY
    days = {"start_date": str(last - timedelta(days=9)), "end_date": str(last)}
    groups = every_page("list_usage_record_groups", "usage_record_groups", **days)
    checks.that("list: more than one page", len(groups) > 100, len(groups))
    checks.same("list: no group twice", len({it.id for it in groups}), len(groups))
    checks.that("list: within the days", all(days["start_date"] <= str(it.creation_time.date()) for it in groups))
    checks.that("list: statuses", {it.status for it in groups} <= STATUSES, {it.status for it in groups})
    checks.that("list: has what was reported", f"one-{RUN}" in {it.id for it in groups})
    numbers = [value for it in groups for value in (it.records or {}).values()]
    checks.that("list: quantities are numbers", all(isinstance(it, (int, float)) for it in numbers) and numbers != [])
    invalid = every_page("list_usage_record_groups", "usage_record_groups", status="INVALID", entitlement_id=CANCELLED)
    checks.same("list: by status and entitlement", {(it.status, it.entitlement_id) for it in invalid}, {("INVALID", CANCELLED)})
    rejected("list: no such page size", ApiException, 400, lambda: API.list_usage_record_groups(ORG, limit=1001))


def delete():
    group = API.report_usage_record_group(ORG, AWS, order(f"gone-{RUN}", 5))
    deleted = decoded("delete_usage_record_group", ORG, group.id, creation_date=str(group.creation_time.date()))
    is_group("delete", deleted, "DELETED")
    rejected("delete twice", ApiException, 400, lambda: API.delete_usage_record_group(ORG, group.id))
    rejected("delete nothing", NotFoundException, 404, lambda: API.delete_usage_record_group(ORG, f"none-{RUN}"))


def retry():
    span = {"start_date": str(TODAY - timedelta(days=60)), "status": "REPORT_FAILED"}
    failed = API.list_usage_record_groups(ORG, **span).usage_record_groups[0]
    retried = decoded("retry_usage_record_group", ORG, failed.id, creation_date=str(failed.creation_time.date()))
    is_group("retry", retried, "CREATED")
    checks.same("retry: records", retried.records, failed.records)
    rejected("retry twice", ApiException, 400, lambda: API.retry_usage_record_group(ORG, failed.id))


def reports():
    days = {"start_date": str(TODAY - timedelta(days=20)), "entitlement_id": AWS}
    found = every_page("list_usage_record_reports", "usage_record_reports", **days)
    checks.that("reports: some", len(found) > 100, len(found))
    checks.that("reports: statuses", all(isinstance(it.info.status, sdk.UsageRecordReportStatus) for it in found))
    for report in found[:20]:
        checks.that(f"report {report.id}: an hour", report.info.start_time < report.info.end_time <= report.creation_time)
        checks.that(f"report {report.id}: names its groups", bool(report.info.usage_record_group_ids))
        numbers = list(report.info.reported_records.values())
        checks.that(f"report {report.id}: quantities", all(type(it) in (int, float) for it in numbers), numbers)


def metrics():
    identity = f"m-{RUN}"
    body = sdk.BillableMetric.from_dict({
        "id": identity,
        "name": "Disk, bytes × hours",
        "description": "株式会社",
        "aggregationType": "SUM",
        "info": {"groupBys": ["region"]},
    })
    created = decoded("create_billable_metric", ORG, body)
    checks.same("metric: created", (created.id, created.name, created.description), (identity, body.name, body.description))
    checks.same("metric: aggregation", created.aggregation_type, sdk.BillableMetricAggregationType.BillableMetricAggregationType_SUM)
    checks.same("metric: status", created.status, sdk.BillableMetricStatus.BillableMetricStatus_ACTIVE)
    checks.same("metric: info", created.info.group_bys, ["region"])
    checks.that("metric: times", isinstance(created.creation_time, datetime) and isinstance(created.last_update_time, datetime))
    change = sdk.UpdateBillableMetricParams(name="Disk, renamed", status="DELETED")
    updated = decoded("update_billable_metric", ORG, identity, change)
    checks.same("metric: updated", (updated.name, updated.description), ("Disk, renamed", body.description))
    checks.same("metric: deleted by its status", updated.status, sdk.BillableMetricStatus.BillableMetricStatus_DELETED)
    checks.same("metric: read", decoded("get_billable_metric", ORG, identity), updated)
    checks.that("metric: listed", updated in decoded("list_billable_metrics", ORG))
    active = decoded("list_billable_metrics", ORG, status="ACTIVE")
    checks.that("metric: listed by status", active and identity not in {it.id for it in active})
    rejected("no such metric", NotFoundException, 404, lambda: API.get_billable_metric(ORG, f"none-{RUN}"))


def config():
    before = decoded("get_usage_metering_config_info", ORG)
    partners = [it.partner for it in before.partner_usage_metering_configs]
    checks.same("config: partners", sorted(it.value for it in partners), ["AWS", "AZURE", "GCP"])
    mapping = {"api_calls": [{"dimensionKey": "ingest_gb", "mappingMode": "QUANTITY", "convertionMultiplier": 0.25}]}
    one = {"partner": "AWS", "enableDimensionMapping": True, "dimensionMappingV2": mapping}
    wanted = sdk.UsageMeteringConfigInfo.from_dict({"partnerUsageMeteringConfigs": [one]})
    changed = decoded("update_usage_metering_config_info", ORG, wanted)
    try:
        aws = next(it for it in changed.partner_usage_metering_configs if it.partner.value == "AWS")
        target = aws.dimension_mapping_v2["api_calls"][0]
        checks.same("config: flag", aws.enable_dimension_mapping, True)
        checks.same("config: target", (target.dimension_key, target.convertion_multiplier), ("ingest_gb", 0.25))
        checks.same("config: read again", decoded("get_usage_metering_config_info", ORG), changed)
    finally:
        checks.same("config: back", API.update_usage_metering_config_info(ORG, before), before)


def a_caller_with_a_wrong_key():
    configuration = sdk.Configuration(host=URL, api_key={"APIKeyAuth": "wrong"}, api_key_prefix={"APIKeyAuth": "Key"})
    stranger = sdk.MeteringApi(sdk.ApiClient(configuration))
    try:
        stranger.list_billable_metrics(ORG)
    except ApiException as error:
        checks.same("wrong key", error.status, 401)
    else:
        checks.that("wrong key", False, "was not rejected")


checks.all_of([
    report_single_with_an_id_twice,
    report_single_of_billable_metrics,
    report_single_of_nothing,
    batch,
    validate,
    list_groups_page_by_page,
    delete,
    retry,
    reports,
    metrics,
    config,
    a_caller_with_a_wrong_key,
])
