//! Which calls does a list hold?

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use crate::model::{Expect, Place, TestCase, moment};

/// Why a list of calls cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CallsError {
    /// The file cannot be read.
    #[error("{path} cannot be read: {cause}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
        cause: std::io::Error,
    },
    /// Its content is none of the forms.
    #[error("{place}: {why}")]
    Malformed {
        /// Where.
        place: Place,
        /// What is wrong, and what is expected.
        why: String,
    },
}

/// A call as a list writes it. Lists from elsewhere have more columns, which are passed over.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Row {
    name: String,
    #[serde(alias = "dial")]
    to: String,
    from: Option<String>,
    source: Option<String>,
    at: Option<String>,
    headers: BTreeMap<String, String>,
    expect: Expected,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Expected {
    rule: Option<String>,
    room: Option<String>,
    agent: Option<String>,
    status: Option<u16>,
    pin: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct List {
    #[serde(default)]
    call: Vec<toml::Spanned<Row>>,
}

/// Reads a list of calls: TOML with `[[call]]` tables (`.toml`), a table with a head line (`.csv`), or else one JSON
/// object a line. Each call has `to`, and may have `from`, `source`, `at` and `name`; in TOML also `expect`.
///
/// # Errors
/// When the file cannot be read, or a call in it cannot.
pub fn read_calls(path: &Path) -> Result<Vec<TestCase>, CallsError> {
    let name: Arc<str> = path.display().to_string().into();
    let text =
        std::fs::read_to_string(path).map_err(|cause| CallsError::Unreadable { path: name.to_string(), cause })?;
    let place = |line: usize| Place { file: Arc::clone(&name), line, column: 1 };
    let malformed = |line: usize, why: String| CallsError::Malformed { place: place(line), why };
    let line_of = |byte: usize| text.get(..byte).map_or(1, |before| before.matches('\n').count() + 1);
    let rows: Vec<(usize, Row)> = match path.extension().and_then(|extension| extension.to_str()) {
        Some("toml") => {
            let list: List = toml::from_str(&text)
                .map_err(|why| malformed(why.span().map_or(1, |span| line_of(span.start)), why.message().to_owned()))?;
            list.call.into_iter().map(|row| (line_of(row.span().start), row.into_inner())).collect()
        }
        Some("csv") => {
            let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(text.as_bytes());
            let head = reader.headers().map_err(|why| malformed(1, why.to_string()))?.clone();
            if !head.iter().any(|column| column == "to" || column == "dial") {
                return Err(malformed(1, "the head line names no column `to`".to_owned()));
            }
            let mut rows = Vec::new();
            for record in reader.records() {
                let record = record.map_err(|why| malformed(line_of_csv(&why), why.to_string()))?;
                let line = record.position().map_or(1, |position| position.line() as usize);
                let column = |name: &str| {
                    let at = head.iter().position(|column| column == name)?;
                    record.get(at).filter(|text| !text.is_empty()).map(str::to_owned)
                };
                rows.push((
                    line,
                    Row {
                        name: column("name").unwrap_or_default(),
                        to: column("to").or_else(|| column("dial")).unwrap_or_default(),
                        from: column("from"),
                        source: column("source"),
                        at: column("at"),
                        ..Row::default()
                    },
                ));
            }
            rows
        }
        _ => {
            let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
            let read = lines.map(|(at, line)| {
                let row = serde_json::from_str(line).map_err(|why| malformed(at + 1, why.to_string()))?;
                Ok((at + 1, row))
            });
            read.collect::<Result<_, _>>()?
        }
    };
    rows.into_iter().map(|(line, row)| case(row, place(line))).collect()
}

fn line_of_csv(why: &csv::Error) -> usize {
    why.position().map_or(1, |position| position.line() as usize)
}

fn case(row: Row, place: Place) -> Result<TestCase, CallsError> {
    let malformed = |why: String| CallsError::Malformed { place: place.clone(), why };
    if row.to.is_empty() {
        return Err(malformed("the call does not say whom it calls; give `to`".to_owned()));
    }
    let source =
        row.source.map(|text| text.parse().map_err(|_| malformed(format!("`source`: `{text}` is no address"))));
    let at = row.at.map(|text| moment(&text).map_err(|why| malformed(format!("`at`: {why}"))));
    Ok(TestCase {
        name: row.name,
        source: source.transpose()?,
        at: at.transpose()?,
        place,
        dial: row.to,
        from: row.from,
        headers: row.headers,
        expect: Expect {
            rule: row.expect.rule,
            room: row.expect.room,
            agent: row.expect.agent,
            status: row.expect.status,
            pin: row.expect.pin,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, text: &str) -> Result<Vec<TestCase>, String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        read_calls(&path).map_err(|error| error.to_string().replace(&path.display().to_string(), name))
    }

    #[test]
    fn one_call_has_three_forms() {
        let toml = read("c.toml", "[[call]]\nto = \"+14155550100\"\nfrom = \"+12125550123\"\nsource = \"192.0.2.7\"\n");
        let csv = read("c.csv", "when,to,from,source\n,+14155550100,+12125550123, 192.0.2.7\n");
        let json =
            read("c.jsonl", "{\"to\":\"+14155550100\",\"from\":\"+12125550123\",\"source\":\"192.0.2.7\",\"x\":1}\n\n");
        for cases in [toml, csv, json] {
            let cases = cases.unwrap();
            assert_eq!(cases.len(), 1);
            assert_eq!(cases[0].dial, "+14155550100");
            assert_eq!(cases[0].source, Some("192.0.2.7".parse().unwrap()));
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_line() {
        for (name, text, said) in [
            ("c.jsonl", "{\"to\":\"+1\"}\nnot json\n", "c.jsonl:2"),
            ("c.csv", "number\n+14155550100\n", "no column `to`"),
            ("c.csv", "to,source\n+14155550100,nowhere\n", "c.csv:2"),
            ("c.toml", "[[call]]\nfrom = \"x\"\n", "give `to`"),
        ] {
            let why = read(name, text).unwrap_err();
            assert!(why.contains(said), "{why}");
        }
    }
}
