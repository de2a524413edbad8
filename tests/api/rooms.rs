//! Rooms: made, listed, closed, and opened again.

use serde_json::{Value, json};

use super::support::{Served, refused, text};

const ROOMS: &str = "/v2/rooms";

#[tokio::test]
async fn a_room_is_made_found_closed_and_opened_again() {
    let served = Served::new().await;
    let (status, plain) = served.post(ROOMS, json!({})).await;
    let id = text(&plain["roomId"]);
    assert_eq!((status, id.split('-').map(str::len).collect::<Vec<_>>()), (200, vec![4, 4, 4]), "{plain}");
    assert_eq!(
        json!([plain["id"], plain["customRoomId"], plain["disabled"], plain["userId"]]),
        json!([id, null, false, served.key.id])
    );
    let body = json!({"customRoomId": "lobby", "geoFence": "us002", "autoCloseConfig": {"type": "session-ends"}});
    let named = served.post(ROOMS, body.clone()).await.1;
    assert_eq!(json!([named["roomId"], named["geoFence"]]), json!(["lobby", "us002"]));
    assert_eq!(served.post(ROOMS, body.clone()).await.1, named);
    assert_eq!(served.get("/v2/rooms/lobby").await, (200, named.clone()));
    assert_eq!(served.get("/v2/rooms/validate/lobby").await, (200, named));

    let list = served.get("/v2/rooms?perPage=1&page=2").await.1;
    assert_eq!(json!([list["pageInfo"]["total"], list["data"][0]["roomId"]]), json!([2, "lobby"]));
    assert_eq!(served.get("/v2/rooms?query=LOB").await.1["pageInfo"]["total"], 1);
    assert_eq!(served.get("/v2/rooms?userId=ak_none").await.1["pageInfo"]["total"], 0);

    let closed = served.post("/v2/rooms/deactivate", json!({"roomId": "lobby"})).await;
    assert_eq!((closed.0, &closed.1["disabled"]), (200, &json!(true)), "{}", closed.1);
    assert!(refused(served.get("/v2/rooms/validate/lobby").await, 400).contains("deactivated"));
    assert_eq!(served.get("/v2/rooms/lobby").await.1["disabled"], true);
    assert_eq!(served.store.closed_rooms().unwrap(), ["lobby"]);
    assert_eq!(served.post(ROOMS, body).await.1["disabled"], false);
    assert_eq!(served.get("/v2/rooms/validate/lobby").await.0, 200);
    assert!(served.store.closed_rooms().unwrap().is_empty());
}

#[tokio::test]
async fn what_is_not_there_is_not_promised() {
    let served = Served::new().await;
    for path in ["/v2/rooms/none", "/v2/rooms/validate/none"] {
        refused(served.get(path).await, 404);
    }
    refused(served.post("/v2/rooms/deactivate", json!({"roomId": "none"})).await, 404);
    refused(served.post(ROOMS, json!({"customRoomId": "a b"})).await, 400);
    let message = refused(served.post(ROOMS, json!({"allowedParticipantIds": ["p"]})).await, 501);
    assert!(message.contains("allowedParticipantIds"), "{message}");
    assert_eq!(served.get(ROOMS).await.1["pageInfo"]["total"], 0);
    let dispatch = json!({"agentId": "a", "meetingId": "r", "roomId": "r"});
    assert!(refused(served.post("/v2/agent/dispatch", dispatch).await, 501).contains("Agents"));
}

#[tokio::test]
async fn a_room_that_only_a_rule_knows_can_be_closed() {
    let served = Served::new().await;
    served.numbers(&["+15550100001"]).await;
    let body = json!({"name": "n", "type": "inbound", "phoneNumbers": ["+15550100001"],
                      "room": {"type": "static", "id": "war-room"}});
    assert_eq!(served.post("/v2/sip/routing-rule", body).await.0, 201);
    let (status, room) = served.post("/v2/rooms/deactivate", json!({"roomId": "war-room"})).await;
    assert_eq!((status, &room["disabled"]), (200, &Value::Bool(true)), "{room}");
    assert_eq!(served.store.closed_rooms().unwrap(), ["war-room"]);
}
