//! The state of Genesys Cloud for the page.

use serde_json::{Value, json};

use super::Genesys;

/// Rows of each table.
const MAX_SHOWN: usize = 200;

pub(crate) fn summary(genesys: &Genesys) -> Value {
    let state = |done| if done { "Complete" } else { "Running" };
    let jobs = genesys.jobs();
    let reports = jobs.reports.iter().map(|((start, end), progress)| {
        let id = format!("{} to {}", start.date_naive(), end.date_naive());
        json!({"kind": "billable usage", "id": id, "state": state(genesys.is_done(progress))})
    });
    let queries = jobs
        .executions
        .iter()
        .map(|(id, execution)| json!({"kind": execution.kind(), "id": id, "state": genesys.status(execution)}));
    let aggregations = jobs
        .aggregations
        .iter()
        .map(|(id, job)| json!({"kind": job.kind(), "id": id, "state": job.status(genesys.is_done(&job.progress))}));
    let all: Vec<Value> = reports.chain(queries).chain(aggregations).collect();
    let newest: Vec<Value> = all.into_iter().rev().take(MAX_SHOWN).collect();
    let customers = genesys.dataset.genesys.summaries();
    let more = customers.len().saturating_sub(MAX_SHOWN);
    let customers: Vec<Value> = customers.take(MAX_SHOWN).collect();
    json!({"customers": customers, "more_customers": more, "jobs": newest})
}
