//! Which calls does a change move?
//!
//! Calls to one number fall into finitely many kinds, by the lists and schedules that its rules look at. One call of
//! each kind is decided by both tables, with the very function that decides real calls; where the two differ, every
//! call of the kind moves, and no other does.

mod axis;
mod proof;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;

use super::table::{Candidates, Known};
use super::{Offer, Outcome, Permit, Table};
use crate::model::{BookedRule, E164, RoomMode, RoutingRule, RuleBook, Schedule, Secret};
use axis::{Hour, Kind, Stretch};
pub use proof::{Finding as Proven, prove};

/// What a change does to calls that come in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Impact {
    /// The calls that are decided or treated otherwise; every other one is decided as before.
    pub moved: Vec<Moved>,
    /// Numbers of which nothing is proven, because their calls fall into too many kinds.
    pub unproven: Vec<Unproven>,
}

/// Calls that a change moves, all in the same way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The numbers dialled.
    pub numbers: Vec<E164>,
    /// Whose calls, in words; none for everybody's.
    pub callers: Option<String>,
    /// From where, in words; none for everywhere.
    pub sources: Option<String>,
    /// At which hours, in words; none for all.
    pub hours: Option<String>,
    /// What became of the calls before, in words.
    pub before: String,
    /// What becomes of them after, in words.
    pub after: String,
    /// Which sides of the treatment differ, in the words of the language.
    pub what: Vec<&'static str>,
    /// Whether only some of these calls move: those that another share of a split falls to.
    pub some: bool,
    /// One of the calls, and when it is made.
    pub witness: (Offer, Timestamp),
}

/// Numbers whose calls were not all compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unproven {
    /// The numbers.
    pub numbers: Vec<E164>,
    /// Why.
    pub why: String,
}

/// Most kinds of calls to one number that are compared. The rules of one number rarely make a hundred.
const KINDS_MAX: usize = 10_000;
/// Most kinds that are compared in all, so that a plan is shown in time.
const ALL_KINDS_MAX: usize = 1_000_000;
/// How many callers are tried to find one who comes to another share of a split.
const TRIES: u128 = 4096;

/// The calls that a change moves, at the hours of the year that begins at `from`.
pub fn impact(before: &RuleBook, after: &RuleBook, from: Timestamp) -> Impact {
    let (old, new) = (Table::build(before), Table::build(after));
    let numbers: BTreeSet<E164> = old.inbound_numbers().chain(new.inbound_numbers()).collect();
    // Numbers that the same rules hold before and after are decided alike: each such group is looked at once.
    let mut groups: BTreeMap<(usize, usize), Vec<E164>> = BTreeMap::new();
    for number in numbers {
        groups.entry((group(old.number(number)), group(new.number(number)))).or_default().push(number);
    }
    let mut groups: Vec<Vec<E164>> = groups.into_values().collect();
    groups.sort_unstable();
    let mut impact = Impact::default();
    let mut left = ALL_KINDS_MAX;
    for numbers in groups {
        let Some(number) = numbers.first().copied() else { continue };
        let (one, two) = (rules(old.number(number)), rules(new.number(number)));
        let known = |known: Known<'_>| !matches!(known, Known::No);
        if known(old.number(number)) == known(new.number(number)) && alike(one, two) {
            continue;
        }
        let space = Space::of(one.iter().chain(two).map(AsRef::as_ref), from);
        let kinds = space.kinds();
        if kinds > KINDS_MAX.min(left) {
            let why = format!("its calls fall into {kinds} kinds, more than are compared");
            impact.unproven.push(Unproven { numbers, why });
            continue;
        }
        left -= kinds;
        space.compare(&old, &new, &numbers, &mut impact);
    }
    impact
}

/// What tells apart two lists of one table.
fn group(known: Known<'_>) -> usize {
    match known {
        Known::No => 0,
        Known::NoRule => 1,
        Known::Rules(list) => Arc::as_ptr(list).cast::<()>().addr(),
    }
}

fn rules(known: Known<'_>) -> &[Arc<BookedRule>] {
    match known {
        Known::Rules(list) => list,
        Known::No | Known::NoRule => &[],
    }
}

type Rule = RoutingRule<Option<Secret>>;

