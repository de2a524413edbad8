//! Which rules are ready to answer?

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::{BookedRule, Direction, E164, RuleBook};

/// Rules ready to answer: one look-up leads from a dialled number to the rule that may take it.
#[derive(Debug, Default)]
pub struct Table {
    /// Every number of the book, with the inbound rule that takes its calls.
    numbers: HashMap<E164, Option<Arc<BookedRule>>>,
    /// How many rules were built in, of both directions.
    rules: usize,
}

impl Table {
    /// Builds the table of a book. Total: a rule that names a number which is not in the book still takes it, as
    /// the far side would; of two inbound rules on one number, which the store refuses, the first by id wins.
    pub fn build(book: &RuleBook) -> Self {
        let mut numbers: HashMap<E164, Option<Arc<BookedRule>>> =
            book.numbers.iter().map(|number| (*number, None)).collect();
        for booked in &book.rules {
            if booked.rule.direction() == Direction::Inbound {
                let booked = Arc::new(booked.clone());
                for number in &booked.rule.numbers {
                    numbers.entry(*number).or_default().get_or_insert_with(|| Arc::clone(&booked));
                }
            }
        }
        Self { numbers, rules: book.rules.len() }
    }

    /// What the table knows of a number: nothing, that it has no rule, or the rule that takes its calls.
    pub(super) fn number(&self, number: E164) -> Option<Option<&Arc<BookedRule>>> {
        self.numbers.get(&number).map(Option::as_ref)
    }

    /// How many numbers the table answers for.
    pub fn numbers(&self) -> usize {
        self.numbers.len()
    }

    /// How many rules were built in.
    pub fn rules(&self) -> usize {
        self.rules
    }
}
