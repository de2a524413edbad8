//! Every sequence of inputs brings a call to one end: media closed, room left, one record.

use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;
use strowger::call::{Call, End, Input, MediaRefusal, Output, Record, Status, Summons, Timer};
use strowger::model::{
    AgentTarget, AllowList, BookedRule, Fallback, IncludeHeaders, OnClose, RoomMode, RoomPrefix, RoomTarget,
    RoutingRule, RuleBook, RuleKind, Secret,
};
use strowger::route::{Decision, Offer, Table};

/// How a call is decided: taken, asked for a PIN, without a room, for an agent alone or with a room, or refused.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Taken,
    Pin,
    Roomless,
    Agent,
    AgentWithPin,
    Refused,
}

fn decision(kind: Kind) -> Decision {
    let number = "+14155550100";
    let room = match kind {
        Kind::Roomless | Kind::Agent => None,
        Kind::Pin | Kind::AgentWithPin => Some(Some(Some(Secret::new("12")))),
        _ => Some(None),
    };
    let rule = RoutingRule {
        name: "main".into(),
        kind: RuleKind::Inbound { headers_to_attributes: Default::default() },
        numbers: [number.parse().expect("a number")].into(),
        agent: matches!(kind, Kind::Agent | Kind::AgentWithPin)
            .then(|| AgentTarget { id: "front".parse().expect("an id"), metadata: Default::default() }),
        room: room.map(|pin| RoomTarget { mode: RoomMode::Dynamic(RoomPrefix::None), pin }),
        allowed_callers: AllowList::default(),
        allowed_sources: AllowList::default(),
        include_headers: IncludeHeaders::None,
        tags: Default::default(),
        api_key: None,
        recording: false,
        dtmf: true,
        noise_cancellation: false,
        hide_caller: false,
        beyond: Default::default(),
    };
    let rules = match kind {
        Kind::Refused => Vec::new(),
        _ => vec![BookedRule { id: "rr_1".parse().expect("an id"), rule }],
    };
    let source = "192.0.2.1".parse().expect("an address");
    let offer = Offer::inbound(number, "anonymous", source);
    Table::build(&RuleBook { rules, ..RuleBook::default() }).decide(&offer, Timestamp::UNIX_EPOCH)
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
        3 => prop_oneof![Just(OnClose::Hangup), Just(OnClose::Leave)].prop_map(Input::AgentReady),
        2 => Just(Input::AgentFailed("refused".into())),
        2 => Just(Input::AgentClosed("closed".into())),
        1 => Just(Input::Silent(Duration::from_secs(300))),
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
    agent: i32,
    /// Whether the agent that was dispatched is connected.
    ready: bool,
    rings: bool,
    acked: bool,
    answers: usize,
    refusals: usize,
    byes: usize,
    records: Vec<Record>,
}

impl Seen {
    fn note(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            assert!(self.records.is_empty(), "{output:?} after the record");
            match output {
                Output::OpenMedia => self.media += 1,
                Output::CloseMedia => self.media -= 1,
                Output::JoinRoom(_) => self.room += 1,
                Output::JoinOther(..) => self.room = 1,
                Output::LeaveRoom => self.room -= 1,
                Output::Ring => self.rings = true,
                Output::DispatchAgent(..) => {
                    self.agent += 1;
                    self.ready = false;
                }
                Output::DismissAgent => {
                    self.agent -= 1;
                    self.ready = false;
                }
                Output::JoinAgent => {
                    assert!(self.ready && self.acked && self.room == 1, "an agent in a room where nobody hears it");
                }
                Output::Answer => {
                    // A caller who heard ringing is answered for an agent that is there, or for a room instead.
                    assert!(!self.rings || self.agent == 0 || self.ready, "answered before the agent was there");
                    self.answers += 1;
                }
                Output::Refuse { .. } => self.refusals += 1,
                Output::Bye => self.byes += 1,
                Output::Record(record) => self.records.push(*record),
                _ => {}
            }
            assert!((0..=1).contains(&self.media) && (0..=1).contains(&self.room) && (0..=1).contains(&self.agent));
        }
    }
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        3 => Just(Kind::Taken),
        3 => Just(Kind::Pin),
        1 => Just(Kind::Roomless),
        4 => Just(Kind::Agent),
        3 => Just(Kind::AgentWithPin),
        1 => Just(Kind::Refused),
    ]
}