/// Whether two lists of rules ask the same of every call and do the same with it, whatever they are called.
fn alike(one: &[Arc<BookedRule>], two: &[Arc<BookedRule>]) -> bool {
    let same = |one: &Rule, two: &Rule| {
        let (kind, other) = (&one.beyond, &two.beyond);
        one.room == two.room
            && one.agent == two.agent
            && one.kind == two.kind
            && one.allowed_callers == two.allowed_callers
            && one.allowed_sources == two.allowed_sources
            && one.include_headers == two.include_headers
            && (one.recording, one.dtmf) == (two.recording, two.dtmf)
            && (one.noise_cancellation, one.hide_caller) == (two.noise_cancellation, two.hide_caller)
            && (&kind.schedule, &kind.split) == (&other.schedule, &other.split)
            && (&kind.blocked_callers, &kind.blocked_sources) == (&other.blocked_callers, &other.blocked_sources)
    };
    one.len() == two.len() && one.iter().zip(two).all(|(one, two)| same(&one.rule, &two.rule))
}

/// The kinds into which the calls to one number fall.
struct Space<'a> {
    /// The kinds of callers who show a number; those who show none are one more.
    callers: Vec<Kind>,
    sources: Vec<Kind>,
    schedules: Vec<&'a Schedule>,
    hours: Vec<Hour>,
}

/// One kind of calls: its place along each side. The caller without a number stands behind the others.
type Cell = (usize, usize, usize);

impl<'a> Space<'a> {
    fn of(rules: impl Iterator<Item = &'a BookedRule>, from: Timestamp) -> Self {
        let (mut callers, mut sources) = (BTreeSet::new(), BTreeSet::new());
        let mut schedules: Vec<&Schedule> = Vec::new();
        for BookedRule { rule, .. } in rules {
            callers.insert(axis::of_callers(rule.allowed_callers.entries()));
            callers.insert(axis::of_callers(&rule.beyond.blocked_callers));
            sources.insert(axis::of_sources(rule.allowed_sources.entries()));
            sources.insert(axis::of_sources(&rule.beyond.blocked_sources));
            schedules.extend(rule.beyond.schedule.iter().filter(|new| !schedules.contains(new)).collect::<Vec<_>>());
        }
        let lists = |all: BTreeSet<Vec<Stretch>>| all.into_iter().filter(|list| !list.is_empty()).collect::<Vec<_>>();
        Self {
            callers: axis::kinds(&axis::every_caller(), &lists(callers)),
            sources: axis::kinds(&axis::every_source(), &lists(sources)),
            hours: axis::hours(&schedules, from),
            schedules,
        }
    }

    fn kinds(&self) -> usize {
        (self.callers.len() + 1).saturating_mul(self.sources.len()).saturating_mul(self.hours.len())
    }

