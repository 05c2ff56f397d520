use super::*;
use crate::acronis::report_file::record::RecordBuf;

fn read(cells: &[(&str, &str)]) -> Result<ReportRow> {
    let names: RecordBuf = cells.iter().map(|(name, _)| *name).collect();
    let cells: RecordBuf = cells.iter().map(|(_, cell)| *cell).collect();
    Columns::new(names.as_record(), Shape::Table)?.row(7, cells.as_record())
}

fn cells() -> Vec<(&'static str, &'static str)> {
    let named = ["tenant.id", "tenant.kind", "application.name", "name"].map(|name| (name, "x"));
    let amounts = [
        "usage.absolute.production",
        "usage.absolute.trial",
        "usage.absolute.total",
        "usage.delta.production",
        "usage.delta.trial",
        "usage.delta.total",
    ];
    let rest = [
        ("is_range", "False"),
        ("date", "2026-10-31"),
        ("measurement_unit", ""),
        ("infra.id", ""),
        ("infra.owner_id", ""),
    ];
    named.into_iter().chain(rest).chain(amounts.map(|name| (name, "7"))).collect()
}

#[test]
fn columns_are_found_by_name_and_unknown_ones_kept() {
    let mut cells = cells();
    cells.reverse();
    cells.extend([("tenant.name", "Birch, \"Inc.\""), ("sku.family", "STO"), ("sku.note", "")]);
    let row = read(&cells).unwrap();
    assert_eq!((row.tenant_name.as_str(), row.absolute.total), ("Birch, \"Inc.\"", Decimal::from(7)));
    let other = [("sku.family", "STO"), ("sku.note", "")].map(|(name, cell)| (name.into(), cell.to_owned()));
    assert_eq!(row.other, BTreeMap::from(other));
    assert_eq!((row.number, row.effective, row.sku, row.measurement_unit), (7, None, None, None));
}

#[test]
fn refilled_row_keeps_no_earlier_content() {
    let filled = |cells: &[(&str, &str)], mut row: ReportRow| {
        let names: RecordBuf = cells.iter().map(|(name, _)| *name).collect();
        let cells: RecordBuf = cells.iter().map(|(_, cell)| *cell).collect();
        Columns::new(names.as_record(), Shape::Table).unwrap().fill(&mut row, 7, cells.as_record()).unwrap();
        row
    };
    let plain = cells();
    let mut full = plain.clone();
    full.extend([
        ("tenant.name", "Birch"),
        ("tenant.customer_id", "c-1"),
        ("application.id", "a-1"),
        ("edition", "advanced"),
        ("sku", "S-1"),
        ("infra.name", "n"),
        ("infra.backend_type", "acronis"),
        ("quota.value", "5"),
        ("pricing.mode", "trial"),
        ("pricing.currency", "EUR"),
        ("pricing.price", "1"),
        ("pricing.total_cost", "7"),
        ("note", "x"),
    ]);
    full.iter_mut().filter(|(name, _)| name.starts_with("infra.")).for_each(|(_, cell)| *cell = "i-1");
    full.extend([(EFFECTIVE[0], "1"), (EFFECTIVE[1], "2"), (EFFECTIVE[2], "3")]);
    let empty: Vec<_> = full.iter().map(|(name, cell)| (*name, if *name == "sku" { "" } else { *cell })).collect();
    let mut others = plain.clone();
    others.extend([("memo", "y"), ("note", "")]);
    let files = [plain, full, empty, others];
    for before in &files {
        for after in &files {
            let row = filled(after, filled(before, ReportRow::default()));
            assert_eq!(row, read(after).unwrap(), "{after:?} after {before:?}");
        }
    }
}

#[test]
fn byte_order_mark_is_not_part_of_a_name() {
    let mut cells = cells();
    cells[0].0 = "\u{feff}tenant.id";
    assert_eq!(read(&cells).unwrap().tenant_id, "x");
}

#[test]
fn columns_of_the_vendors_module_suffice() {
    let mut cells = cells();
    cells.retain(|(name, _)| !matches!(*name, "application.name" | "date" | "is_range"));
    cells.push(("application.id", "6e6d758d"));
    cells.extend(EFFECTIVE.map(|name| (name, "7")));
    let row = read(&cells).unwrap();
    assert_eq!((row.application.as_str(), row.application_id.as_deref()), ("6e6d758d", Some("6e6d758d")));
    assert_eq!((row.date, row.is_range), (None, false));
}

