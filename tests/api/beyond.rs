//! What goes beyond the vendor's contract: kept and returned by our server, and planned against no other.

use serde_json::{Value, json};
use strowger::check::check;
use strowger::client::Client;
use strowger::diagnostic::{File, Files};
use strowger::model::{Exchange, Secret, SecretRef};
use strowger::plan::{Memory, Options, Plan, diff};
use strowger::{sync, syntax};

use super::support::Served;

const RULES: &str = "/v2/sip/routing-rule";
const A: &str = "+15550100001";

fn rule(name: &str, beyond: Value) -> Value {
    json!({
        "name": name, "type": "inbound", "phoneNumbers": [A], "room": {"type": "dynamic"}, "strowger": beyond,
    })
}

#[tokio::test]
async fn inbound_rules_share_a_number_where_their_priorities_differ() {
    let served = Served::new().await;
    served.numbers(&[A]).await;
    let (status, first) = served.post(RULES, rule("first", json!({"priority": 5}))).await;
    assert_eq!((status, &first["strowger"]), (201, &json!({"priority": 5})));
    let (status, plain) = served.post(RULES, rule("plain", Value::Null)).await;
    assert_eq!(status, 201);
    assert!(plain.get("strowger").is_none(), "a rule within the contract looks like the contract's");
    // The contract's 400 stays for rules without a priority, and for those of the same.
    assert_eq!(served.post(RULES, rule("again", Value::Null)).await.0, 400);
    let (status, why) = served.post(RULES, rule("again", json!({"priority": 5}))).await;
    assert_eq!(status, 400);
    assert!(why.to_string().contains("priority 5"), "{why}");

    let (_, listed) = served.get(RULES).await;
    assert_eq!((listed["strowger"].as_u64(), listed["data"].as_array().map(Vec::len)), (Some(1), Some(2)));
    let table = strowger::route::Table::build(&served.store.book().expect("a book"));
    let offer = strowger::route::Offer::inbound(A, "anonymous", "192.0.2.1".parse().expect("an address"));
    let decision = table.decide(&offer, jiff::Timestamp::UNIX_EPOCH);
    assert_eq!(decision.trace.candidate().map(|booked| booked.rule.name.as_str()), Some("first"));
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_and_nothing_is_kept() {
    let served = Served::new().await;
    served.numbers(&[A]).await;
    for beyond in [
        json!({"schedule": {"zone": "Mars/Olympus"}}),
        json!({"schedule": {"zone": "UTC", "hours": ["mon 9-17"]}}),
        json!({"block": {"numbers": ["+1*5"]}}),
        json!({"split": [{"weight": 1}]}),
        json!({"split": [{"agentId": "a", "weight": 0}]}),
        json!({"failover": {"gateways": ["g"], "moveOn": ["503"]}}),
    ] {
        let (status, why) = served.post(RULES, rule("bad", beyond.clone())).await;
        assert_eq!(status, 400, "{beyond}: {why}");
    }
    assert_eq!(served.get(RULES).await.1["data"], json!([]));
}

const FILES: &str = r#"
[stack]
name = "beyond"
[gateway.g]
address = "sip.example.com"
[number."+15550100001"]
gateway = "g"
[agent.a]
id = "a"
[agent.b]
id = "b"
[rule.day]
direction = "inbound"
numbers = ["+15550100001"]
agent = "a"
[rule.night]
direction = "inbound"
numbers = ["+15550100001"]
agent = "b"
priority = 7
schedule = { zone = "Europe/Berlin", hours = ["mon-fri 18:00-08:00"], closed = ["2026-12-25"] }
block = { callers = ["+1900*"], ips = ["203.0.113.0/24"] }
split = { "agent.a" = 1, "agent.b" = 3 }
[rule.out]
direction = "outbound"
numbers = ["+15550100001"]
failover = { gateways = ["g"] }
"#;

fn exchange(text: &str) -> Exchange {
    let mut files = Files::default();
    files.add(File::new("strowger.toml", text.to_owned()));
    let checked = check(syntax::parse(&files));
    checked.exchange.unwrap_or_else(|| panic!("{:?}", checked.report.findings))
}

fn none(_: &SecretRef) -> Result<Secret, String> {
    Err("there are no secrets here".to_owned())
}

async fn plan(exchange: &Exchange, client: &Client) -> Plan {
    let live = sync::fetch(client).await.expect("it can be read");
    let rules = exchange.bind_rules(none).expect("no secrets");
    diff(exchange, &rules, &live, &Memory::default(), Options::default())
}

#[tokio::test]
async fn every_key_reaches_a_daemon_and_is_taken_away_again() {
    let served = Served::new().await;
    let client = served.client();
    let plain: String = FILES
        .lines()
        .filter(|line| !["schedule", "block", "split", "failover"].iter().any(|key| line.starts_with(key)))
        .map(|line| format!("{line}\n"))
        .collect();
    for text in [FILES, &plain, FILES] {
        let exchange = exchange(text);
        let to_do = plan(&exchange, &client).await;
        assert!(to_do.blocked.is_empty() && !to_do.steps.is_empty(), "{:?}", to_do.blocked);
        let applied = sync::apply(&to_do, &exchange, &client, none, |_, _| {}).await;
        assert!(applied.failed.is_none(), "{:?}", applied.failed.map(|(step, error)| (step.object, error.to_string())));
        let after = plan(&exchange, &client).await;
        assert!(after.is_empty(), "{}", strowger::plan::text(&after));
    }
}

#[tokio::test]
async fn a_plan_against_an_account_that_is_no_daemon_is_blocked_at_the_rule() {
    let exchange = exchange(FILES);
    let rules = exchange.bind_rules(none).expect("no secrets");
    let live = strowger::plan::Live::default();
    let plan = diff(&exchange, &rules, &live, &Memory::default(), Options::default());
    let blocked: Vec<(String, usize)> =
        plan.blocked.iter().map(|b| (b.object.clone(), b.place.as_ref().map_or(0, |place| place.line))).collect();
    assert_eq!(blocked, [("rule.night".to_owned(), 16), ("rule.out".to_owned(), 23)]);
    assert!(plan.blocked[0].reason.contains("`priority`, `schedule`, `block`, `split` are honoured only"));
}
