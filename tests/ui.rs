//! Does the program say what a reader of its output should see?
//!
//! A case is a folder under `tests/ui/` with a `cmd`: the arguments, on one line. It runs in a copy of the folder's
//! `in/`; if there is a `served/`, a daemon serves that configuration meanwhile. What the program says is compared
//! with `stdout.txt`, `stderr.txt` and `code`. `STROWGER_UPDATE=1 cargo test --test ui` rewrites these; their
//! difference is then read like code.

#[path = "support/ui.rs"]
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use similar::TextDiff;
use support::{Place, Run};

#[test]
fn every_case_says_what_its_snapshot_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui");
    let mut cases = Vec::new();
    gather(&root, &mut cases);
    cases.sort();
    assert!(cases.len() > 27, "only {} cases were found", cases.len());

    let update = std::env::var_os("STROWGER_UPDATE").is_some_and(|value| !value.is_empty());
    let next = AtomicUsize::new(0);
    let workers = thread::available_parallelism().map_or(2, |count| count.get().min(8));
    let mut differing: Vec<String> = thread::scope(|scope| {
        let work = || {
            let mut differing = Vec::new();
            while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                differing.extend(judge(case, update).map(|diff| {
                    let name = case.strip_prefix(&root).unwrap_or(case).display();
                    format!("==== tests/ui/{name}\n{diff}")
                }));
            }
            differing
        };
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker ends")).collect()
    });
    differing.sort();
    assert!(
        differing.is_empty(),
        "{} of {} cases differ (STROWGER_UPDATE=1 rewrites them):\n\n{}",
        differing.len(),
        cases.len(),
        differing.join("\n")
    );
}

fn gather(directory: &Path, cases: &mut Vec<PathBuf>) {
    if directory.join("cmd").is_file() {
        cases.push(directory.to_owned());
    }
    for entry in fs::read_dir(directory).expect("a readable directory") {
        let path = entry.expect("a readable directory").path();
        if path.is_dir() && !["in", "served"].iter().any(|name| path.ends_with(name)) {
            gather(&path, cases);
        }
    }
}

/// Runs a case; gives what differs from its snapshot, or rewrites the snapshot.
fn judge(case: &Path, update: bool) -> Option<String> {
    let mut place = Place::with(&case.join("in"));
    if case.join("served").is_dir() {
        place.serve(&case.join("served"));
    }
    let arguments = fs::read_to_string(case.join("cmd")).expect("a readable cmd");
    let Run { stdout, stderr, code } = place.run(&arguments);
    let mut out = String::new();
    for (name, is) in [("stdout.txt", stdout), ("stderr.txt", stderr), ("code", code)] {
        let file = case.join(name);
        if update {
            fs::write(&file, is).expect("a writable snapshot");
            continue;
        }
        match fs::read_to_string(&file) {
            Ok(expected) if expected == is => {}
            Ok(expected) => {
                let diff = TextDiff::from_lines(&expected, &is);
                out.push_str(
                    &diff.unified_diff().header(&format!("{name}, expected"), &format!("{name}, is")).to_string(),
                );
            }
            Err(_) => out.push_str(&format!("{name} is missing; the program says:\n{is}")),
        }
    }
    (!out.is_empty()).then_some(out)
}

const STACK: &str = "[stack]\nname = \"demo\"\n";

/// A place with one file.
fn place(text: impl AsRef<[u8]>) -> Place {
    let place = Place::with(Path::new("no such folder"));
    fs::write(place.files().join("strowger.toml"), text).expect("a writable file");
    place
}

/// Runs the program, which must end with a code of its own and without a panic.
fn ends(place: &Place, arguments: &str) -> Run {
    let run = place.run(arguments);
    ends_well(&run);
    run
}

fn ends_well(run: &Run) {
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    assert!(["0\n", "1\n"].contains(&run.code.as_str()), "it ended with {}: {}", run.code, run.stderr);
}

#[test]
fn a_line_of_ten_megabytes_is_read_and_its_finding_stays_readable() {
    let long = "x".repeat(10 << 20);
    let place = place(format!("{STACK}unmanaged = \"{long}\"\n"));
    let run = ends(&place, "validate --format concise");
    assert!(run.stdout.starts_with("strowger.toml:3:13: error[unknown-word]"), "{}", start(&run.stdout));
    let run = ends(&place, "validate");
    assert!(run.stdout.contains("unknown-word") && run.stdout.len() < 1000, "{}", start(&run.stdout));
}

#[test]
fn deep_nesting_is_a_finding_and_a_huge_list_is_read() {
    for (open, close) in [("[", "]"), ("{ a = ", " }")] {
        let place = place(format!("{STACK}include = {}{}\n", open.repeat(100_000), close.repeat(100_000)));
        let run = ends(&place, "validate --format concise");
        assert_eq!(run.code, "1\n");
        assert!(run.stdout.contains("error[toml-syntax]"), "{}", start(&run.stdout));
    }
    let tags = "\"tag\", ".repeat(200_000);
    let place = place(format!("{STACK}[rule.main]\ndirection = \"outbound\"\nnumbers = []\ntags = [{tags}]\n"));
    let run = ends(&place, "validate --format concise");
    assert_eq!(run.stdout, "strowger.toml:5:11: error[numbers-empty]: rule `main` has no numbers\n");
}

/// An editor may write a file anew by taking it away first; a run that meets the gap says so, or sees the file.
#[test]
fn a_file_that_comes_and_goes_never_breaks_a_run() {
    for name in ["strowger.toml", "gateways.toml"] {
        let place = place(format!("{STACK}include = [\"gateways.toml\"]\n"));
        let gateway = "[gateway.carrier]\naddress = \"sip.example.com\"\n";
        fs::write(place.files().join("gateways.toml"), gateway).expect("a writable file");
        let file = place.files().join(name);
        let text = fs::read_to_string(&file).expect("a readable file");
        let done = AtomicBool::new(false);
        let runs: Vec<Run> = thread::scope(|scope| {
            let writer = scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    fs::write(&file, &text).expect("a writable file");
                    thread::yield_now();
                    fs::remove_file(&file).expect("the file is there");
                }
            });
            let runs = (0..100).map(|_| place.run("validate --format concise")).collect();
            done.store(true, Ordering::Relaxed);
            writer.join().expect("the writer ends");
            runs
        });
        for run in runs {
            ends_well(&run);
            // An absent file is a failure that names it; one that is not written yet is an empty one.
            let said = run.stdout.clone() + &run.stderr;
            assert!(said.is_empty() || said.contains(name) || said.contains("is used by nothing"), "{name}: {run:?}");
            assert!(run.code == "0\n" || !said.is_empty(), "{name}: {run:?}");
        }
    }
}

/// The beginning of a text that may be very long.
fn start(text: &str) -> String {
    text.chars().take(400).collect()
}
