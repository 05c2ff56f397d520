//! Reachability: the operations that reach a scope. Scopes in a cycle are reached from the same operations.

use std::{collections::BTreeSet, rc::Rc};

use crate::{
    classification::Role,
    compare::{Scope, ScopeId},
};

/// The operations that reach a scope, by number, and in which role.
pub(crate) type Reach = BTreeSet<(usize, Role)>;

/// Returns the reach of every scope, found in one walk over all of them (Tarjan's algorithm: a cycle is one component, users come
/// first).
pub(crate) fn reaches(scopes: &[Scope]) -> Vec<Rc<Reach>> {
    let none = Rc::new(Reach::new());
    let mut walk = Walk {
        scopes,
        number: vec![0; scopes.len()],
        lowest: vec![0; scopes.len()],
        next: 1,
        open: Vec::new(),
        reach: vec![None; scopes.len()],
    };
    for scope in 0..scopes.len() {
        if walk.number[scope] == 0 {
            walk.from(scope);
        }
    }
    walk.reach.into_iter().map(|reach| reach.unwrap_or_else(|| none.clone())).collect()
}

struct Walk<'a> {
    scopes: &'a [Scope],
    /// When a scope was met, from 1.
    number: Vec<usize>,
    /// The earliest of the open scopes that a scope reaches.
    lowest: Vec<usize>,
    next: usize,
    /// Visited, and not yet part of a finished component.
    open: Vec<ScopeId>,
    reach: Vec<Option<Rc<Reach>>>,
}

impl Walk<'_> {
    /// Walks from a scope to its users, without recursion: chains of schemas are longer than stacks are deep.
    fn from(&mut self, start: ScopeId) {
        let mut path = vec![(start, 0)];
        self.meet(start);
        while let Some((scope, step)) = path.last_mut() {
            let scope = *scope;
            if let Some(&user) = self.scopes[scope].users.get(*step) {
                *step += 1;
                if self.number[user] == 0 {
                    self.meet(user);
                    path.push((user, 0));
                } else if self.reach[user].is_none() {
                    self.lowest[scope] = self.lowest[scope].min(self.number[user]);
                }
                continue;
            }
            path.pop();
            if self.lowest[scope] == self.number[scope] {
                self.close(scope);
            } else if let Some((before, _)) = path.last() {
                self.lowest[*before] = self.lowest[*before].min(self.lowest[scope]);
            }
        }
    }

    fn meet(&mut self, scope: ScopeId) {
        self.number[scope] = self.next;
        self.lowest[scope] = self.next;
        self.next += 1;
        self.open.push(scope);
    }

    /// Closes the open scopes from this one on: they are a cycle, or one scope.
    fn close(&mut self, first: ScopeId) {
        let begin = self.open.iter().rposition(|scope| *scope == first).unwrap_or_default();
        let cycle = self.open.split_off(begin);
        let mut reach = Reach::new();
        let mut seen = BTreeSet::new();
        for scope in &cycle {
            reach.extend(self.scopes[*scope].operation);
            for known in self.scopes[*scope].users.iter().filter_map(|user| self.reach[*user].as_ref()) {
                if seen.insert(Rc::as_ptr(known)) {
                    reach.extend(known.iter().copied());
                }
            }
        }
        let reach = Rc::new(reach);
        for scope in cycle {
            self.reach[scope] = Some(reach.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cycles_share_their_reach_and_chains_pass_it_on() {
        let scope = |operation: Option<usize>, users: &[usize]| Scope {
            operation: operation.map(|number| (number, Role::Response)),
            users: users.to_vec(),
            incoming: false,
        };
        // 3 and 4 use each other; 5 is used by 4 and by the second operation.
        let scopes = [
            scope(None, &[]),
            scope(Some(0), &[]),
            scope(Some(1), &[]),
            scope(None, &[1, 4]),
            scope(None, &[3]),
            scope(None, &[4, 2]),
        ];
        let found: Vec<Vec<usize>> =
            reaches(&scopes).iter().map(|reach| reach.iter().map(|(number, _)| *number).collect()).collect();
        assert_eq!(found, [vec![], vec![0], vec![1], vec![0], vec![0], vec![0, 1]]);
        let chain: Vec<_> = (0..100_000_usize)
            .map(|at| scope((at == 0).then_some(7), &at.checked_sub(1).into_iter().collect::<Vec<_>>()))
            .collect();
        assert!(reaches(&chain).iter().all(|reach| reach.len() == 1));
    }
}
