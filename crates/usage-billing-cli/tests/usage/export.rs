//! `usage export`.

use std::fs;

use crate::support::{Run, fetch, path, program};

fn export(arguments: &[&str]) -> Run {
    Run::of(program(&["usage", "export", "--focus", "1.4"]).args(arguments))
}

#[test]
fn charges_go_to_a_csv_file_or_to_stdout() {
    let folder = tempfile::tempdir().unwrap();
    let (rows, focus) = (path(folder.path(), "rows.jsonl"), path(folder.path(), "focus.csv"));
    let october = ["genesys", "--period", "2026-10", "--output", &rows];
    fetch(&[&october[..], &["--clients", "b7a0c2d4-19e6-4f3b-8d51-6c2e9f0a7713"]].concat()).ok();
    export(&[&rows, "--output", &focus]).exits(4);
    let to_stdout = export(&[&rows]).exits(4);
    assert_eq!(to_stdout.text(), fs::read_to_string(&focus).unwrap());
    assert_eq!(export(&[&rows, "-o", "-"]).exits(4).text(), to_stdout.text());
    assert!(to_stdout.text().starts_with("BilledCost,") && to_stdout.text().lines().count() > 3);
}

#[test]
fn wrong_input_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let rows = path(folder.path(), "rows.jsonl");
    fetch(&["acronis", "--period", "2026-10", "--output", &rows]).ok();
    let header = "vendor;sku;unit;currency;unit_price\n";
    let book = |name: &str, text: &[u8]| {
        let file = path(folder.path(), name);
        fs::write(&file, text).unwrap();
        file
    };
    let vendor = book("vendor.csv", format!("{header}acronsi;A;GiB;EUR;1\n").as_bytes());
    let price = book("price.csv", format!("{header}acronis;A;GiB;EUR;0,05\n").as_bytes());
    let utf16: Vec<u8> = format!("\u{feff}{header}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let utf16 = book("utf16.csv", &utf16);
    let pdf = book("prices.pdf", b"");
    let output = path(folder.path(), "focus.xlsx");
    for (arguments, expected) in [
        (&["--output", &*output][..], "focus.xlsx` ends with .xlsx, and the output is .csv: change the ending"),
        (&[&*rows], "rows.jsonl` is named twice, itself or by its folder: name it once"),
        (&["--prices", &vendor], "vendor.csv`, line 2: `acronsi` is not a vendor: did you mean `acronis`?"),
        (&["--prices", &price], "price.csv`, line 2: `0,05` is not a price: expected at most 28 digits with a point"),
        (&["--prices", &utf16], "utf16.csv` cannot be read: it is not UTF-8: save it as CSV UTF-8"),
        (&["--prices", &pdf], "prices.pdf` cannot be read: expected .csv, .xlsx, .xls or .ods"),
        (&["--prices", "absent.csv"], "the price book `absent.csv` cannot be read: No such file"),
    ] {
        let run = export(&[&[&*rows][..], arguments].concat()).exits(2);
        assert!(run.stderr.contains(expected) && run.stderr.lines().count() == 1, "{arguments:?}: {}", run.stderr);
        assert_eq!(run.text(), "");
    }
}
