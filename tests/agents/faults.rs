//! Agents that do not do their part: the caller gets what the rule says, the log says why, and nothing is left over.

use std::time::{Duration, Instant};

use strowger::media::Codec;

use super::bot::{Bot, Manner};
use super::caller::Caller;
use super::site::{Daemon, stack};

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_refuses_or_is_not_there_gives_480_and_a_reason() {
    let bot = Bot::new(Manner::Refuse).await;
    let nobody = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("ws://{}/", listener.local_addr().unwrap())
    };
    for (url, why) in [(bot.url(), "refused the upgrade with 403"), (nobody, "cannot be connected to")] {
        let daemon = Daemon::start(&stack(&url, "retries = 1", "", "")).await;
        let mut caller = Caller::new(daemon.sip, Codec::Pcmu).await;
        assert_eq!(caller.refused().await, 480);
        daemon.log.expect(&["a call is over", "agent bot", why]).await;
        let status = daemon.is_idle().await;
        let health = &status["agents"]["bot"];
        assert_eq!(
            (&health["failed"], &health["failed_in_a_row"], &health["reached"]),
            (&1.into(), &1.into(), &0.into())
        );
        assert!(health["last_failure"].as_str().unwrap().contains(why), "{health}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_hangs_in_the_upgrade_is_given_up_at_the_deadline() {
    let bot = Bot::new(Manner::HangInUpgrade).await;
    let daemon = Daemon::start(&stack(&bot.url(), "deadline_ms = 500", "", "")).await;
    let mut caller = Caller::new(daemon.sip, Codec::Pcmu).await;
    let began = Instant::now();
    assert_eq!(caller.refused().await, 480);
    assert!((Duration::from_millis(450)..Duration::from_secs(3)).contains(&began.elapsed()), "{:?}", began.elapsed());
    daemon.log.expect(&["a call is over", "it was not there within 500 ms"]).await;
    daemon.is_idle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_gives_up_while_it_rings_stops_the_dialling() {
    let mut bot = Bot::new(Manner::HangInUpgrade).await;
    let daemon = Daemon::start(&stack(&bot.url(), "deadline_ms = 60000", "", "")).await;
    let mut caller = Caller::new(daemon.sip, Codec::Pcmu).await;
    caller.invite().await;
    assert_eq!(caller.status().await, 180);
    bot.upgrade().await;
    caller.cancel().await;
    assert_eq!(caller.status().await, 487);
    // The socket is closed long before the deadline.
    bot.rest().await;
    daemon.is_idle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_is_tried_in_order() {
    let (refuses, echoes) = (Bot::new(Manner::Refuse).await, Bot::new(Manner::Echo).await);
    let second = format!("[agent.second]\nid = \"second\"\nurl = \"{}\"", echoes.url());
    let third = "[agent.third]\nid = \"third\"\nurl = \"ws://127.0.0.1:1/\"";
    let lobby = "[room.lobby]\nmode = \"static\"\nid = \"lobby\"";

    let fallback = "retries = 0\nfallback = [{ agent = \"third\" }, { agent = \"second\" }]";
    let daemon = Daemon::start(&stack(&refuses.url(), fallback, "", &format!("{second}\n{third}"))).await;
    let mut caller = Caller::new(daemon.sip, Codec::Pcmu).await;
    assert_eq!(caller.answered().await, [180]);
    caller.talk(440.0);
    caller.hears(440.0).await;
    caller.bye().await;
    daemon.is_idle().await;

    let fallback = "retries = 0\nfallback = [{ room = \"lobby\" }]";
    let daemon = Daemon::start(&stack(&refuses.url(), fallback, "", lobby)).await;
    let mut caller = Caller::new(daemon.sip, Codec::Pcmu).await;
    caller.answered().await;
    daemon.log.expect(&["a participant joined a room", "lobby"]).await;

    let fallback = "retries = 0\nfallback = [{ agent = \"third\" }, { status = 486 }]";
    let daemon = Daemon::start(&stack(&refuses.url(), fallback, "", third)).await;
    let mut caller = Caller::new(daemon.sip, Codec::Pcmu).await;
    assert_eq!(caller.refused().await, 486);
    daemon.log.expect(&["a call is over", "agent bot: it refused", "agent third: it cannot be connected to"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_closes_at_once_or_dies_mid_word_ends_the_call() {
    for manner in [Manner::CloseAtOnce, Manner::DieMidWord] {
        let bot = Bot::new(manner).await;
        let daemon = Daemon::start(&stack(&bot.url(), "", "", "")).await;
        let mut caller = Caller::new(daemon.sip, Codec::Pcmu).await;
        caller.invite().await;
        // One that closes at once may do so before the answer or after it.
        let status = loop {
            match caller.status().await {
                101..200 => {}
                status => break status,
            }
        };
        match status {
            200 => {
                caller.acknowledge().await;
                caller.hung_up_on().await;
            }
            status => assert_eq!((status, manner), (480, Manner::CloseAtOnce)),
        }
        daemon.log.expect(&["a call is over", "agent bot: it"]).await;
        daemon.is_idle().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_floods_or_sends_garbage_or_never_reads_costs_its_call_and_no_other() {
    let echoes = Bot::new(Manner::Echo).await;
    for manner in [Manner::Flood, Manner::Garbage, Manner::NeverRead] {
        let bot = Bot::new(manner).await;
        let more = format!(
            "[number.\"+14155550101\"]\ngateway = \"here\"\n[agent.good]\nid = \"good\"\nurl = \"{}\"\n[rule.good]\n\
             direction = \"inbound\"\nnumbers = [\"+14155550101\"]\nagent = \"good\"",
            echoes.url()
        );
        let daemon = Daemon::start(&stack(&bot.url(), "", "", &more)).await;
        let mut bad = Caller::new(daemon.sip, Codec::Pcmu).await;
        bad.answered().await;
        let mut good = Caller::new(daemon.sip, Codec::Pcmu).await;
        good.dial("+14155550101");
        good.answered().await;
        good.talk(440.0);
        good.hears(440.0).await;
        // The call of the bad one goes on as well: it is sent sound, and ends when its caller says so.
        bad.hear().await;
        bad.bye().await;
        good.bye().await;
        daemon.log.expect(&["a call is over", "the caller hung up"]).await;
        let status = daemon.is_idle().await;
        if manner == Manner::Garbage {
            assert_eq!(status["agents"]["bot"]["odd_messages"], 8);
        }
    }
}
