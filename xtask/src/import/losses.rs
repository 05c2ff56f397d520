//! Losses: the parts of a vendor's specification that ours leaves out or changes. None is silent.

use std::collections::BTreeSet;

/// The kind of a loss, the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Operation,
    Security,
    Server,
    Parameter,
    Body,
    Response,
    Header,
    Field,
    Untyped,
    Union,
    Enum,
    Type,
    Name,
    Example,
    Evidence,
    Text,
    ErrorBody,
    Other,
}

impl Kind {
    /// Returns a heading for losses of this kind.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Operation => "operations left out",
            Self::Security => "credentials",
            Self::Server => "servers",
            Self::Parameter => "parameters left out or sent otherwise",
            Self::Body => "request bodies",
            Self::Response => "responses",
            Self::Header => "response headers without a type",
            Self::Field => "fields left out",
            Self::Untyped => "read as any JSON, where numbers lose digits",
            Self::Union => "unions written as one type",
            Self::Enum => "lists of values",
            Self::Type => "types and formats",
            Self::Name => "names",
            Self::Example => "examples left out, and their smoke tests",
            Self::Evidence => "examples that contradict their schema: they show what is on the wire",
            Self::Text => "characters removed from descriptions",
            Self::ErrorBody => "error bodies left out: core reads every error itself",
            Self::Other => "not generated",
        }
    }
}

/// The part of the draft that has the loss as a comment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Owner {
    #[default]
    Document,
    /// By its id.
    Operation(String),
    /// By its name.
    Schema(String),
}

/// One thing that was lost or changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Loss {
    pub(crate) kind: Kind,
    /// The JSON pointer in the vendor's file.
    pub(crate) at: String,
    /// The description of the loss, in a line.
    pub(crate) text: String,
    pub(crate) owner: Owner,
}

/// All of them, in the order of their discovery; each once for each owner.
#[derive(Default)]
pub(crate) struct Losses {
    all: Vec<Loss>,
    owner: Owner,
}

impl Losses {
    /// Notes one for whatever is drafted at the time.
    pub(super) fn add(&mut self, kind: Kind, at: &str, text: impl Into<String>) {
        let text = crate::text::one_line(&crate::text::markdown::safe_characters(&text.into()));
        self.push(Loss { kind, at: at.to_owned(), text, owner: self.owner.clone() });
    }

    /// Notes some again, for whatever is drafted at the time: it uses what they are about, too.
    pub(super) fn add_again(&mut self, losses: &[Loss]) {
        for loss in losses {
            self.push(Loss { owner: self.owner.clone(), ..loss.clone() });
        }
    }

    fn push(&mut self, loss: Loss) {
        if !self.all.contains(&loss) {
            self.all.push(loss);
        }
    }

    /// Returns those that the current owner noted since a mark.
    pub(super) fn since(&self, mark: usize) -> Vec<Loss> {
        self.all.iter().skip(mark).filter(|loss| loss.owner == self.owner).cloned().collect()
    }

    /// Forgets that something is read as any JSON, noted since a mark for the current owner: it is sent as text. Returns the first reason.
    pub(super) fn take_untyped(&mut self, mark: usize) -> String {
        let is_taken = |loss: &Loss| loss.kind == Kind::Untyped && loss.owner == self.owner;
        let mut taken = self.all.split_off(mark.min(self.all.len()));
        let why = taken.iter().find(|loss| is_taken(loss)).map(|loss| loss.text.clone());
        taken.retain(|loss| !is_taken(loss));
        self.all.extend(taken);
        why.unwrap_or_else(|| "it may have several types".to_owned())
    }

    /// Sets the owner of the losses that follow; returns the one before, to be restored.
    pub(super) fn belong_to(&mut self, owner: Owner) -> Owner {
        std::mem::replace(&mut self.owner, owner)
    }

    /// Gives what the current owner noted since a mark to another.
    pub(super) fn hand_over(&mut self, mark: usize, owner: &Owner) {
        let current = self.owner.clone();
        self.all.iter_mut().skip(mark).filter(|loss| loss.owner == current).for_each(|loss| loss.owner = owner.clone());
    }

    /// Returns how many there are: a mark to go back to.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Forgets what was noted since, because what it was about is not there after all.
    pub(super) fn truncate(&mut self, len: usize) {
        self.all.truncate(len);
    }

    /// Forgets what was noted since for an operation that is not there after all. What belongs to a schema is forgotten with the schema.
    pub(super) fn truncate_but_schemas(&mut self, len: usize) {
        let mut index = 0;
        self.all.retain(|loss| {
            index += 1;
            index <= len || matches!(loss.owner, Owner::Schema(_))
        });
    }

    /// Forgets what belongs to something that is not there after all.
    pub(super) fn forget(&mut self, owner: &Owner) {
        self.all.retain(|loss| loss.owner != *owner);
    }

    /// Returns the gravest first, each once, of those whose owner is kept.
    pub(super) fn sorted(mut self, kept: impl Fn(&Owner) -> bool) -> Vec<Loss> {
        self.all.retain(|loss| kept(&loss.owner));
        self.all.sort_by_key(|loss| loss.kind);
        let mut seen = BTreeSet::new();
        self.all.retain(|loss| seen.insert((loss.kind, loss.at.clone(), loss.text.clone())));
        self.all
    }
}
