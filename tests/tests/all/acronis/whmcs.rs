//! The public rule of the vendor's billing module, implemented a second time and compared row by row. Every difference has a documented reason;
//! other differences fail.
//!
//! Rule: acronis/acronis-cyber-cloud-whmcs 2.2.2-200 (MetricsFetcher and meta/metrics.php, seen 2026-11-29).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rust_decimal::Decimal;
use usage_billing::{BillingReason, UsageRow};
use usage_billing_sandbox as demo;
use usage_billing_tests::{Request, ScriptedResponse};

use super::cases::{file, fixture, server};
use super::{client, files, sandbox, summary};

/// Metrics for which the module has prices; it drops all others.
const METRICS: [&str; 43] = [
    "pw_p_ess_workstations",
    "pw_p_ess_servers",
    "pw_p_ess_vms",
    "pw_p_workstations",
    "pw_p_servers",
    "pw_p_vms",
    "pw_p_web_hosting_servers",
    "pw_p_adv_workstations",
    "pw_p_adv_servers",
    "pw_p_adv_vms",
    "pw_p_adv_web_hosting_servers",
    "pw_workstations",
    "pw_servers",
    "pw_vms",
    "pw_web_hosting_servers",
    "pw_mobiles",
    "pw_o365_seats",
    "pw_o365_teams",
    "pw_gsuite_seats",
    "pw_websites",
    "pw_storage_acronis",
    "pw_storage_google",
    "pw_storage_azure",
    "pw_storage",
    "pw_dr_storage",
    "pw_dr_child_storage",
    "pw_compute_points",
    "pw_public_ips",
    "pg_storage_acronis",
    "pg_storage_google",
    "pg_storage_azure",
    "pg_storage",
    "pg_child_storages",
    "local_storage",
    "fc_seats",
    "fc_storage",
    "fc_child_storages",
    "notary_storage",
    "notarizations",
    "esignatures",
    "hci_total_storage",
    "drives_shipped_to_cloud",
    "drives_shipped_from_cloud",
];
/// Items whose change counts; for others, the module uses the level.
const CHANGES: [&str; 4] = ["compute_points", "pw_compute_points", "dre_compute_points", "p_dre_compute_points"];
/// Other names for storage that the platform does not own.
const CHILD_STORAGE: [(&str, &str); 4] = [
    ("pg_storage", "pg_child_storages"),
    ("pw_storage", "pg_child_storages"),
    ("pw_dr_storage", "pw_dr_child_storages"),
    ("fc_storage", "fc_child_storages"),
];

/// Reasons why the module's number and ours differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Difference {
    /// Its list ends in 2021: items of today's licensing (`pw_base_…`, `pg_base_…`, `pu_…`) and of editions are not in it. Acronis charges them.
    NotInList,
    /// For customers it uses the total, including trial. It creates a reseller's bill to customers; Acronis does not charge trial use.
    TrialInTotal,
    /// It uses the level of notarizations, signatures and drives, which are sums and never shrink: each month would be billed again.
    LevelOfSum,
    /// It has other metrics for storage that a partner hosts, for resellers to price. Acronis includes it in the fee for devices.
    PartnerHosted,
    /// It has a price for local storage in any licensing. Acronis includes it in the fee for devices.
    Included,
    /// It reads no SKUs. In a report that has SKUs, Acronis sells nothing without one.
    NotSold,
    /// Beside items of today's licensing, metrics without prefix (`fc_seats`) are counters of the same use.
    CounterBesideItems,
    /// No source states what Acronis charges: `hci_total_storage`, partner-hosted storage of an item without prefix and edition, seats without
    /// them, and local storage beside items of both licensing modes.
    NotStated,
}

#[derive(Clone, Debug, Default)]
struct Group {
    module: Decimal,
    /// Production of items that the vendor hosts, and changes of sums, in the list or not.
    charged: Decimal,
    why: BTreeSet<Difference>,
}

type Line = HashMap<String, String>;
/// Tenant and metric, with the cloud in it where it is not Acronis' own.
type Groups = BTreeMap<(String, String), Group>;

fn lines(csv: &[u8]) -> Vec<Line> {
    csv::Reader::from_reader(csv).deserialize().collect::<Result<_, _>>().unwrap()
}

fn number(line: &Line, column: &str) -> Decimal {
    line[column].parse().unwrap()
}

