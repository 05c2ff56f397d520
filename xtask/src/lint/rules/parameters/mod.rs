//! Rules about parameters.

pub(in crate::lint) mod parameter_location;
pub(in crate::lint) mod parameter_name;
pub(in crate::lint) mod parameter_required;
pub(in crate::lint) mod parameter_schema;
pub(in crate::lint) mod parameter_style;
pub(in crate::lint) mod parameter_type;
pub(in crate::lint) mod path_parameter;
