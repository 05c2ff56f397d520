//! Decoding without a network: a page of usage record groups, a report of billable usage, and rows of a report's file.

use std::fmt::Write;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures_util::{FutureExt, StreamExt, stream};
use usage_billing::acronis::{read_rows, types::ReportFormat};
use usage_billing::{genesys, suger};

const COUNT: u64 = 1000;

fn groups() -> String {
    let group = |index: u64| {
        format!(
            r#"{{"buyerID":"b-{index}","creationTime":"2026-10-05T07:08:09.123456Z","entitlementID":"ent-{index:08}","id":"{index:036}","lastUpdateTime":"2026-10-05T07:09:09Z","metaInfo":{{"SkipValidation":false,"billableRecords":[{{"key":"egress_gb","properties":{{"region":"eu-central-1","tier":"gold"}},"quantity":{quantity}}}],"originRecords":{{"egress_gb":{quantity}}},"source":"API","timestamp":"2026-10-05T07:00:00Z"}},"organizationID":"org-1","partner":"AWS","records":{{"dim_egress_gb":{quantity}}},"serialID":{index},"status":"REPORTED","usageRecordReportID":"r-{index}"}}"#,
            quantity = index as f64 * 0.125
        )
    };
    let groups: Vec<_> = (1..=COUNT).map(group).collect();
    format!(r#"{{"nextOffset":{COUNT},"usageRecordGroups":[{}]}}"#, groups.join(","))
}

fn usages() -> String {
    let usage = |index: u64| {
        format!(
            r#"{{"name":"Genesys Cloud CX {index}","totalUsage":"{index}","resources":[{{"name":"user{index}@example.com","date":"2026-10-01T00:00:00.000Z"}}]}}"#
        )
    };
    let usages: Vec<_> = (1..=COUNT).map(usage).collect();
    format!(r#"{{"status":"Complete","usages":[{}]}}"#, usages.join(","))
}

fn rows() -> String {
    let mut file = String::from(
        "tenant.id,tenant.name,tenant.kind,application.name,name,date,is_range,measurement_unit,sku,infra.id,infra.owner_id,usage.absolute.production,usage.absolute.trial,usage.absolute.total,usage.delta.production,usage.delta.trial,usage.delta.total\n",
    );
    for index in 1..=COUNT {
        let _ = writeln!(
            file,
            "t-{index},\"Birch, Inc. {index}\",customer,backup,pw_base_storage,2026-10-31,False,bytes,STO-1,,,{index}000,0,{index}000,-5,0,-5"
        );
    }
    file
}

fn decode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Elements(COUNT));
    let page = groups();
    group.bench_function("usage record groups", |bencher| {
        bencher.iter(|| {
            serde_json::from_str::<suger::types::ListUsageRecordGroupsResponse>(black_box(&page)).expect("a page")
        });
    });
    let report = usages();
    group.bench_function("billable usages", |bencher| {
        bencher
            .iter(|| serde_json::from_str::<genesys::types::BillingUsageReport>(black_box(&report)).expect("a report"));
    });
    let file = bytes::Bytes::from(rows());
    group.bench_function("report rows", |bencher| {
        bencher.iter(|| {
            let bytes = stream::iter([Ok(file.clone())]);
            let count = async { read_rows(&ReportFormat::CsvV20, bytes).await.expect("a file").count().await };
            assert_eq!(count.now_or_never(), Some(COUNT as usize));
        });
    });
    group.finish();
}

criterion_group!(benches, decode);
criterion_main!(benches);
