//! `strowger show` and `strowger doctor` against the real server.

use std::path::Path;
use std::process::Output;
use std::time::Duration;

use serde_json::json;
use strowger::client::mint;

use super::support::{Served, credentials, now};

/// The program with these arguments against an endpoint, and nothing else in its environment.
async fn run(base: &str, token: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_strowger"));
    command.args(arguments).args(["--endpoint", base]).env_clear().env("STROWGER_TOKEN", token);
    command.envs(environment.iter().copied()).current_dir(std::env::temp_dir());
    // Beside the server, which runs on this thread.
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

async fn shown(served: &Served, arguments: &[&str], environment: &[(&str, &str)]) -> (Option<i32>, String, String) {
    let token = token(served, 36_600);
    let done = run(&served.base, &token, arguments, environment).await;
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(done.stdout), text(done.stderr));
    assert!(!out.contains(&token) && !err.contains(&token), "the token is shown");
    assert!(!out.contains("hunter2") && !out.contains("4711") && !out.contains("ak_live"), "{out}");
    (done.status.code(), steady(&out, served), steady(&err, served))
}

fn token(served: &Served, seconds: u64) -> String {
    mint(&credentials(&served.key), now(), Duration::from_secs(seconds)).unwrap().expose().to_owned()
}

/// The same text without what differs from run to run: port, ids, times. Each is as wide as before, so that tables
/// stay aligned.
fn steady(text: &str, served: &Served) -> String {
    let port = served.base.rsplit(':').next().unwrap();
    let text = text.replace(port, "PORT");
    let mut out = String::new();
    let mut word = String::new();
    for c in text.chars().chain(['\n']) {
        if c.is_ascii_alphanumeric() || "-_:.".contains(c) {
            word.push(c);
            continue;
        }
        let hex = word.bytes().filter(u8::is_ascii_hexdigit).count();
        let time = word.starts_with("20") && word.ends_with('Z');
        let took = out.ends_with(" in ") && c == ' ' && word.parse::<u64>().is_ok();
        match () {
            () if hex >= 32 => out.push_str(&"#".repeat(word.len())),
            () if time => out.push_str("TIME"),
            () if took => out.push('N'),
            () => out.push_str(&word),
        }
        word.clear();
        out.push(c);
    }
    out.pop();
    out
}

/// Compares with the file of that name; `STROWGER_UPDATE=1` writes it.
fn same(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api/shown").join(name);
    if std::env::var_os("STROWGER_UPDATE").is_some_and(|value| !value.is_empty()) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        return std::fs::write(&path, text).unwrap();
    }
    let before = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(before == text, "{name} has changed; STROWGER_UPDATE=1 writes it:\n{text}");
}

async fn account() -> Served {
    let served = Served::new().await;
    let body = json!({"name": "main", "phoneNumbers": ["+14155550100", "+14155550101"], "inbound": {"sipRegion": "us002"},
        "outbound": {"address": "sip.example.com:5061", "sipRegion": "auto", "transport": "tls",
            "auth": {"username": "acme", "password": "hunter2"}}});
    assert_eq!(served.post("/v2/sip/phone-numbers", body).await.0, 201);
    let rule = json!({"name": "reception", "type": "inbound", "phoneNumbers": ["+14155550100"], "agentId": "front-desk",
        "agentMetadata": {"team": "a", "apiToken": "ak_live"}, "tags": ["strowger:acme/main@0123456789ab"],
        "room": {"type": "static", "id": "lobby", "pin": "4711"}});
    assert_eq!(served.post("/v2/sip/routing-rule", rule).await.0, 201);
    let rule = json!({"name": "dial \u{1b}[31mout", "type": "outbound", "phoneNumbers": ["+14155550100", "+14155550101"],
        "room": {"type": "dynamic", "prefix": "random"}});
    assert_eq!(served.post("/v2/sip/routing-rule", rule).await.0, 201);
    served
}

