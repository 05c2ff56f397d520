//! Options that select the dataset.

use chrono::NaiveDate;
use clap::Args;

use crate::dataset::Size;
use crate::server::SandboxBuilder;

/// The options are global: they apply to all commands.
#[derive(Args, Clone, Debug)]
pub(super) struct DatasetOptions {
    /// Seed of the dataset: another number has other names and quantities.
    #[arg(long, global = true, value_name = "NUMBER", default_value_t = 0)]
    seed: u64,

    /// Day of the start (2026-11-21), for the same responses on any day; the sandbox starts at noon, UTC [default: now].
    #[arg(long, global = true, value_name = "DAY")]
    today: Option<NaiveDate>,

    /// Tenants of the Acronis partner, 13 to 10000 [default: 13].
    #[arg(long, global = true, value_name = "NUMBER")]
    tenants: Option<u32>,

    /// Customer organizations of the Genesys Cloud partner, 3 to 1000 [default: 3].
    #[arg(long, global = true, value_name = "NUMBER")]
    organizations: Option<u32>,

    /// Entitlements of the Suger organization, 5 to 1000 [default: 5].
    #[arg(long, global = true, value_name = "NUMBER")]
    entitlements: Option<u32>,

    /// Usage record groups of the Suger organization, 0 to 1000000 [default: 2745].
    #[arg(long, global = true, value_name = "NUMBER")]
    record_groups: Option<u32>,

    /// Months over which the usage record groups are spread, 1 to 36 [default: 2].
    #[arg(long, global = true, value_name = "NUMBER")]
    months: Option<u32>,
}

impl DatasetOptions {
    pub(super) fn apply(&self, builder: SandboxBuilder) -> SandboxBuilder {
        type Set = fn(Size, u32) -> Size;
        let sizes: [(Option<u32>, Set); 5] = [
            (self.tenants, Size::tenants),
            (self.organizations, Size::organizations),
            (self.entitlements, Size::entitlements),
            (self.record_groups, Size::record_groups),
            (self.months, Size::months),
        ];
        let size = sizes.into_iter().fold(Size::default(), |size, (number, set)| match number {
            Some(number) => set(size, number),
            None => size,
        });
        let builder = builder.seed(self.seed).size(size);
        match self.today {
            Some(today) => builder.today(today),
            None => builder,
        }
    }
}
