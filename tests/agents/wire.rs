//! The conversation, against a real WebSocket server, without a call around it.

use std::time::Duration;

use serde_json::{Value, json};
use strowger::agent::{AgentLeg, Closed, Counter, Dialler, Stream, sign};
use strowger::media::{Codec, FRAME_PERIOD, Frame, SILENCE, Voice};
use strowger::model::{AgentEndpoint, HeaderText, OnClose, Secret};
use tokio::sync::oneshot;

use super::DEADLINE;
use super::bot::{Bot, Manner, Seen, echo, media};

fn endpoint(url: String) -> AgentEndpoint<Secret> {
    AgentEndpoint {
        url,
        headers: Default::default(),
        signing_secret: None,
        deadline: Duration::from_secs(5),
        retries: 0,
        on_close: OnClose::Hangup,
        fallback: Vec::new(),
    }
}

fn stream() -> Stream {
    Stream {
        stream_sid: format!("MZ{:032x}", 1),
        account_sid: format!("AC{:032x}", 2),
        call_sid: format!("CA{:032x}", 3),
        parameters: [("from_number".to_owned(), "+12125550123".to_owned())].into(),
    }
}

async fn met(manner: Manner) -> (Bot, AgentLeg, Counter, oneshot::Receiver<Closed>) {
    let bot = Bot::new(manner).await;
    let socket = Dialler::new().dial(&endpoint(bot.url())).await.unwrap();
    let (leg, counter, closed) = AgentLeg::begin(socket, stream());
    (bot, leg, counter, closed)
}

/// Waits until the leg was told something, which a mark after it proves.
async fn told(bot: &mut Bot) {
    bot.mark("told");
    while bot.message("mark").await.0["mark"]["name"] != "told" {}
}

/// Takes frames at their pace, as a room does, until this many were there.
async fn taken(leg: &AgentLeg, frames: usize) -> Vec<Frame> {
    let mut pace = tokio::time::interval(FRAME_PERIOD);
    let mut all = Vec::new();
    let end = tokio::time::Instant::now() + DEADLINE;
    while all.len() < frames {
        pace.tick().await;
        all.extend(leg.take());
        assert!(tokio::time::Instant::now() < end, "{} of {frames} frames", all.len());
    }
    all
}

fn bytes(frames: &[Frame]) -> Vec<u8> {
    let mut bytes = Vec::new();
    frames.iter().for_each(|frame| Codec::Pcmu.encode(frame, &mut bytes));
    bytes
}

#[tokio::test]
async fn the_first_two_frames_are_connected_and_start_and_media_follows_the_clock() {
    let (mut bot, leg, _, _closed) = met(Manner::Listen).await;
    for _ in 0..3 {
        leg.send(&SILENCE);
    }
    let mut messages = Vec::new();
    bot.upgrade().await;
    while messages.len() < 5 {
        if let Seen::Message(message, _) = bot.next().await {
            messages.push(message);
        }
    }
    assert_eq!(messages[0]["event"], "connected");
    assert_eq!(messages[1]["event"], "start");
    assert_eq!(messages[1]["start"]["customParameters"], json!({"from_number": "+12125550123"}));
    let times: Vec<&Value> = messages[2..].iter().map(|message| &message["media"]["timestamp"]).collect();
    assert_eq!(times, ["20", "40", "60"]);
}

