//! How is a file laid out?
//!
//! One layout for every file, by rules that can be told in a minute (`strowger fmt --help` tells them). It works on
//! the tokens of the text, so comments stay where they are, and what a value says is never rewritten.

use std::fmt::Write;

use toml_parser::Source;
use toml_parser::lexer::{Token, TokenKind};

/// The longest line that a list may stand on, in characters.
const WIDTH: usize = 100;

/// What the elements of a list that takes several lines are set in by.
const INDENT: &str = "  ";

/// Lays a text out. The text has to be TOML: what is not has no layout, and comes out as some text.
pub fn format(text: &str) -> String {
    let tokens = Source::new(text).lex().into_vec();
    let lines = Reader { text, tokens: &tokens, at: 0 }.lines();
    written(&lines)
}

/// Whether two texts are TOML and say the same.
pub fn same_meaning(one: &str, other: &str) -> bool {
    let read = |text: &str| toml::from_str::<toml::Table>(text).ok();
    match (read(one), read(other)) {
        // As they are printed, for a number that is none (`nan`) does not equal itself.
        (Some(one), Some(other)) => one == other || format!("{one:?}") == format!("{other:?}"),
        _ => false,
    }
}

/// A line of the file's top level.
enum Line {
    /// `[table]`, with the comment behind it.
    Header(String, Option<String>),
    /// `key = value`, with the comment behind it.
    Pair { key: String, value: String, comment: Option<String> },
    /// A comment alone.
    Comment(String),
    /// One or more empty lines.
    Blank,
}

/// A value, before it is decided how many lines it takes.
enum Value {
    /// As it stands.
    Scalar(String),
    /// Between square brackets; broken when the user broke it.
    List { items: Vec<Item>, broken: bool },
    /// Between braces.
    Table { items: Vec<Item> },
}

/// What stands in a list or an inline table.
enum Item {
    Value {
        key: Option<String>,
        value: Value,
    },
    /// A comment on a line of its own.
    Comment(String),
    /// A comment behind the item before it.
    Behind(String),
}

struct Reader<'a> {
    text: &'a str,
    tokens: &'a [Token],
    at: usize,
}

