//! Why was a call decided as it was?

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use crate::model::{BookedRule, E164};

/// One thing that was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The number dialled is known.
    Number(E164),
    /// The source address, against the rule's `allow.ips`.
    Source(IpAddr),
    /// The caller, against the rule's `allow.callers`.
    Caller(Option<E164>),
}

/// Most steps that one decision can hold: number, source, caller.
const STEPS_MAX: usize = 3;

/// What was looked at on the way to a decision, small enough to keep with every call.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Trace {
    /// The rule that was looked at; none when the number has no rule.
    pub candidate: Option<Arc<BookedRule>>,
    held: [Option<Step>; STEPS_MAX],
    /// The first thing that did not hold.
    pub failed: Option<Step>,
}

impl Trace {
    pub(super) fn held(&mut self, step: Step) {
        if let Some(free) = self.held.iter_mut().find(|slot| slot.is_none()) {
            *free = Some(step);
        }
    }

    /// What held, in order.
    pub fn steps(&self) -> impl Iterator<Item = Step> + '_ {
        self.held.iter().flatten().copied()
    }

    /// What would have to differ for the candidate to take the call.
    pub fn nearest_miss(&self) -> Option<String> {
        let rule = &self.candidate.as_ref()?.rule;
        match self.failed? {
            Step::Source(source) => {
                Some(format!("a call from {}, not from {source}", rule.allowed_sources.texts().join(" or ")))
            }
            Step::Caller(caller) => {
                let callers = rule.allowed_callers.texts().join(" or ");
                let caller = caller.map_or_else(|| "one who shows no number".to_owned(), |caller| caller.to_string());
                Some(format!("a caller matching {callers}, not {caller}"))
            }
            Step::Number(_) => None,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number} is known here"),
            Self::Source(source) => write!(f, "source {source} is on `allow.ips`"),
            Self::Caller(Some(caller)) => write!(f, "caller {caller} is on `allow.callers`"),
            Self::Caller(None) => f.write_str("the caller shows no number"),
        }
    }
}

/// One line: what held, and what did not.
impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for step in self.steps() {
            write!(f, "{}{step}", if first { "" } else { "; " })?;
            first = false;
        }
        if let Some(booked) = &self.candidate {
            write!(f, "{}rule {} ({})", if first { "" } else { "; " }, booked.rule.name, booked.id)?;
        }
        if let Some(miss) = self.nearest_miss() {
            write!(f, "; it would take {miss}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trace({self})")
    }
}
