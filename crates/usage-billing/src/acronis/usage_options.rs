//! What happens with the reports that usage is read from.

/// Options of [`Client::usage_with`](super::Client::usage_with).
#[derive(Clone, Copy, Debug)]
pub struct UsageOptions {
    pub(super) reuses_reports: bool,
    pub(super) deletes_created_reports: bool,
}

impl UsageOptions {
    /// Reports that contain everything are reused, and created ones are kept.
    pub fn new() -> Self {
        Self { reuses_reports: true, deletes_created_reports: false }
    }

    /// Whether a report that the tenant has already is read, if it contains everything, in place of a new one.
    pub fn reuse_reports(self, reuse: bool) -> Self {
        Self { reuses_reports: reuse, ..self }
    }

    /// Whether a report is deleted once its rows have been read. Only a report that this call created for certain: never one that was there
    /// before, nor one that was found after a lost response, because it may be that of another program. A report whose rows could not be
    /// read stays.
    pub fn delete_created_reports(self, delete: bool) -> Self {
        Self { deletes_created_reports: delete, ..self }
    }
}

impl Default for UsageOptions {
    fn default() -> Self {
        Self::new()
    }
}
