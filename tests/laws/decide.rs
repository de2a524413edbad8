//! `decide` agrees with a plain scan of all rules, taking away the winner changes the answer, and the calls that a
//! change is said to move are those that it moves.
//!
//! `STROWGER_OFFERS=1000000 cargo test --release --test laws decide` decides a million.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::Timestamp;
use proptest::prelude::*;
use strowger::model::{
    AllowList, Beyond, BookedGateway, BookedRule, CallerPattern, Direction, E164, IncludeHeaders, RoomMode, RoomPrefix,
    RoomTarget, RoutingRule, RuleBook, RuleKind, Schedule, Secret, SourceNet, Split, Target,
};
use strowger::route::{Cause, Moved, Offer, Outcome, Table, differs, impact};

/// How many offers are decided by each book.
const OFFERS: usize = 32;

fn cases() -> u32 {
    let offers = std::env::var("STROWGER_OFFERS").ok().and_then(|text| text.parse::<u32>().ok());
    offers.map_or(1024, |offers| offers.div_ceil(OFFERS as u32))
}

fn number(at: u8) -> E164 {
    format!("+1415555{:04}", at).parse().expect("a number")
}

fn source(at: u8) -> IpAddr {
    match at % 5 {
        0 => format!("2001:db8::{at}").parse().expect("an address"),
        _ => format!("192.0.2.{at}").parse().expect("an address"),
    }
}

/// A pattern, in a form of the language.
fn caller_text(at: u8) -> String {
    match at % 5 {
        0 => "*".to_owned(),
        1 => "+1415*".to_owned(),
        2 => "+49*".to_owned(),
        3 => format!("{}..{}", number(at % 7), number(at % 7 + 3)),
        _ => number(at).to_string(),
    }
}

fn source_text(at: u8) -> String {
    match at % 4 {
        0 => "192.0.2.0/29".to_owned(),
        1 => "2001:db8::/32".to_owned(),
        2 => "0.0.0.0/0".to_owned(),
        _ => source(at).to_string(),
    }
}

/// Hours of the clock in UTC, as a scan can tell them with a division.
fn hours(at: u8) -> Option<(u8, u8)> {
    match at % 4 {
        0 => Some((9, 17)),
        1 => Some((0, 12)),
        _ => None,
    }
}

#[derive(Debug, Clone)]
struct Choices {
    numbers: Vec<u8>,
    callers: Vec<u8>,
    sources: Vec<u8>,
    blocked: Vec<u8>,
    variant: u8,
    hours: u8,
    priority: Option<u8>,
}

fn choices() -> impl Strategy<Value = Choices> {
    let few = |most| prop::collection::vec(0_u8..14, 0..most);
    (few(5), few(3), few(3), few(2), any::<u8>(), any::<u8>(), prop::option::of(0_u8..4)).prop_map(
        |(numbers, callers, sources, blocked, variant, hours, priority)| Choices {
            numbers,
            callers,
            sources,
            blocked,
            variant,
            hours,
            priority,
        },
    )
}

