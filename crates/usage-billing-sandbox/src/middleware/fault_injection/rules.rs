//! The faults of a sandbox, and which of them a request gets.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use super::fault::Fault;
use super::fault_error::FaultError;
use crate::bounded_map::BoundedMap;
use crate::vendors::RequestContext;

/// Faults that were added.
const MAX_RULES: usize = 1_000;
/// Faults of headers that are kept.
const MAX_HEADERS: usize = 1_000;
/// Faults that the headers of one request may have.
const MAX_HEADERS_PER_REQUEST: usize = 10;

/// All faults of a sandbox. Each has its own random numbers, so that one fault does not depend on the others.
pub(crate) struct Faults {
    seed: u64,
    state: Mutex<State>,
}

struct State {
    next_id: u64,
    added: Vec<Rule>,
    /// By the value of the header: a request that is sent again gets the same fault, not a new one.
    from_headers: BoundedMap<String, Rule>,
}

/// A fault and how often it was used.
#[derive(Clone, Serialize)]
pub(crate) struct Rule {
    id: u64,
    fault: Fault,
    /// Requests that its operation matched.
    matched: u64,
    /// Requests that it was injected into.
    injected: u32,
    #[serde(skip)]
    random: fastrand::Rng,
}

/// Where the fault of a request came from.
pub(super) enum Origin {
    Added(u64),
    Header(String),
}

impl Faults {
    pub(crate) fn new(seed: u64, faults: Vec<Fault>) -> Result<Self, FaultError> {
        let state = State { next_id: 1, added: Vec::new(), from_headers: BoundedMap::new(MAX_HEADERS) };
        let all = Self { seed, state: Mutex::new(state) };
        all.add(faults)?;
        Ok(all)
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// Adds all faults or, if one is not valid, none.
    pub(crate) fn add(&self, faults: Vec<Fault>) -> Result<(), FaultError> {
        faults.iter().try_for_each(Fault::validate)?;
        let state = &mut *self.state();
        if state.added.len().saturating_add(faults.len()) > MAX_RULES {
            return Err(FaultError::TooMany { max: MAX_RULES });
        }
        for fault in faults {
            state.added.push(self.rule(state.next_id, fault));
            state.next_id += 1;
        }
        Ok(())
    }

    pub(crate) fn clear(&self) {
        let state = &mut *self.state();
        state.added.clear();
        state.from_headers = BoundedMap::new(MAX_HEADERS);
    }

    pub(crate) fn remove(&self, id: u64) -> bool {
        let added = &mut self.state().added;
        let before = added.len();
        added.retain(|rule| rule.id != id);
        added.len() < before
    }

    pub(crate) fn rules(&self) -> Vec<Rule> {
        self.state().added.clone()
    }

    /// Returns the faults for a request, those of its headers last.
    pub(super) fn draw(
        &self,
        context: &RequestContext,
        headers: &[String],
    ) -> Result<Vec<(Origin, Fault)>, FaultError> {
        if headers.len() > MAX_HEADERS_PER_REQUEST {
            return Err(FaultError::TooMany { max: MAX_HEADERS_PER_REQUEST });
        }
        let state = &mut *self.state();
        for text in headers {
            if state.from_headers.get(text).is_none() {
                let fault: Fault = text.parse()?;
                fault.validate()?;
                state.from_headers.insert(text.clone(), self.rule(0, fault));
            }
        }
        let mut drawn: Vec<_> = state
            .added
            .iter_mut()
            .filter_map(|rule| rule.draw(context).then(|| (Origin::Added(rule.id), rule.fault.clone())))
            .collect();
        for text in headers {
            let Some(rule) = state.from_headers.get_mut(text) else { continue };
            if rule.draw(context) {
                drawn.push((Origin::Header(text.clone()), rule.fault.clone()));
            }
        }
        Ok(drawn)
    }

    /// Undoes a draw: the fault had no effect on the request, and is still to come.
    pub(super) fn undo_draw(&self, origin: &Origin) {
        let state = &mut *self.state();
        let rule = match origin {
            Origin::Added(id) => state.added.iter_mut().find(|rule| rule.id == *id),
            Origin::Header(text) => state.from_headers.get_mut(text),
        };
        if let Some(rule) = rule {
            rule.injected = rule.injected.saturating_sub(1);
        }
    }

    fn rule(&self, id: u64, fault: Fault) -> Rule {
        // The random numbers depend on the seed and the position of the fault only.
        Rule { id, fault, matched: 0, injected: 0, random: fastrand::Rng::with_seed(self.seed.wrapping_add(id)) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rule {
    /// Returns whether a request gets the fault; counts it.
    fn draw(&mut self, context: &RequestContext) -> bool {
        let terms = self.fault.terms();
        let is_match = match (&terms.operation, context.vendor) {
            (None, _) => true,
            (Some(selector), Some(vendor)) => vendor.matches_selector(context.operation, selector),
            (Some(_), None) => false,
        };
        if !is_match {
            return false;
        }
        self.matched += 1;
        if self.matched <= terms.skip.unwrap_or(0).into() || terms.times.is_some_and(|times| self.injected >= times) {
            return false;
        }
        let is_drawn = terms.percent.is_none_or(|percent| self.random.u8(..100) < percent);
        self.injected = self.injected.saturating_add(is_drawn.into());
        is_drawn
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vendors::Vendor;
    use http::Method;
    use uuid::Uuid;

    fn context(method: Method, path: &str) -> RequestContext {
        let vendor = Vendor::of(path);
        let operation = vendor.and_then(|vendor| vendor.operation(&method, path));
        RequestContext { number: 1, correlation_id: Uuid::nil(), vendor, operation }
    }

    fn pattern(fault: &str, seed: u64) -> String {
        let faults = Faults::new(seed, vec![fault.parse().unwrap()]).unwrap();
        let buyers = context(Method::GET, "/org/x/buyer");
        (0..12).map(|_| if faults.draw(&buyers, &[]).unwrap().is_empty() { '.' } else { 'x' }).collect()
    }

    #[test]
    fn fault_is_drawn_as_often_as_its_terms_state() {
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
    fn header_fault_is_counted_by_its_text() {
        let faults = Faults::new(0, Vec::new()).unwrap();
        let buyers = context(Method::GET, "/org/x/buyer");
        let drawn = |text: &str| faults.draw(&buyers, &[text.to_owned()]).map(|drawn| drawn.len());
        assert_eq!((drawn("503; times=1"), drawn("503; times=1"), drawn("502; times=1")), (Ok(1), Ok(0), Ok(1)));
        assert!(drawn("nonsense").is_err() && drawn("200").is_err());
        assert!(faults.draw(&buyers, &vec!["503".to_owned(); 11]).is_err());
    }

    #[test]
    fn fault_without_effect_is_drawn_again() {
        let faults = Faults::new(0, vec!["duplicated_page; times=1".parse().unwrap()]).unwrap();
        let buyers = context(Method::GET, "/org/x/buyer");
        let drawn = faults.draw(&buyers, &[]).unwrap();
        faults.undo_draw(&drawn[0].0);
        assert_eq!(faults.draw(&buyers, &[]).unwrap().len(), 1);
        assert_eq!(faults.draw(&buyers, &[]).unwrap().len(), 0);
    }

    #[test]
    fn number_of_faults_is_limited() {
        let many: Vec<Fault> = vec!["503".parse().unwrap(); MAX_RULES + 1];
        assert!(Faults::new(0, many).is_err());
    }
}
