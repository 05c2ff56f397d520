//! Ids that a sandbox has returned.

use serde_json::Value;

/// Ids in responses, for later requests; newer ones replace others.
#[derive(Default)]
pub(super) struct FoundIds {
    pub(super) ids: Vec<String>,
    count: usize,
}

impl FoundIds {
    const MOST: usize = 64;

    pub(super) fn collect(&mut self, response: &Value) {
        match response {
            Value::Array(items) => items.iter().for_each(|item| self.collect(item)),
            Value::Object(fields) => {
                for (name, field) in fields {
                    match field.as_str().filter(|_| name.to_ascii_lowercase().ends_with("id")) {
                        Some(id) => self.add(id),
                        None => self.collect(field),
                    }
                }
            }
            _ => {}
        }
    }

    fn add(&mut self, id: &str) {
        // A stride that reaches all: pages of ids replace some of each earlier page.
        let at = self.count * 29 % Self::MOST;
        self.count += 1;
        match self.ids.get_mut(at).filter(|_| self.count > Self::MOST) {
            Some(replaced) => *replaced = id.to_owned(),
            None => self.ids.push(id.to_owned()),
        }
    }
}