fn rule(id: usize, choices: Choices) -> BookedRule {
    let Choices { numbers, callers, sources, blocked, variant, hours: at, priority } = choices;
    let pattern = |at: u8| -> CallerPattern { caller_text(at).parse().expect("a pattern") };
    // Some lists hold entries that cannot be read, which admit nobody.
    let sources: AllowList<SourceNet> = match variant % 5 {
        4 => AllowList::read(["nonsense"]),
        _ => AllowList::of(sources.iter().map(|at| source_text(*at).parse().expect("a source"))),
    };
    let kind = match variant % 4 {
        3 => RuleKind::Outbound { headers: BTreeMap::new() },
        _ => RuleKind::Inbound { headers_to_attributes: BTreeMap::new() },
    };
    let inbound = matches!(kind, RuleKind::Inbound { .. });
    let pin = (variant % 2 == 0).then(|| Some(Secret::new("1")));
    let schedule = hours(at).map(|(from, to)| {
        let weekly = format!("mon-sun {from:02}:00-{to:02}:00").parse().expect("hours");
        Schedule::new("UTC", Some(vec![weekly]), Vec::new(), Vec::new()).expect("a schedule")
    });
    let share = |id: &str, weight| (Target::Agent(id.parse().expect("an id")), weight);
    let split = match variant % 7 {
        0 => Split::new([share("a", u32::from(variant)), share("b", 100)].into()).expect("a split"),
        _ => Split::default(),
    };
    let beyond = match inbound {
        false => Beyond::default(),
        true => Beyond {
            priority: priority.map(u16::from),
            schedule,
            blocked_callers: blocked.into_iter().map(pattern).collect(),
            split,
            ..Beyond::default()
        },
    };
    BookedRule {
        id: format!("rr_{id}").parse().expect("an id"),
        rule: RoutingRule {
            name: format!("rule {id}"),
            kind,
            numbers: numbers.into_iter().map(number).collect(),
            agent: None,
            room: Some(RoomTarget { mode: RoomMode::Dynamic(RoomPrefix::None), pin }),
            allowed_callers: AllowList::of(callers.into_iter().map(pattern)),
            allowed_sources: sources,
            include_headers: IncludeHeaders::None,
            tags: BTreeSet::new(),
            api_key: None,
            recording: variant % 11 == 0,
            dtmf: false,
            noise_cancellation: false,
            hide_caller: false,
            beyond,
        },
    }
}

/// Books in which no number is on two inbound rules of one priority, as the store keeps it.
fn book() -> impl Strategy<Value = RuleBook> {
    let few = || prop::collection::vec(0_u8..12, 0..6);
    (prop::collection::vec(choices(), 0..6), few(), few()).prop_map(|(rules, numbers, outbound)| {
        let mut taken = BTreeSet::new();
        let rules = rules.into_iter().enumerate().map(|(id, choices)| {
            let mut booked = rule(id, choices);
            if booked.rule.direction() == Direction::Inbound {
                let priority = booked.rule.beyond.priority;
                booked.rule.numbers.retain(|number| taken.insert((*number, priority)));
            }
            booked
        });
        let gateway = BookedGateway {
            id: "gw_1".parse().expect("an id"),
            name: "out".to_owned(),
            direction: Direction::Outbound,
            region: "auto".to_owned(),
            transport: None,
            numbers: outbound.into_iter().map(number).collect(),
        };
        RuleBook { rules: rules.collect(), numbers: numbers.into_iter().map(number).collect(), gateways: vec![gateway] }
    })
}

type Call = (Offer, Timestamp);

fn call() -> impl Strategy<Value = Call> {
    let known = prop::option::weighted(0.9, 0_u8..14);
    let odd = prop_oneof![Just("+4930901820"), Just("+14159999999"), Just("+2125550123"), Just("+415555000")];
    let calling = prop_oneof![3 => known.prop_map(|at| at.map(number)), 1 => odd.prop_map(|text| text.parse().ok())];
    let outbound = prop::option::weighted(0.2, 0_u8..7);
    (prop::option::weighted(0.95, 0_u8..14), calling, 0_u8..14, 0_i64..48, outbound, any::<u64>()).prop_map(
        |(dialled, calling, from, half_hours, outbound, draw)| {
            let text =
                |number: Option<E164>| number.map_or_else(|| "anonymous".to_owned(), |number| number.to_string());
            let (to, by) = (text(dialled.map(number)), text(calling));
            let offer = match outbound {
                None => Offer::inbound(&to, &by, source(from)),
                Some(rule) => Offer::outbound(format!("rr_{rule}").parse().expect("an id"), &by, &to),
            };
            let at = Timestamp::from_second(1_780_444_800 + half_hours * 1800).expect("a moment");
            (offer.drawn(draw), at)
        },
    )
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    prop::collection::vec(call(), OFFERS)
}