#[test]
fn cells_are_read_as_leniently_as_is_safe() {
    let with = |changes: &[(&str, &'static str)]| {
        let mut cells = cells();
        cells.push(("application.id", " 6e6d758d "));
        for (column, cell) in changes {
            cells.iter_mut().filter(|(name, _)| name == column).for_each(|(_, text)| *text = cell);
        }
        read(&cells)
    };
    let blank = with(&[
        ("tenant.id", " t-1\t"),
        ("measurement_unit", " bytes "),
        ("is_range", " True "),
        ("date", " 2026-10-31"),
        ("usage.absolute.total", " 7.5 "),
    ]);
    let blank = blank.unwrap();
    assert_eq!((blank.tenant_id.as_str(), blank.measurement_unit.as_deref()), ("t-1", Some("bytes")));
    assert_eq!((blank.is_range, blank.absolute.total), (true, Decimal::new(75, 1)));
    let empty = with(&[("tenant.kind", " "), ("application.name", "")]).unwrap();
    assert_eq!((empty.tenant_kind.as_str(), empty.application.as_str()), ("", "6e6d758d"));
    for (cell, number) in [
        ("1.0995116277760E12", "1099511627776.0"),
        ("1.0995116277760e+12", "1099511627776.0"),
        ("5E-1", "0.5"),
        ("-3.0", "-3.0"),
        ("0E0", "0"),
    ] {
        let read = with(&[("usage.absolute.total", cell)]).unwrap().absolute.total;
        assert_eq!(read.normalize(), number.parse::<Decimal>().unwrap().normalize(), "{cell}");
    }
    for (column, cell) in [
        ("usage.absolute.total", "1,5"),
        ("usage.absolute.total", "1 024"),
        ("usage.absolute.total", "NaN"),
        ("is_range", "1"),
        ("tenant.id", " "),
        ("name", "\t"),
    ] {
        assert!(with(&[(column, cell)]).is_err(), "{column} {cell:?} could be billed wrongly");
    }
}

#[test]
fn all_missing_columns_are_named_at_once() {
    let mut cells = cells();
    cells.retain(|(name, _)| !matches!(*name, "tenant.id" | "usage.delta.total"));
    cells.push(("usage.effective.total", "7"));
    let error = read(&cells).unwrap_err().to_string();
    let missing = "tenant.id, usage.delta.total, usage.effective.production, usage.effective.trial";
    assert_eq!(error, format!("the report lacks {missing}: is it csv_v2_0 or json_v2_0?"));
}

const EFFECTIVE: [&str; 3] = ["usage.effective.production", "usage.effective.trial", "usage.effective.total"];

#[test]
fn columns_that_billing_needs_are_required() {
    let without = |columns: &[&str]| {
        let mut cells = cells();
        cells.retain(|(name, _)| !columns.contains(name));
        cells
    };
    for (columns, missing) in [
        (&["infra.id", "infra.owner_id"][..], "infra.id, infra.owner_id"),
        (&["infra.id"], "infra.id"),
        (&["infra.owner_id"], "infra.owner_id"),
        (&["is_range"], "is_range"),
    ] {
        let mut cells = without(columns);
        cells.extend([
            ("location.id", "i-1"),
            ("location.owner_id", "o-1"),
            ("infra.name", "n"),
            ("infra.backend_type", ""),
        ]);
        let error = read(&cells).unwrap_err().to_string();
        assert_eq!(error, format!("the report lacks {missing}: is it csv_v2_0 or json_v2_0?"));
    }
    let mut without_component = without(&["infra.id", "infra.owner_id"]);
    without_component.push(("infra", ""));
    assert!(read(&without_component).is_err(), "a column of a table");
}

#[test]
fn duplicate_column_is_rejected() {
    let mut cells = cells();
    cells.push(("name", "y"));
    assert!(read(&cells).unwrap_err().to_string().starts_with("the report has the column name twice"));
}

#[test]
fn unreadable_cell_error_names_row_and_column() {
    for (column, cell, expected) in [
        ("usage.absolute.trial", "many", "usage.absolute.trial is `many`, which cannot be read"),
        ("usage.absolute.trial", "", "usage.absolute.trial is empty"),
        ("tenant.id", "", "tenant.id is empty"),
        ("is_range", "yes", "is_range is `yes`, which cannot be read"),
        ("date", "31.10.2026", "date is `31.10.2026`, which cannot be read"),
    ] {
        let mut cells = cells();
        cells.iter_mut().filter(|(name, _)| *name == column).for_each(|(_, text)| *text = cell);
        assert_eq!(read(&cells).unwrap_err().to_string(), format!("row 7 of the report: {expected}"));
    }
}
