//! What does a name stand for, and where is that said?

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Cursor, Role};
use crate::diagnostic::{FileId, Files, Span};

/// The kinds of table that have a name.
const KINDS: [&str; 7] = ["provider", "gateway", "number", "number_range", "agent", "room", "rule"];

/// Most lines of a table that are shown.
const SHOWN_MAX: usize = 24;

/// Something that can be referred to.
#[derive(Debug, Clone)]
pub struct Name {
    /// The kind of its table, or `var`.
    pub kind: &'static str,
    /// How it is referred to: its key, or its alias.
    pub name: String,
    /// Where its key stands.
    pub span: Span,
}

/// Every name of a configuration.
#[derive(Debug, Default)]
pub struct Names(Vec<Name>);

/// What a place refers to: one of these kinds, written with this before the name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The kinds of table.
    pub kinds: &'static [&'static str],
    /// What stands before the name.
    pub prefix: &'static str,
    /// The name that stands there.
    pub name: String,
    /// How many bytes of the word stand before the name.
    pub skipped: usize,
}

/// What a cursor's word refers to, if its place is one for names.
pub fn wanted(cursor: &Cursor, before: &str) -> Option<Wanted> {
    let path: Vec<&str> = cursor.path.iter().map(String::as_str).collect();
    if cursor.role == Role::Header {
        let [kind] = path.as_slice() else { return None };
        let kinds = KINDS.iter().position(|known| known == kind).map(|at| &KINDS[at..=at])?;
        return Some(Wanted { kinds, prefix: "", name: cursor.text.clone(), skipped: 0 });
    }
    if cursor.role != Role::Value {
        return None;
    }
    // A variable may stand in any text.
    if let Some((head, rest)) = before.rsplit_once("${var.")
        && !rest.contains('}')
    {
        let whole = cursor.text.get(head.len() + "${var.".len()..).unwrap_or(rest);
        let name = whole.split('}').next().unwrap_or_default().to_owned();
        return Some(Wanted { kinds: &["var"], prefix: "", name, skipped: head.len() + "${var.".len() });
    }
    let (kinds, prefix): (&[&str], &str) = match path.as_slice() {
        ["gateway", _, "provider"] => (&["provider"], ""),
        ["number" | "number_range", _, "gateway"] => (&["gateway"], ""),
        ["rule", _, "numbers"] | ["test", "dial"] => (&["number"], ""),
        ["rule", _, "agent"] | ["test", "expect", "agent"] => (&["agent"], ""),
        ["rule", _, "room"] | ["test", "expect", "room"] => (&["room"], ""),
        ["test", "expect", "rule"] => (&["rule"], ""),
        ["rule", _, "allow", "ips"] => (&["provider"], "provider."),
        _ => return None,
    };
    let name = cursor.text.strip_prefix(prefix).unwrap_or(&cursor.text).to_owned();
    Some(Wanted { kinds, prefix, name, skipped: 0 })
}

impl Names {
    /// Gathers the names of all files, as far as they can be read.
    pub fn of(files: &Files) -> Self {
        let mut names = Self::default();
        for (id, file) in files.iter() {
            let (root, _) = DeTable::parse_recoverable(file.text());
            for kind in KINDS {
                names.tables(id, kind, root.get_ref().get(kind));
            }
            names.tables(id, "var", root.get_ref().get("vars"));
        }
        names
    }

    fn tables(&mut self, file: FileId, kind: &'static str, tables: Option<&Spanned<DeValue<'_>>>) {
        for (key, value) in tables.and_then(|tables| tables.get_ref().as_table()).into_iter().flatten() {
            let mut add = |name: &str, range| {
                self.0.push(Name { kind, name: name.to_owned(), span: Span { file, range } });
            };
            add(key.get_ref(), key.span());
            if kind == "number"
                && let Some(alias) = value.get_ref().get("alias")
                && let Some(text) = alias.get_ref().as_str()
            {
                add(text, alias.span());
            }
        }
    }

    /// All names of some kinds.
    pub fn of_kinds(&self, kinds: &[&str]) -> impl Iterator<Item = &Name> {
        self.0.iter().filter(move |name| kinds.contains(&name.kind))
    }

    /// What a place refers to.
    pub fn find(&self, wanted: &Wanted) -> Option<&Name> {
        let found = self.of_kinds(wanted.kinds).find(|name| name.name == wanted.name);
        // A number of a range is known by the range's name and its place in it.
        found.or_else(|| {
            let (range, _) = wanted.name.rsplit_once('-')?;
            let is_number = wanted.kinds.contains(&"number");
            self.0.iter().find(|name| is_number && name.kind == "number_range" && name.name == range)
        })
    }
}

impl Name {
    /// The table that says what it is, or the line.
    pub fn text<'a>(&self, files: &'a Files) -> &'a str {
        let text = files.get(self.span.file).text();
        let is_header = |line: &str| line.trim_start().starts_with('[');
        let line = |at: usize| text[..at].rfind('\n').map_or(0, |end| end + 1);
        let start = line(self.span.range.start);
        if self.kind == "var" {
            return text[start..].lines().next().unwrap_or_default();
        }
        // An alias stands inside its table.
        let mut first = start;
        while first > 0 && !is_header(&text[first..]) {
            first = line(first - 1);
        }
        let mut end = first;
        for (at, one) in text[first..].split_inclusive('\n').enumerate() {
            if (at > 0 && is_header(one)) || at == SHOWN_MAX {
                break;
            }
            end += one.len();
        }
        // What stands before the next header belongs to that.
        let mut shown = text[first..end].trim_end();
        while let Some((before, last)) = shown.rsplit_once('\n')
            && (last.trim_start().starts_with('#') || last.trim().is_empty())
        {
            shown = before;
        }
        shown
    }
}