/// Whether a text of a caller list holds a caller.
fn caller_holds(text: &str, caller: E164) -> bool {
    let caller = caller.to_string();
    match (text.split_once(".."), text.strip_suffix('*')) {
        // Numbers of one length compare as their texts do.
        (Some((first, last)), _) => caller.len() == first.len() && *first <= *caller && *caller <= *last,
        (_, Some(prefix)) => caller.starts_with(prefix),
        _ => caller == text,
    }
}

/// Whether a text of a source list holds an address, among those that the tests write.
fn source_holds(text: &str, source: IpAddr) -> bool {
    match (text, source) {
        ("192.0.2.0/29", IpAddr::V4(v4)) => v4.octets()[..3] == [192, 0, 2] && v4.octets()[3] < 8,
        ("2001:db8::/32", IpAddr::V6(_)) | ("0.0.0.0/0", IpAddr::V4(_)) => true,
        _ => text == source.to_string(),
    }
}

/// What a plain scan says: the cause of a refusal, or the rule and whether it asks for a PIN.
fn scan(book: &RuleBook, (offer, at): &Call) -> Result<(String, bool), Cause> {
    use strowger::route::Way;
    let arrival = match &offer.way {
        Way::Inbound(arrival) => arrival,
        Way::Outbound(departure) => {
            offer.dialled.ok_or(Cause::NotANumber)?;
            let booked = book.rules.iter().find(|booked| booked.id == departure.rule).ok_or(Cause::UnknownRule)?;
            if booked.rule.direction() == Direction::Inbound {
                return Err(Cause::NotOutbound);
            }
            let from = offer.calling.filter(|from| booked.rule.numbers.contains(from)).ok_or(Cause::NumberNotOnRule)?;
            return match book.gateways[0].numbers.contains(&from) {
                true => Ok((booked.id.to_string(), false)),
                false => Err(Cause::NoGateway),
            };
        }
    };
    let dialled = offer.dialled.ok_or(Cause::NotANumber)?;
    let holds =
        |booked: &&BookedRule| booked.rule.direction() == Direction::Inbound && booked.rule.numbers.contains(&dialled);
    let mut left: Vec<&BookedRule> = book.rules.iter().filter(holds).collect();
    if left.is_empty() {
        return Err(
            if book.numbers.contains(&dialled)
                || book
                    .gateways
                    .iter()
                    .any(|gateway| gateway.direction == Direction::Inbound && gateway.numbers.contains(&dialled))
            {
                Cause::NoRule
            } else {
                Cause::UnknownNumber
            },
        );
    }
    let hour = (at.as_second() / 3600 % 24) as u8;
    let mut worst = Vec::new();
    while !left.is_empty() {
        let best = (0..left.len()).max_by_key(|at| left[*at].rule.beyond.priority).expect("one is left");
        let booked = left.remove(best);
        let rule = &booked.rule;
        let open = rule.beyond.schedule.as_ref().map(|schedule| schedule.weekly().join(""));
        let is_open = match open.as_deref() {
            Some("mon-sun 09:00-17:00") => (9..17).contains(&hour),
            Some("mon-sun 00:00-12:00") => hour < 12,
            _ => true,
        };
        let listed =
            |texts: Vec<String>| offer.calling.is_some_and(|caller| texts.iter().any(|t| caller_holds(t, caller)));
        let (callers, sources) = (rule.allowed_callers.texts(), rule.allowed_sources.texts());
        if !is_open {
            worst.push((1, Cause::Closed));
        } else if listed(rule.beyond.blocked_callers.iter().map(ToString::to_string).collect()) {
            return Err(Cause::Blocked);
        } else if !sources.is_empty() && !sources.iter().any(|text| source_holds(text, arrival.source)) {
            worst.push((2, Cause::SourceNotAllowed));
        } else if !callers.is_empty() && !listed(callers) {
            worst.push((3, Cause::CallerNotAllowed));
        } else {
            return Ok((booked.id.to_string(), rule.room.as_ref().is_some_and(|room| room.pin.is_some())));
        }
    }
    Err(worst.into_iter().max_by_key(|(far, _)| *far).map_or(Cause::NoRule, |(_, cause)| cause))
}

