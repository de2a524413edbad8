//! The vendor's own Rust client drives the server: every method of `sip`, rooms and agents.
//!
//! What it cannot decode, it refuses, so each answer is proven to be in the vendor's own shape.

use std::collections::HashMap;
use std::pin::pin;

use futures_util::{Stream, StreamExt};
use videosdk::{
    Client, CreateInboundTrunkParams, CreateOutboundTrunkParams, CreatePhoneNumbersParams, CreateRoutingRuleParams,
    CreateSipCallParams, CreateSipWebhookParams, DispatchAgentParams, Error, GeneralDispatchAgentParams,
    PhoneNumberInboundConfig, PhoneNumberListParams, PhoneNumberOutboundConfig, RoomCreateParams, RoomListParams,
    RoutingRuleTarget, SipAuth, SipCallListParams, SipDirection, SipIncludeHeaders, SipMediaEncryption, SipRegion,
    SipRoomPrefix, SipRoutingRuleListParams, SipTransport, SipTrunkListParams, SipWebhookEvent, SipWebhookListParams,
    SwitchRoomParams, TransferSipCallParams, UpdateInboundTrunkParams, UpdateOutboundTrunkParams,
    UpdatePhoneNumberGatewayParams, UpdateRoutingRuleParams,
};

use super::support::Served;

fn client(served: &Served) -> Client {
    let builder = Client::builder().base_url(&served.base).api_key(&served.key.id).secret(served.key.secret.expose());
    builder.max_retries(0).build().unwrap()
}

fn new_numbers(numbers: &[&str]) -> CreatePhoneNumbersParams {
    CreatePhoneNumbersParams {
        name: "support".into(),
        phone_numbers: numbers.iter().map(|number| (*number).to_owned()).collect(),
        is_shared: None,
        media_encryption: Some(SipMediaEncryption::DISABLE),
        inbound: PhoneNumberInboundConfig { sip_region: SipRegion::US002 },
        outbound: PhoneNumberOutboundConfig {
            address: "sip.example.com:5061".into(),
            sip_region: SipRegion::AUTO,
            auth: Some(SipAuth { username: "u".into(), password: "hunter2".into() }),
            transport: None,
        },
    }
}

async fn all<T>(stream: impl Stream<Item = Result<T, Error>>) -> Vec<T> {
    pin!(stream).map(Result::unwrap).collect().await
}

/// A refusal with its status, and a sentence for the reader.
#[track_caller]
fn refused<T: std::fmt::Debug>(answer: Result<T, Error>, statuses: &[u16]) -> String {
    let why = answer.unwrap_err();
    let api = why.as_api().unwrap_or_else(|| panic!("{why}"));
    assert!(statuses.contains(&api.status), "{why}");
    assert!(api.message.len() > 10 && api.request_id.is_some(), "{why}");
    api.message.clone()
}

