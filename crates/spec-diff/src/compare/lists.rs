//! Lists: their first items, and all others.

use openapi_document::Node;
use serde_json::Value;

use super::{Circumstance, Comparison, Context, Finding};
use crate::{
    classification::Direction,
    rule::rules,
    schema::{ANYTHING, Item, Schema, same},
};

rules! {
    ITEMS_CLOSED = Rule::data("items-closed", Composition, (Breaking, Info), Major, "items-opened",
        "an array has no more items than those that are listed");
    ITEMS_OPENED = Rule::data("items-opened", Composition, (Info, Breaking), Major, "items-closed",
        "an array may have more items than those that are listed");
    PREFIX_ITEMS_ADDED = Rule::data("prefix-items-added", Composition, (Breaking, Info), Major, "prefix-items-removed",
        "an array's first items have types of their own");
    PREFIX_ITEMS_REMOVED = Rule::data("prefix-items-removed", Composition, (Info, Breaking), Major,
        "prefix-items-added", "an array's first items no longer have types of their own");
}

impl<'a> Comparison<'a> {
    pub(super) fn lists(&mut self, old: &Schema<'a>, new: &Schema<'a>, context: Context) {
        let (before, after) = (old.prefix_items.len(), new.prefix_items.len());
        for index in 0..=before.max(after) {
            let anything = |schema: &Schema<'a>| vec![Node { value: &ANYTHING, at: schema.at.clone() }];
            match (old.item(index), new.item(index)) {
                (Item::Of(parts), Item::Of(others)) => self.usages(&parts, &others, context.inside()),
                (Item::Any, Item::Of(others)) => self.usages(&anything(old), &others, context.inside()),
                (Item::Of(parts), Item::Any) => self.usages(&parts, &anything(new), context.inside()),
                // Only what follows the first items on both sides: that there are more or fewer of them is reported below.
                (Item::Any | Item::Of(_), Item::Never) if index >= before => {
                    self.note_data(context, Finding::new(&ITEMS_CLOSED).at(&old.at, &new.at));
                }
                (Item::Never, Item::Any | Item::Of(_)) if index >= after => {
                    self.note_data(context, Finding::new(&ITEMS_OPENED).at(&old.at, &new.at));
                }
                _ => {}
            }
        }
        self.first_items(old, new, context);
    }

    /// Reports more or fewer items with a schema of their own.
    fn first_items(&mut self, old: &Schema<'a>, new: &Schema<'a>, context: Context) {
        let (before, after) = (old.prefix_items.len(), new.prefix_items.len());
        let (rule, was_closed) = match before.cmp(&after) {
            std::cmp::Ordering::Equal => return,
            std::cmp::Ordering::Less => (&PREFIX_ITEMS_ADDED, old.is_closed()),
            std::cmp::Ordering::Greater => (&PREFIX_ITEMS_REMOVED, new.is_closed()),
        };
        let is_same = |index: usize| match (old.item(index), new.item(index)) {
            (Item::Of(parts), Item::Of(others)) => matches!((parts.as_slice(), others.as_slice()), ([part], [other])
                if same((&self.base, part), (&self.revision, other))),
            (Item::Any, Item::Any) => true,
            _ => false,
        };
        if (before.min(after)..before.max(after)).all(is_same) {
            return;
        }
        let count = |count: usize| Some(Value::from(count));
        let finding = Finding::new(rule).at(&old.at, &new.at).values(count(before), count(after));
        // Where no item may follow the first ones, one more of them is one more value that fits, and one less is one less.
        let widens = (before < after) == (context.direction == Direction::Request);
        let circumstance = if widens { Circumstance::MoreAllowed } else { Circumstance::LessAllowed };
        self.note_data(context, finding.when(was_closed, circumstance));
    }
}