impl Reader<'_> {
    fn kind(&self) -> TokenKind {
        self.tokens.get(self.at).map_or(TokenKind::Eof, Token::kind)
    }

    fn take(&mut self) -> &str {
        let token = self.tokens.get(self.at);
        self.at += 1;
        token.and_then(|token| self.text.get(token.span().start()..token.span().end())).unwrap_or_default()
    }

    fn blanks(&mut self) {
        while self.kind() == TokenKind::Whitespace {
            self.at += 1;
        }
    }

    fn lines(mut self) -> Vec<Line> {
        let mut lines = Vec::new();
        loop {
            self.blanks();
            let begun = self.at;
            match self.kind() {
                TokenKind::Eof => return lines,
                TokenKind::Newline => {
                    self.at += 1;
                    lines.push(Line::Blank);
                    continue;
                }
                TokenKind::Comment => lines.push(Line::Comment(self.take().trim_end().to_owned())),
                TokenKind::LeftSquareBracket => {
                    let header = self.header();
                    lines.push(Line::Header(header, self.behind()));
                }
                _ => {
                    let key = self.key();
                    self.at += usize::from(self.kind() == TokenKind::Equals);
                    self.blanks();
                    let value = self.value();
                    let value = value.written(key.chars().count() + 3, "");
                    lines.push(Line::Pair { key, value, comment: self.behind() });
                }
            }
            // The end of the line is part of it.
            self.blanks();
            self.at += usize::from(self.kind() == TokenKind::Newline);
            // Text that is not TOML must not hold the reader.
            self.at = self.at.max(begun + 1);
        }
    }

    /// A comment that follows on the same line.
    fn behind(&mut self) -> Option<String> {
        self.blanks();
        (self.kind() == TokenKind::Comment).then(|| self.take().trim_end().to_owned())
    }

    fn header(&mut self) -> String {
        let mut out = String::new();
        loop {
            match self.kind() {
                TokenKind::Newline | TokenKind::Comment | TokenKind::Eof => return out,
                TokenKind::Whitespace => self.at += 1,
                TokenKind::BasicString | TokenKind::LiteralString => out.push_str(&quoted(self.take())),
                _ => out.push_str(self.take()),
            }
        }
    }

    /// A key with all its dots, up to what ends it.
    fn key(&mut self) -> String {
        let mut out = String::new();
        loop {
            match self.kind() {
                TokenKind::Whitespace => self.at += 1,
                TokenKind::Dot | TokenKind::Atom => out.push_str(self.take()),
                TokenKind::BasicString | TokenKind::LiteralString => out.push_str(&quoted(self.take())),
                _ => return out,
            }
        }
    }

    fn value(&mut self) -> Value {
        match self.kind() {
            TokenKind::LeftSquareBracket => {
                self.at += 1;
                self.blanks();
                let broken = self.kind() == TokenKind::Newline;
                Value::List { items: self.items(TokenKind::RightSquareBracket, false), broken }
            }
            TokenKind::LeftCurlyBracket => {
                self.at += 1;
                Value::Table { items: self.items(TokenKind::RightCurlyBracket, true) }
            }
            TokenKind::BasicString | TokenKind::LiteralString => Value::Scalar(quoted(self.take())),
            _ => {
                // A number or a time is several tokens: `1.5`, `2026-01-01 10:00:00.5`.
                let mut out = String::new();
                loop {
                    match self.kind() {
                        TokenKind::Newline
                        | TokenKind::Comment
                        | TokenKind::Comma
                        | TokenKind::RightSquareBracket
                        | TokenKind::RightCurlyBracket
                        | TokenKind::Eof => break,
                        _ => out.push_str(self.take()),
                    }
                }
                Value::Scalar(out.trim_end().to_owned())
            }
        }
    }

    fn items(&mut self, close: TokenKind, keyed: bool) -> Vec<Item> {
        let mut items = Vec::new();
        // Whether a line has ended since the last item, so that a comment stands alone.
        let mut fresh = true;
        loop {
            self.blanks();
            match self.kind() {
                kind if kind == close => {
                    self.at += 1;
                    return items;
                }
                TokenKind::Eof => return items,
                TokenKind::Newline => {
                    self.at += 1;
                    fresh = true;
                }
                TokenKind::Comma => self.at += 1,
                TokenKind::Comment => {
                    let comment = self.take().trim_end().to_owned();
                    items.push(if fresh { Item::Comment(comment) } else { Item::Behind(comment) });
                    fresh = true;
                }
                _ => {
                    let begun = self.at;
                    let key = keyed.then(|| self.key());
                    self.blanks();
                    if keyed {
                        self.at += usize::from(self.kind() == TokenKind::Equals);
                        self.blanks();
                    }
                    let value = self.value();
                    items.push(Item::Value { key, value });
                    fresh = false;
                    self.at = self.at.max(begun + 1);
                }
            }
        }
    }
}

/// A text between quotes, with double ones where that takes no escapes.
fn quoted(text: &str) -> String {
    match text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        Some(inner) if !text.starts_with("'''") && !inner.contains(['"', '\\']) => format!("\"{inner}\""),
        _ => text.to_owned(),
    }
}

impl Value {
    /// On one line, unless something in it cannot be.
    fn on_one_line(&self) -> Option<String> {
        let joined = |items: &[Item]| {
            let items = items.iter().map(|item| match item {
                Item::Value { key: None, value } => value.on_one_line(),
                Item::Value { key: Some(key), value } => Some(format!("{key} = {}", value.on_one_line()?)),
                Item::Comment(_) | Item::Behind(_) => None,
            });
            items.collect::<Option<Vec<_>>>().map(|items| items.join(", "))
        };
        match self {
            Self::Scalar(text) => Some(text.clone()),
            Self::List { items, broken } if items.is_empty() || !broken => Some(format!("[{}]", joined(items)?)),
            Self::List { .. } => None,
            Self::Table { items } if items.is_empty() => Some("{}".to_owned()),
            Self::Table { items } => Some(format!("{{ {} }}", joined(items)?)),
        }
    }