/// Groups rows by the module's rule, and by what separates it from the vendor's charges.
fn by_module(lines: &[Line], platform_owned: &HashMap<String, bool>) -> Groups {
    let mut groups = Groups::new();
    for line in lines {
        let (name, backend, infra) = (&line["name"], &line["infra.backend_type"], &line["infra.id"]);
        let is_own = !infra.is_empty() && platform_owned.get(infra) == Some(&false);
        let is_platforms = !infra.is_empty() && platform_owned.get(infra) == Some(&true);
        let child = CHILD_STORAGE.iter().find(|(item, _)| item == name && !infra.is_empty() && !is_platforms);
        let item = child.map_or(name.as_str(), |(_, child)| *child);
        let metric = if backend.is_empty() { item.to_owned() } else { format!("{item}_{backend}") };
        let strategy = if CHANGES.contains(&name.as_str()) { "delta" } else { "absolute" };
        let side = if line["tenant.kind"] == "customer" { "total" } else { "production" };
        let value = number(line, &format!("usage.{strategy}.{side}"));
        let key = match backend.as_str() {
            "" | "acronis" => name.clone(),
            cloud => format!("{name}_{cloud}"),
        };
        let group = groups.entry((line["tenant.id"].clone(), key)).or_default();
        let is_listed = METRICS.contains(&metric.as_str());
        if is_listed {
            group.module += value;
        } else {
            group.why.insert(Difference::NotInList);
        }
        let is_sum = line["is_range"] == "True" || strategy == "delta";
        let change_or_level = if is_sum { "delta" } else { "absolute" };
        if strategy != change_or_level {
            group.why.insert(Difference::LevelOfSum);
        }
        if side == "total" && !number(line, &format!("usage.{change_or_level}.trial")).is_zero() {
            group.why.insert(Difference::TrialInTotal);
        }
        // Per gigabyte, storage is charged on any host.
        if is_own && line["measurement_unit"] == "bytes" && !name.starts_with("pg_") {
            group.why.insert(Difference::PartnerHosted);
        } else {
            group.charged += number(line, &format!("usage.{change_or_level}.production"));
        }
    }
    groups
}

/// Compares the numbers, and returns the reasons that were needed.
fn compare(
    lines: &[Line],
    rows: &[UsageRow],
    platform_owned: &HashMap<String, bool>,
    file: &str,
) -> BTreeSet<Difference> {
    let mut needed = BTreeSet::new();
    for ((tenant, metric), group) in by_module(lines, platform_owned) {
        let of_group = |row: &&UsageRow| row.customer_id.as_deref() == Some(&tenant) && row.metric == metric;
        let same: Vec<_> = rows.iter().filter(of_group).collect();
        let ours: Decimal = same.iter().filter(|row| row.is_billable == Some(true)).map(|row| row.raw_quantity).sum();
        let place = format!("{file}: {tenant} {metric}: {ours} here, {} there", group.module);
        let mut reasons: BTreeSet<_> = same.iter().map(|row| row.billing_reason).collect();
        if same.iter().any(|row| row.is_billable.is_none()) {
            // Unknown rows are not charged: the module's number, if any, has no counterpart.
            assert!(ours.is_zero(), "{place}");
            if !group.module.is_zero() {
                needed.insert(Difference::NotStated);
            }
        } else if ours == group.module {
        } else if ours == group.charged {
            assert!(!group.why.is_empty(), "{place}");
            needed.extend(group.why);
        } else {
            assert!(ours.is_zero(), "{place}: {reasons:?}");
            reasons.remove(&BillingReason::Trial);
            needed.insert(match Vec::from_iter(reasons)[..] {
                [BillingReason::Included] => Difference::Included,
                [BillingReason::NotSold] => Difference::NotSold,
                [BillingReason::Counter] => Difference::CounterBesideItems,
                ref others => panic!("{place}: {others:?}"),
            });
        }
    }
    needed
}

const TENANT: &str = "0f7c2b9a-6f0e-4a63-8d1b-7c3e5a9b2d44";
const VENDORS: &str = "019097a6-114f-4418-bd54-e01ef049f209";
const OWN: &str = "3d1efc54-4e9a-4db1-abe6-7d2aee50cead";

fn respond(request: &Request) -> Option<ScriptedResponse> {
    let body = format!(
        r#"{{"items": [{{"id": "{VENDORS}", "platform_owned": true}}, {{"id": "{OWN}", "platform_owned": false}},
            {{"id": "b0000000-0000-4000-8000-00000000000a", "platform_owned": false}},
            {{"id": "b0000000-0000-4000-8000-00000000000d", "platform_owned": true}}]}}"#
    );
    request.target.starts_with("/api/2/infra?").then(|| ScriptedResponse::json(200, &body))
}

