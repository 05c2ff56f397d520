//! Wrong input of the commands on usage data: one line, before anything is fetched or printed.

use std::fs;

use serde::Deserialize;
use serde_json::json;

use crate::support::{Run, fetch, path, program, write_changed};

/// A line of `wrong_input.jsonl`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// The arguments of `usage`, separated by spaces.
    run: String,
    /// A last argument, which may have spaces.
    last: Option<String>,
    #[serde(default = "usual_code")]
    code: i32,
    /// The line beside the address of a sandbox, or the last one if there are rows.
    error: String,
    /// Rows are printed before it, and what the result is based on.
    #[serde(default)]
    has_rows: bool,
}

fn usual_code() -> i32 {
    2
}

#[test]
fn wrong_input_is_one_line_before_anything_is_fetched() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (arguments, name, code) in [
        ("suger --period 2026-10", "suger.csv", 0),
        ("suger --period 2026-10", "suger.jsonl", 0),
        ("suger --period 2026-09..2026-10", "months.jsonl", 0),
        ("acronis --period 2026-10", "acronis.jsonl", 0),
        ("acronis --period 2026-10 --acronis-level all_customers", "all_customers.jsonl", 0),
        ("genesys --period 2026-10 --clients b7a0c2d4-19e6-4f3b-8d51-6c2e9f0a7713", "genesys.jsonl", 0),
    ] {
        let arguments = arguments.split(' ').chain(["--output"]).collect::<Vec<_>>();
        fetch(&[&arguments[..], &[&path(folder, name)]].concat()).exits(code);
    }
    let changed = |from, sku, name, changes| write_changed(&path(folder, from), &path(folder, name), sku, &changes);
    let server = "DEMO-SRV-PW";
    changed("acronis.jsonl", server, "other_report.jsonl", json!({"source_report_id": "r-2"}));
    changed("acronis.jsonl", server, "other_account.jsonl", json!({"account_id": "t-7"}));
    changed("genesys.jsonl", "GC-170-NV-IVRMIN", "other_operation.jsonl", json!({"source_operation": "other"}));
    changed(
        "genesys.jsonl",
        "GC-170-NV-IVRMIN",
        "by_name.jsonl",
        json!({"source_operation": "other", "sku": "IVR Minutes"}),
    );
    fs::copy(folder.join("suger.csv"), folder.join("copy.csv")).unwrap();
    let rows = fs::read_to_string(folder.join("suger.jsonl")).unwrap();
    let first = rows.lines().next().unwrap();
    let prices = "vendor;sku;unit;currency;unit_price\n";
    for (name, text) in [
        ("twice.jsonl", format!("{first}\n{first}\n")),
        ("empty_period.jsonl", first.replace("\"2026-11-01T00:00:00Z\"", "\"2026-10-01T00:00:00Z\"")),
        ("other.csv", "customer,sku,quantity\nContoso,Support,1\n".to_owned()),
        ("comma.csv", "customer,sku,quantity\nContoso,Support,\"1,5\"\n".to_owned()),
        ("headers.csv", "a,b\n1,2\n".to_owned()),
        ("broken.xlsx", "not a workbook".to_owned()),
        ("vendor.csv", format!("{prices}acronsi;A;GiB;EUR;1\n")),
        ("price.csv", format!("{prices}acronis;A;GiB;EUR;0,05\n")),
        ("prices.pdf", String::new()),
    ] {
        fs::write(folder.join(name), text).unwrap();
    }
    let utf16 = format!("\u{feff}{prices}").encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    fs::write(folder.join("utf16.csv"), utf16).unwrap();
    let cases: Vec<Case> =
        include_str!("wrong_input.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(cases.len(), 61);
    for Case { run, last, code, error, has_rows } in cases {
        let arguments = run.split(' ').chain(last.as_deref());
        let found = Run::new(program(&["usage"]).args(arguments).current_dir(folder)).exits(code);
        let lines: Vec<_> = found.stderr.lines().filter(|line| !line.starts_with("sandbox: ")).collect();
        let line = lines.last().unwrap();
        assert!(line.starts_with("error: ") && line.contains(&error), "{run}: {}", found.stderr);
        assert!(lines.len() == 1 || has_rows, "{run}: {}", found.stderr);
        assert!(!found.stderr.contains("fetching") && found.text().is_empty() != has_rows, "{run}: {}", found.text());
    }
    assert!(!folder.join("usage.html").exists());
}
