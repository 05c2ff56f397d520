//! The arguments that select another report of Acronis.

use std::collections::BTreeMap;

use clap::Args;
use usage_billing::Period;
use usage_billing::acronis::ReportRequest;
use usage_billing::uuid::Uuid;

/// Another report than the one that bills use.
#[derive(Args, Clone, Debug)]
pub(crate) struct AcronisArguments {
    /// Level of the Acronis partner's tree whose tenants have rows. Levels other than the default contain the usage of others again: do not add
    /// levels up [default: direct_partners].
    #[arg(long, value_name = "LEVEL", value_parser = ["itself", "direct_partners", "all_customers", "accounts"])]
    #[arg(conflicts_with_all = ["report", "delete_report"])]
    acronis_level: Option<String>,

    /// Values of the Acronis report: of the month, or of each of its days; rows of days are not billable [default: usage_summary].
    #[arg(long, value_name = "KIND", value_parser = ["usage_summary", "usage_daily", "usage_breakdown"])]
    #[arg(conflicts_with_all = ["report", "delete_report"])]
    acronis_kind: Option<String>,
}

impl AcronisArguments {
    /// Returns what is set, for the manifest of a data set.
    pub(crate) fn options(&self) -> BTreeMap<String, String> {
        let options = [("level", &self.acronis_level), ("kind", &self.acronis_kind)];
        options.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?))).collect()
    }

    /// Returns the request of the report of a month.
    pub(super) fn request(&self, tenant: Uuid, month: Period) -> ReportRequest {
        let request = match self.acronis_kind.as_deref() {
            Some("usage_daily") => ReportRequest::usage_daily(tenant, month),
            Some("usage_breakdown") => ReportRequest::usage_breakdown(tenant, month),
            _ => ReportRequest::usage_summary(tenant, month),
        };
        self.acronis_level.iter().fold(request, |request, level| request.level(level.clone().into()))
    }
}