    /// Whether a comment stands directly in it, so that its lines cannot be joined.
    fn is_commented(items: &[Item]) -> bool {
        items.iter().any(|item| matches!(item, Item::Comment(_) | Item::Behind(_)))
    }

    /// As it is written behind `column` characters, with its further lines set in by `indent`.
    fn written(&self, column: usize, indent: &str) -> String {
        let line = self.on_one_line();
        match (line, self) {
            (Some(line), Self::Scalar(_) | Self::Table { .. }) => line,
            (Some(line), Self::List { items, .. }) if items.is_empty() || column + line.chars().count() <= WIDTH => {
                line
            }
            // Before TOML 1.1 an inline table ends on its line, but for what its values hold.
            (_, Self::Table { items }) if !Self::is_commented(items) => {
                let items: Vec<String> = items.iter().filter_map(|item| item.pair(indent)).collect();
                format!("{{ {} }}", items.join(", "))
            }
            (_, Self::Table { items }) => lines('{', items, '}', indent),
            (_, Self::List { items, .. }) => lines('[', items, ']', indent),
            (None, Self::Scalar(text)) => text.clone(),
        }
    }
}

impl Item {
    fn pair(&self, indent: &str) -> Option<String> {
        match self {
            Self::Value { key: Some(key), value } => Some(format!("{key} = {}", value.written(indent.len(), indent))),
            Self::Value { key: None, value } => Some(value.written(indent.len(), indent)),
            Self::Comment(_) | Self::Behind(_) => None,
        }
    }
}

/// One item a line, each with its comma.
fn lines(open: char, items: &[Item], close: char, indent: &str) -> String {
    let inner = format!("{indent}{INDENT}");
    let mut out = String::from(open);
    for item in items {
        match item {
            Item::Comment(comment) => {
                let _ = write!(out, "\n{inner}{comment}");
            }
            Item::Behind(comment) => {
                let _ = write!(out, " {comment}");
            }
            Item::Value { .. } => {
                let _ = write!(out, "\n{inner}{},", item.pair(&inner).unwrap_or_default());
            }
        }
    }
    let _ = write!(out, "\n{indent}{close}");
    out
}

/// The lines as a text: blank lines in order, `=` and comments of neighbouring lines under each other.
fn written(lines: &[Line]) -> String {
    let mut out: Vec<String> = Vec::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        match line {
            Line::Blank => {}
            Line::Comment(comment) => {
                let heads = leads_to_header(lines, at);
                let opens = heads && !follows_comment(lines, at);
                spaced(&mut out, opens || blank_before(lines, at), heads);
                out.push(comment.clone());
            }
            Line::Header(header, comment) => {
                spaced(&mut out, !follows_comment(lines, at), true);
                let comment = comment.as_ref().map_or_else(String::new, |comment| format!(" {comment}"));
                out.push(format!("{header}{comment}"));
            }
            Line::Pair { .. } => {
                spaced(&mut out, blank_before(lines, at), false);
                let block = lines[at..].iter().take_while(|line| is_aligned(line)).count().max(1);
                out.extend(aligned(&lines[at..at + block]));
                at += block - 1;
            }
        }
        at += 1;
    }
    out.iter().map(|line| format!("{line}\n")).collect()
}

/// Whether a line is a pair of one line, such as stand under each other.
fn is_aligned(line: &Line) -> bool {
    matches!(line, Line::Pair { value, .. } if !value.contains('\n'))
}

/// Adds an empty line where one is wanted; never at the top, and after a header only before the next one.
fn spaced(out: &mut Vec<String>, wanted: bool, heads: bool) {
    let last_heads = |last: &String| last.starts_with('[');
    if wanted && out.last().is_some_and(|last| heads || !last_heads(last)) {
        out.push(String::new());
    }
}

fn blank_before(lines: &[Line], at: usize) -> bool {
    at > 0 && matches!(lines.get(at - 1), Some(Line::Blank))
}

