//! What fetch, plan and apply make of lists that move and replies that are lost.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use strowger::client::{Auth, Client};
use strowger::diagnostic::{File, Files};
use strowger::model::{Exchange, Secret};
use strowger::plan::{Memory, Options, Plan, diff};
use strowger::{check, sync, syntax};

use super::faulty::{Faulty, Step, read};
use super::support::{Served, credentials};

/// One page of rules with these ids.
fn page(ids: &[&str], page: u32, last: u32, total: usize) -> Step {
    let data: Vec<_> = ids.iter().map(|id| json!({"id": id, "type": "inbound"})).collect();
    let info = json!({"currentPage": page, "perPage": 1, "lastPage": last, "total": total});
    Step::Made(json!({"pageInfo": info, "data": data}).to_string())
}

fn numbers() -> Step {
    Step::Made(
        json!({"pageInfo": {"currentPage": 1, "perPage": 100, "lastPage": 1, "total": 0}, "data": []}).to_string(),
    )
}

async fn ids(server: &Faulty) -> Result<Vec<String>, String> {
    let live = sync::fetch(&server.client()).await.map_err(|why| why.to_string())?;
    Ok(live.rules.iter().map(|rule| rule.id.to_string()).collect())
}

#[tokio::test]
async fn a_list_that_changes_between_its_pages_is_read_again() {
    for moved in [
        // One more came, one moved to where it is read again, one went.
        page(&["b"], 2, 3, 3),
        page(&["a"], 2, 2, 2),
        page(&[], 2, 2, 2),
    ] {
        let steps = [numbers(), page(&["a"], 1, 2, 2), moved, page(&["a"], 1, 2, 2), page(&["b"], 2, 2, 2)];
        let server = Faulty::new(&steps);
        assert_eq!(ids(&server).await.unwrap(), ["a", "b"]);
        assert_eq!(server.count(), 5);
    }
}

#[tokio::test]
async fn a_list_that_never_holds_still_ends_in_a_word_of_it() {
    let mut steps = vec![numbers()];
    // It says that it goes on for ever, and repeats itself.
    steps.extend((0..10).map(|_| page(&["a"], 1, u32::MAX, 7)));
    let server = Faulty::new(&steps);
    let why = ids(&server).await.unwrap_err();
    assert!(why.contains("routing rules changed") && server.count() == 11, "{why}");
}

#[tokio::test]
async fn a_list_without_a_word_of_pages_is_read_to_its_end() {
    let bare = |range: std::ops::Range<usize>| {
        Step::Made(
            json!(range.map(|at| json!({"id": format!("r{at}"), "type": "inbound"})).collect::<Vec<_>>()).to_string(),
        )
    };
    let server = Faulty::new(&[numbers(), bare(0..100), bare(100..150)]);
    assert_eq!(ids(&server).await.unwrap().len(), 150);
    // It does not know of pages at all, and sends the same again; or it sends everything at once.
    let server = Faulty::new(&[numbers(), bare(0..100), bare(0..100)]);
    assert_eq!(ids(&server).await.unwrap().len(), 100);
    let server = Faulty::new(&[numbers(), bare(0..250)]);
    assert_eq!(ids(&server).await.unwrap().len(), 250);
}

