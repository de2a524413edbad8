//! The store asked directly, and the store behind client and server, give the same answers.

use std::collections::HashMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use strowger::api::{
    ApiError, Call, CreateInboundGateway, CreateNumbers, CreateOutboundGateway, CreateRule, CreateWebhook,
    DeleteInboundGateway, DeleteOutboundGateway, DeleteRule, DeleteWebhook, DetachBody, DetachNumber, Endpoint,
    GetNumber, GetRule, Handle, ListInboundGateways, ListNumbers, ListOutboundGateways, ListRules, ListWebhooks,
    NumbersQuery, ReleaseNumber, RulesQuery, TrunksQuery, UpdateGateway, UpdateInboundGateway, UpdateOutboundGateway,
    UpdateRule, UpdateWebhook, WebhooksQuery,
};
use strowger::client::{Client, ClientError};
use strowger::store::Store;

use super::support::Served;

/// One request; ids and numbers are places in what is known so far.
#[derive(Debug, Clone)]
enum Ask {
    Create { numbers: Vec<usize>, shared: bool, outbound: usize },
    List { page: u32, per_page: u32, search: usize },
    Get(usize),
    Detach(usize),
    Release(usize),
    Change { gateway: usize, patch: usize },
    DropInbound(usize),
    DropOutbound(usize),
    CreateRule { inbound: bool, numbers: Vec<usize>, fields: usize },
    ChangeRule { rule: usize, numbers: Option<Vec<usize>>, fields: usize },
    ListRules { page: u32, search: usize, inbound: Option<bool>, room: usize },
    GetRule(usize),
    DropRule(usize),
    CreateTrunk { inbound: bool, numbers: Vec<usize>, fields: usize },
    ChangeTrunk { inbound: bool, gateway: usize, numbers: Option<Vec<usize>>, fields: usize },
    ListTrunks { inbound: bool, search: usize },
    CreateWebhook(usize),
    ChangeWebhook { webhook: usize, fields: usize },
    ListWebhooks { page: u32, search: usize },
    DropWebhook(usize),
}

/// Twelve numbers, and now and then a text that is none.
fn number(place: usize) -> String {
    if place == NUMBERS { "447700".to_owned() } else { format!("+15550100{:03}", place % 12) }
}

/// Places of numbers; the last one is no number.
const NUMBERS: usize = 48;

fn search(place: usize) -> Option<String> {
    [None, Some("0001"), Some("+1555"), Some("RULE"), Some(" "), Some("none")][place % 6].map(str::to_owned)
}

fn outbound(place: usize) -> Value {
    match place {
        0 => json!({"address": "sip.example.com"}),
        1 => json!({"address": "192.0.2.7:5070", "transport": "udp", "auth": {"username": "u", "password": "p"}}),
        2 => json!({"address": "a", "auth": {"username": "u"}}),
        3 => json!({"address": "", "sipRegion": "in002"}),
        4 => json!({"address": "[2001:db8::1]", "sipRegion": "in002", "transport": "ws"}),
        _ => json!({"address": "[2001:db8::1]:5061", "sipRegion": "in002", "transport": "TLS"}),
    }
}

fn gateway_patch(place: usize) -> Value {
    match place % 8 {
        0 => json!({"name": "renamed"}),
        1 => json!({"transport": "tcp", "address": "sip2.example.com"}),
        2 => json!({"auth": null}),
        3 => json!({"auth": {"username": "v", "password": "q"}}),
        4 => json!({"isShared": true}),
        5 => json!({"sipRegion": "us002", "geoRegion": "us002", "mediaEncryption": "enable"}),
        6 => json!({"sipRegion": "us002", "geoRegion": "in002"}),
        _ => json!({}),
    }
}

fn fields(place: usize) -> Value {
    match place {
        0 => json!({}),
        1 => json!({"name": "rule one", "tags": ["b", "a"], "dtmf": true}),
        2 => json!({"room": {"type": "static", "id": "lobby", "pin": "12"}}),
        3 => json!({"room": {"type": "dynamic", "prefix": "random"}, "includeHeaders": "ALL"}),
        4 => json!({"headers": {"X-A": "a"}, "allowedNumbers": ["+1*", "?"]}),
        5 => json!({"headersToAttributes": {"X-A": "a"}, "agentId": "agent", "agentMetadata": {"a": [1, null]}}),
        6 => json!({"room": null, "tags": [], "agentId": null, "headers": {}}),
        7 => json!({"room": {"type": "static"}}),
        8 => json!({"apiKey": "ak_none"}),
        9 => json!({"name": ""}),
        _ => json!({"name": format!("rule {place}"), "recording": true}),
    }
}

