//! The products of the dataset, one for each marketplace, with their dimensions.

use usage_billing_suger::types::Partner;

/// Used rarely, to test whether a client preserves all digits of a decimal.
pub(super) const EXACT_DIGITS: &str = "exact_digits_test";

pub(super) struct Dimension {
    pub(super) key: &'static str,
    pub(super) name: &'static str,
    /// List price of a unit, in ten-thousandths.
    pub(super) price: i64,
    /// Range of the quantities of groups in the dataset, and the decimal places of these numbers. `None`: only callers report it.
    pub(super) usual: Option<(u64, u64, u32)>,
}

/// The product of a marketplace.
pub(crate) struct Product {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) partner: Partner,
    pub(super) dimensions: &'static [Dimension],
}

pub(super) static PRODUCTS: [Product; 3] = [
    Product {
        id: "prd-aws01",
        name: "Analytics 分析, SaaS",
        partner: Partner::Aws,
        dimensions: &[
            Dimension { key: "ingest_gb", name: "Ingest, GB", price: 350, usual: Some((5, 20_000_000, 4)) },
            Dimension { key: "api_calls", name: "API calls", price: 2, usual: Some((10_000_000, 100_000_000, 2)) },
            Dimension { key: "api_calls_1k", name: "API calls, thousands", price: 2_000, usual: None },
            Dimension { key: "usd_cent", name: "US cents", price: 100, usual: None },
        ],
    },
    Product {
        id: "prd-azu01",
        name: "Analytics for Azure",
        partner: Partner::Azure,
        // Each report counts the seats of an hour or two.
        dimensions: &[Dimension { key: "seats", name: "Seats", price: 160, usual: Some((100, 400, 0)) }],
    },
    Product {
        id: "prd-gcp01",
        name: "Analytics for GCP",
        partner: Partner::Gcp,
        dimensions: &[
            Dimension { key: "node_hours", name: "Node hours", price: 9_125, usual: Some((500, 96_000, 3)) },
            Dimension { key: EXACT_DIGITS, name: "Exact digits (a test of decimals)", price: 0, usual: None },
        ],
    },
];

/// Returns the product that is sold on a marketplace.
pub(super) fn product_of(partner: &Partner) -> &'static Product {
    PRODUCTS.iter().find(|product| product.partner == *partner).unwrap_or(&PRODUCTS[0])
}