fn summons() -> impl Strategy<Value = Option<Summons>> {
    let fallback = prop_oneof![
        Just(Fallback::Agent("other".parse().expect("an id"))),
        Just(Fallback::Room("people".parse().expect("an id"))),
        Just(Fallback::Status(486)),
    ];
    let summons = (any::<bool>(), prop::collection::vec(fallback, 0..3))
        .prop_map(|(ring_until_ready, fallback)| Summons { ring_until_ready, fallback });
    prop::option::weighted(0.9, summons)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]

    #[test]
    fn every_call_ends_once_and_gives_everything_back(
        kind in kind(), summons in summons(), events in prop::collection::vec(event(), 0..24)
    ) {
        let now = Timestamp::UNIX_EPOCH;
        let (mut call, mut seen) = (Call::new(), Seen::default());
        if let Some(summons) = summons {
            call = call.summoning(summons);
        }
        seen.note(call.handle(Input::Invited(decision(kind)), now));
        for event in events {
            // Media that the call never asked to open cannot be refused.
            if matches!(event, Input::MediaRefused(_)) && seen.media == 0 {
                continue;
            }
            seen.ready |= matches!(event, Input::AgentReady(_)) && seen.agent == 1;
            seen.acked |= matches!(event, Input::Acked) && seen.answers == 1;
            let refused = matches!(event, Input::MediaRefused(_)) && seen.answers == 0;
            let before = seen.media;
            let cancelled = matches!(event, Input::Cancelled) && !call.is_over();
            let outputs = call.handle(event, now);
            if cancelled {
                let Some(Output::Record(record)) = outputs.last() else { panic!("a call outlives its CANCEL") };
                prop_assert_eq!(&record.end, &End::Cancelled);
                let words: Vec<Status> = record.timelog.iter().map(|(status, _)| *status).collect();
                prop_assert!(words.last() == Some(&Status::Abandoned) && !words.contains(&Status::Answered));
                prop_assert!(!outputs.contains(&Output::Bye), "487 was the final answer");
            }
            if refused && outputs.iter().any(|output| matches!(output, Output::Refuse { .. })) {
                // What was refused was never opened, so it is not closed either.
                seen.media = before - 1;
            }
            seen.note(outputs);
        }
        seen.note(call.handle(Input::Lost("the end of the test".into()), now));
        prop_assert!(call.is_over());
        prop_assert_eq!(seen.records.len(), 1);
        prop_assert_eq!((seen.media, seen.room, seen.agent), (0, 0, 0));
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
fn an_answer_that_crossed_the_cancel_was_none() {
    let now = Timestamp::UNIX_EPOCH;
    let mut call = Call::new();
    call.handle(Input::Invited(decision(Kind::Taken)), now);
    call.handle(Input::MediaOpened, now);
    assert_eq!(call.handle(Input::Joined, now), [Output::Answer]);
    let outputs = call.handle(Input::Cancelled, now);
    let [Output::LeaveRoom, Output::CloseMedia, Output::Record(record)] = &outputs[..] else { panic!("{outputs:?}") };
    assert_eq!(record.end, End::Cancelled);
    assert_eq!(record.timelog, [(Status::Incoming, now), (Status::Abandoned, now)]);
}

#[test]
fn a_caller_of_whom_nothing_is_heard_is_hung_up_on_once_answered() {
    let (now, time) = (Timestamp::UNIX_EPOCH, Duration::from_secs(300));
    let (mut ringing, _) = summoned(Vec::new());
    assert_eq!(ringing.handle(Input::Silent(time), now), [], "nobody has to be heard before the answer");
    let mut call = Call::new();
    call.handle(Input::Invited(decision(Kind::Taken)), now);
    call.handle(Input::MediaOpened, now);
    call.handle(Input::Joined, now);
    let outputs = call.handle(Input::Silent(time), now);
    assert!(matches!(
        &outputs[..],
        [Output::Bye, Output::LeaveRoom, Output::CloseMedia, Output::Record(record)]
            if record.end == End::Silent(time) && record.end.to_string() == "no sound came for 300 seconds"
    ));
}

#[test]
fn an_agent_follows_its_caller_into_another_room() {
    let (mut call, now) = summoned(Vec::new());
    for input in [Input::AgentReady(OnClose::Hangup), Input::Joined, Input::Acked] {
        call.handle(input, now);
    }
    assert_eq!(call.handle(Input::SwitchRoom("other".into()), now), [Output::SwitchRoom("other".into())]);
    assert_eq!(call.handle(Input::RoomSwitched, now), [Output::JoinAgent]);
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

fn summoned(fallback: Vec<Fallback>) -> (Call, Timestamp) {
    let now = Timestamp::UNIX_EPOCH;
    let mut call = Call::new().summoning(Summons { ring_until_ready: true, fallback });
    assert_eq!(call.handle(Input::Invited(decision(Kind::Agent)), now), [Output::OpenMedia]);
    assert!(matches!(call.handle(Input::MediaOpened, now)[..], [Output::Ring, Output::DispatchAgent(..)]));
    (call, now)
}

#[test]
fn it_rings_until_the_agent_is_there_and_the_agent_speaks_to_a_caller_who_listens() {
    let (mut call, now) = summoned(Vec::new());
    assert!(matches!(call.handle(Input::AgentReady(OnClose::Hangup), now)[..], [Output::JoinRoom(_)]));
    assert_eq!(call.handle(Input::Joined, now), [Output::Answer]);
    assert_eq!(call.handle(Input::Acked, now), [Output::JoinAgent]);
    assert_eq!(call.handle(Input::Digit('5'), now), [Output::TellAgent('5')]);
    let outputs = call.handle(Input::AgentClosed("it closed".into()), now);
    assert!(matches!(
        &outputs[..],
        [Output::Bye, Output::DismissAgent, Output::LeaveRoom, Output::CloseMedia, Output::Record(record)]
            if record.end == End::AgentClosed("it closed".into())
    ));
}

#[test]
fn what_stands_in_is_tried_in_order_and_the_record_says_why() {
    let other = Fallback::Agent("other".parse().expect("an id"));
    let (mut call, now) = summoned(vec![other, Fallback::Status(486)]);
    let outputs = call.handle(Input::AgentFailed("front: refused".into()), now);
    assert!(matches!(&outputs[..], [Output::DismissAgent, Output::DispatchAgent(_, id)] if id.as_str() == "other"));
    let outputs = call.handle(Input::AgentFailed("other: refused".into()), now);
    assert!(matches!(
        &outputs[..],
        [Output::DismissAgent, Output::Refuse { status: 486, .. }, Output::CloseMedia, Output::Record(record)]
            if record.end == End::AgentFailed("front: refused; other: refused".into())
    ));
}

#[test]
fn a_caller_who_gives_up_while_it_rings_leaves_no_agent_behind() {
    let (mut call, now) = summoned(Vec::new());
    let outputs = call.handle(Input::Cancelled, now);
    assert!(matches!(outputs[..], [Output::DismissAgent, Output::CloseMedia, Output::Record(_)]));
}