#[tokio::test]
async fn payloads_of_any_length_play_without_a_gap() {
    for length in [8, 7, 160, 80_000] {
        let (bot, leg, counter, _closed) = met(Manner::Listen).await;
        // Every byte differs from the next, so that an order or a gap shows; 0x7f is the other name of 0xff.
        let audio: Vec<u8> = (0..80_000_u32).map(|place| (place % 0x7f) as u8).collect();
        for piece in audio.chunks(length) {
            bot.play(piece);
        }
        let pieces = audio.len().div_ceil(length) as u64;
        while counter.counts().media < pieces {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let frames: Vec<Frame> = (0..500).map(|_| leg.take().expect("a gap")).collect();
        assert_eq!(bytes(&frames), audio, "pieces of {length}");
        assert_eq!(leg.take(), None);
    }
}

#[tokio::test]
async fn marks_come_back_one_for_one_in_order() {
    let (mut bot, leg, _, closed) = met(Manner::Listen).await;
    let name = |message: (Value, std::time::Instant)| message.0["mark"]["name"].as_str().unwrap().to_owned();
    bot.mark("before any media");
    assert_eq!(name(bot.message("mark").await), "before any media");
    bot.play(&[0x10; 320]);
    bot.mark("twice");
    bot.mark("twice");
    for number in 0..1_000 {
        bot.mark(&number.to_string());
    }
    taken(&leg, 2).await;
    for wanted in
        ["twice".to_owned(), "twice".to_owned()].into_iter().chain((0..1_000).map(|number| number.to_string()))
    {
        assert_eq!(name(bot.message("mark").await), wanted);
    }
    // After the end nothing is told any more.
    leg.stop();
    bot.mark("late");
    let rest = bot.rest().await;
    assert!(
        matches!(&rest[..], [Seen::Message(stop, _), Seen::Closed(Some(1000))] if stop["event"] == "stop"),
        "{rest:?}"
    );
    assert_eq!(closed.await.unwrap(), Closed::ByUs);
}

#[tokio::test]
async fn clear_silences_five_seconds_within_a_frame_and_returns_the_marks() {
    let (mut bot, leg, _, _closed) = met(Manner::Listen).await;
    for part in 0..5 {
        bot.play(&[0x10; 8_000]);
        bot.mark(&part.to_string());
    }
    taken(&leg, 3).await;
    bot.say(json!({"event": "clear", "streamSid": "any"}));
    for part in 0..5 {
        assert_eq!(bot.message("mark").await.0["mark"]["name"], part.to_string());
    }
    assert_eq!(leg.take(), None);
    bot.play(&[0x20; 160]);
    assert_eq!(bytes(&taken(&leg, 1).await), [0x20; 160]);
}

#[tokio::test]
async fn garbage_is_counted_and_the_conversation_goes_on() {
    let (mut bot, leg, counter, _closed) = met(Manner::Garbage).await;
    told(&mut bot).await;
    assert_eq!(counter.counts().oddities.values().sum::<u64>(), 8, "{:?}", counter.counts().oddities);
    let mut heard = SILENCE;
    heard[0] = 1_000;
    leg.send(&heard);
    bot.message("media").await;
    assert_eq!(taken(&leg, 1).await.len(), 1);
}

#[tokio::test]
async fn a_wrong_stream_sid_is_not_minded() {
    let (mut bot, leg, counter, _closed) = met(Manner::Listen).await;
    bot.say(media(&[0x10; 160]));
    bot.say(json!({"event": "media", "media": {"payload": "EBAQ"}}));
    taken(&leg, 2).await;
    told(&mut bot).await;
    assert_eq!(counter.counts().oddities.len(), 0);
}

#[tokio::test]
async fn an_agent_that_never_reads_is_let_go_in_time_and_costs_a_second_of_audio() {
    let (_bot, leg, counter, closed) = met(Manner::NeverRead).await;
    let sender = tokio::spawn(async move {
        // Far more than sockets buffer.
        for _ in 0..200_000 {
            leg.send(&SILENCE);
            tokio::task::yield_now().await;
        }
        leg.stop();
        leg
    });
    let _leg = sender.await.unwrap();
    let began = std::time::Instant::now();
    assert_eq!(closed.await.unwrap(), Closed::ByUs);
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    assert!(counter.counts().frames_dropped > 0);
}

#[tokio::test]
async fn the_upgrade_is_signed_by_the_published_algorithm_and_carries_headers() {
    let mut bot = Bot::new(Manner::Listen).await;
    let secret = Secret::new("12345");
    let endpoint = AgentEndpoint {
        headers: [("authorization".to_owned(), HeaderText::Secret(Secret::new("Bearer token")))].into(),
        signing_secret: Some(secret.clone()),
        ..endpoint(bot.url())
    };
    let _socket = Dialler::new().dial(&endpoint).await.unwrap();
    let headers = bot.upgrade().await;
    let value = |name: &str| headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    assert_eq!(value("x-twilio-signature").unwrap(), sign::twilio_signature(&secret, &bot.url()));
    assert!(value("x-strowger-signature").unwrap().starts_with("t="));
    assert_eq!(value("authorization").unwrap(), "Bearer token");
    assert_eq!(value("sec-websocket-protocol"), None);
    assert_eq!(value("sec-websocket-extensions"), None);
}

#[tokio::test]
async fn an_agent_behind_tls_is_reached_when_its_certificate_is_trusted_and_else_not() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("wss://localhost:{}/stream", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(stream) = acceptor.accept(stream).await {
                echo(stream).await;
            }
        }
    });
    let directory = tempfile::tempdir().unwrap();
    let trusted = directory.path().join("trusted.pem");
    std::fs::write(&trusted, made.cert.pem()).unwrap();
    let other = directory.path().join("other.pem");
    std::fs::write(&other, rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert.pem()).unwrap();
    for (roots, passed) in [(trusted, true), (other, false)] {
        let mut program = tokio::process::Command::new(env!("CARGO_BIN_EXE_strowger"));
        program
            .args(["agent", "test", &url, "--within", "500", "--format", "json"])
            .env_clear()
            .env("SSL_CERT_FILE", roots);
        let ran = program.output().await.unwrap();
        let report: Value = serde_json::from_slice(&ran.stdout).unwrap();
        assert_eq!((ran.status.success(), &report["result"]["passed"]), (passed, &json!(passed)), "{report:#}");
        if !passed {
            let detail = report["result"]["checks"][0]["detail"].as_str().unwrap();
            assert!(detail.contains("certificate"), "{detail}");
        }
    }
}
