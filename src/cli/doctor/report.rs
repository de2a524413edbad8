//! What was found, and how is it shown?

use std::fmt::Write;

use serde::Serialize;

use super::super::show::cell_text;

/// What a check came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    /// As it should be.
    Ok,
    /// Not as the contract recommends, and it works all the same; or worth knowing.
    Warn,
    /// It does not work.
    Fail,
    /// There was nothing to look at.
    Skip,
}

/// One check.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    pub check: &'static str,
    pub status: Status,
    pub found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

/// Every check, in the order in which they were made.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub lines: Vec<Line>,
}

impl Report {
    pub fn ok(&mut self, check: &'static str, found: impl Into<String>) {
        self.line(check, Status::Ok, found.into(), None);
    }

    pub fn warn(&mut self, check: &'static str, found: impl Into<String>, advice: impl Into<String>) {
        self.line(check, Status::Warn, found.into(), Some(advice.into()));
    }

    pub fn fail(&mut self, check: &'static str, found: impl Into<String>, advice: impl Into<String>) {
        self.line(check, Status::Fail, found.into(), Some(advice.into()));
    }

    pub fn skip(&mut self, check: &'static str, found: impl Into<String>) {
        self.line(check, Status::Skip, found.into(), None);
    }

    fn line(&mut self, check: &'static str, status: Status, found: String, advice: Option<String>) {
        // What the far side says may stand in it.
        self.lines.push(Line { check, status, found: cell_text(&found), advice });
    }

    pub fn count(&self, status: Status) -> usize {
        self.lines.iter().filter(|line| line.status == status).count()
    }

    pub fn text(&self) -> String {
        let mut out = String::new();
        let widest = self.lines.iter().map(|line| line.check.len()).max().unwrap_or(0);
        for line in &self.lines {
            let word = match line.status {
                Status::Ok => "ok",
                Status::Warn => "warn",
                Status::Fail => "fail",
                Status::Skip => "-",
            };
            let _ = writeln!(out, "{word:<4}  {:<widest$}  {}", line.check, line.found);
            if let Some(advice) = &line.advice {
                let _ = writeln!(out, "{:<6}{:<widest$}  → {advice}", "", "");
            }
        }
        let [ok, warn, fail, skip] = [Status::Ok, Status::Warn, Status::Fail, Status::Skip].map(|s| self.count(s));
        let _ = writeln!(out, "\n{ok} ok, {warn} to know of, {fail} failed, {skip} not seen");
        out
    }
}
