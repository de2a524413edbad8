//! What can still be read of a text that is not TOML?
//!
//! The parser gives up in the middle of some mistakes. So a text with mistakes is cut into statements, a header or a
//! key with its value each, and every statement that is wrong by itself is reported and blanked, byte by byte, so
//! that all other places stay what they were. What is left is read as usual.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::de::DeTable;

use super::rules;
use crate::diagnostic::{FileId, Finding, Span};

/// A text without its mistakes, and what has to be known to say nothing of their consequences.
#[derive(Default)]
pub(super) struct Recovered {
    /// As long as the original.
    pub text: String,
    pub findings: Vec<Finding>,
    pub broken: Broken,
}

/// What a text would have said, had it been right.
#[derive(Default)]
pub(crate) struct Broken {
    /// Keys whose statements are gone, by table: `("room", "lobby", "id")`.
    keys: BTreeSet<(String, String, String)>,
    /// Tables with such keys, or whose header is broken.
    tables: BTreeSet<(String, String)>,
    /// Tables whose header is broken, with its place: they are not there at all.
    pub headers: Vec<(String, String, Range<usize>)>,
    /// Every word in what was blanked: what it may define or refer to.
    pub words: BTreeSet<String>,
}

impl Broken {
    /// Whether a key of a table was blanked.
    pub fn has_key(&self, kind: &str, name: &str, key: &str) -> bool {
        !self.keys.is_empty() && self.keys.contains(&(kind.to_owned(), name.to_owned(), key.to_owned()))
    }

    /// Whether something of a table was blanked.
    pub fn has_table(&self, kind: &str, name: &str) -> bool {
        !self.tables.is_empty() && self.tables.contains(&(kind.to_owned(), name.to_owned()))
    }
}

/// Reports every statement that is wrong by itself, and blanks it.
pub(super) fn recover(file: FileId, text: &str) -> Recovered {
    let mut recovered = Recovered { text: text.to_owned(), ..Recovered::default() };
    let mut blanks: Vec<Range<usize>> = Vec::new();
    let mut table = (String::new(), String::new());
    let mut skipping = false;
    for statement in statements(text) {
        let source = &text[statement.clone()];
        let header = source.trim_start().starts_with('[');
        if skipping && !header {
            // What follows a broken header belongs to a table that is not there.
            recovered.broken.words.extend(words(source));
            blanks.push(statement);
            continue;
        }
        let (read, errors) = DeTable::parse_recoverable(source);
        // The parser's order is not that of the text; the first mistake of a statement is the one that was made.
        let first = errors.iter().min_by_key(|error| error.span().map_or(0, |span| span.start));
        skipping = false;
        if header {
            table = match first {
                None => path(read.get_ref()),
                Some(_) => guessed(source),
            };
        }
        let Some(error) = first else { continue };
        let at = error.span().unwrap_or(0..0);
        let at = statement.start + at.start.min(source.len())..statement.start + at.end.min(source.len());
        let span = Span { file, range: shown(text, &statement, at) };
        recovered.findings.push(rules::toml_syntax(error.message(), span));
        recovered.broken.words.extend(words(source));
        let (kind, name) = table.clone();
        recovered.broken.tables.insert((kind.clone(), name.clone()));
        if header {
            recovered.broken.headers.push((kind, name, statement.start..statement.start + source.trim_end().len()));
            skipping = true;
        } else {
            recovered.broken.keys.insert((kind, name, key(source).to_owned()));
        }
        blanks.push(statement);
    }
    let mut bytes = std::mem::take(&mut recovered.text).into_bytes();
    for blank in blanks {
        for byte in bytes[blank].iter_mut().filter(|byte| !matches!(byte, b'\n' | b'\r')) {
            *byte = b' ';
        }
    }
    // Every byte of whole lines was replaced, so no character was cut.
    recovered.text = String::from_utf8(bytes).unwrap_or_default();
    recovered
}

/// The words of a stretch, as names and numbers are written.
fn words(source: &str) -> impl Iterator<Item = String> {
    let word = |c: char| c.is_ascii_alphanumeric() || "+-_*".contains(c);
    source.split(move |c| !word(c)).filter(|word| !word.is_empty()).map(str::to_owned)
}

