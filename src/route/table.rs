//! Which rules are ready to answer?

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use crate::model::{BookedGateway, BookedRule, Direction, E164, RuleBook, RuleId};

/// The rules that may take one number's calls, in the order in which they are asked.
pub(super) type Candidates = Arc<[Arc<BookedRule>]>;

/// Rules ready to answer: one look-up leads from a dialled number to the rules that may take it.
#[derive(Debug, Default)]
pub struct Table {
    numbers: HashMap<E164, Entry>,
    /// Lists of candidates; numbers that the same rules hold share one.
    lists: Vec<Candidates>,
    gateways: Vec<Arc<BookedGateway>>,
    rules: HashMap<RuleId, Placed>,
}

/// What is known of a number, small: there may be a million of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    candidates: u32,
    inbound: u32,
    outbound: u32,
}

/// The number is not one whose calls come in here.
const UNKNOWN: u32 = u32::MAX;
/// The number's calls come in here, and no rule takes them.
const NO_RULE: u32 = u32::MAX - 1;
/// The number stands on no gateway of a direction.
const NO_GATEWAY: u32 = u32::MAX;

impl Entry {
    const NOTHING: Self = Self { candidates: UNKNOWN, inbound: NO_GATEWAY, outbound: NO_GATEWAY };
}

/// A rule by its id: what calls are placed by.
#[derive(Debug)]
pub(super) struct Placed {
    /// The rule alone, in the form of candidates.
    pub rule: Candidates,
    /// The gateways that its failover names and that exist.
    pub next: Arc<[Arc<BookedGateway>]>,
}

/// What the table knows of a dialled number.
#[derive(Debug, Clone, Copy)]
pub(super) enum Known<'a> {
    /// Its calls do not come in here.
    No,
    /// Its calls come in here, and no rule takes them.
    NoRule,
    /// These rules may take them.
    Rules(&'a Candidates),
}

impl Table {
    /// Builds the table of a book. Total: a rule that names a number which is not in the book still takes it, as
    /// the far side would. Of the inbound rules on one number, the highest priority is asked first, and of equal
    /// ones, which the store refuses, the first by id.
    pub fn build(book: &RuleBook) -> Self {
        let mut numbers: HashMap<E164, Entry> = HashMap::with_capacity(book.numbers.len());
        for number in &book.numbers {
            numbers.entry(*number).or_insert(Entry::NOTHING).candidates = NO_RULE;
        }
        let gateways: Vec<Arc<BookedGateway>> = book.gateways.iter().cloned().map(Arc::new).collect();
        for (at, gateway) in (0_u32..).zip(&gateways) {
            for number in &gateway.numbers {
                let entry = numbers.entry(*number).or_insert(Entry::NOTHING);
                match gateway.direction {
                    Direction::Inbound => entry.inbound = at,
                    Direction::Outbound => entry.outbound = at,
                }
            }
        }

        let mut order: Vec<&BookedRule> = book.rules.iter().collect();
        order.sort_by(|left, right| {
            let key = |rule: &BookedRule| Reverse(rule.rule.beyond.priority);
            key(left).cmp(&key(right)).then_with(|| left.id.cmp(&right.id))
        });
        let mut rules = HashMap::with_capacity(order.len());
        let mut lists: Vec<Candidates> = Vec::new();
        // A list that one more rule joins is the same list for every number that the rule finds it on.
        let mut joined: HashMap<(u32, usize), u32> = HashMap::new();
        for (at, booked) in order.into_iter().enumerate() {
            let shared = Arc::new(booked.clone());
            if booked.rule.direction() == Direction::Inbound {
                for number in &booked.rule.numbers {
                    let entry = numbers.entry(*number).or_insert(Entry::NOTHING);
                    entry.candidates = *joined.entry((entry.candidates, at)).or_insert_with(|| {
                        let before = lists.get(entry.candidates as usize).into_iter().flat_map(|list| list.iter());
                        let list: Candidates = before.cloned().chain([Arc::clone(&shared)]).collect();
                        lists.push(list);
                        u32::try_from(lists.len() - 1).unwrap_or(NO_RULE)
                    });
                }
            }
            let failover = booked.rule.beyond.failover.iter().flat_map(|failover| &failover.gateways);
            let named = failover.filter_map(|name| {
                let mut outbound = gateways.iter().filter(|gateway| gateway.direction == Direction::Outbound);
                outbound.find(|gateway| gateway.name == name.as_str()).cloned()
            });
            rules.insert(booked.id.clone(), Placed { next: named.collect(), rule: Arc::new([shared]) });
        }
        Self { numbers, lists, gateways, rules }
    }

    /// What the table knows of a number whose calls come in.
    pub(super) fn number(&self, number: E164) -> Known<'_> {
        match self.numbers.get(&number).map_or(UNKNOWN, |entry| entry.candidates) {
            UNKNOWN => Known::No,
            NO_RULE => Known::NoRule,
            at => self.lists.get(at as usize).map_or(Known::NoRule, Known::Rules),
        }
    }

    /// The gateway of a direction that a number stands on.
    pub(super) fn gateway(&self, number: E164, direction: Direction) -> Option<&Arc<BookedGateway>> {
        let entry = self.numbers.get(&number)?;
        let at = match direction {
            Direction::Inbound => entry.inbound,
            Direction::Outbound => entry.outbound,
        };
        self.gateways.get(at as usize)
    }

    /// A rule by its id.
    pub(super) fn rule(&self, id: &RuleId) -> Option<&Placed> {
        self.rules.get(id)
    }

    /// Every number whose calls come in here, in no order.
    pub(super) fn inbound_numbers(&self) -> impl Iterator<Item = E164> + '_ {
        self.numbers.iter().filter(|(_, entry)| entry.candidates != UNKNOWN).map(|(number, _)| *number)
    }

    /// How many numbers the table answers for.
    pub fn numbers(&self) -> usize {
        self.inbound_numbers().count()
    }

    /// How many rules were built in, of both directions.
    pub fn rules(&self) -> usize {
        self.rules.len()
    }
}
