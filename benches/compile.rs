//! How long do the files take, and how much memory, beside the bare typed parse of the same bytes?
//!
//! `cargo bench --bench compile`. Each measurement is a process of its own, so that peaks of memory do not mix.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::Command;
use std::time::Instant;

use serde::Deserialize;
use strowger::diagnostic::{File, Files};
use strowger::{check, syntax};

/// A stack with so many inbound rules, a number and a few keys each, as large customers have.
fn stack(rules: usize) -> String {
    let mut text = String::from("[stack]\nname = \"bench\"\n\n[gateway.carrier]\naddress = \"sip.example.com:5061\"\n");
    for at in 0..rules {
        let number = 14_150_000_000_u64 + at as u64;
        let _ = write!(
            text,
            "
[number.\"+{number}\"]
alias   = \"line-{at}\"
gateway = \"carrier\"

[rule.line-{at}]
direction = \"inbound\"
numbers   = [\"line-{at}\"]
room      = {{ mode = \"dynamic\", prefix = \"sip_number\" }}
allow     = {{ callers = [\"+1*\", \"+44*\"], ips = [\"192.0.2.0/24\"] }}
headers_to_attributes = {{ \"X-Caller-Id\" = \"callerId\" }}
recording = true
tags      = [\"reception\", \"team-{}\"]
",
            at % 17
        );
    }
    text
}

/// The same tables for serde: what a program would write that only wants the values.
#[derive(Deserialize)]
#[allow(dead_code, reason = "only the reading is measured")]
struct Bare {
    stack: BTreeMap<String, String>,
    gateway: BTreeMap<String, BTreeMap<String, String>>,
    number: BTreeMap<String, BareNumber>,
    rule: BTreeMap<String, BareRule>,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only the reading is measured")]
struct BareNumber {
    alias: toml::Spanned<String>,
    gateway: toml::Spanned<String>,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only the reading is measured")]
struct BareRule {
    direction: toml::Spanned<String>,
    numbers: Vec<toml::Spanned<String>>,
    room: BTreeMap<String, toml::Spanned<String>>,
    allow: BTreeMap<String, Vec<toml::Spanned<String>>>,
    headers_to_attributes: BTreeMap<String, toml::Spanned<String>>,
    recording: toml::Spanned<bool>,
    tags: Vec<toml::Spanned<String>>,
}

/// Peak of resident memory of this process, in kilobytes (Linux).
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// CPU time of this process in milliseconds (Linux); wall time elsewhere.
fn cpu(begun: Instant) -> f64 {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanoseconds = stat.split_whitespace().next().and_then(|text| text.parse::<f64>().ok());
    nanoseconds.unwrap_or_else(|| begun.elapsed().as_secs_f64() * 1e9) / 1e6
}

/// Measures one way of reading, and prints `MILLISECONDS KILOBYTES`.
fn measure(way: &str, rules: usize) {
    let text = stack(rules);
    let (begun, cpu_before, memory_before) = (Instant::now(), cpu(Instant::now()), peak());
    // A small stack is done before the clock has moved.
    let times = (10_000 / rules).clamp(1, 100);
    for _ in 0..times {
        match way {
            "toml" => drop(std::hint::black_box(toml::from_str::<Bare>(&text).expect("the stack is TOML"))),
            _ => {
                let mut files = Files::default();
                files.add(File::new("strowger.toml", text.clone()));
                let checked = check::check(syntax::parse(&files));
                assert!(checked.report.findings.is_empty(), "{:?}", checked.report.findings.first());
                drop(std::hint::black_box(checked));
            }
        }
    }
    println!("{} {}", (cpu(begun) - cpu_before) / times as f64, peak() - memory_before);
}

fn run(way: &str, rules: usize) -> (f64, f64) {
    // The best of some: what disturbs a run only makes it slower.
    let runs = if rules > 10_000 { 3 } else { 7 };
    let one = |_| {
        let program = std::env::current_exe().expect("this program has a path");
        let output = Command::new(program).args(["--measure", way, &rules.to_string()]).output().expect("it starts");
        let text = String::from_utf8(output.stdout).expect("it prints numbers");
        let mut numbers = text.split_whitespace().map(|text| text.parse::<f64>().expect("a number"));
        (numbers.next().expect("milliseconds"), numbers.next().expect("kilobytes"))
    };
    let all: Vec<(f64, f64)> = (0..runs).map(one).collect();
    all.into_iter().min_by(|left, right| left.0.total_cmp(&right.0)).expect("a run")
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, flag, way, rules] = arguments.as_slice()
        && flag == "--measure"
    {
        return measure(way, rules.parse().expect("a count"));
    }
    println!(
        "{:>8} {:>9} {:>10} {:>10} {:>6} {:>10} {:>10} {:>6}",
        "rules", "bytes", "toml ms", "ours ms", "ratio", "toml kB", "ours kB", "ratio"
    );
    for rules in [100, 1_000, 10_000, 100_000] {
        let ((bare, bare_memory), (ours, our_memory)) = (run("toml", rules), run("strowger", rules));
        println!(
            "{rules:>8} {:>9} {bare:>10.2} {ours:>10.2} {:>6.2} {bare_memory:>10} {our_memory:>10} {:>6.2}",
            stack(rules).len(),
            ours / bare,
            our_memory / bare_memory.max(1.0),
        );
    }
}
