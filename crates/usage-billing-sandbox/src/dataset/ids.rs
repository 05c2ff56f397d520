//! Ids of the dataset.

use uuid::Uuid;

/// Namespace of all generated ids.
const NAMESPACE: Uuid = Uuid::from_u128(0x7b1d_90c4_52ef_4a36_8f0a_d3c2_61b7_e954);

/// Returns the id of a name, which is the same in all datasets.
pub(crate) fn id(name: &str) -> Uuid {
    Uuid::new_v5(&NAMESPACE, name.as_bytes())
}