fn trunk_fields(place: usize) -> Value {
    match place % 8 {
        0 => json!({"address": "sip.example.com"}),
        1 => json!({"address": "a", "transport": "tcp", "auth": {"username": "u", "password": "p"}, "record": true}),
        2 => json!({"tags": ["a"], "metadata": {"k": "v"}, "enableDtmf": true, "geoRegion": "us002"}),
        3 => json!({"allowedAddresses": ["192.0.2.1"]}),
        4 => json!({"auth": null, "tags": null}),
        5 => json!({"name": ""}),
        6 => json!({"auth": {"username": "u", "password": ""}}),
        _ => json!({}),
    }
}

fn webhook_fields(place: usize) -> Value {
    match place % 6 {
        0 => json!({"url": "https://example.com/a", "events": ["call-started"]}),
        1 => json!({"url": "https://example.org", "events": ["call-hangup", "call-missed", "call-hangup"]}),
        2 => json!({"url": "", "events": ["call-update"]}),
        3 => json!({"url": "ftp://example.com", "events": ["call-update"]}),
        4 => json!({"url": "https://example.net", "events": []}),
        _ => json!({"url": "https://example.net", "events": ["call-begun"]}),
    }
}

fn asks() -> impl Strategy<Value = Vec<Ask>> {
    let some = || prop::collection::vec(0..=NUMBERS, 0..4);
    // Weighted towards creation, so that there is something to ask for.
    let ask = prop_oneof![
        8 => (some(), any::<bool>(), 0..16_usize)
            .prop_map(|(numbers, shared, outbound)| Ask::Create { numbers, shared, outbound }),
        1 => (0..3_u32, 0..4_u32, 0..6_usize)
            .prop_map(|(page, per_page, search)| Ask::List { page, per_page, search }),
        1 => (0..=NUMBERS).prop_map(Ask::Get),
        2 => (0..=NUMBERS).prop_map(Ask::Detach),
        1 => (0..9_usize).prop_map(Ask::Release),
        2 => (0..9_usize, 0..8_usize).prop_map(|(gateway, patch)| Ask::Change { gateway, patch }),
        1 => (0..9_usize).prop_map(Ask::DropInbound),
        1 => (0..9_usize).prop_map(Ask::DropOutbound),
        8 => (any::<bool>(), some(), 0..16_usize)
            .prop_map(|(inbound, numbers, fields)| Ask::CreateRule { inbound, numbers, fields }),
        3 => (0..9_usize, prop::option::of(some()), 0..16_usize)
            .prop_map(|(rule, numbers, fields)| Ask::ChangeRule { rule, numbers, fields }),
        1 => (0..3_u32, 0..6_usize, prop::option::of(any::<bool>()), 0..4_usize)
            .prop_map(|(page, search, inbound, room)| Ask::ListRules { page, search, inbound, room }),
        1 => (0..9_usize).prop_map(Ask::GetRule),
        1 => (0..9_usize).prop_map(Ask::DropRule),
        3 => (any::<bool>(), some(), 0..8_usize)
            .prop_map(|(inbound, numbers, fields)| Ask::CreateTrunk { inbound, numbers, fields }),
        3 => (any::<bool>(), 0..9_usize, prop::option::of(some()), 0..8_usize)
            .prop_map(|(inbound, gateway, numbers, fields)| Ask::ChangeTrunk { inbound, gateway, numbers, fields }),
        1 => (any::<bool>(), 0..6_usize).prop_map(|(inbound, search)| Ask::ListTrunks { inbound, search }),
        2 => (0..6_usize).prop_map(Ask::CreateWebhook),
        1 => (0..9_usize, 0..6_usize).prop_map(|(webhook, fields)| Ask::ChangeWebhook { webhook, fields }),
        1 => (0..3_u32, 0..6_usize).prop_map(|(page, search)| Ask::ListWebhooks { page, search }),
        1 => (0..9_usize).prop_map(Ask::DropWebhook),
    ];
    prop::collection::vec(ask, 1..80)
}

/// One of the two, with the ids that it gave away, in the order in which they were seen.
struct Side<H> {
    service: H,
    ids: HashMap<String, usize>,
    numbers: Vec<String>,
    gateways: Vec<String>,
    rules: Vec<String>,
    webhooks: Vec<String>,
}

/// The refusal that an error is, whoever says it.
trait Refusal {
    fn told(self) -> ApiError;
}

impl Refusal for ApiError {
    fn told(self) -> ApiError {
        self
    }
}

impl Refusal for ClientError {
    fn told(self) -> ApiError {
        self.refusal().cloned().unwrap_or_else(|| panic!("{self}"))
    }
}