fn decided(table: &Table, (offer, at): &Call) -> Result<(String, bool), Cause> {
    match table.decide(offer, *at).outcome {
        Outcome::Accept(permit) => Ok((permit.rule_id().to_string(), false)),
        Outcome::AskPin(permit) => Ok((permit.rule_id().to_string(), true)),
        Outcome::Refuse(cause) => Err(cause),
    }
}

fn is_said(moved: &[Moved], dialled: Option<E164>) -> bool {
    moved.iter().any(|moved| moved.numbers.iter().any(|number| Some(*number) == dialled))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn the_table_agrees_with_a_plain_scan(book in book(), calls in calls()) {
        let table = Table::build(&book);
        for call in &calls {
            prop_assert_eq!(decided(&table, call), scan(&book, call), "{:?}", call);
        }
    }

    #[test]
    fn taking_away_the_winner_changes_the_answer(book in book(), calls in calls()) {
        let table = Table::build(&book);
        for call in &calls {
            let answer = decided(&table, call);
            if let Ok((winner, _)) = &answer {
                let mut without = book.clone();
                without.rules.retain(|booked| booked.id.as_str() != winner);
                prop_assert_ne!(decided(&Table::build(&without), call), answer);
            }
        }
    }

}

proptest! {
    // A comparison of two tables costs as much as some thousand decisions.
    #![proptest_config(ProptestConfig { cases: cases().div_ceil(4), ..ProptestConfig::default() })]

    #[test]
    fn the_calls_said_to_move_are_those_that_move(one in book(), two in book(), calls in calls()) {
        let start = Timestamp::from_second(1_780_444_800).expect("a moment");
        let impact = impact(&one, &two, start);
        let (old, new) = (Table::build(&one), Table::build(&two));
        for moved in &impact.moved {
            let (offer, at) = &moved.witness;
            let change = differs(&old, &new, offer, *at);
            prop_assert!(change.is_some(), "the witness of {:?} does not move", moved);
            let change = change.expect("it moves");
            prop_assert_eq!((&change.before, &change.after), (&moved.before, &moved.after));
        }
        let unproven: BTreeSet<E164> = impact.unproven.iter().flat_map(|unproven| unproven.numbers.clone()).collect();
        for (offer, at) in calls.iter().filter(|(offer, _)| matches!(offer.way, strowger::route::Way::Inbound(_))) {
            let moves = differs(&old, &new, offer, *at);
            let known = is_said(&impact.moved, offer.dialled) || offer.dialled.is_some_and(|n| unproven.contains(&n));
            prop_assert!(known || moves.is_none(), "{:?} moves and is not said to: {:?}", offer, moves);
            // A call to a number that is said to move, but of another kind, is among the unchanged ones: its own
            // change has to be one of those that are printed.
            if let Some(moves) = moves.filter(|_| unproven.is_empty()) {
                let printed = impact.moved.iter().any(|moved| {
                    moved.numbers.contains(&offer.dialled.expect("a number")) && moved.before == moves.before
                        && moved.after == moves.after
                });
                let split = impact.moved.iter().any(|moved| moved.some);
                prop_assert!(printed || split, "{:?} is not among {:?}", moves, impact.moved);
            }
        }
    }

    #[test]
    fn a_table_moves_no_call_against_itself(book in book()) {
        let impact = impact(&book, &book, Timestamp::UNIX_EPOCH);
        prop_assert!(impact.moved.is_empty() && impact.unproven.is_empty(), "{:?}", impact);
    }
}

