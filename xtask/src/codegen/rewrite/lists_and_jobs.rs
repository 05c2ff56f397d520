//! The methods of calls that send more than one request, by the document's extensions.

use openapi_document::operations;
use serde_json::Value;
use syn::{File, ImplItem, Item};

use super::{call_model::CallModel, jobs, last_name, module, pages};
use crate::codegen::identifiers::type_name;

/// An extension by which no method could be generated.
pub(crate) struct Omitted {
    /// The pointer of the extension.
    pub(crate) at: String,
    /// The operation, the method and the reason.
    pub(crate) reason: String,
}

/// Adds the methods to the calls.
pub(super) fn add(file: &mut File, root: &Value) -> Vec<Omitted> {
    let model = CallModel::new(file);
    let mut omitted = Vec::new();
    for operation in operations(root).iter().filter(|operation| !operation.is_sent_by_core()) {
        let paging = operation.value.get("x-pagination").and_then(Value::as_object);
        let job = jobs::extension(operation);
        let is_own = job.is_some_and(|job| job.get("poll").and_then(Value::as_str) == Some(operation.id()));
        let stream = paging.map(|paging| ("x-pagination", "stream", pages::stream(&model, root, operation, paging)));
        let job = job.map(|job| match is_own {
            true => ("x-long-running", "poll", jobs::poll(&model, root, operation, job)),
            false => ("x-long-running", "start", jobs::start(&model, root, operation, job)),
        });
        for (extension, method, made) in stream.into_iter().chain(job) {
            match made {
                Ok(method) => extend(file, &type_name(operation.id()), method),
                Err(reason) => omitted.push(Omitted {
                    at: format!("{}/{extension}", operation.pointer),
                    reason: format!("{} has no method `{method}`: {reason}", operation.id()),
                }),
            }
        }
    }
    omitted
}

fn extend(file: &mut File, call: &str, method: ImplItem) {
    let block = module(&mut file.items, "builder").into_iter().flatten().find_map(|item| match item {
        Item::Impl(block) if block.trait_.is_none() && last_name(&block.self_ty).is_some_and(|name| name == call) => {
            Some(block)
        }
        _ => None,
    });
    if let Some(block) = block {
        block.items.push(method);
    }
}
