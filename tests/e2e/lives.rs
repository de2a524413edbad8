//! How a daemon begins, ends, and comes back.

use std::path::Path;
use std::process::Stdio;

use rusqlite::OpenFlags;
use serde_json::{Value, json};
use strowger::media::Codec;

use crate::support::daemon::ends;
use crate::support::{DEADLINE, Daemon, Dial, Phone, Site, look_until};

const LOBBY: &str = "+14155550100";

/// Any port.
const FREE: &str = "127.0.0.1:0";

const NUMBERS: &str = "/v2/sip/phone-numbers?page=1&perPage=100";
const RULES_PATH: &str = "/v2/sip/routing-rule?page=1&perPage=100";

fn create(daemon: &Daemon, token: &str, path: &str, body: &Value) -> Value {
    let (status, reply) = daemon.request("POST", path, token, Some(body));
    assert_eq!(status, 201, "{reply}");
    serde_json::from_str(&reply).unwrap()
}

#[test]
fn a_killed_daemon_comes_back_as_it_was() {
    let site = Site::quickstart();
    let mut daemon = site.start();
    let token = site.token();
    let numbers = json!({"name": "by hand", "phoneNumbers": ["+14155550900", "+14155550901"], "inbound": {},
                         "outbound": {"address": "sip.example.net", "transport": "udp",
                                      "auth": {"username": "u", "password": "hunter2"}}});
    create(&daemon, &token, "/v2/sip/phone-numbers", &numbers);
    let rule = json!({"name": "by hand", "type": "inbound", "phoneNumbers": ["+14155550900"],
                      "dispatch": {"type": "NONE"}, "room": {"type": "static", "id": "annex"}});
    create(&daemon, &token, "/v2/sip/routing-rule", &rule);
    let before = [daemon.get(NUMBERS, &token), daemon.get(RULES_PATH, &token)];
    assert!(before[0].contains(LOBBY) && before[0].contains("+14155550901"), "{}", before[0]);
    assert!(before[1].contains("by hand") && before[1].contains("strowger:quickstart/lobby@"), "{}", before[1]);
    assert_eq!(daemon.status()["rules"], 4);
    daemon.kill();

    let again = site.start();
    // A token from before still opens it, and a new key was not made.
    assert_eq!([again.get(NUMBERS, &token), again.get(RULES_PATH, &token)], before);
    assert!(!again.out.text().contains("with the secret"), "{}", again.out.text());
    assert_eq!(again.status()["rules"], 4);
    // The files ask for nothing new, so that nothing was done.
    again.log.expect(&["the files are served", "steps=0"]);
    let phone = Phone::new(Codec::Pcmu);
    for number in [LOBBY, "+14155550900"] {
        let call = Dial::new(&again, &phone, number).answered();
        phone.rings();
        call.hang_up();
    }
}

#[test]
fn what_was_acknowledged_before_a_kill_is_there_after_it() {
    let site = Site::quickstart();
    let mut daemon = site.start();
    let token = site.token();
    let mut acknowledged = Vec::new();
    std::thread::scope(|scope| {
        let (daemon, token) = (&daemon, &token);
        let writing = scope.spawn(move || {
            let mut acknowledged = Vec::new();
            for number in 0.. {
                let rule = json!({"name": format!("hasty {number}"), "type": "outbound", "phoneNumbers": [LOBBY]});
                match daemon.try_request("POST", "/v2/sip/routing-rule", token, Some(&rule)) {
                    Ok((201, reply)) => acknowledged.push(serde_json::from_str::<Value>(&reply).unwrap()),
                    Ok((status, reply)) => panic!("{status} {reply}"),
                    Err(_) => break,
                }
                if acknowledged.len() == 25 {
                    // In the midst of it, from the side.
                    daemon.signal("KILL");
                }
            }
            acknowledged
        });
        acknowledged = writing.join().unwrap();
    });
    daemon.kill();
    assert!(acknowledged.len() >= 25);

    let again = site.start();
    for rule in acknowledged {
        let id = rule["id"].as_str().unwrap_or_else(|| panic!("{rule} has no id"));
        again.get(&format!("/v2/sip/routing-rule/{id}"), &token);
    }
    assert_eq!(again.status()["state"], "serving");
}

/// Files with this many numbers, each with a rule of its own.
fn many(rules: usize) -> String {
    let mut text = "[stack]\nname = \"many\"\n[gateway.carrier]\naddress = \"sip.example.com\"\n".to_owned();
    for rule in 0..rules {
        let number = format!("+1415555{:04}", 2_000 + rule);
        text += &format!("[number.\"{number}\"]\ngateway = \"carrier\"\n");
        text += &format!("[rule.r{rule}]\ndirection = \"inbound\"\nnumbers = [\"{number}\"]\n");
        text += &format!("room = {{ mode = \"static\", id = \"room-{rule}\" }}\nallow = \"everybody\"\n");
    }
    text
}

