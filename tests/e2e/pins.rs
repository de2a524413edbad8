//! Rooms that ask for a PIN.

use std::time::{Duration, Instant};

use strowger::media::Codec;

use crate::support::phone::HEARD;
use crate::support::{Call, Daemon, Dial, Phone, Site};

const VAULT: &str = "+14155550100";

const FILES: &str = r#"
[stack]
name = "vault"

[gateway.carrier]
address = "sip.example.com"

[number."+14155550100"]
gateway = "carrier"

[room.vault]
mode = "static"
id = "vault"
pin = { file = "pin.txt" }

[rule.vault]
direction = "inbound"
numbers = ["+14155550100"]
room = "vault"
"#;

/// The pitch of the tone that asks for the PIN.
const BEEP: f64 = 440.0;

fn vault() -> Site {
    let site = Site::of(FILES);
    site.write("pin.txt", "1234\n");
    site
}

/// A caller who was answered and is asked for the PIN, and not yet in the room.
fn asked(daemon: &Daemon, phone: &Phone, scenario: &str) -> Call {
    let before = Instant::now();
    let call = Dial::new(daemon, phone, VAULT).begin(scenario);
    let beep = phone.listen_since(Duration::from_millis(160), before);
    assert!(beep.level(BEEP) > HEARD, "no beep asks for the PIN: {:.0}", beep.level(BEEP));
    let status = daemon.status();
    assert_eq!((&status["calls"], &status["participants"]), (&1.into(), &0.into()));
    call
}

#[test]
fn a_caller_with_the_pin_joins_the_room() {
    let site = vault();
    let daemon = site.start();
    let phone = Phone::new(Codec::Pcmu);
    let call = asked(&daemon, &phone, "call");
    phone.press(call.media, "1234#");
    daemon.reaches("participants", 1);
    daemon.log.expect(&["joined a room", "room=\"vault\""]);
    assert!(daemon.log.is_silent_on(&["1234"]), "a PIN is not for the log");
    call.hang_up();
    daemon.reaches("calls", 0);
}

#[test]
fn a_caller_may_err_twice() {
    let site = vault();
    let daemon = site.start();
    let phone = Phone::new(Codec::Pcma);
    let call = asked(&daemon, &phone, "call");
    phone.press(call.media, "0#4321#1234#");
    daemon.reaches("participants", 1);
    call.hang_up();
    daemon.reaches("calls", 0);
}

#[test]
fn a_caller_who_errs_three_times_is_hung_up_on() {
    let site = vault();
    let daemon = site.start();
    let phone = Phone::new(Codec::Pcmu);
    let call = asked(&daemon, &phone, "hung_up_on");
    // The right one comes too late.
    phone.press(call.media, "0#1#2#1234#");
    call.ends();
    daemon.log.expect(&["a call is over", "the PIN was wrong too often"]);
    daemon.reaches("calls", 0);
    assert!(daemon.log.is_silent_on(&["joined a room"]));
}
