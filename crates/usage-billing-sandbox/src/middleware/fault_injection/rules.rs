//! The faults that are due, and which of them meets a request.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use super::fault::Fault;
use crate::bounded_map::Bounded;
use crate::vendors::Call;

/// Standing faults.
const MOST_RULES: usize = 1_000;
/// Faults by header that are remembered.
const MOST_TEXTS: usize = 1_000;
/// Faults that one request can bring along.
const MOST_BROUGHT: usize = 10;

/// All faults of a sandbox. Each has dice of its own, so that what one draws does not depend on the others.
pub(crate) struct Faults {
    seed: u64,
    state: Mutex<State>,
}

struct State {
    next_id: u64,
    standing: Vec<Rule>,
    /// By their text: a request that is sent again with its header meets the same fault, not a new one.
    brought: Bounded<String, Rule>,
}

/// A fault and what became of it.
#[derive(Clone, Serialize)]
pub(crate) struct Rule {
    id: u64,
    fault: Fault,
    /// Requests that it was held against.
    seen: u64,
    /// Requests that it met.
    met: u32,
    #[serde(skip)]
    dice: fastrand::Rng,
}

/// Where a fault that met a request came from.
pub(super) enum Origin {
    Standing(u64),
    Brought(String),
}

impl Faults {
    /// # Errors
    /// What is wrong with a fault.
    pub(crate) fn new(seed: u64, faults: Vec<Fault>) -> Result<Self, String> {
        let state = State { next_id: 1, standing: Vec::new(), brought: Bounded::new(MOST_TEXTS) };
        let all = Self { seed, state: Mutex::new(state) };
        all.add(faults)?;
        Ok(all)
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// All of them or, with what is wrong, none.
    pub(crate) fn add(&self, faults: Vec<Fault>) -> Result<(), String> {
        if let Some(objection) = faults.iter().find_map(Fault::objection) {
            return Err(objection);
        }
        let state = &mut *self.state();
        if state.standing.len().saturating_add(faults.len()) > MOST_RULES {
            return Err(format!("There are {MOST_RULES} faults at most."));
        }
        for fault in faults {
            state.standing.push(self.rule(state.next_id, fault));
            state.next_id += 1;
        }
        Ok(())
    }

    pub(crate) fn clear(&self) {
        let state = &mut *self.state();
        state.standing.clear();
        state.brought = Bounded::new(MOST_TEXTS);
    }

    pub(crate) fn remove(&self, id: u64) -> bool {
        let standing = &mut self.state().standing;
        let before = standing.len();
        standing.retain(|rule| rule.id != id);
        standing.len() < before
    }

    pub(crate) fn rules(&self) -> Vec<Rule> {
        self.state().standing.clone()
    }

    /// The faults that a request meets, those that it brought along last.
    pub(super) fn draw(&self, call: &Call, brought: &[String]) -> Result<Vec<(Origin, Fault)>, String> {
        if brought.len() > MOST_BROUGHT {
            return Err(format!("A request brings {MOST_BROUGHT} faults at most."));
        }
        let state = &mut *self.state();
        for text in brought {
            if state.brought.get(text).is_none() {
                let fault: Fault = text.parse()?;
                if let Some(objection) = fault.objection() {
                    return Err(objection);
                }
                state.brought.insert(text.clone(), self.rule(0, fault));
            }
        }
        let mut met: Vec<_> = state
            .standing
            .iter_mut()
            .filter_map(|rule| rule.meets(call).then(|| (Origin::Standing(rule.id), rule.fault.clone())))
            .collect();
        for text in brought {
            let Some(rule) = state.brought.get_mut(text) else { continue };
            if rule.meets(call) {
                met.push((Origin::Brought(text.clone()), rule.fault.clone()));
            }
        }
        Ok(met)
    }

    /// The fault found nothing to do: it is still to come.
    pub(super) fn give_back(&self, origin: &Origin) {
        let state = &mut *self.state();
        let rule = match origin {
            Origin::Standing(id) => state.standing.iter_mut().find(|rule| rule.id == *id),
            Origin::Brought(text) => state.brought.get_mut(text),
        };
        if let Some(rule) = rule {
            rule.met = rule.met.saturating_sub(1);
        }
    }

    fn rule(&self, id: u64, fault: Fault) -> Rule {
        // The dice depend on nothing but the seed and the fault's place.
        Rule { id, fault, seen: 0, met: 0, dice: fastrand::Rng::with_seed(self.seed.wrapping_add(id)) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rule {
    fn meets(&mut self, call: &Call) -> bool {
        let terms = self.fault.terms();
        let is_meant = match (&terms.operation, call.vendor) {
            (None, _) => true,
            (Some(selector), Some(vendor)) => vendor.is_meant(call.operation, selector),
            (Some(_), None) => false,
        };
        if !is_meant {
            return false;
        }
        self.seen += 1;
        if self.seen <= terms.skip.unwrap_or(0).into() || terms.times.is_some_and(|times| self.met >= times) {
            return false;
        }
        let meets = terms.percent.is_none_or(|percent| self.dice.u8(..100) < percent);
        self.met = self.met.saturating_add(meets.into());
        meets
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vendors::Vendor;
    use http::Method;
    use uuid::Uuid;

    fn call(method: Method, path: &str) -> Call {
        let vendor = Vendor::of(path);
        let operation = vendor.and_then(|vendor| vendor.operation(&method, path));
        Call { number: 1, correlation_id: Uuid::nil(), vendor, operation }
    }

    fn pattern(fault: &str, seed: u64) -> String {
        let faults = Faults::new(seed, vec![fault.parse().unwrap()]).unwrap();
        let buyers = call(Method::GET, "/org/x/buyer");
        (0..12).map(|_| if faults.draw(&buyers, &[]).unwrap().is_empty() { '.' } else { 'x' }).collect()
    }

    #[test]
    fn a_fault_comes_as_often_as_its_terms_say() {
        for (fault, expected) in [
            ("503", "xxxxxxxxxxxx"),
            ("503; times=2", "xx.........."),
            ("503; times=2; skip=3", "...xx......."),
            ("503; percent=0", "............"),
            ("503; operation=listBuyers", "xxxxxxxxxxxx"),
            ("503; operation=suger; times=1", "x..........."),
            ("503; operation=getBuyer", "............"),
        ] {
            assert_eq!(pattern(fault, 7), expected, "{fault}");
        }
        let half = pattern("503; percent=50", 7);
        assert_eq!(half, pattern("503; percent=50", 7));
        assert!(half.contains('x') && half.contains('.'));
        assert!((8..20).any(|seed| pattern("503; percent=50", seed) != half));
    }

    #[test]
    fn a_fault_that_a_request_brings_is_counted_by_its_text() {
        let faults = Faults::new(0, Vec::new()).unwrap();
        let buyers = call(Method::GET, "/org/x/buyer");
        let met = |text: &str| faults.draw(&buyers, &[text.to_owned()]).map(|met| met.len());
        assert_eq!((met("503; times=1"), met("503; times=1"), met("502; times=1")), (Ok(1), Ok(0), Ok(1)));
        assert!(met("nonsense").is_err() && met("200").is_err());
        assert!(faults.draw(&buyers, &vec!["503".to_owned(); 11]).is_err());
    }

    #[test]
    fn what_found_nothing_to_do_is_still_to_come() {
        let faults = Faults::new(0, vec!["duplicated_page; times=1".parse().unwrap()]).unwrap();
        let buyers = call(Method::GET, "/org/x/buyer");
        let met = faults.draw(&buyers, &[]).unwrap();
        faults.give_back(&met[0].0);
        assert_eq!(faults.draw(&buyers, &[]).unwrap().len(), 1);
        assert_eq!(faults.draw(&buyers, &[]).unwrap().len(), 0);
    }

    #[test]
    fn there_is_an_end_to_faults() {
        let many: Vec<Fault> = vec!["503".parse().unwrap(); MOST_RULES + 1];
        assert!(Faults::new(0, many).is_err());
    }
}