    fn cells(&self) -> impl Iterator<Item = Cell> + '_ {
        let all =
            (0..=self.callers.len()).flat_map(|caller| (0..self.sources.len()).map(move |source| (caller, source)));
        all.flat_map(|(caller, source)| (0..self.hours.len()).map(move |hour| (caller, source, hour)))
    }

    /// One call of a kind.
    fn witness(&self, number: E164, (caller, source, hour): Cell) -> (Offer, Timestamp) {
        let first = |kinds: &[Kind], at: usize| kinds.get(at).and_then(|kind| kind.stretches.first()).map(|s| s.0);
        let calling = first(&self.callers, caller).and_then(axis::caller);
        let source = self.plain_source(source);
        let at = self.hours.get(hour).map_or(Timestamp::UNIX_EPOCH, |hour| hour.at);
        let mut offer = Offer::inbound("", "", source);
        (offer.dialled, offer.calling) = (Some(number), calling);
        (offer, at)
    }

    /// A source of a kind, one of IPv4 where there is one: that is what people know.
    fn plain_source(&self, at: usize) -> IpAddr {
        let stretches = self.sources.get(at).map_or(&[][..], |kind| &kind.stretches);
        let v4 = axis::source(u128::from(std::net::Ipv4Addr::new(192, 0, 2, 1).to_ipv6_mapped()));
        let documented = u128::from(std::net::Ipv4Addr::new(192, 0, 2, 1).to_ipv6_mapped());
        if stretches.iter().any(|(first, last)| (*first..=*last).contains(&documented)) {
            return v4;
        }
        let all = || stretches.iter().map(|(first, _)| axis::source(*first));
        all().find(IpAddr::is_ipv4).or_else(|| all().next()).unwrap_or(v4)
    }

    fn compare(&self, old: &Table, new: &Table, numbers: &[E164], impact: &mut Impact) {
        let Some(number) = numbers.first().copied() else { return };
        let mut changed: BTreeMap<Change, (BTreeSet<Cell>, (Offer, Timestamp))> = BTreeMap::new();
        let mut unsure = false;
        for cell in self.cells() {
            let (offer, at) = self.witness(number, cell);
            let mut tried = differs(old, new, &offer, at).map(|change| (change, offer.clone()));
            // What differs whatever share a call falls to, differs for all calls of the kind.
            let of_share = |(change, _): &(Change, Offer)| change.what.iter().all(|side| SHARED.contains(side));
            if tried.as_ref().is_none_or(of_share) && splits_differ(old, new, &offer, at) {
                let (found, whole) = self.other_share(old, new, cell, &offer, at);
                unsure |= found.is_none() && !whole;
                tried = found;
            }
            let Some((change, offer)) = tried else { continue };
            changed.entry(change).or_insert_with(|| (BTreeSet::new(), (offer, at))).0.insert(cell);
        }
        if unsure {
            let why = format!("a split changes, and none of {TRIES} callers tried came to another share");
            impact.unproven.push(Unproven { numbers: numbers.to_vec(), why });
        }
        for (change, (cells, witness)) in changed {
            for (callers, sources, hours) in rectangles(&cells) {
                let first = (callers.first(), sources.first(), hours.first());
                let (Some(caller), Some(source), Some(hour)) = first else { continue };
                let cell = (*caller, *source, *hour);
                // Each line has a witness of its own; that of a split was looked for and is kept.
                let own = self.witness(number, cell);
                let witness = if change.some { witness.clone() } else { own };
                impact.moved.push(Moved {
                    numbers: numbers.to_vec(),
                    callers: self.callers_in_words(&callers),
                    sources: axis::sources_in_words(&self.union(&self.sources, &sources)),
                    hours: axis::hours_in_words(&self.schedules, &self.hours, &hours),
                    before: change.before.clone(),
                    after: change.after.clone(),
                    what: change.what.clone(),
                    some: change.some,
                    witness,
                });
            }
        }
    }

    fn union(&self, kinds: &[Kind], chosen: &[usize]) -> Vec<Stretch> {
        axis::merged(chosen.iter().filter_map(|at| kinds.get(*at)).flat_map(|kind| kind.stretches.clone()).collect())
    }

    fn callers_in_words(&self, chosen: &[usize]) -> Option<String> {
        axis::callers_in_words(&self.union(&self.callers, chosen), chosen.contains(&self.callers.len()))
    }

    /// A call of a kind that comes to another share of a split; and whether all of them were tried.
    fn other_share(
        &self,
        old: &Table,
        new: &Table,
        (caller, ..): Cell,
        offer: &Offer,
        at: Timestamp,
    ) -> (Option<(Change, Offer)>, bool) {
        let some = |offer: &Offer| {
            let change = differs(old, new, offer, at)?;
            Some((Change { some: true, what: vec!["split"], ..change }, offer.clone()))
        };
        let Some(kind) = self.callers.get(caller) else {
            // Who shows no number comes to a share by chance.
            let found = (0..TRIES as u64).find_map(|draw| some(&offer.clone().drawn(draw)));
            return (found, false);
        };
        let mut left = TRIES;
        for (first, last) in &kind.stretches {
            for value in (*first..=*last).take(usize::try_from(left).unwrap_or(0)) {
                left -= 1;
                let found = some(&Offer { calling: axis::caller(value), ..offer.clone() });
                if found.is_some() {
                    return (found, false);
                }
            }
        }
        (None, left > 0)
    }
}

/// How one call is decided otherwise.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// What became of it before, in words.
    pub before: String,
    /// What becomes of it after, in words.
    pub after: String,
    /// Which sides of the treatment differ, in the words of the language.
    pub what: Vec<&'static str>,
    some: bool,
}

/// The sides of a call's treatment that a share of a split decides.
const SHARED: [&str; 2] = ["room", "agent"];

fn splits_differ(old: &Table, new: &Table, offer: &Offer, at: Timestamp) -> bool {
    let split = |table: &Table| match table.decide(offer, at).outcome {
        Outcome::Accept(permit) | Outcome::AskPin(permit) => Some(permit.rule().beyond.split.clone()),
        Outcome::Refuse(_) => None,
    };
    matches!((split(old), split(new)), (Some(old), Some(new)) if old != new)
}

/// How a call is decided or treated otherwise by another table; none when it is not.
pub fn differs(old: &Table, new: &Table, offer: &Offer, at: Timestamp) -> Option<Change> {
    let (before, after) = (old.decide(offer, at).outcome, new.decide(offer, at).outcome);
    let what = match (&before, &after) {
        (Outcome::Refuse(one), Outcome::Refuse(two)) => match one.status() == two.status() {
            true => Vec::new(),
            false => vec!["status"],
        },
        (Outcome::Accept(one) | Outcome::AskPin(one), Outcome::Accept(two) | Outcome::AskPin(two)) => sides(one, two),
        _ => vec!["rule"],
    };
    (!what.is_empty()).then(|| Change { before: in_words(&before), after: in_words(&after), what, some: false })
}

