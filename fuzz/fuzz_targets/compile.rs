//! From bytes to findings: any bytes give a draft or findings, never a panic, and every place lies in its file.
//!
//! `cargo +nightly fuzz run compile --features libfuzzer`, or, on a stable toolchain,
//! `cargo run --release --manifest-path fuzz/Cargo.toml -- SECONDS [SEED]`, which bends the repository's own
//! configurations at random.
#![cfg_attr(feature = "libfuzzer", no_main)]

use strowger::diagnostic::{File, Files, Format, Look, render};
use strowger::{check, syntax};

/// Up to three files, cut at bytes that no text has; the last one is an environment's.
fn compile(bytes: &[u8]) {
    let mut files = Files::default();
    let parts: Vec<&[u8]> = bytes.splitn(3, |byte| *byte == 0xff).collect();
    for (at, part) in parts.iter().enumerate() {
        let Ok(text) = std::str::from_utf8(part) else { return };
        let file = File::new(format!("{at}.toml"), text.to_owned());
        match at {
            2 => files.add_environment("prod", file),
            _ => files.add(file),
        };
    }
    files.set_environments(vec!["prod".to_owned()]);
    let checked = check::check(syntax::parse(&files));
    for finding in &checked.report.findings {
        for label in &finding.labels {
            let text = checked.report.files.get(label.span.file).text();
            assert!(text.get(label.span.range.clone()).is_some(), "{} points outside its file", finding.rule.name);
        }
    }
    assert_eq!(checked.exchange.is_none(), checked.report.is_refused(), "findings and result disagree");
    for format in [Format::Graphical, Format::Concise, Format::Json] {
        render(&checked.report, format, Look { colour: false, unicode: true, width: 80 });
    }
}

#[cfg(feature = "libfuzzer")]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| compile(bytes));

#[cfg(not(feature = "libfuzzer"))]
fn main() {
    use rand::rngs::StdRng;
    use rand::seq::IndexedRandom;
    use rand::{Rng, SeedableRng};
    use std::time::{Duration, Instant};

    fn gather(directory: &std::path::Path, all: &mut Vec<Vec<u8>>) {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                gather(&path, all);
            } else if path.extension().is_some_and(|end| end == "toml") {
                all.extend(std::fs::read(&path));
            }
        }
    }

    let mut arguments = std::env::args().skip(1);
    let seconds = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(60);
    let seed = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut corpus = Vec::new();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    gather(&root.join("tests/ui"), &mut corpus);
    gather(&root.join("examples"), &mut corpus);
    let mut random = StdRng::seed_from_u64(seed);
    let (begun, mut inputs) = (Instant::now(), 0_u64);
    while begun.elapsed() < Duration::from_secs(seconds) {
        let mut bytes = corpus.choose(&mut random).cloned().unwrap_or_default();
        for _ in 0..random.random_range(1..8) {
            let at = random.random_range(0..=bytes.len());
            let end = (at + random.random_range(0..30)).min(bytes.len());
            let other = corpus.choose(&mut random).map_or(&[][..], Vec::as_slice);
            let from = random.random_range(0..=other.len());
            let piece = &other[from..(from + random.random_range(0..60)).min(other.len())];
            match random.random_range(0..7) {
                0 => drop(bytes.drain(at..end)),
                1 => drop(bytes.splice(at..at, piece.iter().copied())),
                2 => drop(bytes.splice(at..end, piece.iter().copied())),
                3 => bytes.insert(at, *b"[]{}=\"'.#\n,$*+\xff".choose(&mut random).unwrap_or(&b' ')),
                4 => bytes.extend_from_slice(piece),
                5 => {
                    let copy = bytes[at..end].to_vec();
                    bytes.splice(at..at, copy);
                }
                _ => bytes.splice(at..at, *b"${var.a}").for_each(drop),
            }
        }
        let input = bytes.clone();
        let done = std::panic::catch_unwind(|| compile(&input));
        if done.is_err() {
            let file = std::env::temp_dir().join(format!("strowger-crash-{inputs}"));
            let _ = std::fs::write(&file, &bytes);
            eprintln!("input {inputs} of seed {seed} panics; it is kept in {}", file.display());
            std::process::exit(1);
        }
        inputs += 1;
    }
    println!("{inputs} inputs in {} s, none of which panics", begun.elapsed().as_secs());
}
