//! Calls over the contract: a real call by hand over UDP, seen, moved, and ended.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use strowger::api::{Call, CreateNumbers, CreateRule, Handle};
use strowger::model::Transport;
use strowger::route::Table;
use strowger::sip::{Edge, EdgeConfig, Listener};
use strowger::switch::Routing;
use tokio::net::UdpSocket;

use super::support::{Served, new_numbers, refused, text};

const A: &str = "+15550100001";
const CALLS: &str = "/v2/sip/call";

/// A caller with one call.
struct Phone {
    socket: UdpSocket,
    edge: SocketAddr,
    id: String,
    to: String,
}

impl Phone {
    /// Sends an INVITE, and gives the status of the final response.
    async fn call(edge: SocketAddr, dialled: &str) -> (Self, u16) {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let id = format!("{}@test", socket.local_addr().unwrap().port());
        let mut phone = Self { socket, edge, id, to: format!("<sip:{dialled}@{edge}>") };
        let here = phone.socket.local_addr().unwrap();
        let sdp = format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {} RTP/AVP 0\r\n",
            here.port()
        );
        phone.send(&format!("INVITE sip:{dialled}@{edge}"), "INVITE", 1, &sdp).await;
        loop {
            let (status, to) = phone.response().await;
            if status >= 200 {
                phone.to = to;
                phone.send(&format!("ACK sip:{dialled}@{edge}"), "ACK", 1, "").await;
                return (phone, status);
            }
        }
    }

    async fn send(&self, line: &str, method: &str, sequence: u32, body: &str) {
        let here = self.socket.local_addr().unwrap();
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let text = format!(
            "{line} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bK{method}{sequence}{}\r\nMax-Forwards: 70\r\n\
             From: <sip:+12125550123@{here}>;tag=caller\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {sequence} {method}\r\n\
             Contact: <sip:caller@{here}>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
            here.port(),
            self.to,
            self.id,
            body.len()
        );
        self.socket.send_to(text.as_bytes(), self.edge).await.unwrap();
    }

    async fn message(&self) -> String {
        let mut buffer = [0; 65_536];
        let received = tokio::time::timeout(Duration::from_secs(10), self.socket.recv_from(&mut buffer));
        let (length, _) = received.await.expect("nothing came").unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    async fn response(&self) -> (u16, String) {
        loop {
            let message = self.message().await;
            if let Some(rest) = message.strip_prefix("SIP/2.0 ") {
                let to = message.lines().find_map(|line| line.strip_prefix("To: ")).unwrap();
                return (rest[..3].parse().unwrap(), to.to_owned());
            }
        }
    }

    /// Waits for a BYE.
    async fn hung_up(&self) {
        while !self.message().await.starts_with("BYE ") {}
    }
}

/// A served store whose switch takes calls; a rule leads `A` to the room `lobby`.
async fn exchange() -> (Served, SocketAddr) {
    let served = Served::new().await;
    served
        .store
        .handle(Call::<CreateNumbers>::with_body(serde_json::from_value(new_numbers(&[A])).unwrap()))
        .await
        .unwrap();
    let rule =
        json!({"name": "main", "type": "inbound", "phoneNumbers": [A], "room": {"type": "static", "id": "lobby"}});
    served.store.handle(Call::<CreateRule>::with_body(serde_json::from_value(rule).unwrap())).await.unwrap();
    let table = Table::build(&served.store.book().unwrap());
    served.switch.swap(Routing { table, ..Routing::default() });
    let config = EdgeConfig {
        listeners: vec![Listener { transport: Transport::Udp, addr: "127.0.0.1:0".parse().unwrap() }],
        advertised: None,
        user_agent: "test".to_owned(),
    };
    let (edge, incoming) = Edge::bind(config).await.unwrap();
    let address = edge.local()[0].addr;
    let switch = served.switch.clone();
    tokio::spawn(async move {
        let _edge = edge;
        switch.serve(incoming).await;
    });
    (served, address)
}

async fn the_call(served: &Served) -> Value {
    let list = served.get(CALLS).await.1;
    assert_eq!(list["pageInfo"]["total"], 1, "{list}");
    list["data"][0].clone()
}

/// Waits until the one call is in its room: the answer leaves before the list shows it.
async fn answered(served: &Served) -> Value {
    loop {
        let call = the_call(served).await;
        if call["status"] == "answered" {
            return call;
        }
        tokio::task::yield_now().await;
    }
}

fn statuses(call: &Value) -> Vec<String> {
    call["timelog"].as_array().unwrap().iter().map(|entry| text(&entry["status"])).collect()
}