impl<H> Side<H> {
    fn new(service: H) -> Self {
        Self {
            service,
            ids: HashMap::new(),
            numbers: Vec::new(),
            gateways: Vec::new(),
            rules: Vec::new(),
            webhooks: Vec::new(),
        }
    }

    fn pick(known: &[String], place: usize) -> String {
        if known.is_empty() { "none".to_owned() } else { known[place % known.len()].clone() }
    }

    async fn call<E: Endpoint>(&mut self, call: Call<E>) -> Value
    where
        H: Handle<E>,
        H::Error: Refusal,
    {
        let told = match self.service.handle(call).await {
            Ok(reply) => serde_json::to_value(reply).unwrap(),
            Err(why) => {
                let refusal = why.told();
                json!([refusal.status, refusal.message])
            }
        };
        self.neutral(told)
    }

    /// The same with every id replaced by its place, and without moments.
    fn neutral(&mut self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.neutral_text(&text)),
            Value::Array(items) => items.into_iter().map(|item| self.neutral(item)).collect(),
            Value::Object(map) => map
                .into_iter()
                .filter(|(key, _)| !matches!(key.as_str(), "createdAt" | "updatedAt"))
                .map(|(key, value)| (key, self.neutral(value)))
                .collect(),
            other => other,
        }
    }

    fn neutral_text(&mut self, text: &str) -> String {
        let part = |c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-');
        text.split_inclusive(part)
            .map(|piece| {
                let word = piece.trim_end_matches(part);
                let list = match word {
                    _ if word.starts_with("pn_") => &mut self.numbers,
                    _ if word.starts_with("rr_") => &mut self.rules,
                    _ if word.starts_with("wh_") => &mut self.webhooks,
                    _ if word.len() == 36 && word.matches('-').count() == 4 => &mut self.gateways,
                    _ => return piece.to_owned(),
                };
                let next = self.ids.len();
                let place = *self.ids.entry(word.to_owned()).or_insert_with(|| {
                    list.push(word.to_owned());
                    next
                });
                piece.replace(word, &format!("#{place}"))
            })
            .collect()
    }
}

