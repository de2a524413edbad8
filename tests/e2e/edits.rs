//! Edits of the files while calls come and go.

use std::time::{Duration, Instant};

use strowger::media::Codec;

use crate::support::{Dial, Phone, Site, TOKENLESS};

const LOBBY: &str = "+14155550100";

/// How long an edit may take to be live. It takes about a tenth of a second; a machine may be busy.
const LIVE: Duration = Duration::from_secs(5);

#[test]
fn an_edit_is_live_for_the_next_call_and_the_call_in_progress_lives_on() {
    let site = Site::quickstart();
    let daemon = site.start();
    let digest = daemon.status()["digest"].clone();
    let (before, after) = (Phone::new(Codec::Pcmu), Phone::new(Codec::Pcmu));
    let first = Dial::new(&daemon, &before, LOBBY).answered();
    before.rings();

    let written = Instant::now();
    site.edit("id   = \"lobby\"", "id   = \"parlour\"");
    daemon.becomes("another digest", |status| status["digest"] != digest);
    let live = written.elapsed();
    println!("an edit was live after {live:?}");
    assert!(live < LIVE, "an edit was live after {live:?}");
    daemon.log.expect(&["+14155550100: room lobby (rule lobby)", "room parlour"]);

    let second = Dial::new(&daemon, &after, LOBBY).answered();
    daemon.log.expect(&["joined a room", "room=\"parlour\""]);
    let status = daemon.status();
    assert_eq!((&status["rooms"], &status["participants"]), (&2.into(), &2.into()));
    after.rings();
    before.rings();
    first.hang_up();
    daemon.reaches("rooms", 1);
    second.hang_up();
    daemon.reaches("calls", 0);
    daemon.log.expect_times(&["a call is over", "the caller hung up"], 2);
}

#[test]
fn a_call_is_taken_through_an_edit_of_its_own_rule_and_its_removal() {
    let site = Site::quickstart();
    let daemon = site.start();
    let phone = Phone::new(Codec::Pcmu);
    let call = Dial::new(&daemon, &phone, LOBBY).answered();
    phone.rings();
    site.take_out("[rule.lobby]");
    daemon.reaches("rules", 2);
    // Who is in goes on; who comes is told.
    phone.rings();
    Dial::new(&daemon, &Phone::new(Codec::Pcmu), LOBBY).refused("refused", 480);
    phone.rings();
    call.hang_up();
    daemon.reaches("calls", 0);
}

#[test]
fn a_broken_edit_changes_nothing_and_says_why() {
    let site = Site::quickstart();
    let daemon = site.start();
    let good = daemon.status();
    let whole = site.edit("gateway = \"carrier\"\n\n# Callers", "gateway = \"carier\"\n\n# Callers");

    let broken = daemon.reaches("state", "degraded");
    daemon.log.expect(&["reference-unknown"]);
    daemon.log.expect(&["carier"]);
    daemon.log.expect(&["the files are broken; what was served before is served on"]);
    assert_eq!((&broken["numbers"], &broken["rules"]), (&good["numbers"], &good["rules"]));
    assert!(broken["reason"].as_str().unwrap().contains("strowger validate"), "{broken}");
    assert_eq!(daemon.request("GET", "/readyz", TOKENLESS, None), (200, "ready".to_owned()));
    let phone = Phone::new(Codec::Pcmu);
    let call = Dial::new(&daemon, &phone, LOBBY).answered();
    phone.rings();

    site.rewrite(&whole);
    let repaired = daemon.reaches("state", "serving");
    assert_eq!(repaired["digest"], good["digest"]);
    phone.rings();
    call.hang_up();
    daemon.reaches("calls", 0);
}
