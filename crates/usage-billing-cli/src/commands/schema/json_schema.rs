//! JSON Schema of a row.

use serde_json::{Map, Value, json};
use usage_billing::UsageRow;

use crate::formats::columns::{ColumnType, column_type, is_required};

/// Plain notation: no exponent.
const DECIMAL: &str = r"^-?[0-9]+(\.[0-9]+)?$";

/// Returns the schema of an object. Every column is there; those without a value are null.
pub(super) fn schema() -> Value {
    let properties: Map<_, _> =
        UsageRow::COLUMNS.into_iter().map(|column| (column.to_owned(), property(column))).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "usage row",
        "type": "object",
        "properties": properties,
        "required": UsageRow::COLUMNS.as_slice(),
    })
}

fn property(column: &str) -> Value {
    let (name, mut property) = match column_type(column) {
        ColumnType::Text => ("string", json!({})),
        ColumnType::Decimal { .. } => ("string", json!({"pattern": DECIMAL})),
        ColumnType::Time => ("string", json!({"format": "date-time"})),
        ColumnType::Boolean => ("boolean", json!({})),
        ColumnType::Integer => ("integer", json!({})),
    };
    property["type"] = if is_required(column) { json!(name) } else { json!([name, "null"]) };
    property
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::columns::values;
    use crate::formats::tests::{full_row, row};

    /// Returns whether the value has one of the types that the schema states.
    fn fits(value: &Value, property: &Value) -> bool {
        let types = property["type"].as_array().cloned().unwrap_or_else(|| vec![property["type"].clone()]);
        let name = match value {
            Value::Null => "null",
            Value::String(_) => "string",
            Value::Bool(_) => "boolean",
            _ => "integer",
        };
        types.contains(&name.into())
    }

    #[test]
    fn rows_have_the_types_of_the_schema() {
        let schema = schema();
        let properties = schema["properties"].as_object().unwrap();
        assert_eq!(properties.len(), UsageRow::COLUMNS.len());
        for row in [full_row(), row("-0.000000001"), row("79228162514264337593543950335")] {
            let values = values(&row).unwrap();
            assert!(values.keys().eq(properties.keys()));
            for (column, value) in &values {
                assert!(fits(value, &properties[column]), "{column}: {value}");
                let is_decimal = properties[column].get("pattern").is_some();
                let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || b"-.".contains(&byte));
                assert!(!is_decimal || value.is_null() || value.as_str().is_some_and(is_plain), "{column}: {value}");
            }
        }
    }
}