#[tokio::test]
async fn phone_numbers() {
    let served = Served::new().await;
    let client = client(&served);
    let numbers = client.sip().phone_numbers();
    assert!(!numbers.create(new_numbers(&["+15550100001", "+15550100002"])).await.unwrap().message.is_empty());
    let message = refused(numbers.create(new_numbers(&["+15550100002", "+15550100003"])).await, &[400]);
    assert!(message.contains("+15550100002"), "{message}");
    let query = PhoneNumberListParams { search: Some("0001".into()), ..Default::default() };
    let page = numbers.list(query).await.unwrap();
    assert_eq!((page.total(), page.data[0].phone_number.e164.as_str()), (1, "+15550100001"));
    let by_one = PhoneNumberListParams { per_page: Some(1), ..Default::default() };
    assert_eq!(all(numbers.list_stream(by_one)).await.len(), 2);
    let number = numbers.get("+15550100001").await.unwrap();
    let (inbound, outbound) = (number.inbound.unwrap(), number.outbound.unwrap());
    assert!(inbound.auth.is_none());
    let auth = outbound.auth.unwrap();
    assert!(auth.username == "u" && auth.password != "hunter2");
    assert_eq!(outbound.transport, Some(SipTransport::TLS));
    let change = UpdatePhoneNumberGatewayParams {
        name: Some("renamed".into()),
        transport: Some(SipTransport::UDP),
        sip_region: Some(SipRegion::US002),
        ..Default::default()
    };
    numbers.update_gateway(&outbound.id, change.clone()).await.unwrap();
    refused(numbers.update_gateway(&inbound.id, change.clone()).await, &[400]);
    refused(numbers.update_gateway("none", change).await, &[404]);
    let outbound = numbers.get("+15550100002").await.unwrap().outbound.unwrap();
    assert_eq!((outbound.name.as_deref(), outbound.transport), (Some("renamed"), Some(SipTransport::UDP)));
    numbers.detach("+15550100001").await.unwrap();
    refused(numbers.detach("+15550100001").await, &[400]);
    refused(numbers.detach("+15550100009").await, &[404]);
    let number = numbers.get("+15550100001").await.unwrap();
    assert!(number.inbound.is_none() && number.outbound.is_none());
    numbers.release(&number.phone_number.phone_number_id).await.unwrap();
    assert!(numbers.get("+15550100001").await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn routing_rules() {
    let served = Served::new().await;
    let client = client(&served);
    client.sip().phone_numbers().create(new_numbers(&["+15550100001", "+15550100002"])).await.unwrap();
    let rules = client.sip().routing_rules();
    let params = CreateRoutingRuleParams {
        name: "reception".into(),
        direction: Some(SipDirection::INBOUND),
        phone_numbers: vec!["+15550100001".into()],
        rule: Some(RoutingRuleTarget::Individual {
            room_prefix: Some(SipRoomPrefix::SIP_NUMBER),
            pin: Some("1234".into()),
        }),
        agent_id: Some("front-desk".into()),
        include_headers: Some(SipIncludeHeaders::SIP_X_HEADERS),
        headers_to_attributes: HashMap::from([("X-Caller-Id".into(), "callerId".into())]),
        allowed_numbers: vec!["+1*".into()],
        tags: vec!["prod".into()],
        recording: Some(true),
        ..Default::default()
    };
    let rule = rules.create(params.clone()).await.unwrap();
    assert_eq!((rule.numbers.len(), rule.direction.clone()), (1, Some(SipDirection::INBOUND)));
    let room = rule.room.unwrap();
    assert_eq!((room.prefix, room.pin.as_deref()), (Some(SipRoomPrefix::SIP_NUMBER), Some("1234")));
    assert_eq!(rule.headers_to_attributes["X-Caller-Id"], "callerId");
    refused(rules.create(params.clone()).await, &[400]);
    let wrong = CreateRoutingRuleParams {
        phone_numbers: vec!["+15550100002".into()],
        headers: HashMap::from([("X-A".into(), "a".into())]),
        ..params
    };
    refused(rules.create(wrong).await, &[400]);
    let outbound = CreateRoutingRuleParams {
        name: "dial out".into(),
        direction: Some(SipDirection::OUTBOUND),
        phone_numbers: vec!["+15550100001".into(), "+15550100002".into()],
        headers: HashMap::from([("X-A".into(), "a".into())]),
        ..Default::default()
    };
    let outbound = rules.create(outbound).await.unwrap();
    let query = SipRoutingRuleListParams { direction: Some(SipDirection::OUTBOUND), ..Default::default() };
    assert_eq!(rules.list(query).await.unwrap().data[0].id, outbound.id);
    let by_one = SipRoutingRuleListParams { per_page: Some(1), ..Default::default() };
    assert_eq!(all(rules.list_stream(by_one)).await.len(), 2);
    let change = UpdateRoutingRuleParams {
        name: Some("lobby".into()),
        phone_numbers: vec!["+15550100002".into()],
        rule: Some(RoutingRuleTarget::Direct { room_id: "lobby".into(), pin: None }),
        ..Default::default()
    };
    let changed = rules.update(&rule.id, change).await.unwrap();
    assert_eq!((changed.name.as_deref(), changed.numbers), (Some("lobby"), vec!["+15550100002".to_owned()]));
    assert_eq!(rules.get(&rule.id).await.unwrap().agent_id.as_deref(), Some("front-desk"));
    refused(rules.update(&rule.id, UpdateRoutingRuleParams::default()).await, &[400]);
    rules.delete(&rule.id).await.unwrap();
    refused(rules.get(&rule.id).await, &[404]);
    refused(rules.delete(&rule.id).await, &[404]);
}

#[tokio::test]
async fn webhooks() {
    let served = Served::new().await;
    let client = client(&served);
    let webhooks = client.sip().webhooks();
    let params = |url: &str, events| CreateSipWebhookParams { url: url.into(), events };
    let one = params("https://example.com/one", vec![SipWebhookEvent::CALL_STARTED, SipWebhookEvent::CALL_HANGUP]);
    let made = webhooks.create(one).await.unwrap();
    assert!(!made.id.is_empty());
    refused(webhooks.create(params("https://example.com", vec!["call-of-the-wild".to_owned().into()])).await, &[400]);
    refused(webhooks.create(params("no address", vec![SipWebhookEvent::CALL_STARTED])).await, &[400]);
    let listed = webhooks.list(SipWebhookListParams::default()).await.unwrap();
    assert_eq!((listed.total(), &listed.data[0].id), (1, &made.id));
    assert_eq!(all(webhooks.list_stream(SipWebhookListParams::default())).await.len(), 1);
    let two = params("https://example.com/two", vec![SipWebhookEvent::CALL_ANSWERED]);
    assert_eq!(webhooks.update(&made.id, two).await.unwrap().events, [SipWebhookEvent::CALL_ANSWERED]);
    assert_eq!(webhooks.get(&made.id).await.unwrap().url.as_deref(), Some("https://example.com/two"));
    webhooks.delete(&made.id).await.unwrap();
    refused(webhooks.get(&made.id).await, &[404]);
}

#[tokio::test]
async fn inbound_trunks() {
    let served = Served::new().await;
    let client = client(&served);
    let trunks = client.sip().trunks().inbound();
    let params =
        CreateInboundTrunkParams { name: "in".into(), numbers: vec!["+15550100001".into()], ..Default::default() };
    let made = trunks.create(params).await.unwrap();
    assert_eq!(made.numbers, ["+15550100001"]);
    assert_eq!(trunks.list(SipTrunkListParams::default()).await.unwrap().total(), 1);
    assert_eq!(all(trunks.list_stream(SipTrunkListParams::default())).await.len(), 1);
    let change = UpdateInboundTrunkParams { name: Some("renamed".into()), record: Some(true), ..Default::default() };
    assert_eq!(trunks.update(&made.id, change).await.unwrap().name.as_deref(), Some("renamed"));
    assert_eq!(trunks.get(&made.id).await.unwrap().record, Some(true));
    trunks.delete(&made.id).await.unwrap();
    refused(trunks.get(&made.id).await, &[404]);
}

#[tokio::test]
async fn outbound_trunks() {
    let served = Served::new().await;
    let client = client(&served);
    let trunks = client.sip().trunks().outbound();
    let params = CreateOutboundTrunkParams {
        name: "out".into(),
        numbers: vec!["+15550100001".into()],
        address: "sip.example.com:5060".into(),
        ..Default::default()
    };
    let made = trunks.create(params).await.unwrap();
    assert_eq!(made.address.as_deref(), Some("sip.example.com:5060"));
    assert_eq!(trunks.list(SipTrunkListParams::default()).await.unwrap().total(), 1);
    assert_eq!(all(trunks.list_stream(SipTrunkListParams::default())).await.len(), 1);
    let change = UpdateOutboundTrunkParams { transport: Some(SipTransport::TCP), ..Default::default() };
    assert_eq!(trunks.update(&made.id, change).await.unwrap().transport, Some(SipTransport::TCP));
    assert_eq!(trunks.get(&made.id).await.unwrap().id, made.id);
    trunks.delete(&made.id).await.unwrap();
    refused(trunks.get(&made.id).await, &[404]);
}

#[tokio::test]
async fn rooms() {
    let served = Served::new().await;
    let client = client(&served);
    let rooms = client.rooms();
    let params = || RoomCreateParams { custom_room_id: Some("lobby".into()), ..Default::default() };
    let room = rooms.create(params()).await.unwrap();
    assert_eq!(rooms.create(params()).await.unwrap().room_id, room.room_id);
    assert_ne!(rooms.create(RoomCreateParams::default()).await.unwrap().room_id, room.room_id);
    assert_eq!(rooms.list(RoomListParams::default()).await.unwrap().total(), 2);
    assert_eq!(all(rooms.list_stream(RoomListParams { per_page: Some(1), ..Default::default() })).await.len(), 2);
    assert_eq!(rooms.get("lobby").await.unwrap().room_id, room.room_id);
    assert!(rooms.validate(&room.room_id).await.unwrap().valid);
    assert!(!rooms.validate("zzzz-zzzz-zzzz").await.unwrap().valid);
    assert!(rooms.end(&room.room_id).await.unwrap().disabled);
    assert!(rooms.get(&room.room_id).await.unwrap().disabled);
    refused(rooms.get("zzzz-zzzz-zzzz").await, &[404]);
}

/// Without a runtime behind it there is no call, and nothing that is asked of one is pretended.
#[tokio::test]
async fn calls() {
    let served = Served::new().await;
    let client = client(&served);
    client.sip().phone_numbers().create(new_numbers(&["+15550100001"])).await.unwrap();
    let rule = CreateRoutingRuleParams {
        name: "dial out".into(),
        direction: Some(SipDirection::OUTBOUND),
        phone_numbers: vec!["+15550100001".into()],
        ..Default::default()
    };
    let rule = client.sip().routing_rules().create(rule).await.unwrap();
    let calls = client.sip().calls();
    let params = CreateSipCallParams {
        call_to: "+15550100099".into(),
        call_from: Some("+15550100001".into()),
        routing_rule_id: Some(rule.id),
        ..Default::default()
    };
    refused(calls.create(params).await, &[501]);
    assert_eq!(calls.list(SipCallListParams::default()).await.unwrap().total(), 0);
    assert_eq!(all(calls.list_stream(SipCallListParams::default())).await.len(), 0);
    refused(calls.get("call_none").await, &[404]);
    refused(calls.end("call_none").await, &[404]);
    let transfer = TransferSipCallParams { to: Some("+15550100098".into()), ..Default::default() };
    refused(calls.transfer("call_none", transfer).await, &[404, 501]);
    let switch = SwitchRoomParams { room_id: "lobby".into(), ..Default::default() };
    refused(calls.switch_room("call_none", switch).await, &[404, 501]);
}

#[tokio::test]
async fn agents() {
    let served = Served::new().await;
    let client = client(&served);
    let room = client.rooms().create(RoomCreateParams::default()).await.unwrap().room_id;
    let agents = client.agents();
    let dispatch = DispatchAgentParams {
        agent_id: Some("front-desk".into()),
        meeting_id: Some(room.clone()),
        ..Default::default()
    };
    refused(agents.dispatch(dispatch.clone()).await, &[501]);
    // The variants of the managed cloud are not served.
    refused(agents.connect(dispatch).await, &[404, 501]);
    let general = GeneralDispatchAgentParams {
        agent_id: Some("front-desk".into()),
        meeting_id: Some(room),
        version_id: Some("v1".into()),
        ..Default::default()
    };
    refused(agents.general_dispatch(general).await, &[404, 501]);
    refused(agents.init_config().await, &[404, 501]);
}

/// A token of the vendor's making is one of ours, and a wrong one is refused in its terms.
#[tokio::test]
async fn tokens() {
    let served = Served::new().await;
    let token = client(&served).generate_token().unwrap();
    let ready = Client::builder().base_url(&served.base).token(token).build().unwrap();
    assert_eq!(ready.sip().phone_numbers().list(PhoneNumberListParams::default()).await.unwrap().total(), 0);
    let wrong = Client::builder().base_url(&served.base).api_key(&served.key.id).secret("wrong").build().unwrap();
    let why = wrong.sip().phone_numbers().list(PhoneNumberListParams::default()).await.unwrap_err();
    assert!(why.is_authentication(), "{why}");
}
