//! Decodes rows of a report's file while it arrives.

use csv_async::AsyncReaderBuilder;
use futures_util::{StreamExt, TryStreamExt};
use serde::de::{self, Deserializer, Visitor};
use tokio_util::io::StreamReader;
use usage_billing::acronis::types::ReportFormat;
use usage_billing::acronis::{ReportRow, read_rows};
use usage_billing::{Decimal, Error, ErrorKind};

use super::{Result, Side};
use crate::clients::ByHand;

pub(super) async fn run(side: Side, base: &str, count: u64) -> Result<String> {
    let client = ByHand::bearer(base)?;
    let (id, stored) = create_report(&client, count).await?;
    let bytes = client.download(&format!("/api/2/reports/{id}/stored/{stored}")).await?;
    let mut sum = Sum::default();
    match side {
        Side::Ours => {
            let connection_error = |error: reqwest::Error| Error::new(ErrorKind::Connection, error.to_string());
            let mut rows = read_rows(&ReportFormat::CsvV20, bytes.map_err(connection_error)).await?;
            let mut row = ReportRow::default();
            while rows.next_into(&mut row).await? {
                let effective = row.effective.unwrap_or_default();
                sum.add(effective.total, row.absolute.production, row.sku.as_deref(), &row.tenant_kind);
            }
        }
        Side::ByHand => {
            let reader = StreamReader::new(bytes.map_err(std::io::Error::other));
            let mut rows = AsyncReaderBuilder::new().buffer_capacity(64 * 1024).create_deserializer(reader);
            let mut rows = rows.deserialize::<Row>();
            while let Some(row) = rows.next().await {
                let row = row?;
                sum.add(row.effective_total, row.absolute_production, row.sku.as_deref(), &row.tenant_kind);
            }
        }
    }
    let Sum { rows, total, production, length, customers } = sum;
    Ok(format!(
        "CHECKSUM download rows={rows} total={total:.3} production={production:.3} skulen={length} customers={customers}"
    ))
}

/// Creates the report and waits for its file. Both sides do this, and it takes little time compared with the file.
async fn create_report(client: &ByHand, count: u64) -> Result<(String, String)> {
    #[derive(serde::Deserialize)]
    struct Created {
        id: String,
    }
    #[derive(serde::Deserialize)]
    struct Stored {
        items: Vec<File>,
    }
    #[derive(serde::Deserialize)]
    struct File {
        id: String,
        status: String,
    }
    let body = serde_json::json!({
        "parameters": {
            "kind": "usage_summary", "tenant_id": format!("rows-{count}"), "level": "accounts", "formats": ["csv_v2_0"], "show_skus": true,
        },
        "schedule": {"type": "once"},
        "result_action": "save",
    });
    let report: Created = client.post("/api/2/reports", &body).await?;
    loop {
        let stored: Stored = client.get(&format!("/api/2/reports/{}/stored", report.id)).await?;
        let saved = stored.items.into_iter().find(|file| file.status == "saved");
        if let Some(file) = saved {
            return Ok((report.id, file.id));
        }
    }
}

/// A hand-written row with these columns and exact numbers.
#[derive(serde::Deserialize)]
#[expect(dead_code, reason = "decoded because our rows decode the same columns")]
struct Row {
    #[serde(rename = "tenant.id")]
    tenant_id: String,
    #[serde(rename = "tenant.name")]
    tenant_name: String,
    #[serde(rename = "tenant.kind")]
    tenant_kind: String,
    #[serde(rename = "tenant.parent_id")]
    parent_id: String,
    #[serde(rename = "application.id")]
    application_id: String,
    edition: Option<String>,
    name: String,
    measurement_unit: Option<String>,
    sku: Option<String>,
    #[serde(rename = "infra.id")]
    infra_id: Option<String>,
    #[serde(rename = "infra.backend_type")]
    infra_backend: Option<String>,
    #[serde(rename = "infra.owner_id")]
    infra_owner: Option<String>,
    #[serde(rename = "usage.absolute.total", deserialize_with = "exact")]
    absolute_total: Decimal,
    #[serde(rename = "usage.absolute.production", deserialize_with = "exact")]
    absolute_production: Decimal,
    #[serde(rename = "usage.absolute.trial", deserialize_with = "exact")]
    absolute_trial: Decimal,
    #[serde(rename = "usage.delta.total", deserialize_with = "exact")]
    delta_total: Decimal,
    #[serde(rename = "usage.delta.production", deserialize_with = "exact")]
    delta_production: Decimal,
    #[serde(rename = "usage.delta.trial", deserialize_with = "exact")]
    delta_trial: Decimal,
    #[serde(rename = "usage.effective.total", deserialize_with = "exact")]
    effective_total: Decimal,
    #[serde(rename = "usage.effective.production", deserialize_with = "exact")]
    effective_production: Decimal,
    #[serde(rename = "usage.effective.trial", deserialize_with = "exact")]
    effective_trial: Decimal,
}

fn exact<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Decimal, D::Error> {
    struct DecimalVisitor;
    impl Visitor<'_> for DecimalVisitor {
        type Value = Decimal;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a number")
        }
        fn visit_str<E: de::Error>(self, text: &str) -> std::result::Result<Decimal, E> {
            text.parse().map_err(E::custom)
        }
    }
    deserializer.deserialize_str(DecimalVisitor)
}

#[derive(Default)]
struct Sum {
    rows: u64,
    total: Decimal,
    production: Decimal,
    length: usize,
    customers: u64,
}

impl Sum {
    fn add(&mut self, total: Decimal, production: Decimal, sku: Option<&str>, kind: &str) {
        self.rows += 1;
        self.total += total;
        self.production += production;
        self.length += sku.map_or(0, str::len);
        self.customers += u64::from(kind == "customer");
    }
}