/// What is wrong with a text whose statements are all right by themselves: a key that stands twice.
pub(super) fn whole(file: FileId, text: &str, errors: &[toml::de::Error]) -> Vec<Finding> {
    let mut errors: Vec<(Range<usize>, &str)> = errors
        .iter()
        .map(|error| {
            let range = error.span().unwrap_or(0..0);
            (range.start.min(text.len())..range.end.min(text.len()), error.message())
        })
        .collect();
    errors.sort_by_key(|(range, _)| range.start);
    let mut findings = Vec::new();
    // Where the section ends whose header stands twice: every key in it would be told of again.
    let mut copy = 0;
    for (range, message) in errors {
        if range.start < copy {
            continue;
        }
        let line = text[..range.start].rfind('\n').map_or(0, |at| at + 1);
        if text[line..].trim_start().starts_with('[') {
            copy = text[range.end..].find("\n[").map_or(text.len(), |at| range.end + at + 1);
        }
        let twice = message == "duplicate key";
        let key = text.get(range.clone()).unwrap_or_default().to_owned();
        let first = earlier(text, &range).filter(|_| twice);
        let span = Span { file, range };
        let finding = match twice {
            true => rules::key_twice(&key, span),
            false => rules::toml_syntax(message, span),
        };
        findings.push(match first {
            Some(range) => finding.and(Span { file, range }, "first here"),
            None => finding,
        });
    }
    findings
}

/// Where a key or header that stands twice stood first.
fn earlier(text: &str, second: &Range<usize>) -> Option<Range<usize>> {
    let start = text[..second.start].rfind('\n').map_or(0, |at| at + 1);
    let line = text[start..].lines().next()?.trim();
    let header = line.starts_with('[');
    let mut end = start;
    for before in text[..start].lines().rev() {
        // Counted from the back; a line end of two bytes is found by looking for the line itself.
        let at = text[..end].rfind(before)?;
        end = at;
        let found = before.trim_start();
        let place = at + before.len() - found.len();
        match header {
            true if found.trim_end() == line => return Some(place..place + line.len()),
            false if found.starts_with('[') => return None,
            false if key(found) == key(line) && !key(line).is_empty() => return Some(place..place + key(found).len()),
            _ => {}
        }
    }
    None
}

/// The statements of a text: each begins with a line that looks like a header or like a key with its value, or like
/// neither but stands outside of any value.
fn statements(text: &str) -> Vec<Range<usize>> {
    let mut all: Vec<Range<usize>> = Vec::new();
    // The quotes of a text of several lines that is not closed yet.
    let mut open: Option<&str> = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let range = at..at + line.len();
        at = range.end;
        let within = open.is_some();
        open = quotes(line, open).filter(|quotes| within || text[at..].contains(quotes));
        match all.last_mut() {
            Some(last) if within || continues(line) => last.end = range.end,
            _ => all.push(range),
        }
    }
    all
}

/// Whether a line cannot begin a statement: what is left of a list, a comment, or nothing.
fn continues(line: &str) -> bool {
    let line = line.trim();
    match line.chars().next() {
        None | Some('#' | ']' | '}' | ',' | '{') => true,
        // A header, or a list in a list: a header has nothing after its brackets but a comment.
        Some('[') => line.split('#').next().is_some_and(|line| line.trim_end().ends_with(',')),
        Some('"' | '\'') => !line.contains('='),
        Some(_) => !line.contains(['=', '.', '"', ']']) && line.ends_with(','),
    }
}

/// The quotes of several lines that are open after a line.
fn quotes<'q>(line: &str, mut open: Option<&'q str>) -> Option<&'q str> {
    let mut rest = line;
    loop {
        let next = match open {
            Some(quotes) => rest.find(quotes).map(|at| (at, quotes)),
            None => {
                let comment = rest.find('#').unwrap_or(rest.len());
                ["\"\"\"", "'''"]
                    .into_iter()
                    .filter_map(|quotes| Some((rest.find(quotes).filter(|at| *at < comment)?, quotes)))
                    .min()
            }
        };
        let Some((at, quotes)) = next else { return open };
        rest = &rest[at + quotes.len()..];
        open = if open.is_some() { None } else { Some(quotes) };
    }
}