/// How many rules a store holds by now, as another process sees it.
fn rules_in(store: &Path) -> usize {
    let count = rusqlite::Connection::open_with_flags(store, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .and_then(|store| store.query_row("SELECT count(*) FROM rule", [], |row| row.get::<_, u32>(0)));
    // There is none yet, or it is just being made.
    count.unwrap_or(0) as usize
}

/// A site whose daemon was killed when it had written this many rules of those that it was to write, or a few more;
/// with how many it had written. The kill can come too late, and nothing is learnt from that: it is tried again then.
fn cut_off(rules: usize, written: usize) -> (Site, usize) {
    for _ in 0..20 {
        let site = Site::of(&many(rules));
        let mut child = site.daemon(FREE, &[FREE]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let store = site.data().join("store.sqlite");
        let midst = look_until(DEADLINE, || (rules_in(&store) >= written).then_some(()));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(midst, Some(()), "{written} rules are never written");
        let found = rules_in(&store);
        if found < rules {
            return (site, found);
        }
    }
    panic!("the daemon is never caught after {written} of {rules} rules");
}

#[test]
fn a_daemon_killed_while_it_applies_takes_up_from_there_and_makes_nothing_twice() {
    const RULES: usize = 60;
    for written in [1, 7, 20, 40] {
        let (site, found) = cut_off(RULES, written);
        let again = site.start();
        again.log.expect(&["the files are served", &format!("steps={}", RULES - found)]);
        let token = site.token();
        for (path, kind) in [(NUMBERS, "number"), (RULES_PATH, "rule")] {
            let page: Value = serde_json::from_str(&again.get(path, &token)).unwrap();
            let items = page["data"].as_array().unwrap_or_else(|| panic!("{page}"));
            assert_eq!(items.len(), RULES, "each {kind} is there once, though {found} rules were made before the kill");
        }
        let status = again.status();
        assert_eq!((&status["numbers"], &status["rules"]), (&RULES.into(), &RULES.into()));
    }
}

fn ends_cleanly_on(signal: &str) {
    let site = Site::quickstart();
    let mut daemon = site.start();
    let phone = Phone::new(Codec::Pcmu);
    let call = Dial::new(&daemon, &phone, LOBBY).begin("hung_up_on");
    phone.rings();
    daemon.signal(signal);
    call.ends();
    let status = daemon.ended();
    assert_eq!(status.code(), Some(0), "{status}");
    daemon.out.expect(&["stopped"]);
    daemon.log.expect(&["a call is over", "the daemon stopped"]);
}

#[test]
fn sigterm_hangs_up_and_ends_it_cleanly() {
    ends_cleanly_on("TERM");
}

#[test]
fn sigint_hangs_up_and_ends_it_cleanly() {
    ends_cleanly_on("INT");
}

/// Starts a second daemon, which is to be refused, and looks whether the first one still serves.
#[track_caller]
fn refused(site: &Site, first: &Daemon, api: &str, sip: &[&str], words: &[&str]) {
    let ran = ends(site.daemon(api, sip));
    assert_eq!(ran.code(), 1, "{ran:?}");
    assert_eq!(ran.stdout(), "", "{ran:?}");
    for word in words {
        assert!(ran.stderr().contains(word), "{word:?} is not in {ran:?}");
    }
    assert_eq!(first.status()["state"], "serving");
}

#[test]
fn a_second_daemon_on_the_same_directory_is_refused() {
    let site = Site::quickstart();
    let first = site.start();
    refused(&site, &first, FREE, &[FREE], &["error[data-directory]", "another daemon uses", "--data-dir"]);
    // What the second one left behind does not send the command line to it.
    assert_eq!(
        site.run(["plan".as_ref(), site.files().as_os_str(), "--data-dir".as_ref(), site.data().as_os_str()]).code(),
        0
    );
}

#[test]
fn a_second_daemon_on_the_same_port_is_refused() {
    let (site, other) = (Site::quickstart(), Site::quickstart());
    let first = site.start();
    let (api, udp, tcp) = (first.api.to_string(), format!("udp:{}", first.udp), format!("tcp:{}", first.tcp));
    refused(&other, &first, &api, &[FREE], &["error[api-listen]", &api, "--api"]);
    refused(&other, &first, FREE, &[&udp], &["error[sip-listen]", &first.udp.to_string()]);
    refused(&other, &first, FREE, &[&tcp], &["error[sip-listen]", &first.tcp.to_string()]);
    // It was only the ports.
    assert_eq!(other.start().status()["state"], "serving");
}
