//! Whole calls: a caller over UDP, the daemon, and an agent.

use std::time::{Duration, Instant};

use serde_json::json;
use strowger::media::Codec;
use tokio_tungstenite::tungstenite::Message;

use super::bot::{Bot, Manner, Seen};
use super::caller::Caller;
use super::site::{Daemon, http, stack};

#[tokio::test(flavor = "multi_thread")]
async fn a_tone_comes_back_from_an_echo_agent() {
    let bot = Bot::new(Manner::Echo).await;
    let daemon = Daemon::start(&stack(&bot.url(), "", "", "")).await;
    for codec in Codec::ALL {
        let mut caller = Caller::new(daemon.sip, codec).await;
        assert_eq!(caller.answered().await, [180], "it rings before it is answered");
        caller.talk(440.0);
        let (level, took) = caller.hears(440.0).await;
        eprintln!("{}: a tone of 8000 comes back at {level:.0} after {took:?}", codec.name());
        caller.bye().await;
        let status = daemon.is_idle().await;
        assert_eq!(status["agents"]["bot"]["failed"], 0);
    }
    daemon.log.expect(&["a call is over", "the caller hung up"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agent_is_told_whose_call_it_is_and_hears_a_steady_stream() {
    let mut bot = Bot::new(Manner::Listen).await;
    let rule = "headers_to_attributes = { \"X-Tenant\" = \"tenant\" }\n\
                metadata = { team = \"reception\", from_number = \"forged\", hours = { open = 9 } }";
    let signed = "signing_secret = { env = \"BOT_SECRET\" }\nheaders = { X-Key = { env = \"BOT_SECRET\" } }";
    let daemon = Daemon::start(&stack(&bot.url(), signed, rule, "")).await;
    let mut caller = Caller::new(daemon.sip, Codec::Pcmu).await;
    caller.header("X-Tenant", "acme");
    caller.answered().await;
    let headers = bot.upgrade().await;
    assert!(headers.iter().any(|(name, value)| name == "x-key" && value == "12345"));
    let (start, _) = bot.message("start").await;
    let told = &start["start"]["customParameters"];
    assert_eq!(told["from_number"], "+12125550123");
    assert_eq!(told["to_number"], "+14155550100");
    assert_eq!(told["team"], "reception");
    assert_eq!(told["hours"], r#"{"open":9}"#);
    assert_eq!(told["tenant"], "acme");
    assert!(told["call_id"].as_str().unwrap().starts_with("call_") && told["room_id"].is_string());
    let sid = start["start"]["callSid"].as_str().unwrap();
    assert!(sid.len() == 34 && sid.starts_with("CA"));
    // The caller sends nothing at all, and the stream has no gap.
    let began = Instant::now();
    for frame in 1..=50 {
        let (media, _) = bot.message("media").await;
        assert_eq!(media["media"]["timestamp"], (frame * 20).to_string());
        assert_eq!(media["media"]["chunk"], frame.to_string());
    }
    assert!(began.elapsed() > Duration::from_millis(700), "paced by the clock: {:?}", began.elapsed());
    assert!(!daemon.log.text().contains("12345"), "a secret is in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_caller_stays_hidden() {
    let mut bot = Bot::new(Manner::Listen).await;
    let daemon = Daemon::start(&stack(&bot.url(), "", "hide_caller = true", "")).await;
    let mut caller = Caller::new(daemon.sip, Codec::Pcmu).await;
    caller.answered().await;
    let (start, _) = bot.message("start").await;
    let from = start["start"]["customParameters"]["from_number"].as_str().unwrap();
    assert!(from.starts_with("hidden-"), "{from}");
    assert!(!start.to_string().contains("12125550123"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_words_are_heard_though_they_come_before_the_answer() {
    let mut bot = Bot::new(Manner::Listen).await;
    let daemon = Daemon::start(&stack(&bot.url(), "", "", "")).await;
    let mut caller = Caller::new(daemon.sip, Codec::Pcmu).await;
    // A greeting of half a second, each frame another sample, sent as soon as the agent is connected.
    let greeting: Vec<u8> = (0..25_u8).flat_map(|frame| [0x90 + frame; 160]).collect();
    bot.play(&greeting);
    bot.mark("greeted");
    caller.answered().await;
    bot.message("mark").await;
    let mut samples = Vec::new();
    Codec::Pcmu.decode(&greeting, &mut samples);
    let mut heard = Vec::new();
    while heard.len() < samples.len() {
        let frame = caller.hear().await;
        if !heard.is_empty() || frame.iter().any(|sample| sample.abs() > 100) {
            heard.extend(frame);
        }
    }
    assert_eq!(heard, samples, "the greeting is whole");
}

#[tokio::test(flavor = "multi_thread")]
async fn barge_in_is_heard_at_once() {
    let mut bot = Bot::new(Manner::Listen).await;
    let daemon = Daemon::start(&stack(&bot.url(), "", "", "")).await;
    let mut caller = Caller::new(daemon.sip, Codec::Pcmu).await;
    caller.answered().await;
    bot.message("start").await;
    bot.play(&[0x10; 40_000]);
    bot.mark("end");
    while caller.hear().await[0].abs() < 100 {}
    bot.say(json!({"event": "clear"}));
    bot.message("mark").await;
    // What was on its way when the mark came is one or two frames.
    let mut tail = 0;
    while caller.hear().await.iter().any(|sample| sample.abs() > 100) {
        tail += 1;
    }
    assert!(tail < 25, "{tail} of 250 frames were heard after the clear");
    eprintln!("frames read by the caller after the mark of the clear: {tail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_told_once_whichever_way_it_comes() {
    let mut bot = Bot::new(Manner::Listen).await;
    let daemon = Daemon::start(&stack(&bot.url(), "", "dtmf = true", "")).await;
    let mut caller = Caller::new(daemon.sip, Codec::Pcmu).await;
    caller.answered().await;
    bot.message("media").await;
    // Two of the three packets that end it are lost.
    caller.press(5, 2).await;
    assert_eq!(bot.message("dtmf").await.0["dtmf"], json!({"track": "inbound_track", "digit": "5"}));
    caller.info('#').await;
    assert_eq!(bot.message("dtmf").await.0["dtmf"]["digit"], "#");
    caller.bye().await;
    let rest = bot.rest().await;
    assert!(!rest.iter().any(|seen| matches!(seen, Seen::Message(message, _) if message["event"] == "dtmf")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_hangs_up_leaves_stop_and_a_normal_close_behind() {
    let mut bot = Bot::new(Manner::Listen).await;
    let daemon = Daemon::start(&stack(&bot.url(), "", "", "")).await;
    let mut caller = Caller::new(daemon.sip, Codec::Pcmu).await;
    caller.answered().await;
    bot.message("media").await;
    let began = Instant::now();
    caller.bye().await;
    let rest = bot.rest().await;
    let took = began.elapsed();
    assert!(
        matches!(&rest[rest.len() - 2..], [Seen::Message(stop, _), Seen::Closed(Some(1000))] if stop["event"] == "stop"),
        "{rest:?}"
    );
    assert!(took < Duration::from_secs(1), "{took:?}");
    eprintln!("from BYE to close: {took:?}");
    daemon.is_idle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_closes_ends_the_call_or_leaves_it_as_told() {
    let mut bot = Bot::new(Manner::Listen).await;
    for (on_close, text) in [("hangup", "its agent ended it"), ("leave", "the caller hung up")] {
        let daemon = Daemon::start(&stack(&bot.url(), &format!("on_close = \"{on_close}\""), "", "")).await;
        let mut caller = Caller::new(daemon.sip, Codec::Pcmu).await;
        caller.answered().await;
        bot.upgrade().await;
        // It is in the room once it hears something.
        bot.message("media").await;
        bot.say_raw(Message::Close(None));
        if on_close == "leave" {
            // The call goes on alone in its room, and is still sent sound.
            daemon.log.expect(&["a participant left a room", "bot@"]).await;
            caller.hear().await;
            caller.bye().await;
        } else {
            caller.hung_up_on().await;
        }
        daemon.log.expect(&["a call is over", text]).await;
        assert_eq!(daemon.is_idle().await["agents"]["bot"]["closed_early"], 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_hangs_up_by_the_resource_that_it_knows() {
    let mut bot = Bot::new(Manner::Listen).await;
    let daemon = Daemon::start(&stack(&bot.url(), "", "", "")).await;
    let mut caller = Caller::new(daemon.sip, Codec::Pcmu).await;
    caller.answered().await;
    let (start, _) = bot.message("start").await;
    let (account, call) = (start["start"]["accountSid"].as_str().unwrap(), start["start"]["callSid"].as_str().unwrap());
    let printed = daemon.run(&["agent", "credentials", "--data-dir", "data"]).await;
    assert!(printed.contains(account), "{printed} is not of {account}");
    let token = printed.lines().find_map(|line| line.strip_prefix("auth_token=")).unwrap();
    let url = format!("http://{}/2010-04-01/Accounts/{account}/Calls/{call}.json", daemon.api);
    let http = http();
    let post = |token: &str| {
        let request = http.post(&url).basic_auth(account, Some(token.to_owned()));
        request.header("content-type", "application/x-www-form-urlencoded").body("Status=completed").send()
    };
    assert_eq!(post("wrong").await.unwrap().status(), 401);
    let shown = http.get(&url).basic_auth(account, Some(token)).send().await.unwrap();
    let shown: serde_json::Value = shown.json().await.unwrap();
    assert_eq!(
        (&shown["sid"], &shown["status"], &shown["from"], &shown["to"]),
        (&json!(call), &json!("in-progress"), &json!("+12125550123"), &json!("+14155550100"))
    );
    let ended = post(token).await.unwrap();
    assert_eq!(ended.status(), 200);
    caller.hung_up_on().await;
    let again = post(token).await.unwrap();
    assert_eq!(again.status(), 404);
    assert_eq!(again.json::<serde_json::Value>().await.unwrap()["code"], 20404);
    daemon.log.expect(&["a call is over", "it was ended over the API"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_may_answer_before_its_agent_is_there() {
    let bot = Bot::new(Manner::HangInUpgrade).await;
    let agent = "deadline_ms = 1500\nretries = 0";
    let daemon = Daemon::start(&stack(&bot.url(), agent, "ring_until_ready = false", "")).await;
    let mut caller = Caller::new(daemon.sip, Codec::Pcmu).await;
    assert_eq!(caller.answered().await, Vec::<u16>::new());
    caller.hung_up_on().await;
    daemon.log.expect(&["a call is over", "it was not there within 1500 ms"]).await;
    daemon.is_idle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_in_a_room_hears_everybody_there() {
    let mut bot = Bot::new(Manner::Echo).await;
    let more = "[number.\"+14155550101\"]\ngateway = \"here\"\n[rule.people]\ndirection = \"inbound\"\n\
                numbers = [\"+14155550101\"]\nroom = { mode = \"static\", id = \"lobby\" }";
    let daemon = Daemon::start(&stack(&bot.url(), "", "room = { mode = \"static\", id = \"lobby\" }", more)).await;
    let mut first = Caller::new(daemon.sip, Codec::Pcmu).await;
    first.answered().await;
    bot.message("media").await;
    let mut second = Caller::new(daemon.sip, Codec::Pcma).await;
    second.dial("+14155550101");
    second.answered().await;
    second.talk(1_000.0);
    // The second caller's tone reaches the first, and comes back to the second from the agent.
    first.hears(1_000.0).await;
    second.hears(1_000.0).await;
}
