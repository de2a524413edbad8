//! `decide` agrees with a plain scan of all rules, and taking away the winner changes the answer.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use proptest::prelude::*;
use strowger::model::{
    AllowList, BookedRule, CallerPattern, Direction, E164, IncludeHeaders, RoomMode, RoomPrefix, RoomTarget,
    RoutingRule, RuleBook, RuleKind, Secret, SourceNet,
};
use strowger::route::{Cause, Offer, Outcome, Table, moved};

fn number(at: u8) -> E164 {
    format!("+1415555{:04}", at).parse().expect("a number")
}

fn source(at: u8) -> IpAddr {
    format!("192.0.2.{at}").parse().expect("an address")
}

type Choices = (Vec<u8>, Vec<u8>, Vec<u8>, u8);

fn rule(id: usize, (numbers, callers, sources, variant): Choices) -> BookedRule {
    let pattern = |at: u8| -> CallerPattern {
        match at % 4 {
            0 => "*".parse().expect("a pattern"),
            1 => "+1415*".parse().expect("a pattern"),
            2 => "+49*".parse().expect("a pattern"),
            _ => CallerPattern::Exact(number(at)),
        }
    };
    // Some lists hold entries that cannot be read, which admit nobody.
    let sources: AllowList<SourceNet> = match variant % 5 {
        4 => AllowList::read(["nonsense"]),
        _ => AllowList::of(sources.iter().map(|at| source(*at).to_string().parse().expect("a source"))),
    };
    let kind = match variant % 3 {
        2 => RuleKind::Outbound { headers: BTreeMap::new() },
        _ => RuleKind::Inbound { headers_to_attributes: BTreeMap::new() },
    };
    let pin = (variant % 2 == 0).then(|| Some(Secret::new("1")));
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
            recording: false,
            dtmf: false,
            noise_cancellation: false,
            hide_caller: false,
        },
    }
}

/// Books in which no number is on two inbound rules, as the store keeps it.
fn book() -> impl Strategy<Value = RuleBook> {
    let few = || prop::collection::vec(0_u8..12, 0..3);
    let rules = prop::collection::vec((prop::collection::vec(0_u8..12, 0..5), few(), few(), any::<u8>()), 0..6);
    (rules, prop::collection::vec(0_u8..12, 0..6)).prop_map(|(rules, numbers)| {
        let mut taken = BTreeSet::new();
        let rules = rules.into_iter().enumerate().map(|(id, choices)| {
            let mut booked = rule(id, choices);
            if booked.rule.direction() == Direction::Inbound {
                booked.rule.numbers.retain(|number| taken.insert(*number));
            }
            booked
        });
        RuleBook { rules: rules.collect(), numbers: numbers.into_iter().map(number).collect() }
    })
}

fn offer() -> impl Strategy<Value = Offer> {
    (prop::option::weighted(0.95, 0_u8..14), prop::option::weighted(0.8, 0_u8..14), 0_u8..14).prop_map(
        |(dialled, calling, from)| Offer {
            dialled: dialled.map(number),
            calling: calling.map(number),
            source: source(from),
        },
    )
}

/// What a plain scan says: the status of a refusal, or the rule and whether it asks for a PIN.
fn scan(book: &RuleBook, offer: &Offer) -> Result<(String, bool), Cause> {
    let dialled = offer.dialled.ok_or(Cause::NotANumber)?;
    for booked in &book.rules {
        if booked.rule.direction() != Direction::Inbound || !booked.rule.numbers.contains(&dialled) {
            continue;
        }
        let sources = booked.rule.allowed_sources.texts();
        if !sources.is_empty() && !sources.contains(&offer.source.to_string()) {
            return Err(Cause::SourceNotAllowed);
        }
        let callers = booked.rule.allowed_callers.texts();
        let caller = offer.calling.map(|caller| caller.to_string());
        let admits = |entry: &String| match (entry.strip_suffix('*'), &caller) {
            (_, None) => false,
            (Some(prefix), Some(caller)) => caller.starts_with(prefix),
            (None, Some(caller)) => caller == entry,
        };
        if !callers.is_empty() && !callers.iter().any(admits) {
            return Err(Cause::CallerNotAllowed);
        }
        return Ok((booked.id.to_string(), booked.rule.room.as_ref().is_some_and(|room| room.pin.is_some())));
    }
    match book.numbers.contains(&dialled) {
        true => Err(Cause::NoRule),
        false => Err(Cause::UnknownNumber),
    }
}

fn decided(book: &RuleBook, offer: &Offer) -> Result<(String, bool), Cause> {
    match Table::build(book).decide(offer).outcome {
        Outcome::Accept(permit) => Ok((permit.rule_id().to_string(), false)),
        Outcome::AskPin(permit) => Ok((permit.rule_id().to_string(), true)),
        Outcome::Refuse(cause) => Err(cause),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]

    #[test]
    fn the_table_agrees_with_a_plain_scan(book in book(), offer in offer()) {
        prop_assert_eq!(decided(&book, &offer), scan(&book, &offer));
    }

    #[test]
    fn taking_away_the_winner_changes_the_answer(book in book(), offer in offer()) {
        let answer = decided(&book, &offer);
        if let Ok((winner, _)) = &answer {
            let mut without = book.clone();
            without.rules.retain(|booked| booked.id.as_str() != winner);
            prop_assert_ne!(decided(&without, &offer), answer);
        }
    }

    #[test]
    fn calls_to_a_number_that_is_not_said_to_move_are_decided_as_before(one in book(), two in book(), offer in offer()) {
        let moved = moved(&one, &two);
        let said = moved.iter().any(|moved| Some(moved.number) == offer.dialled);
        if !said {
            let pin = |decision: Result<(String, bool), Cause>| decision.map(|(_, pin)| pin);
            prop_assert_eq!(pin(decided(&one, &offer)), pin(decided(&two, &offer)));
        }
    }
}