/// The kind and the name in the header of a statement.
fn path(table: &DeTable<'_>) -> (String, String) {
    let Some((kind, inner)) = table.iter().next() else { return Default::default() };
    let name = inner.get_ref().as_table().and_then(|inner| inner.keys().next());
    (kind.get_ref().to_string(), name.map_or_else(String::new, |name| name.get_ref().to_string()))
}

/// The kind and the name that a broken header seems to mean.
fn guessed(header: &str) -> (String, String) {
    let line = header.trim_start().lines().next().unwrap_or_default();
    let line = line.split('#').next().unwrap_or_default();
    let bare = line.trim_matches(|c: char| matches!(c, '[' | ']') || c.is_whitespace());
    let (kind, name) = bare.split_once('.').unwrap_or((bare, ""));
    let part = |text: &str| text.trim_matches(|c: char| matches!(c, '"' | '\'') || c.is_whitespace()).to_owned();
    (part(kind), part(name))
}

/// The key that a statement begins with.
fn key(source: &str) -> &str {
    let source = source.trim_start();
    let end = source.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(source.len());
    source[..end].trim_matches(['"', '\''])
}

/// The stretch to point at: what the parser points at, or, where that is nothing, the line's content before it.
fn shown(text: &str, statement: &Range<usize>, at: Range<usize>) -> Range<usize> {
    if !at.is_empty() && !text[at.clone()].trim().is_empty() {
        return at;
    }
    let line = text[statement.start..at.start].rfind('\n').map_or(statement.start, |end| statement.start + end + 1);
    let before = &text[line..at.start];
    let start = line + before.len() - before.trim_start().len();
    match before.trim().is_empty() {
        // Nothing is before it: it is the statement as a whole that does not end.
        true => {
            let source = text[statement.clone()].lines().next().unwrap_or_default().trim_end();
            statement.start..statement.start + source.len()
        }
        false => start..line + before.trim_end().len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{File, Files};

    fn recovered(text: &str) -> (Recovered, Vec<String>) {
        let id = Files::default().add(File::new("a", String::new()));
        let recovered = recover(id, text);
        assert_eq!(recovered.text.len(), text.len());
        let pointed = recovered.findings.iter().map(|finding| text[finding.labels[0].span.range.clone()].to_owned());
        let pointed = pointed.collect();
        (recovered, pointed)
    }

    #[test]
    fn one_mistake_is_one_finding_and_the_rest_is_read() {
        for (text, place) in [
            ("[room.a]\nid = \"x\"\n[room.b\nid = \"y\"\n[room.c]\nid = \"z\"\n", "[room.b"),
            ("[room.a]\nid = \"x\"\nroom.b]\nid = \"y\"\n[room.c]\nid = \"z\"\n", "room.b]"),
            ("[room.a]\nid =\nmode = \"m\"\n[room.c]\nid = \"z\"\n", "id ="),
            ("[room.a]\nid = \"x\n[room.c]\nid = \"z\"\n", "id = \"x"),
            ("[room.a]\nid = [\"x\",\nmode = \"m\"\n[room.c]\nid = \"z\"\n", "id = [\"x\","),
            ("[room.a]\nid \"x\"\nmode = \"m\"\n[room.c]\nid = \"z\"\n", "id"),
            ("[room.a]\nid = \"x\" mode = \"m\"\n[room.c]\nid = \"z\"\n", "id = \"x\""),
            ("[room.a]\nid = { a = 1,\nmode = \"m\"\n[room.c]\nid = \"z\"\n", "id = { a = 1,"),
        ] {
            let (recovered, pointed) = recovered(text);
            assert_eq!(pointed, [place], "{text}");
            let (table, errors) = DeTable::parse_recoverable(&recovered.text);
            assert!(errors.is_empty(), "{text}: {errors:?}");
            let rooms = table.get_ref().get("room").unwrap().get_ref().as_table().unwrap().clone();
            assert!(rooms.contains_key("c"), "{text}");
        }
    }

    #[test]
    fn a_text_of_several_lines_is_one_statement() {
        let text = "a = \"\"\"\nb = 1\n[c]\n\"\"\"\nd = \n";
        let (recovered, pointed) = recovered(text);
        assert_eq!(pointed, ["d ="]);
        assert!(recovered.text.starts_with("a = \"\"\"\nb = 1"));
    }
}