macro_rules! ask {
    ($side:expr, $ask:expr) => {{
        let side = $side;
        let listed = |numbers: &[usize]| numbers.iter().map(|place| number(*place)).collect::<Vec<_>>();
        fn read<T: serde::de::DeserializeOwned>(body: Value) -> T {
            serde_json::from_value(body).unwrap()
        }
        match $ask.clone() {
            Ask::Create { numbers, shared, outbound: place } => {
                let body = json!({"name": "main", "phoneNumbers": listed(&numbers), "isShared": shared,
                                  "inbound": {}, "outbound": outbound(place)});
                side.call(Call::<CreateNumbers>::with_body(read(body))).await
            }
            Ask::List { page, per_page, search: place } => {
                let query = NumbersQuery { page: Some(page), per_page: Some(per_page), search: search(place) };
                side.call(Call::<ListNumbers>::with_query(query)).await
            }
            Ask::Get(place) => side.call(Call::<GetNumber>::of(number(place))).await,
            Ask::Detach(place) => {
                side.call(Call::<DetachNumber>::with_body(DetachBody { phone_number: number(place) })).await
            }
            Ask::Release(place) => {
                let id = Side::<()>::pick(&side.numbers, place);
                side.call(Call::<ReleaseNumber>::of(id)).await
            }
            Ask::Change { gateway, patch } => {
                let id = Side::<()>::pick(&side.gateways, gateway);
                side.call(Call::<UpdateGateway>::of_with_body(id, read(gateway_patch(patch)))).await
            }
            Ask::DropInbound(place) => {
                let id = Side::<()>::pick(&side.gateways, place);
                side.call(Call::<DeleteInboundGateway>::of(id)).await
            }
            Ask::DropOutbound(place) => {
                let id = Side::<()>::pick(&side.gateways, place);
                side.call(Call::<DeleteOutboundGateway>::of(id)).await
            }
            Ask::CreateRule { inbound, numbers, fields: place } => {
                let mut body = json!({"name": "rule", "type": if inbound { "inbound" } else { "outbound" },
                                      "phoneNumbers": listed(&numbers)});
                body.as_object_mut().unwrap().extend(fields(place).as_object().unwrap().clone());
                side.call(Call::<CreateRule>::with_body(read(body))).await
            }
            Ask::ChangeRule { rule, numbers, fields: place } => {
                let mut body = fields(place);
                if let Some(numbers) = numbers {
                    body["phoneNumbers"] = json!(listed(&numbers));
                }
                let id = Side::<()>::pick(&side.rules, rule);
                side.call(Call::<UpdateRule>::of_with_body(id, read(body))).await
            }
            Ask::ListRules { page, search: place, inbound, room } => {
                let body = json!({"page": page, "perPage": 3, "search": search(place),
                    "type": inbound.map(|inbound| if inbound { "inbound" } else { "both" }),
                    "roomType": ([None, Some("static"), Some("static,dynamic"), Some("big")][room])});
                side.call(Call::<ListRules>::with_query(read::<RulesQuery>(body))).await
            }
            Ask::GetRule(place) => {
                let id = Side::<()>::pick(&side.rules, place);
                side.call(Call::<GetRule>::of(id)).await
            }
            Ask::DropRule(place) => {
                let id = Side::<()>::pick(&side.rules, place);
                side.call(Call::<DeleteRule>::of(id)).await
            }
            Ask::CreateTrunk { inbound, numbers, fields: place } => {
                let mut body = json!({"name": "trunk", "numbers": listed(&numbers)});
                body.as_object_mut().unwrap().extend(trunk_fields(place).as_object().unwrap().clone());
                match inbound {
                    true => side.call(Call::<CreateInboundGateway>::with_body(read(body))).await,
                    false => side.call(Call::<CreateOutboundGateway>::with_body(read(body))).await,
                }
            }
            Ask::ChangeTrunk { inbound, gateway, numbers, fields: place } => {
                let mut body = trunk_fields(place);
                if let Some(numbers) = numbers {
                    body["numbers"] = json!(listed(&numbers));
                }
                let id = Side::<()>::pick(&side.gateways, gateway);
                match inbound {
                    true => side.call(Call::<UpdateInboundGateway>::of_with_body(id, read(body))).await,
                    false => side.call(Call::<UpdateOutboundGateway>::of_with_body(id, read(body))).await,
                }
            }
            Ask::ListTrunks { inbound, search: place } => {
                let query = TrunksQuery { search: search(place), ..TrunksQuery::default() };
                match inbound {
                    true => side.call(Call::<ListInboundGateways>::with_query(query)).await,
                    false => side.call(Call::<ListOutboundGateways>::with_query(query)).await,
                }
            }
            Ask::CreateWebhook(place) => {
                side.call(Call::<CreateWebhook>::with_body(read(webhook_fields(place)))).await
            }
            Ask::ChangeWebhook { webhook, fields: place } => {
                let id = Side::<()>::pick(&side.webhooks, webhook);
                side.call(Call::<UpdateWebhook>::of_with_body(id, read(webhook_fields(place)))).await
            }
            Ask::ListWebhooks { page, search: place } => {
                let query = WebhooksQuery { page: Some(page), per_page: Some(2), search: search(place) };
                side.call(Call::<ListWebhooks>::with_query(query)).await
            }
            Ask::DropWebhook(place) => {
                let id = Side::<()>::pick(&side.webhooks, place);
                side.call(Call::<DeleteWebhook>::of(id)).await
            }
        }
    }};
}

async fn compare(asks: &[Ask]) {
    let served = Served::new().await;
    let mut direct: Side<Store> = Side::new(Store::in_memory().unwrap());
    let mut far: Side<Client> = Side::new(served.client());
    // Some numbers at once, so that rules have something to stand on.
    let first = Ask::Create { numbers: (0..6).collect(), shared: true, outbound: 1 };
    for ask in std::iter::once(&first).chain(asks) {
        let (near, across) = (ask!(&mut direct, ask), ask!(&mut far, ask));
        assert_eq!(near, across, "{ask:?}");
        invariants(&served.store);
    }
    for ask in
        [Ask::List { page: 1, per_page: 100, search: 0 }, Ask::ListRules { page: 1, search: 0, inbound: None, room: 0 }]
    {
        assert_eq!(ask!(&mut direct, ask), ask!(&mut far, ask));
    }
    let kinds = |store: &Store| {
        let book = store.book().unwrap();
        let mut rules: Vec<_> = book.rules.into_iter().map(|booked| format!("{:?}", booked.rule)).collect();
        rules.sort();
        (book.numbers, rules)
    };
    assert_eq!(kinds(&direct.service), kinds(&served.store));
}

/// Every stored rule is understood, and no number is on two inbound rules.
fn invariants(store: &Store) {
    let book = store.book().unwrap();
    let mut inbound: Vec<_> = book
        .rules
        .iter()
        .filter(|booked| booked.rule.direction() == strowger::model::Direction::Inbound)
        .flat_map(|booked| booked.rule.numbers.iter().copied())
        .collect();
    let all = inbound.len();
    inbound.sort();
    inbound.dedup();
    assert_eq!(inbound.len(), all);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_store_answers_the_same_through_client_and_server(asks in asks()) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(compare(&asks));
    }
}
