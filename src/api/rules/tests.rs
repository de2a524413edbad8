//! Does a rule survive the wire?

use super::*;

#[test]
fn absent_keeps_and_null_clears() {
    let mut rule: RoutingRule =
        serde_json::from_str(r#"{"id":"r","type":"INBOUND","tags":["a"],"agentId":"x","unknown":1}"#).unwrap();
    assert_eq!(rule.extra["unknown"], 1);
    assert_eq!(rule.kind, Word::Known(Direction::Inbound));
    let patch: RulePatch = serde_json::from_str(r#"{"agentId":null}"#).unwrap();
    patch.apply(&mut rule);
    assert_eq!((rule.agent_id.clone(), rule.tags.len()), (None, 1));
    let patch: RulePatch = serde_json::from_str(r#"{"tags":[]}"#).unwrap();
    assert!(!patch.is_empty());
    patch.apply(&mut rule);
    assert!(rule.tags.is_empty());
}

#[test]
fn an_unknown_word_survives_reading() {
    let rule: RoutingRule =
        serde_json::from_str(r#"{"id":"r","type":"inbound","includeHeaders":"SOME","room":{"type":"dynamic"}}"#)
            .unwrap();
    assert!(serde_json::to_string(&rule).unwrap().contains("SOME"));
    assert!(rule.extra.is_empty());
    assert!(rule.to_model().is_err());
}

#[test]
fn what_is_written_reads_back_as_the_same_rule() {
    let written = Rule {
        name: "main".into(),
        kind: RuleKind::Inbound { headers_to_attributes: BTreeMap::from([("X-A".into(), "a".into())]) },
        numbers: BTreeSet::from(["+14155550100".parse().unwrap()]),
        agent: None,
        room: Some(RoomTarget { mode: RoomMode::Dynamic(RoomPrefix::SipNumber), pin: Some(Secret::new("1234")) }),
        allowed_callers: AllowList::of(["+1*".parse().unwrap()]),
        allowed_sources: AllowList::default(),
        include_headers: IncludeHeaders::SipXHeaders,
        tags: BTreeSet::from(["t".to_owned()]),
        api_key: Some(Secret::new("ak_example")),
        recording: true,
        dtmf: false,
        noise_cancellation: false,
        hide_caller: true,
        beyond: crate::model::Beyond {
            priority: Some(7),
            schedule: crate::model::Schedule::new("Europe/Berlin", None, vec![], vec!["2026-12-25".parse().unwrap()])
                .ok(),
            blocked_callers: ["+1900*".parse().unwrap()].into(),
            ..Default::default()
        },
    };
    let mut wire: RoutingRule = serde_json::from_str(r#"{"id":"r","type":"inbound"}"#).unwrap();
    let patch = RulePatch::from_model(&written, vec!["t".into()]);
    let text = serde_json::to_string(&patch).unwrap();
    serde_json::from_str::<RulePatch>(&text).unwrap().apply(&mut wire);
    assert_eq!(wire.to_model().unwrap(), written);
}

#[test]
fn an_older_rule_is_read_as_one_of_now() {
    let mut body = serde_json::json!({"name": "n", "type": "INBOUND", "gatewayId": "g", "numbers": ["+15550100001"],
        "dispatch": {"room": {"type": "static", "id": "r"}, "agent": {"type": "self", "id": "a", "metadata": {"k": 1}}}});
    from_older_rule(&mut body);
    let rule: NewRule = serde_json::from_value(body).unwrap();
    assert_eq!(rule.kind, Word::Known(Direction::Inbound));
    assert_eq!(rule.fields.phone_numbers, Patch::Set(vec!["+15550100001".to_owned()]));
    assert_eq!(rule.fields.agent_id, Patch::Set("a".to_owned()));
    assert!(matches!(&rule.fields.room, Patch::Set(room) if room.id.as_deref() == Some("r")));
    let mut body = serde_json::json!({"dispatch": "agent", "agentId": "a", "phoneNumbers": [], "numbers": ["x"]});
    from_older_rule(&mut body);
    assert_eq!(body, serde_json::json!({"agentId": "a", "phoneNumbers": []}));
}
