//! Calls that are refused: what the caller is told, and what the operator is told.

use strowger::media::Codec;

use crate::support::{Dial, Phone, Site};

const FILES: &str = r#"
[stack]
name = "doors"

[gateway.carrier]
address = "sip.example.com"

[number."+14155550100"]
gateway = "carrier"

[number."+14155550101"]
gateway = "carrier"

[number."+14155550102"]
gateway = "carrier"

[number."+14155550103"]
gateway = "carrier"

[room.hall]
mode = "static"
id = "hall"

[rule.open]
direction = "inbound"
numbers = ["+14155550100"]
room = "hall"
allow = "everybody"

[rule.americans]
direction = "inbound"
numbers = ["+14155550101"]
room = "hall"
allow = { callers = ["+1*"] }

[rule.carrier]
direction = "inbound"
numbers = ["+14155550102"]
room = "hall"
allow = { ips = ["192.0.2.0/24"] }
"#;

struct Refusal {
    scenario: &'static str,
    number: &'static str,
    formats: Option<&'static str>,
    status: u16,
    /// What the log says of it.
    words: &'static [&'static str],
}

impl Refusal {
    #[track_caller]
    fn check(self) {
        let site = Site::of(FILES);
        let daemon = site.start();
        let phone = Phone::new(Codec::Pcmu);
        let mut dial = Dial::new(&daemon, &phone, self.number);
        if let Some(formats) = self.formats {
            dial = dial.offering(formats);
        }
        dial.refused(self.scenario, self.status);
        let record = daemon.log.expect(&["a call is over"]);
        for word in self.words {
            assert!(record.contains(word), "{word:?} is not in {record}");
        }
        let status = daemon.reaches("calls", 0);
        assert_eq!((&status["rooms"], &status["participants"]), (&0.into(), &0.into()));
        assert!(daemon.log.is_silent_on(&["joined a room"]));
    }
}

#[test]
fn a_number_that_nobody_declared_is_not_found() {
    let words = &["rejected", "the number dialled is not on any gateway here"];
    Refusal { scenario: "refused", number: "+14155550199", formats: None, status: 404, words }.check();
}

#[test]
fn a_caller_who_is_not_allowed_is_forbidden() {
    let words =
        &["rejected", "the rule's `allow.callers` does not hold the caller", "a caller matching +1*, not +4930901820"];
    Refusal { scenario: "refused", number: "+14155550101", formats: None, status: 403, words }.check();
}

#[test]
fn a_source_that_is_not_allowed_is_forbidden() {
    let words = &["rejected", "the rule's `allow.ips` does not hold", "a call from 192.0.2.0/24, not from 127.0.0.1"];
    Refusal { scenario: "refused", number: "+14155550102", formats: None, status: 403, words }.check();
}

#[test]
fn a_number_without_a_rule_is_unavailable() {
    let words = &["rejected", "no inbound rule takes calls to this number"];
    Refusal { scenario: "refused", number: "+14155550103", formats: None, status: 480, words }.check();
}

#[test]
fn a_caller_without_a_common_codec_is_not_acceptable() {
    let words = &["failed", "no codec in common"];
    Refusal { scenario: "refused", number: "+14155550100", formats: Some("18 101"), status: 488, words }.check();
}

#[test]
fn an_offer_that_cannot_be_read_is_a_bad_request() {
    let words = &["failed", "the SDP cannot be read: line 6 of the SDP is malformed"];
    Refusal { scenario: "malformed", number: "+14155550100", formats: None, status: 400, words }.check();
}
