//! How fast is the API, beside a bare axum handler in the same run?
//!
//! Creates and lists a second, over loopback, one after the other and many at once; the list of ten thousand rules;
//! and the memory that they take. `benches/README.md` has the figures, and how to run it.

#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use axum::Router;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::post;
use serde_json::{Value, json};
use strowger::api::{
    Call, CreateNumbers, CreateRule, Handle, ListRules, NewNumbers, NewRule, Page, RoutingRule, RulePatch, RulesQuery,
    Word,
};
use strowger::client::{Auth, Client, Credentials};
use strowger::daemon::Service;
use strowger::model::Direction;
use strowger::server::{self, Limits};
use strowger::store::Store;
use strowger::switch::{Switch, SwitchConfig};
use strowger::sync;

/// How long each figure is measured.
const SPAN: Duration = Duration::from_secs(3);
/// Callers at once.
const AT_ONCE: usize = 16;
/// The number of every rule: outbound rules may share one.
const NUMBER: &str = "+14155550100";
/// The long list.
const RULES: usize = 10_000;

#[tokio::main]
async fn main() {
    let directory = tempfile::tempdir().unwrap();
    let bare = serve(bare()).await;
    let memory = served(Store::in_memory().unwrap()).await;
    let disk = served(Store::open(&directory.path().join("store.sqlite")).unwrap()).await;
    let bare = Client::new(&bare, memory.1.clone()).unwrap();
    let memory = Client::new(&memory.0, memory.1).unwrap();
    let disk = Client::new(&disk.0, disk.1).unwrap();
    // What a page is, in each: a hundred rules.
    for client in [&memory, &disk] {
        for at in 0..100 {
            client.handle(create(at)).await.unwrap();
        }
    }
    println!("{:<34} {:>10} {:>10} {:>10}   ratio to bare", "calls a second", "bare", "memory", "disk");
    for at_once in [1, AT_ONCE] {
        let row =
            [rate(&bare, at_once, list).await, rate(&memory, at_once, list).await, rate(&disk, at_once, list).await];
        told(&format!("list of a page of 100, {at_once} at once"), row);
    }
    for at_once in [1, AT_ONCE] {
        let row = [
            rate(&bare, at_once, create).await,
            rate(&memory, at_once, create).await,
            rate(&disk, at_once, create).await,
        ];
        told(&format!("create of a rule, {at_once} at once"), row);
    }
    long_list().await;
}

fn told(what: &str, [bare, memory, disk]: [f64; 3]) {
    println!("{what:<34} {bare:>10.0} {memory:>10.0} {disk:>10.0}   {:.2} / {:.2}", memory / bare, disk / bare);
}

/// Ten thousand rules in a store of their own: to list them all, and what they take.
async fn long_list() {
    let before = resident();
    let (base, auth) = served(Store::in_memory().unwrap()).await;
    let client = Client::new(&base, auth).unwrap();
    for at in 0..RULES {
        client.handle(create(at)).await.unwrap();
    }
    let filled = resident();
    let start = Instant::now();
    let lists = sync::list(&client).await.unwrap();
    let took = start.elapsed();
    assert_eq!(lists.rules.len(), RULES);
    println!("\nlist of {RULES} rules, by pages of 100: {} ms", took.as_millis());
    if let (Some(before), Some(filled), Some(listed)) = (before, filled, resident()) {
        let each = (filled.saturating_sub(before)) as f64 / RULES as f64;
        println!(
            "memory: {filled} kB with them in the store ({each:.2} kB a rule), {listed} kB with the list beside them"
        );
    }
}

/// The contract over a store, without a limit; its base address, and how to sign in.
async fn served(store: Store) -> (String, Auth) {
    let key = store.create_key().unwrap();
    let switch = Switch::new(SwitchConfig {
        advertised: None,
        ports: 10_000..=20_000,
        hiding: strowger::model::HidingKey::new(strowger::model::Secret::new("bench")),
    })
    .unwrap();
    let router = server::limited(Service::new(store, switch), Limits { per_second: 0, burst: 0 });
    let auth = Auth::Credentials(Credentials { api_key: key.id, secret: key.secret });
    let base = serve(router).await;
    let numbers =
        json!({"name": "n", "phoneNumbers": [NUMBER], "inbound": {}, "outbound": {"address": "sip.example.com"}});
    let numbers: NewNumbers = serde_json::from_value(numbers).unwrap();
    let client = Client::new(&base, auth.clone()).unwrap();
    Handle::<CreateNumbers>::handle(&client, Call::with_body(numbers)).await.unwrap();
    (base, auth)
}

/// The bare handler: it reads and writes JSON of the same size, and neither asks for a token nor keeps anything.
fn bare() -> Router {
    let rule = json!({"id": "rr_0", "name": "rule 0", "type": "outbound", "numbers": [NUMBER],
        "room": {"type": "static", "id": "lobby", "prefix": null, "pin": null}, "agentId": null,
        "includeHeaders": null, "allowedNumbers": [], "allowedIpAddresses": [], "tags": ["bench"], "recording": false,
        "dtmf": false, "noiseCancellation": false, "hidePhoneNumber": false,
        "createdAt": "2026-01-02T03:04:05.000Z", "updatedAt": "2026-01-02T03:04:05.000Z"});
    let rule: RoutingRule = serde_json::from_value(rule).unwrap();
    let page = Page::cut(vec![rule.clone(); 100], 1, 100);
    let create =
        async move |axum::Json(_): axum::Json<Value>| (StatusCode::CREATED, axum::Json(rule.clone())).into_response();
    Router::new().route("/v2/sip/routing-rule", post(create).get(async move || axum::Json(page.clone())))
}

async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    base
}

fn create(at: usize) -> Call<CreateRule> {
    let fields = json!({"name": format!("rule {at}"), "phoneNumbers": [NUMBER], "room": {"type": "static", "id": "lobby"}, "tags": ["bench"]});
    let fields: RulePatch = serde_json::from_value(fields).unwrap();
    Call::with_body(NewRule { kind: Word::Known(Direction::Outbound), fields })
}

fn list(_: usize) -> Call<ListRules> {
    Call::with_query(RulesQuery { page: Some(1), per_page: Some(100), ..RulesQuery::default() })
}

/// Calls a second by so many callers at once.
async fn rate<E>(client: &Client, at_once: usize, call: fn(usize) -> Call<E>) -> f64
where
    E: strowger::api::Endpoint,
{
    let start = Instant::now();
    let callers: Vec<_> = (0..at_once)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move {
                let mut done = 0;
                while start.elapsed() < SPAN {
                    client.handle(call(done)).await.unwrap();
                    done += 1;
                }
                done
            })
        })
        .collect();
    let mut done = 0;
    for caller in callers {
        done += caller.await.unwrap();
    }
    done as f64 / start.elapsed().as_secs_f64()
}

/// The resident memory of this process in kB, where the system tells it.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().split(' ').next()?.parse().ok())
}
