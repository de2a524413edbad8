//! The conversation, message by message.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::media::SILENCE;

fn session() -> Session {
    Session::new(Stream {
        stream_sid: "MZ00000000000000000000000000000001".into(),
        account_sid: "AC00000000000000000000000000000002".into(),
        call_sid: "CA00000000000000000000000000000003".into(),
        parameters: [("from_number".to_owned(), "+12125550123".to_owned())].into(),
    })
}

fn said(session: &mut Session) -> Vec<Value> {
    std::iter::from_fn(|| session.say()).map(|text| serde_json::from_str(&text).unwrap()).collect()
}

#[test]
fn the_first_two_messages_are_those_by_which_bots_tell_the_dialect() {
    let mut session = session();
    session.heard(r#"{"event":"mark","mark":{"name":"early"}}"#);
    session.send(&SILENCE);
    let said = said(&mut session);
    assert_eq!(said[0], json!({"event": "connected", "protocol": "Call", "version": "1.0.0"}));
    assert_eq!(
        said[1],
        json!({
            "event": "start", "sequenceNumber": "1", "streamSid": "MZ00000000000000000000000000000001",
            "start": {
                "streamSid": "MZ00000000000000000000000000000001", "accountSid": "AC00000000000000000000000000000002",
                "callSid": "CA00000000000000000000000000000003", "tracks": ["inbound"],
                "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
                "customParameters": {"from_number": "+12125550123"},
            },
        })
    );
    assert_eq!(said[2]["mark"]["name"], "early");
    assert_eq!(
        said[3],
        json!({
            "event": "media", "sequenceNumber": "3", "streamSid": "MZ00000000000000000000000000000001",
            "media": {"track": "inbound", "chunk": "1", "timestamp": "20", "payload": payload(&[0xff; 160])},
        })
    );
}

#[test]
fn numbers_have_no_gap_over_ten_minutes() {
    let mut session = session();
    said(&mut session);
    for frame in 1..=30_000_u64 {
        session.send(&SILENCE);
        let said = said(&mut session);
        assert_eq!(said[0]["sequenceNumber"], (frame + 1).to_string());
        assert_eq!(said[0]["media"]["chunk"], frame.to_string());
        assert_eq!(said[0]["media"]["timestamp"], (frame * 20).to_string());
    }
}

#[test]
fn an_agent_that_does_not_read_misses_the_oldest_second_and_the_clock_goes_on() {
    let mut session = session();
    said(&mut session);
    for _ in 0..120 {
        session.send(&SILENCE);
    }
    session.digit('5');
    let said = said(&mut session);
    assert_eq!(said.len(), MAX_WAITING + 1);
    assert_eq!(session.counts().frames_dropped, 70);
    // The sequence shows no gap, the timestamp shows what was missed.
    assert_eq!((&said[0]["sequenceNumber"], &said[0]["media"]["timestamp"]), (&json!("2"), &json!("1420")));
    assert_eq!(said[MAX_WAITING]["dtmf"], json!({"track": "inbound_track", "digit": "5"}));
}

#[test]
fn an_agent_that_floods_marks_and_never_reads_costs_no_memory() {
    let mut session = session();
    for _ in 0..3 * MAX_NOTES {
        session.heard(r#"{"event":"mark","mark":{"name":"m"}}"#);
    }
    assert!(session.outbox.len() <= MAX_NOTES);
    let said = said(&mut session);
    assert_eq!((&said[0]["event"], &said[1]["event"]), (&json!("connected"), &json!("start")));
}

#[test]
fn clear_takes_effect_on_the_next_frame_and_returns_the_marks() {
    let mut session = session();
    said(&mut session);
    for part in 0..5 {
        let audio = payload(&[0x10; 8_000]);
        session.heard(&format!(r#"{{"event":"media","media":{{"payload":"{audio}"}}}}"#));
        session.heard(&format!(r#"{{"event":"mark","mark":{{"name":"{part}"}}}}"#));
    }
    assert!(session.take().is_some());
    session.heard(r#"{"event":"clear"}"#);
    assert_eq!(session.take(), None);
    let names: Vec<Value> = said(&mut session).iter().map(|message| message["mark"]["name"].clone()).collect();
    assert_eq!(names, ["0", "1", "2", "3", "4"]);
    session.heard(&format!(r#"{{"event":"media","media":{{"payload":"{}"}}}}"#, payload(&[0x20; 160])));
    assert!(session.take().is_some());
}

#[test]
fn stop_is_the_last_message_and_is_said_once() {
    let mut session = session();
    said(&mut session);
    session.send(&SILENCE);
    session.stop();
    session.stop();
    session.send(&SILENCE);
    session.digit('1');
    session.heard(r#"{"event":"mark","mark":{"name":"late"}}"#);
    let said = said(&mut session);
    assert_eq!(said.len(), 1);
    assert_eq!(said[0]["event"], "stop");
    assert_eq!(said[0]["stop"]["callSid"], "CA00000000000000000000000000000003");
    assert!(session.is_over());
}

#[test]
fn odd_things_are_counted_and_told_once() {
    let mut session = session();
    assert_eq!(session.heard("nonsense"), Some(Oddity::BadJson));
    assert_eq!(session.heard("nonsense"), None);
    assert_eq!(session.odd(Oddity::Binary), Some(Oddity::Binary));
    assert_eq!(session.counts().oddities, [(Oddity::BadJson, 2), (Oddity::Binary, 1)].into());
}

#[derive(Debug, Clone)]
enum Step {
    Heard(String),
    Take,
    Send,
    Digit,
    Read,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => ".{0,20}".prop_map(Step::Heard),
        1 => Just(Step::Heard(r#"{"event":"mark","mark":{"name":"m"}}"#.into())),
        1 => Just(Step::Heard(r#"{"event":"clear"}"#.into())),
        1 => (0..900_usize).prop_map(|length| {
            Step::Heard(format!(r#"{{"event":"media","media":{{"payload":"{}"}}}}"#, payload(&vec![7; length])))
        }),
        3 => Just(Step::Take),
        3 => Just(Step::Send),
        1 => Just(Step::Digit),
        2 => Just(Step::Read),
    ]
}

proptest! {
    /// Whatever happens: connected, start, numbers without a gap, timestamps that only grow, and stop at the end.
    #[test]
    fn the_order_of_messages_always_holds(steps in prop::collection::vec(step(), 0..120)) {
        let mut session = session();
        let mut all = Vec::new();
        for step in steps {
            match step {
                Step::Heard(text) => { session.heard(&text); }
                Step::Take => { session.take(); }
                Step::Send => session.send(&SILENCE),
                Step::Digit => session.digit('1'),
                Step::Read => all.extend(session.say()),
            }
        }
        session.stop();
        all.extend(std::iter::from_fn(|| session.say()));
        let all: Vec<Value> = all.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
        prop_assert_eq!(&all[0]["event"], "connected");
        prop_assert_eq!(&all[1]["event"], "start");
        prop_assert_eq!(&all[all.len() - 1]["event"], "stop");
        let mut timestamp = 0;
        for (place, message) in all.iter().enumerate().skip(1) {
            prop_assert_eq!(&message["sequenceNumber"], &json!(place.to_string()));
            if let Some(at) = message["media"]["timestamp"].as_str() {
                let at: u64 = at.parse().unwrap();
                prop_assert!(at > timestamp);
                timestamp = at;
            }
        }
    }
}
