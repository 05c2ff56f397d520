//! Facts about the account that reports lack: price list, licensing mode, kinds of tenants, owners of storage.

pub(super) mod facts;
pub(super) mod infrastructure;
pub(super) mod licensing_mode;
pub(super) mod price_book;
pub(super) mod tenant_kinds;
pub(super) mod tenants;