/// Which sides of what is done with a call differ.
fn sides(one: &Permit, two: &Permit) -> Vec<&'static str> {
    let (old, new) = (one.rule(), two.rule());
    let pin = |rule: &Rule| rule.room.as_ref().and_then(|room| room.pin.clone());
    let sides = [
        ("room", one.mode() != two.mode()),
        ("pin", pin(old) != pin(new)),
        ("agent", one.agent() != two.agent()),
        ("include_headers", old.include_headers != new.include_headers),
        ("headers_to_attributes", old.kind != new.kind),
        ("recording", old.recording != new.recording),
        ("dtmf", old.dtmf != new.dtmf),
        ("noise_cancellation", old.noise_cancellation != new.noise_cancellation),
        ("hide_caller", old.hide_caller != new.hide_caller),
    ];
    sides.into_iter().filter(|(_, differs)| *differs).map(|(side, _)| side).collect()
}

fn in_words(outcome: &Outcome) -> String {
    let (permit, pin) = match outcome {
        Outcome::Refuse(cause) => {
            let (status, reason) = cause.status();
            return format!("{status} {reason}");
        }
        Outcome::Accept(permit) => (permit, ""),
        Outcome::AskPin(permit) => (permit, ", after a PIN"),
    };
    // The rule's own room and agent, and then the shares: what is said holds for every caller of the kind.
    let rule = permit.rule();
    let split = &rule.beyond.split;
    let mut parts = Vec::new();
    match rule.room.as_ref().map(|room| &room.mode) {
        Some(RoomMode::Static(id)) => parts.push(format!("room {id}")),
        Some(RoomMode::Dynamic(_)) => parts.push("a room of its own".to_owned()),
        None if rule.agent.is_none() && split.is_empty() => parts.push("nowhere".to_owned()),
        None => {}
    }
    parts.extend(rule.agent.as_ref().map(|agent| format!("agent {}", agent.id)));
    if !split.is_empty() {
        let shares = split.shares().iter().map(|(target, weight)| format!("{target} ({weight})"));
        parts.push(format!("a split of {}", shares.collect::<Vec<_>>().join(", ")));
    }
    format!("{}{pin} (rule {})", parts.join(" with "), rule.name)
}

/// Kinds of calls as few rectangles: some callers, from some sources, at some hours.
fn rectangles(cells: &BTreeSet<Cell>) -> Vec<(Vec<usize>, Vec<usize>, Vec<usize>)> {
    // Callers with the same sources and hours are one; of those, sources with the same hours are one.
    let mut of_caller: BTreeMap<usize, BTreeMap<usize, BTreeSet<usize>>> = BTreeMap::new();
    for (caller, source, hour) in cells {
        of_caller.entry(*caller).or_default().entry(*source).or_default().insert(*hour);
    }
    let mut callers: BTreeMap<BTreeMap<usize, BTreeSet<usize>>, Vec<usize>> = BTreeMap::new();
    for (caller, rest) in of_caller {
        callers.entry(rest).or_default().push(caller);
    }
    let mut all = Vec::new();
    for (rest, callers) in callers {
        let mut sources: BTreeMap<BTreeSet<usize>, Vec<usize>> = BTreeMap::new();
        for (source, hours) in rest {
            sources.entry(hours).or_default().push(source);
        }
        all.extend(sources.into_iter().map(|(hours, s)| (callers.clone(), s, hours.into_iter().collect())));
    }
    all
}

/// The lists of candidates of a table, each with the numbers that share it.
fn lists(table: &Table) -> Vec<(Option<Candidates>, Vec<E164>)> {
    let numbers: BTreeSet<E164> = table.inbound_numbers().collect();
    let mut groups: BTreeMap<usize, (Option<Candidates>, Vec<E164>)> = BTreeMap::new();
    for number in numbers {
        let known = table.number(number);
        let list = match known {
            Known::Rules(list) => Some(Arc::clone(list)),
            Known::No | Known::NoRule => None,
        };
        groups.entry(group(known)).or_insert_with(|| (list, Vec::new())).1.push(number);
    }
    let mut all: Vec<_> = groups.into_values().collect();
    all.sort_by_key(|(_, numbers)| numbers.first().copied());
    all
}
