//! What stands where the cursor is?

use std::ops::Range;

use toml_parser::Source;
use toml_parser::lexer::TokenKind;

/// What a place of a text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A part of a `[header]`; the path holds the parts before it.
    Header,
    /// A key; the path is that of its table.
    Key,
    /// A value, or an element of a list; the path ends with its key.
    Value,
    /// A comment, or a place where nothing can stand.
    Nothing,
}

/// Where a cursor stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// What the place is for.
    pub role: Role,
    /// The keys that lead there.
    pub path: Vec<String>,
    /// The word under the cursor, without its quotes; empty where there is none.
    pub text: String,
    /// The bytes of the word, with its quotes.
    pub range: Range<usize>,
}

/// An open bracket, and the key that its value stands under.
enum Open {
    List,
    Table(Vec<String>),
}

/// Finds out where a byte of a text stands. Reads tokens alone, so that half a line does not matter.
pub fn at(text: &str, offset: usize) -> Cursor {
    let (mut table, mut header, mut keys) = (Vec::new(), Vec::new(), Vec::<String>::new());
    let mut open: Vec<Open> = Vec::new();
    let mut role = Role::Key;
    let mut found = offset..offset;
    for token in Source::new(text).lex() {
        let (start, end) = (token.span().start(), token.span().end());
        let is_word = matches!(
            token.kind(),
            TokenKind::Atom
                | TokenKind::BasicString
                | TokenKind::LiteralString
                | TokenKind::MlBasicString
                | TokenKind::MlLiteralString
        );
        if is_word && start <= offset && offset <= end {
            found = start..end;
            break;
        }
        if start >= offset {
            break;
        }
        let word = || text.get(start..end).map(unquoted).unwrap_or_default().to_owned();
        match token.kind() {
            TokenKind::Comment if offset <= end => role = Role::Nothing,
            TokenKind::Newline if !matches!(open.last(), Some(Open::List)) => {
                open.clear();
                keys.clear();
                role = Role::Key;
            }
            TokenKind::LeftSquareBracket if role == Role::Value => open.push(Open::List),
            TokenKind::LeftSquareBracket if role == Role::Key && keys.is_empty() && open.is_empty() => {
                role = Role::Header;
                header = Vec::new();
            }
            TokenKind::RightSquareBracket if role == Role::Header => {
                table = std::mem::take(&mut header);
                role = Role::Nothing;
            }
            TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket => {
                if let Some(Open::Table(outer)) = open.pop() {
                    keys = outer;
                }
                role = Role::Nothing;
            }
            TokenKind::LeftCurlyBracket => {
                open.push(Open::Table(std::mem::take(&mut keys)));
                role = Role::Key;
            }
            TokenKind::Comma => match open.last() {
                Some(Open::Table(_)) => {
                    keys.clear();
                    role = Role::Key;
                }
                Some(Open::List) => role = Role::Value,
                None => {}
            },
            TokenKind::Equals => role = Role::Value,
            _ if is_word && role == Role::Key => keys.push(word()),
            _ if is_word && role == Role::Header => header.push(word()),
            _ if is_word => role = Role::Nothing,
            _ => {}
        }
    }
    let path = match role {
        Role::Header => header,
        _ => {
            let outer = open.into_iter().filter_map(|open| match open {
                Open::Table(keys) => Some(keys),
                Open::List => None,
            });
            table.into_iter().chain(outer.flatten()).chain(keys).collect()
        }
    };
    Cursor { role, path, text: text.get(found.clone()).map(unquoted).unwrap_or_default().to_owned(), range: found }
}

/// A word without its quotes, of which the last may be missing yet.
fn unquoted(word: &str) -> &str {
    let quote = word.chars().next().filter(|c| matches!(c, '"' | '\''));
    let Some(quote) = quote else { return word };
    let inner = &word[1..];
    inner.strip_suffix(quote).unwrap_or(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cursor at the `|` of a text.
    fn cursor(text: &str) -> (Role, String, String) {
        let offset = text.find('|').unwrap();
        let Cursor { role, path, text, .. } = at(&text.replacen('|', "", 1), offset);
        (role, path.join("/"), text)
    }

    #[test]
    fn a_cursor_is_found_in_what_is_being_typed() {
        let cases = [
            ("sch|", Role::Key, "", "sch"),
            ("[|", Role::Header, "", ""),
            ("[rule.ma|in]\n", Role::Header, "rule", "main"),
            ("[number.\"+1415|\"]", Role::Header, "number", "+1415"),
            ("[rule.main]\ndir|", Role::Key, "rule/main", "dir"),
            ("[rule.main]\nx = 1\n|\n[room.a]", Role::Key, "rule/main", ""),
            ("[rule.main]\ndirection = |", Role::Value, "rule/main/direction", ""),
            ("[rule.main]\ndirection = \"in|\nroom = 1", Role::Value, "rule/main/direction", "in"),
            ("[rule.main]\nnumbers = [\"a\", \"b|\"]", Role::Value, "rule/main/numbers", "b"),
            ("[rule.main]\nnumbers = [\n  |\n", Role::Value, "rule/main/numbers", ""),
            ("[rule.main]\nroom = { mode = \"static\", i|", Role::Key, "rule/main/room", "i"),
            ("[rule.main]\nroom = { mode = \"|\" }", Role::Value, "rule/main/room/mode", ""),
            ("[rule.main]\nallow.ips = [\"|\"]", Role::Value, "rule/main/allow/ips", ""),
            ("[rule.main]\nroom = { mode = \"static\"\nag|", Role::Key, "rule/main", "ag"),
            ("a = 1 # com|ment", Role::Nothing, "a", ""),
            ("[a] |", Role::Nothing, "a", ""),
            ("a = \"ü|\" # ü", Role::Value, "a", "ü"),
        ];
        for (text, role, path, word) in cases {
            assert_eq!(cursor(text), (role, path.to_owned(), word.to_owned()), "{text}");
        }
    }
}