#[tokio::test]
async fn what_is_not_known_is_kept() {
    let rule = json!({"id": "r", "type": "sideways", "new": {"a": 1}, "includeHeaders": "SOME",
        "room": {"type": "dynamic", "prefix": "moon"}});
    let number = json!({"phoneNumber": {"phoneNumberId": "p", "e164": "+15550100001", "kyc": "done"},
        "inbound": {"id": "g", "sipRegion": "mars1", "geoRegion": "mars1", "codec": "opus"}, "outbound": null});
    let server = Faulty::new(&[Step::Made(json!([number]).to_string()), Step::Made(json!([rule]).to_string())]);
    let lists = sync::list(&server.client()).await.unwrap();
    let again = |value: &serde_json::Value, key: &str| value.pointer(key).cloned().unwrap_or_default();
    let (shown, number_shown) = (json!(lists.rules[0]), json!(lists.numbers[0]));
    for key in ["/type", "/new/a", "/includeHeaders", "/room/prefix"] {
        assert_eq!(again(&shown, key), again(&rule, key), "{key}");
    }
    for key in ["/phoneNumber/kyc", "/inbound/codec", "/inbound/sipRegion", "/inbound/geoRegion"] {
        assert_eq!(again(&number_shown, key), again(&number, key), "{key}");
    }
    assert!(lists.rules[0].to_model().is_err());
}

/// A way to a server on which replies can be lost after the server has acted.
struct Lossy {
    base: String,
    /// Whether the reply to the next POST is lost.
    lose: Arc<AtomicBool>,
}

impl Lossy {
    fn before(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let upstream = upstream.strip_prefix("http://").unwrap().to_owned();
        let lose = Arc::new(AtomicBool::new(false));
        let losing = lose.clone();
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                let mut socket = socket.unwrap();
                let request = read(&mut socket);
                let mut server = TcpStream::connect(&upstream).unwrap();
                server.write_all(request.replacen("\r\n", "\r\nconnection: close\r\n", 1).as_bytes()).unwrap();
                let mut reply = Vec::new();
                server.read_to_end(&mut reply).unwrap();
                if request.starts_with("POST") && losing.swap(false, Ordering::SeqCst) {
                    continue;
                }
                // The client may have hung up already.
                let _ = socket.write_all(&reply);
            }
        });
        Self { base, lose }
    }
}

const FILES: &str = r#"
[stack]
name = "acme"
[gateway.us]
address = "sip.example.com"
[number."+14155550100"]
gateway = "us"
[room.lobby]
mode = "static"
id = "lobby"
[rule.main]
direction = "inbound"
numbers = ["+14155550100"]
room = "lobby"
[rule.out]
direction = "outbound"
numbers = ["+14155550100"]
room = "lobby"
"#;

fn exchange() -> Exchange {
    let mut files = Files::default();
    files.add(File::new("strowger.toml", FILES.to_owned()));
    check::check(syntax::parse(&files)).exchange.unwrap()
}

async fn plan(exchange: &Exchange, client: &Client) -> Plan {
    let rules = exchange.bind_rules(|_| Ok::<_, String>(Secret::new("1"))).unwrap();
    let live = sync::fetch(client).await.unwrap();
    diff(exchange, &rules, &live, &Memory::default(), Options::default())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_create_whose_reply_is_lost_is_found_by_the_next_plan() {
    let served = Served::new().await;
    let way = Lossy::before(&served.base);
    let client = Client::new(&way.base, Auth::Credentials(credentials(&served.key))).unwrap();
    let client = client.with_backoff(Duration::from_millis(1));
    let exchange = exchange();
    let mut losses = 0;
    loop {
        let plan = plan(&exchange, &client).await;
        if plan.is_empty() {
            break;
        }
        let creates = plan.steps.len();
        way.lose.store(true, Ordering::SeqCst);
        let secret = |_: &_| Ok(Secret::new("1"));
        let applied = sync::apply(&plan, &exchange, &client, secret, |_, _| {}).await;
        let (step, why) = applied.failed.expect("a reply was lost");
        assert!(why.to_string().contains("lost"), "{}: {why}", step.object);
        losses += 1;
        assert!(losses <= creates + 3, "it does not converge");
    }
    // The numbers, and each of the two rules, were made once, though no reply of theirs arrived.
    assert_eq!(losses, 3);
    assert_eq!(served.get("/v2/sip/routing-rule").await.1["pageInfo"]["total"], 2);
    assert_eq!(served.get("/v2/sip/phone-numbers").await.1["pageInfo"]["total"], 1);
}
