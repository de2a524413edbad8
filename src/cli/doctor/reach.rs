//! Can the API be reached, and does it let us in?

use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::Url;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::report::Report;
use crate::api::ApiError;
use crate::client::{Client, ClientError, Seen};

/// How long a name or a connection may take.
const STEP_MAX: Duration = Duration::from_secs(5);
/// How far the clocks may differ before tokens are refused: what servers forgive.
const SKEW_MAX: u64 = 60;
/// How far they may differ before it is worth a word.
const SKEW_SEEN: u64 = 5;
/// How soon a token ends that is worth a word.
const ENDS_SOON: u64 = 60 * 60;
/// The variables by which a proxy is named.
const PROXIES: [&str; 6] = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
/// What is read: one number, the smallest list there is.
pub(super) const PATH: &str = "/v2/sip/phone-numbers?page=1&perPage=1";

/// Goes step by step, and answers whether there is an API that lets us in.
pub(super) async fn examine(report: &mut Report, client: &Client, origin: &str) -> bool {
    let Some((host, port, secure, local)) = parts(client.endpoint()) else {
        report.fail(
            "endpoint",
            format!("{} is no address", client.endpoint()),
            "write one such as https://api.videosdk.live",
        );
        return false;
    };
    let named = format!("{}, named by {origin}", client.endpoint());
    match secure || local {
        true => report.ok("endpoint", named),
        false => report.warn("endpoint", named, "tokens and passwords travel in clear: use https"),
    }
    let proxy = PROXIES.into_iter().find(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
    match proxy.filter(|_| !local) {
        Some(name) => {
            report.ok("proxy", format!("{name} is set; name and connection are its affair, unless NO_PROXY says so"))
        }
        None if !connected(report, &host, port).await => return false,
        None => {}
    }
    let seen = match client.probe(PATH, "").await {
        Ok(seen) => seen,
        Err(why) => {
            let check = match &why {
                ClientError::BadToken { .. } => "token",
                ClientError::Unreachable { .. } if secure => "tls",
                _ => "http",
            };
            report.fail(check, said(&why), advice(check));
            return false;
        }
    };
    if secure {
        report.ok("tls", "the certificate is trusted");
    }
    if seen.body.is_none() {
        let what = format!("status {} and no JSON", seen.status);
        report.fail("http", what, "check the endpoint: this is not the API");
        return false;
    }
    let server = seen.server.as_ref().map_or_else(String::new, |name| format!(", from {name}"));
    report.ok("http", format!("status {} in {} ms{server}", seen.status, seen.took.as_millis()));
    clock(report, &seen);
    token(report, client, &seen)
}

fn parts(endpoint: &str) -> Option<(String, u16, bool, bool)> {
    let url = Url::parse(endpoint).ok()?;
    let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
    let local = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    Some((host, url.port_or_known_default()?, url.scheme() == "https", local))
}

async fn connected(report: &mut Report, host: &str, port: u16) -> bool {
    let addresses: Vec<SocketAddr> = match timeout(STEP_MAX, lookup_host((host, port))).await {
        Ok(Ok(found)) => found.collect(),
        Ok(Err(why)) => {
            report.fail(
                "dns",
                format!("{host} has no address: {why}"),
                "check the name, and the name server of this machine",
            );
            return false;
        }
        Err(_) => {
            report.fail("dns", format!("no answer for {host}"), "check the name server of this machine");
            return false;
        }
    };
    report.ok("dns", addresses.iter().map(|address| address.ip().to_string()).collect::<Vec<_>>().join(", "));
    let mut last = "there is no address".to_owned();
    for address in &addresses {
        match timeout(STEP_MAX, TcpStream::connect(address)).await {
            Ok(Ok(_)) => {
                report.ok("tcp", format!("{address} takes connections"));
                return true;
            }
            Ok(Err(why)) => last = format!("{address}: {why}"),
            Err(_) => last = format!("{address}: no answer in {} s", STEP_MAX.as_secs()),
        }
    }
    report.fail(
        "tcp",
        last,
        "is it running, and does a firewall let this machine through? a daemon: `strowger daemon`",
    );
    false
}

fn said(why: &ClientError) -> String {
    match why {
        ClientError::Unreachable { why, .. } | ClientError::Lost { why, .. } => why.clone(),
        ClientError::TimedOut { .. } => "no answer in time".to_owned(),
        other => other.to_string(),
    }
}

fn advice(check: &str) -> &'static str {
    match check {
        "token" => {
            "set STROWGER_TOKEN to a token such as `strowger token` prints, or STROWGER_API_KEY and STROWGER_SECRET"
        }
        "tls" => "where the endpoint has a certificate of your own authority, name that in STROWGER_CA_FILE (PEM)",
        _ => "check the endpoint and what stands between: a proxy, a firewall",
    }
}

fn clock(report: &mut Report, seen: &Seen) {
    let Some(theirs) = seen.date else {
        return report.skip("clock", "the answer has no Date");
    };
    let (behind, apart) = match SystemTime::now().duration_since(theirs) {
        Ok(ahead) => (false, ahead.as_secs()),
        Err(why) => (true, why.duration().as_secs()),
    };
    let found = format!("this machine is {apart} s {} the far side", if behind { "behind" } else { "ahead of" });
    match apart {
        0..=SKEW_SEEN => report.ok("clock", "this machine and the far side agree"),
        _ if apart <= SKEW_MAX => report.warn("clock", found, "set the clock; from a minute on, tokens are refused"),
        _ => report.fail("clock", found, "set the clock: tokens of the wrong time are refused"),
    }
}

fn token(report: &mut Report, client: &Client, seen: &Seen) -> bool {
    let facts = match client.token_facts() {
        Ok(facts) => facts,
        Err(why) => {
            report.fail("token", why.to_string(), advice("token"));
            return false;
        }
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let left = facts.exp.map(|exp| exp.saturating_sub(now));
    let life = match left {
        None => "without an end".to_owned(),
        Some(0) => "expired".to_owned(),
        Some(left) if left < ENDS_SOON => format!("good for {} min more", left / 60),
        Some(left) => format!("good for {} h more", left / 3600),
    };
    let roles =
        facts.roles.as_ref().map_or_else(|| "no roles".to_owned(), |roles| format!("roles {}", roles.join(", ")));
    let facts = format!("{life}, {roles}");
    let message = || {
        let body = seen.body.as_ref().map(ToString::to_string).unwrap_or_default();
        ApiError::read(seen.status, body.as_bytes()).message
    };
    match seen.status {
        200..=299 if left.is_some_and(|left| left < ENDS_SOON) => {
            report.warn("token", format!("accepted; {facts}"), "make a new one soon");
            true
        }
        200..=299 => {
            report.ok("token", format!("accepted; {facts}"));
            true
        }
        401 => {
            report.fail(
                "token",
                format!("refused: {}; {facts}", message()),
                "check the API key, its secret, and the clock",
            );
            false
        }
        403 => {
            report.fail("token", format!("not allowed: {}; {facts}", message()), "the token needs the role crawler");
            false
        }
        429 => {
            report.warn("token", "not judged: too many calls just now", "wait and try again");
            false
        }
        status => {
            report.fail(
                "token",
                format!("not judged: status {status}: {}", message()),
                "try again; if it stays, ask who runs the endpoint",
            );
            false
        }
    }
}
