//! The states of an event, and the steps between them.

use std::fmt;

use serde::Serialize;

/// The state of an event.
///
/// | from | step | to |
/// |---|---|---|
/// | `pending`, `unknown` | leased by a sender | `sending` |
/// | `sending` | the response or the vendor's list proves this delivery | `delivered` |
/// | `sending` | the vendor's list proves an earlier delivery | `already_delivered` |
/// | `sending` | the vendor rejects it and does not list it, or lists it as unusable | `rejected` |
/// | `sending` | older than its marketplace accepts, and not listed | `expired` |
/// | `sending` | no attempt left this process, now or before | `pending` |
/// | `sending` | any other result, or the lease ended without one | `unknown` |
/// | `pending`, `rejected`, `expired`, `unknown` | requeued by an operator | `pending`, or `unknown` if it may have been sent |
/// | `rejected`, `expired` | resolved by an operator | `resolved` |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// No attempt to send it has left a sender.
    Pending,
    /// A sender holds its lease.
    Sending,
    /// The vendor has it: proved by the response.
    Delivered,
    /// The vendor has it: proved by its list of the entitlement's usage.
    AlreadyDelivered,
    /// The vendor does not bill it, and states why.
    Rejected,
    /// Its marketplace accepts no usage of this age. It was not sent, and the vendor does not list it.
    Expired,
    /// It may have been sent, and no proof of its outcome exists yet. It is sent again with the same id and bytes.
    Unknown,
    /// It was rejected or has expired, and an operator has acknowledged that its usage is billed otherwise, or not at all.
    Resolved,
}

impl State {
    /// All states.
    pub const ALL: [Self; 8] = [
        Self::Pending,
        Self::Sending,
        Self::Delivered,
        Self::AlreadyDelivered,
        Self::Rejected,
        Self::Expired,
        Self::Unknown,
        Self::Resolved,
    ];

    /// Returns the name, as in databases and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sending => "sending",
            Self::Delivered => "delivered",
            Self::AlreadyDelivered => "already_delivered",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Unknown => "unknown",
            Self::Resolved => "resolved",
        }
    }

    /// Returns the state of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Returns whether an operator can make an event of this state due.
    pub fn can_be_requeued(self) -> bool {
        match self {
            Self::Pending | Self::Rejected | Self::Expired | Self::Unknown => true,
            Self::Delivered | Self::AlreadyDelivered | Self::Sending | Self::Resolved => false,
        }
    }

    /// Returns whether an operator can resolve an event of this state.
    pub fn can_be_resolved(self) -> bool {
        matches!(self, Self::Rejected | Self::Expired)
    }

    /// Returns whether no sender changes the state any more.
    pub fn is_final(self) -> bool {
        match self {
            Self::Pending | Self::Sending | Self::Unknown => false,
            Self::Delivered | Self::AlreadyDelivered | Self::Rejected | Self::Expired | Self::Resolved => true,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_of_a_state_is_that_of_its_json() {
        for state in State::ALL {
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
            assert_eq!(State::from_name(state.as_str()), Some(state));
        }
        assert_eq!(State::from_name("Pending"), None);
    }
}