fn one_rule(callers: &[&str], sources: &[&str]) -> RuleBook {
    let choices = Choices {
        numbers: vec![1],
        callers: vec![],
        sources: vec![],
        blocked: vec![],
        variant: 1,
        hours: 2,
        priority: None,
    };
    let mut booked = rule(0, choices);
    booked.rule.allowed_callers = AllowList::read(callers.iter().copied());
    booked.rule.allowed_sources = AllowList::read(sources.iter().copied());
    RuleBook { numbers: vec![number(1), number(2)], rules: vec![booked], ..RuleBook::default() }
}

fn outcome(book: &RuleBook, dialled: &str, calling: &str, source: &str) -> Result<(String, bool), Cause> {
    let offer = Offer::inbound(dialled, calling, source.parse().expect("an address"));
    decided(&Table::build(book), &(offer, Timestamp::UNIX_EPOCH))
}

// -- where neighbours were found weak

#[test]
fn a_malformed_allow_list_admits_nobody() {
    let book = one_rule(&["+1415", "*1"], &[]);
    assert_eq!(outcome(&book, "+14155550001", "+14155550002", "192.0.2.1"), Err(Cause::CallerNotAllowed));
    let book = one_rule(&[], &["192.0.2.1/33", "localhost"]);
    assert_eq!(outcome(&book, "+14155550001", "+14155550002", "192.0.2.1"), Err(Cause::SourceNotAllowed));
}

#[test]
fn the_callers_own_from_header_is_never_a_source() {
    let book = one_rule(&[], &["192.0.2.1"]);
    // What a caller writes into From, its host included, says nothing of where the call came from.
    let from = "sip:+14155550002@192.0.2.1;received=192.0.2.1";
    assert_eq!(outcome(&book, "+14155550001", from, "203.0.113.9"), Err(Cause::SourceNotAllowed));
}

#[test]
fn an_unreadable_source_is_no_match() {
    let book = one_rule(&[], &["192.0.2.256", "192.0.2.1:5060", ""]);
    assert_eq!(outcome(&book, "+14155550001", "+14155550002", "192.0.2.1"), Err(Cause::SourceNotAllowed));
    let mapped = one_rule(&[], &["192.0.2.1"]);
    assert!(outcome(&mapped, "+14155550001", "+14155550002", "::ffff:192.0.2.1").is_ok());
}

#[test]
fn no_rules_and_rules_that_do_not_take_the_call_are_told_apart() {
    let book = one_rule(&["+49*"], &[]);
    assert_eq!(outcome(&book, "+14155550003", "+14155550002", "192.0.2.1"), Err(Cause::UnknownNumber));
    assert_eq!(outcome(&book, "+14155550002", "+14155550002", "192.0.2.1"), Err(Cause::NoRule));
    assert_eq!(outcome(&book, "+14155550001", "+14155550002", "192.0.2.1"), Err(Cause::CallerNotAllowed));
}

#[test]
fn numbers_are_normalised_equally_on_both_sides() {
    let book = one_rule(&["+14155550002"], &[]);
    for dialled in ["+14155550001", "14155550001", "0014155550001", "tel:+1-415-555-0001", "sip:14155550001@x"] {
        for calling in ["+14155550002", "14155550002", "0014155550002", "tel:+1-415-555-0002", "sip:14155550002@y"] {
            assert!(outcome(&book, dialled, calling, "192.0.2.1").is_ok(), "{dialled} {calling}");
        }
    }
}

#[test]
fn an_impact_is_said_in_few_lines() {
    let (before, after) = (one_rule(&["+1*"], &[]), one_rule(&["+1*", "+49*"], &[]));
    let impact = impact(&before, &after, Timestamp::UNIX_EPOCH);
    assert_eq!(impact.moved.len(), 1);
    assert_eq!(impact.moved[0].callers.as_deref(), Some("callers +49*"));
    assert_eq!((impact.moved[0].sources.as_ref(), impact.moved[0].hours.as_ref()), (None, None));
}
