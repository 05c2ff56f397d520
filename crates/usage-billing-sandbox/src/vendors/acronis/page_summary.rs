//! The state of Acronis for the page.

use serde_json::{Value, json};

use super::Acronis;

/// Rows of each table.
const MAX_SHOWN: usize = 200;

pub(crate) fn summary(acronis: &Acronis) -> Value {
    let reports: Vec<_> = acronis
        .reports()
        .kept
        .iter()
        .map(|(_, stored)| {
            let report = &stored.report;
            let parameters = &report.parameters;
            let files = parameters.formats.iter().zip(0..).map(|(format, index)| {
                let status = stored.runs.last().map(|run| acronis.status(stored, *run, format, index).to_string());
                let status = status.unwrap_or_else(|| "not due".to_owned());
                (format.to_string(), status)
            });
            json!({
                "id": report.id,
                "kind": parameters.kind,
                "level": parameters.level,
                "period": format!("{} to {}", parameters.period.start, parameters.period.end),
                "tenant": parameters.tenant_id,
                "files": files.collect::<Vec<_>>(),
            })
        })
        .collect();
    let newest: Vec<_> = reports.into_iter().rev().take(MAX_SHOWN).collect();
    let tree = &acronis.dataset.acronis;
    let tenants = by_parent(acronis);
    let shown = tenants.iter().take(MAX_SHOWN).filter_map(|index| {
        let tenant = tree.get(*index)?;
        let mode = if tenant.is_trial(acronis.dataset.today()) { "trial" } else { "production" };
        Some(json!({
            "id": tenant.id,
            "name": tenant.name,
            "kind": tenant.kind,
            "depth": tree.ancestors(*index).count(),
            "mode": if tenant.deleted { "deleted" } else { mode },
        }))
    });
    json!({
        "reports": newest,
        "tenants": shown.collect::<Vec<_>>(),
        "more_tenants": tenants.len().saturating_sub(MAX_SHOWN),
    })
}

/// Returns the indexes of all tenants, each followed by its children.
fn by_parent(acronis: &Acronis) -> Vec<usize> {
    let tree = &acronis.dataset.acronis;
    let roots = (0..).map_while(|index| Some((index, tree.get(index)?)));
    let mut open: Vec<usize> = roots.filter(|(_, tenant)| tenant.parent.is_none()).map(|(index, _)| index).collect();
    open.reverse();
    let mut indexes = Vec::new();
    while let Some(index) = open.pop() {
        indexes.push(index);
        let before = open.len();
        open.extend(tree.children(index));
        open[before..].reverse();
    }
    indexes
}
