//! Where is a text no TOML?

use toml::de::Error;

use super::read::Cx;
use super::rules;
use crate::diagnostic::{Finding, Span};

/// What the reader says of a key or table that stands twice.
const TWICE: &str = "duplicate key";

/// What the reader says of a value without quotes, even of an empty one.
const UNQUOTED: &str = "string values must be quoted";

/// What the reader says of a key that has other characters than a key without quotes may have.
const UNQUOTED_KEY: &str = "invalid unquoted key";

/// Reports the errors of a text; gives the sections that they stand in, in order.
///
/// A section is a header and what follows it. What is broken there is read at a guess: of a header that stands
/// twice, every key would be reported again, and the keys of a header that cannot be read would be anybody's.
pub(super) fn report(text: &str, errors: &[Error], cx: &mut Cx) -> Vec<Span> {
    let mut guessed: Vec<Span> = Vec::new();
    if errors.is_empty() {
        return guessed;
    }
    let starts: Vec<usize> = std::iter::once(0)
        .chain(text.match_indices('\n').map(|(at, _)| at + 1))
        .filter(|start| text[*start..].trim_start_matches([' ', '\t']).starts_with('['))
        .collect();
    let mut errors: Vec<_> = errors
        .iter()
        .map(|error| {
            let range = error.span().unwrap_or(0..0);
            (range.start.min(text.len())..range.end.min(text.len()), error.message())
        })
        .collect();
    errors.sort_by_key(|(range, _)| range.start);
    // The section whose header stands twice.
    let mut copy = usize::MAX;
    for (range, message) in errors {
        let after = starts.partition_point(|start| *start <= range.start);
        let start = after.checked_sub(1).map_or(0, |at| starts[at]);
        let end = starts.get(after).copied().unwrap_or(text.len());
        let twice = message == TWICE;
        if twice && copy == start {
            continue;
        }
        let line = text[..range.start].rfind('\n').map_or(0, |at| at + 1);
        let header = line == start && text[line..].trim_start().starts_with('[');
        if twice && header {
            copy = start;
        }
        cx.findings.push(match (twice, text.get(range.clone())) {
            (true, Some(key)) => {
                let finding = Finding::new(
                    &rules::TOML_SYNTAX,
                    format!("`{key}` stands here twice"),
                    cx.span(range.clone()),
                    "a second time here",
                )
                .help("keep one of the two");
                match first(text, key, line, header, start) {
                    Some(first) => finding.and(cx.span(first), "first here"),
                    None => finding,
                }
            }
            _ => {
                // Where nothing stands, the reader asks for quotes around it.
                let missing = range.is_empty() && message.starts_with(UNQUOTED);
                let message = if missing { "a value is missing" } else { message };
                let finding = Finding::new(&rules::TOML_SYNTAX, message, cx.span(range), "here");
                match message.starts_with(UNQUOTED_KEY) {
                    true => finding.help("put the key in quotes, as in `[number.\"+14155550100\"]`"),
                    false => finding,
                }
            }
        });
        if guessed.last().is_none_or(|last| last.range.start != start) {
            guessed.push(cx.span(start..end));
        }
    }
    guessed
}

/// Where what stands twice stands first: the same header above, or the same key in the section.
fn first(text: &str, key: &str, line: usize, header: bool, section: usize) -> Option<std::ops::Range<usize>> {
    let this = text[line..].lines().next()?.trim();
    let from = if header { 0 } else { section };
    let mut at = from;
    for candidate in text[from..line].split_inclusive('\n') {
        let trimmed = candidate.trim();
        let same = match header {
            true => trimmed == this,
            false => trimmed.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('=')),
        };
        if same {
            let start = at + candidate.find(key)?;
            return Some(start..start + key.len());
        }
        at += candidate.len();
    }
    None
}