fn owned() -> HashMap<String, bool> {
    [
        (VENDORS, true),
        (OWN, false),
        ("b0000000-0000-4000-8000-00000000000a", false),
        ("b0000000-0000-4000-8000-00000000000d", true),
    ]
    .map(|(id, is_platforms)| (id.to_owned(), is_platforms))
    .into()
}

/// Returns every metric of the list as a report has it: with production and trial of different sizes, storage at the vendor and at the partner.
fn every_metric(is_wanted: impl Fn(&str) -> bool) -> String {
    let mut csv = "application.name,date,infra.backend_type,infra.id,infra.owner_id,is_range,measurement_unit,name,tenant.id,tenant.kind,\
        usage.absolute.production,usage.absolute.trial,usage.absolute.total,usage.delta.production,usage.delta.trial,usage.delta.total\n"
        .to_owned();
    let clouds = ["_acronis", "_google", "_azure"];
    let metrics =
        METRICS.iter().zip(1i64..).filter(|(metric, _)| is_wanted(metric) && !metric.contains("child_storage"));
    for (metric, at) in metrics {
        let cloud = clouds.iter().find_map(|cloud| metric.strip_suffix(cloud).map(|item| (item, &cloud[1..])));
        let (item, backend) = cloud.unwrap_or((metric, ""));
        let is_storage = item.ends_with("storage");
        let is_sum =
            ["notarizations", "esignatures", "pw_compute_points"].contains(&item) || item.starts_with("drives_");
        let unit = if is_storage {
            "bytes"
        } else if item.ends_with("compute_points") {
            "seconds"
        } else {
            ""
        };
        let has_infra = is_storage && !["local_storage", "notary_storage", "hci_total_storage"].contains(&item);
        for (kind, trial) in [("customer", at * 7), ("partner", at * 7)] {
            // The partner's component has the row without a cloud.
            let infra = match (has_infra, backend) {
                (false, _) => "",
                (true, "") => OWN,
                (true, _) => VENDORS,
            };
            let (level, change) = (at * 1000, at * 10);
            let is_range = if is_sum { "True" } else { "False" };
            csv.push_str(&format!(
                "backup,2026-10-31,{backend},{infra},,{is_range},{unit},{item},{TENANT}-{kind},{kind},{level},{trial},{},{change},{at},{}\n",
                level + trial,
                change + at
            ));
        }
    }
    csv
}

#[tokio::test]
async fn differences_from_vendors_billing_module_have_reasons() {
    let mut needed = BTreeSet::new();
    let fixtures = ["c03.csv", "c04.csv", "c05.csv", "c12.csv", "c24.csv", "c26.csv"];
    // With items of both licensings, of one, and of none.
    let made = [
        ("every metric", every_metric(|_| true)),
        ("by device", every_metric(|metric| !metric.starts_with("pg_"))),
        ("no prefix", every_metric(|metric| !metric.starts_with('p'))),
    ];
    let made = made.map(|(name, csv)| (name, csv.into_bytes()));
    let inputs = fixtures.map(|name| (name, fixture(name))).into_iter().chain(made);
    for (name, csv) in inputs {
        let server = server("csv_v2_0", ["2026-10-01", "2026-10-31"], csv.clone(), respond);
        let (client, file) = file(server.url()).await;
        let rows = client.usage_from_file(&file).await.unwrap();
        needed.extend(compare(&lines(&csv), &rows, &owned(), name));
    }
    let folder = tempfile::tempdir().unwrap();
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    for request in [summary().show_skus(false), summary()] {
        let file = files(&client, &request).await.remove(0);
        let path = folder.path().join("report.csv");
        client.save_to(&file, &path).await.unwrap();
        let lines = lines(&std::fs::read(&path).unwrap());
        let ids: BTreeSet<_> = lines.iter().map(|line| line["infra.id"].as_str()).filter(|id| !id.is_empty()).collect();
        let infra = client.api().list_infra().uuids(Vec::from_iter(ids).join(",")).send().await.unwrap();
        let owned = infra.items.iter().map(|infra| (infra.id.to_string(), infra.platform_owned.unwrap())).collect();
        needed.extend(compare(&lines, &client.usage_from_file(&file).await.unwrap(), &owned, demo::ACRONIS_TENANT_ID));
    }
    use Difference::*;
    assert_eq!(
        needed,
        [NotInList, TrialInTotal, LevelOfSum, PartnerHosted, Included, NotSold, CounterBesideItems, NotStated].into(),
        "each reason is needed"
    );
}