fn follows_comment(lines: &[Line], at: usize) -> bool {
    at > 0 && matches!(lines.get(at - 1), Some(Line::Comment(_)))
}

/// Whether only comments stand between here and a header, so that they belong to it.
fn leads_to_header(lines: &[Line], at: usize) -> bool {
    let next = lines[at..].iter().find(|line| !matches!(line, Line::Comment(_)));
    matches!(next, Some(Line::Header(..)))
}

fn aligned(block: &[Line]) -> Vec<String> {
    let pairs: Vec<(&str, &str, Option<&str>)> = block
        .iter()
        .filter_map(|line| match line {
            Line::Pair { key, value, comment } => Some((key.as_str(), value.as_str(), comment.as_deref())),
            _ => None,
        })
        .collect();
    let width = |text: &str| text.chars().count();
    let keys = pairs.iter().map(|(key, ..)| width(key)).max().unwrap_or(0);
    let left: Vec<String> =
        pairs.iter().map(|(key, value, _)| format!("{key}{} = {value}", " ".repeat(keys - width(key)))).collect();
    let commented = pairs.iter().zip(&left).filter(|((.., comment), _)| comment.is_some());
    let column = commented.map(|(_, left)| left.lines().last().map_or(0, width)).max().unwrap_or(0);
    pairs
        .iter()
        .zip(left)
        .map(|((.., comment), left)| match comment {
            Some(comment) => {
                let gap = column - left.lines().last().map_or(0, width) + 2;
                format!("{left}{}{comment}", " ".repeat(gap))
            }
            None => left,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_layout_for_all() {
        let cases = [
            // Spaces, quotes and ends of lines.
            ("a=1\r\nbcd  =  'x'   # y  \r\n", "a   = 1\nbcd = \"x\"  # y\n"),
            ("a = 'say \"x\"'\nb = '\\d'\n", "a = 'say \"x\"'\nb = '\\d'\n"),
            ("[ a . 'b c' ]#x\n", "[a.\"b c\"] #x\n"),
            ("t = 2026-01-01 10:00:00.5 # when\nf = 1.5e3\n", "t = 2026-01-01 10:00:00.5  # when\nf = 1.5e3\n"),
            // Blank lines.
            (
                "\n\na = 1\n\n\n\nb = 2\n# about t\n[t]\n\nc = 3\n[u]\n",
                "a = 1\n\nb = 2\n\n# about t\n[t]\nc = 3\n\n[u]\n",
            ),
            ("[a]\n[a.b]\n\n\n# end\n\n", "[a]\n\n[a.b]\n# end\n"),
            ("a = 1\n# closes\n\n[b]\n", "a = 1\n# closes\n\n[b]\n"),
            // Lists and inline tables.
            ("l = [ 1,2 , ]\nt={a=1,b={ }}\n", "l = [1, 2]\nt = { a = 1, b = {} }\n"),
            ("l = [\n1, 2\n]\nab = 1\n", "l = [\n  1,\n  2,\n]\nab = 1\n"),
            ("l = [ # why\n 1 # one\n, [\n2]]\n", "l = [\n  # why\n  1, # one\n  [\n    2,\n  ],\n]\n"),
            ("t = { l = [\n1], m = [2] }\n", "t = { l = [\n  1,\n], m = [2] }\n"),
            ("l = [\n]\n", "l = []\n"),
            ("s = \"\"\"\n a \n\"\"\"\nb=1", "s = \"\"\"\n a \n\"\"\"\nb = 1\n"),
        ];
        for (text, wanted) in cases {
            assert_eq!(format(text), wanted, "{text}");
            assert_eq!(format(wanted), wanted, "twice: {text}");
        }
    }

    #[test]
    fn a_list_that_is_too_long_takes_a_line_for_each() {
        let list = |count: usize| format!("numbers = [{}]\n", vec!["\"+14155550100\""; count].join(", "));
        assert_eq!(format(&list(5)), list(5));
        let long = format(&list(6));
        assert_eq!(long.lines().count(), 8);
        assert_eq!(format(&long), long);
    }
}
