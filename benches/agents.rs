//! What does a call that is joined to an agent cost?
//!
//! A real daemon, callers that talk without pause, and an echo agent for each. Only the daemon is measured: its CPU
//! time and resident memory, by `/proc`. `cargo bench --bench agents [-- CALLS]`.

#![allow(clippy::unwrap_used, dead_code)]

use std::time::{Duration, Instant};

use strowger::media::Codec;

#[path = "../tests/agents/bot.rs"]
mod bot;
#[path = "../tests/agents/caller.rs"]
mod caller;
#[path = "../tests/agents/site.rs"]
mod site;

use bot::{Bot, Manner};
use caller::Caller;
use site::{Daemon, stack};

const DEADLINE: Duration = Duration::from_secs(60);

/// How long is measured, after as long as it takes for buffers to settle.
const MEASURED: Duration = Duration::from_secs(10);
const SETTLED: Duration = Duration::from_secs(2);

/// Clock ticks of `/proc` in a second.
const TICKS: f64 = 100.0;

fn main() {
    let calls = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(100);
    tokio::runtime::Runtime::new().unwrap().block_on(measure(calls));
}

async fn measure(calls: usize) {
    let bot = Bot::new(Manner::EchoQuietly).await;
    let ports = u16::try_from(calls * 2 + 20).unwrap();
    let daemon = Daemon::with_ports(&stack(&bot.url(), "", "", ""), ports).await;
    let pid = daemon.child.id().unwrap();
    let before = resident(pid);
    let (mut callers, mut first) = (Vec::new(), Vec::new());
    for _ in 0..calls {
        let mut caller = Caller::new(daemon.sip, Codec::Pcmu).await;
        caller.answered().await;
        let began = Instant::now();
        caller.talk(440.0);
        while caller.hear().await.iter().all(|sample| sample.unsigned_abs() < 1_000) {}
        first.push(began.elapsed());
        callers.push(caller);
    }
    tokio::time::sleep(SETTLED).await;
    let (began, used) = (Instant::now(), ticks(pid));
    tokio::time::sleep(MEASURED).await;
    let share = (ticks(pid) - used) / TICKS / began.elapsed().as_secs_f64();
    let memory = resident(pid) - before;
    first.sort();
    let status = daemon.status().await;
    println!("calls                       {calls}");
    println!("CPU of one core, a call     {:.3} %", share * 100.0 / calls as f64);
    println!("memory, a call              {} kB", memory / calls);
    println!("first echo, median and p95  {:?}, {:?}", first[calls / 2], first[calls * 95 / 100]);
    println!("calls still up              {}", status["calls"]);
    println!("of it, decoding and encoding {:.4} %", transcoding().as_secs_f64() * 50.0 * 2.0 * 100.0);
}

/// What one frame costs to decode and to encode again: what a relay of the bytes as they are would spare, each way.
fn transcoding() -> Duration {
    const FRAMES: u32 = 100_000;
    let mut payload: Vec<u8> = (0..160).collect();
    let began = Instant::now();
    for _ in 0..FRAMES {
        let mut samples = Vec::with_capacity(160);
        Codec::Pcmu.decode(std::hint::black_box(&payload), &mut samples);
        let frame = samples.try_into().unwrap();
        payload.clear();
        Codec::Pcmu.encode(std::hint::black_box(&frame), &mut payload);
    }
    began.elapsed() / FRAMES
}

/// User and system time, in ticks.
fn ticks(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // After the name, which is in parentheses: utime and stime are fields 14 and 15 of all.
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()
}

/// Resident memory in kB.
fn resident(pid: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