#[tokio::test]
async fn live_state_is_shown_without_its_secrets() {
    let served = account().await;
    let (code, out, err) = shown(&served, &["show"], &[]).await;
    assert_eq!((code, err.as_str()), (Some(0), ""));
    same("all.txt", &out);
    let (_, out, _) = shown(&served, &["show", "rules"], &[("COLUMNS", "80")]).await;
    assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");
    assert!(out.contains("reception") && out.contains("PIN") && !out.contains('\u{1b}'), "{out}");
    for what in ["numbers", "gateways", "rules"] {
        let (code, out, _) = shown(&served, &["show", what, "--format", "json"], &[]).await;
        assert_eq!(code, Some(0));
        same(&format!("{what}.json"), &out);
    }
}

#[tokio::test]
async fn an_empty_account_says_so() {
    let served = Served::new().await;
    let (code, out, _) = shown(&served, &["show"], &[]).await;
    assert_eq!((code, out.as_str()), (Some(0), "No phone numbers.\n\nNo gateways.\n\nNo routing rules.\n"));
}

#[tokio::test]
async fn the_doctor_says_what_the_server_is_like() {
    let served = account().await;
    let (code, out, err) = shown(&served, &["doctor"], &[]).await;
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    same("doctor.txt", &out);
    let (code, out, _) = shown(&served, &["doctor", "--format", "json"], &[]).await;
    assert_eq!(code, Some(0));
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert!(
        report["checks"].as_array().unwrap().iter().any(|line| line["check"] == "bearer" && line["status"] == "ok")
    );
    let empty = Served::new().await;
    let (code, out, _) = shown(&empty, &["doctor"], &[]).await;
    assert_eq!(code, Some(0));
    same("doctor-empty.txt", &out);
}

#[tokio::test]
async fn the_doctor_says_why_a_token_is_refused() {
    let served = Served::new().await;
    for (token, words) in [
        ("eyJ0b2tlbg".to_owned(), "no readable JWT"),
        (format!("{}x", token(&served, 600)), "refused: The signature"),
        (String::from_utf8(mint_old(&served)).unwrap(), "expired"),
    ] {
        let done = run(&served.base, &token, &["doctor"], &[]).await;
        let out = String::from_utf8(done.stdout).unwrap();
        assert_eq!(done.status.code(), Some(1), "{out}");
        assert!(out.contains(words) && out.contains("fail  token") && !out.contains(&token), "{out}");
    }
    let done = run(&served.base, &token(&served, 600), &["doctor"], &[]).await;
    let out = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success() && out.contains("warn  token") && out.contains("make a new one"), "{out}");
}

fn mint_old(served: &Served) -> Vec<u8> {
    let token = mint(&credentials(&served.key), now() - 7_200, Duration::from_secs(60)).unwrap();
    token.expose().as_bytes().to_vec()
}

#[tokio::test]
async fn the_doctor_says_where_the_way_ends() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let done = run(&format!("http://127.0.0.1:{port}"), "t", &["doctor"], &[]).await;
    let out = String::from_utf8(done.stdout).unwrap();
    assert!(!done.status.success() && out.contains("fail  tcp") && out.contains("strowger daemon"), "{out}");
    // The name is reserved never to exist (RFC 6761 section 6.4).
    let done = run("https://api.invalid", "t", &["doctor"], &[]).await;
    let out = String::from_utf8(done.stdout).unwrap();
    assert!(!done.status.success() && out.contains("fail  dns") && out.contains("api.invalid"), "{out}");
}

#[tokio::test]
async fn what_the_environment_says_wrongly_is_named() {
    let served = Served::new().await;
    let missing = [("STROWGER_CA_FILE", "/nowhere/ca.pem")];
    for (environment, words) in [(missing, "STROWGER_CA_FILE"), ([("STROWGER_REGION_KEY", "region")], "geoRegion")] {
        let (code, out, err) = shown(&served, &["show"], &environment).await;
        assert_eq!((code, out.as_str()), (Some(1), ""));
        assert!(err.contains(words), "{err}");
    }
}
