//! What a process writes, line by line, and a way to wait for it.

use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Instant;

use super::DEADLINE;

/// The lines that a process has written so far.
#[derive(Clone, Default)]
pub struct Log(Arc<Shared>);

#[derive(Default)]
struct Shared {
    lines: Mutex<Lines>,
    news: Condvar,
}

#[derive(Default)]
struct Lines {
    all: Vec<String>,
    ended: bool,
}

impl Log {
    /// Reads a pipe to its end.
    pub fn of(pipe: impl Read + Send + 'static) -> Self {
        let log = Self::default();
        let shared = Arc::clone(&log.0);
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
                shared.lines.lock().unwrap().all.push(String::from_utf8_lossy(&line).into_owned());
                shared.news.notify_all();
            }
            shared.lines.lock().unwrap().ended = true;
            shared.news.notify_all();
        });
        log
    }

    /// Waits for a line that holds all these words; `None` when the process ends, or the time, without it.
    pub fn find(&self, words: &[&str]) -> Option<String> {
        self.find_all(words, 1).pop()
    }

    /// Waits for this many lines that hold all these words, and gives those that there are then.
    fn find_all(&self, words: &[&str], wanted: usize) -> Vec<String> {
        let end = Instant::now() + DEADLINE;
        let mut lines = self.0.lines.lock().unwrap();
        loop {
            let found = lines.all.iter().filter(|line| words.iter().all(|word| line.contains(word)));
            let found: Vec<String> = found.cloned().collect();
            let left = end.saturating_duration_since(Instant::now());
            if found.len() >= wanted || lines.ended || left.is_zero() {
                return found;
            }
            lines = self.0.news.wait_timeout(lines, left).unwrap().0;
        }
    }

    /// Waits for a line that holds all these words, and fails without it.
    #[track_caller]
    pub fn expect(&self, words: &[&str]) -> String {
        self.find(words).unwrap_or_else(|| panic!("no line says {words:?}:\n{}", self.text()))
    }

    /// Waits for this many lines that hold all these words, and fails when there are fewer or more.
    #[track_caller]
    pub fn expect_times(&self, words: &[&str], times: usize) {
        let found = self.find_all(words, times).len();
        assert_eq!(found, times, "lines that say {words:?}:\n{}", self.text());
    }

    /// Whether no line holds all these words by now.
    pub fn is_silent_on(&self, words: &[&str]) -> bool {
        self.find_all(words, 0).is_empty()
    }

    /// Everything so far.
    pub fn text(&self) -> String {
        self.0.lines.lock().unwrap().all.join("\n")
    }
}
