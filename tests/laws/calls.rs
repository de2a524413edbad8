//! Every sequence of inputs brings a call to one end: media closed, room left, one record.

use jiff::Timestamp;
use proptest::prelude::*;
use strowger::call::{Call, End, Input, MediaRefusal, Output, Timer};
use strowger::model::{
    AllowList, BookedRule, IncludeHeaders, RoomMode, RoomPrefix, RoomTarget, RoutingRule, RuleBook, RuleKind, Secret,
};
use strowger::route::{Decision, Offer, Table};

/// How a call is decided: taken, asked for a PIN, without a room, or refused.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Taken,
    Pin,
    Roomless,
    Refused,
}

fn decision(kind: Kind) -> Decision {
    let number = "+14155550100";
    let room = match kind {
        Kind::Roomless => None,
        Kind::Pin => Some(Some(Some(Secret::new("12")))),
        _ => Some(None),
    };
    let rule = RoutingRule {
        name: "main".into(),
        kind: RuleKind::Inbound { headers_to_attributes: Default::default() },
        numbers: [number.parse().expect("a number")].into(),
        agent: None,
        room: room.map(|pin| RoomTarget { mode: RoomMode::Dynamic(RoomPrefix::None), pin }),
        allowed_callers: AllowList::default(),
        allowed_sources: AllowList::default(),
        include_headers: IncludeHeaders::None,
        tags: Default::default(),
        recording: false,
        dtmf: false,
        noise_cancellation: false,
        hide_caller: false,
    };
    let rules = match kind {
        Kind::Refused => Vec::new(),
        _ => vec![BookedRule { id: "rr_1".parse().expect("an id"), rule }],
    };
    let source = "192.0.2.1".parse().expect("an address");
    Table::build(&RuleBook { numbers: Vec::new(), rules }).decide(&Offer::inbound(number, "anonymous", source))
}

/// What the world may do at any moment, whether it makes sense or not.
fn event() -> impl Strategy<Value = Input> {
    let refusal = || MediaRefusal::NoCommonCodec("none".into());
    prop_oneof![
        3 => Just(Input::MediaOpened),
        1 => Just(Input::MediaRefused(refusal())),
        3 => Just(Input::Joined),
        2 => Just(Input::Acked),
        6 => prop_oneof![Just('1'), Just('2'), Just('#'), Just('9')].prop_map(Input::Digit),
        1 => Just(Input::Cancelled),
        1 => Just(Input::Bye),
        1 => Just(Input::Lost("gone".into())),
        2 => Just(Input::Reinvited),
        2 => Just(Input::MediaChanged),
        1 => Just(Input::MediaUnchanged(refusal())),
        1 => Just(Input::TimedOut(Timer::Pin)),
        1 => Just(Input::Stopped),
        1 => Just(Input::HangUp),
        1 => Just(Input::RoomClosed),
        1 => Just(Input::SwitchRoom("other".into())),
        1 => Just(Input::RoomSwitched),
        1 => Just(Input::RoomNotSwitched("no".into())),
        1 => prop_oneof![Just(Kind::Taken), Just(Kind::Refused)].prop_map(|kind| Input::Invited(decision(kind))),
    ]
}

/// Counts what a call asked for.
#[derive(Default)]
struct Seen {
    media: i32,
    room: i32,
    answers: usize,
    refusals: usize,
    byes: usize,
    records: Vec<End>,
}

impl Seen {
    fn note(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            assert!(self.records.is_empty(), "{output:?} after the record");
            match output {
                Output::OpenMedia => self.media += 1,
                Output::CloseMedia => self.media -= 1,
                Output::JoinRoom(_) => self.room += 1,
                Output::LeaveRoom => self.room -= 1,
                Output::Answer => self.answers += 1,
                Output::Refuse { .. } => self.refusals += 1,
                Output::Bye => self.byes += 1,
                Output::Record(record) => self.records.push(record.end),
                _ => {}
            }
            assert!((0..=1).contains(&self.media) && (0..=1).contains(&self.room));
        }
    }
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![3 => Just(Kind::Taken), 3 => Just(Kind::Pin), 1 => Just(Kind::Roomless), 1 => Just(Kind::Refused)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]

    #[test]
    fn every_call_ends_once_and_gives_everything_back(kind in kind(), events in prop::collection::vec(event(), 0..24)) {
        let now = Timestamp::UNIX_EPOCH;
        let (mut call, mut seen) = (Call::new(), Seen::default());
        seen.note(call.handle(Input::Invited(decision(kind)), now));
        for event in events {
            // Media that the call never asked to open cannot be refused.
            if matches!(event, Input::MediaRefused(_)) && seen.media == 0 {
                continue;
            }
            let refused = matches!(event, Input::MediaRefused(_)) && seen.answers == 0;
            let before = seen.media;
            let outputs = call.handle(event, now);
            if refused && outputs.iter().any(|output| matches!(output, Output::Refuse { .. })) {
                // What was refused was never opened, so it is not closed either.
                seen.media = before - 1;
            }
            seen.note(outputs);
        }
        seen.note(call.handle(Input::Lost("the end of the test".into()), now));
        prop_assert!(call.is_over());
        prop_assert_eq!(seen.records.len(), 1);
        prop_assert_eq!((seen.media, seen.room), (0, 0));
        prop_assert!(seen.answers + seen.refusals <= 1, "one final answer at most");
        prop_assert!(seen.byes <= seen.answers, "a BYE only ends what was answered");
    }
}

#[test]
fn a_caller_is_in_the_room_before_the_answer() {
    let now = Timestamp::UNIX_EPOCH;
    let mut call = Call::new();
    assert_eq!(call.handle(Input::Invited(decision(Kind::Taken)), now), [Output::OpenMedia]);
    assert!(matches!(call.handle(Input::MediaOpened, now)[..], [Output::JoinRoom(_)]));
    assert_eq!(call.handle(Input::Joined, now), [Output::Answer]);
    let outputs = call.handle(Input::Bye, now);
    assert!(matches!(outputs[..], [Output::LeaveRoom, Output::CloseMedia, Output::Record(_)]));
}

#[test]
fn three_wrong_pins_end_the_call() {
    let now = Timestamp::UNIX_EPOCH;
    let mut call = Call::new();
    call.handle(Input::Invited(decision(Kind::Pin)), now);
    call.handle(Input::MediaOpened, now);
    let mut last = Vec::new();
    for digit in "9#1#123#".chars() {
        last = call.handle(Input::Digit(digit), now);
    }
    assert!(
        matches!(&last[..], [Output::Bye, Output::CloseMedia, Output::Record(record)] if record.end == End::WrongPin)
    );
}

#[test]
fn the_right_pin_opens_the_room() {
    let now = Timestamp::UNIX_EPOCH;
    let mut call = Call::new();
    call.handle(Input::Invited(decision(Kind::Pin)), now);
    call.handle(Input::MediaOpened, now);
    call.handle(Input::Digit('1'), now);
    call.handle(Input::Digit('2'), now);
    assert!(matches!(call.handle(Input::Digit('#'), now)[..], [Output::JoinRoom(_)]));
}