#[tokio::test]
async fn a_call_is_seen_moved_and_ended() {
    let (served, edge) = exchange().await;
    let (phone, status) = Phone::call(edge, A).await;
    assert_eq!(status, 200);
    let call = answered(&served).await;
    let id = text(&call["callId"]);
    assert_eq!(
        json!([call["id"], call["type"], call["from"], call["to"], call["sipCallFrom"], call["sipCallTo"]]),
        json!([id, "inbound", "+12125550123", A, "+12125550123", A])
    );
    assert_eq!(json!([call["roomId"], call["end"], call["transport"]]), json!(["lobby", null, "udp"]));
    let number = served.get(&format!("/v2/sip/phone-numbers/{A}")).await.1;
    assert_eq!(call["gatewayId"], number["inbound"]["id"]);
    assert!(text(&call["additionalDetails"]["decision"]).contains("rule main"), "{call}");
    assert_eq!(served.get(&format!("{CALLS}/{id}")).await, (200, json!({"data": call})));

    let day = 24 * 60 * 60 * 1000;
    let now = super::support::now() * 1000;
    for (filter, total) in [
        ("roomId=lobby".to_owned(), 1),
        ("roomId=other".to_owned(), 0),
        (format!("id={id}&type=inbound&ruleId={}&gatewayId={}", text(&call["ruleId"]), text(&call["gatewayId"])), 1),
        ("type=outbound".to_owned(), 0),
        ("gatewayId=none".to_owned(), 0),
        ("sessionId=s".to_owned(), 0),
        ("search=%2B1212".to_owned(), 1),
        ("search=LOBB".to_owned(), 1),
        ("search=nothing".to_owned(), 0),
        (format!("startDate={}&endDate={now}", now - 60_000), 1),
        (format!("startDate={}", now + 60_000), 0),
        (format!("endDate={}", now - 2 * day), 0),
    ] {
        assert_eq!(served.get(&format!("{CALLS}?{filter}")).await.1["pageInfo"]["total"], total, "{filter}");
    }
    refused(served.get(&format!("{CALLS}?startDate=9223372036854775807")).await, 400);
    refused(served.get(&format!("{CALLS}?endDate=253402207200000")).await, 400);
    refused(served.get(&format!("{CALLS}?type=sideways")).await, 400);

    let rooms = served.get("/v2/rooms").await.1;
    assert_eq!(json!([rooms["data"][0]["roomId"], rooms["data"][0]["participants"]]), json!(["lobby", 1]));
    let switch = |room: &str| served.post("/v2/sip/call/switch-room", json!({"callId": id, "roomId": room}));
    refused(switch("other").await, 404);
    refused(switch("lobby").await, 400);
    served.post("/v2/rooms", json!({"customRoomId": "other"})).await;
    let (status, moved) = switch("other").await;
    assert_eq!((status, &moved["data"]["roomId"], &moved["data"]["id"]), (200, &json!("other"), &json!(id)), "{moved}");
    let rooms: Vec<String> = served.switch.rooms().into_iter().map(|room| room.id).collect();
    assert_eq!(rooms, ["other"]);

    let end = || served.post("/v2/sip/call/end", json!({"callId": id}));
    let (status, ended) = end().await;
    assert_eq!((status, &ended["message"]), (200, &json!("Call ended")), "{ended}");
    let expected = ["incoming", "answered", "switch-room-initiated", "switch-room-completed", "ended"];
    assert_eq!(statuses(&ended["data"]), expected);
    assert!(text(&ended["data"]["additionalDetails"]["end"]).contains("API"), "{ended}");
    phone.hung_up().await;
    assert!(served.switch.rooms().is_empty());
    // Over is over, and still known.
    let again = end().await;
    assert_eq!(
        (again.0, &again.1["message"], &again.1["data"]),
        (200, &json!("Call had ended already"), &ended["data"])
    );
    refused(switch("lobby").await, 404);
    refused(switch("other").await, 400);
}

#[tokio::test]
async fn a_closed_room_ends_its_calls_and_takes_no_more() {
    let (served, edge) = exchange().await;
    let (phone, status) = Phone::call(edge, A).await;
    assert_eq!(status, 200);
    answered(&served).await;
    assert_eq!(served.post("/v2/rooms/deactivate", json!({"roomId": "lobby"})).await.0, 200);
    phone.hung_up().await;
    let (_, status) = Phone::call(edge, A).await;
    assert_eq!(status, 480);
    let calls = served.get(CALLS).await.1;
    let told: Vec<Value> = calls["data"].as_array().unwrap().iter().map(|call| call["status"].clone()).collect();
    assert_eq!(told, ["rejected", "ended"]);
    assert!(text(&calls["data"][0]["additionalDetails"]["end"]).contains("deactivated"));
    assert_eq!(served.post("/v2/rooms", json!({"customRoomId": "lobby"})).await.0, 200);
    let (_phone, status) = Phone::call(edge, A).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn what_is_not_there_yet_is_not_pretended() {
    let (served, edge) = exchange().await;
    let place = json!({"sipCallTo": "+15550100099", "sipCallFrom": A, "routingRuleId": "rr_1"});
    assert!(refused(served.post(CALLS, place).await, 501).contains("nothing was dialled"));
    refused(served.post(CALLS, json!({})).await, 400);
    let transfer = json!({"callId": "call_1", "transferTo": "+15550100099"});
    assert!(refused(served.post("/v2/sip/call/transfer", transfer).await, 501).contains("REFER"));
    for path in ["/v2/sip/call/end", "/v2/sip/call/switch-room"] {
        refused(served.post(path, json!({"callId": "call_none", "roomId": "r"})).await, 404);
    }
    refused(served.get(&format!("{CALLS}/call_none")).await, 404);
    // A call that was refused is known with its reason.
    let (_, status) = Phone::call(edge, "+15550100002").await;
    assert_eq!(status, 404);
    let call = the_call(&served).await;
    assert_eq!(json!([call["status"], call["ruleId"], call["gatewayId"]]), json!(["rejected", null, null]));
    assert!(text(&call["additionalDetails"]["end"]).contains("not on any gateway"), "{call}");
}
