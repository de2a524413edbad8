//! How is a table read, with every mistake in it?

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::recover::Broken;
use super::rules;
use crate::diagnostic::{FileId, Finding, Span};

/// A value and the place where it stands.
#[derive(Debug, Clone)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Its place.
    pub span: Span,
}

/// What reading leaves behind: findings, and the file that they point into.
pub(crate) struct Cx<'t> {
    pub file: FileId,
    pub text: &'t str,
    pub findings: Vec<Finding>,
    /// Where values begin whose variables have no value. That was reported; the values are passed over in silence.
    pub unresolved: BTreeSet<usize>,
    /// What could not be read at all.
    pub broken: Broken,
}

impl<'t> Cx<'t> {
    pub fn new(file: FileId, text: &'t str) -> Self {
        Self { file, text, findings: Vec::new(), unresolved: BTreeSet::new(), broken: Broken::default() }
    }

    /// Whether a word stands at a place as it is, in quotes or bare, so that it can be replaced there.
    pub fn is_literal(&self, span: &Span, word: &str) -> bool {
        is_literal(self.text, span, word)
    }

    fn is_unresolved(&self, range: &std::ops::Range<usize>) -> bool {
        !self.unresolved.is_empty() && self.unresolved.contains(&range.start)
    }

    pub fn span(&self, range: std::ops::Range<usize>) -> Span {
        Span { file: self.file, range }
    }
}

/// Whether a word stands in a text at a place as it is, in quotes or bare: not when a variable brought it there.
pub(crate) fn is_literal(text: &str, span: &Span, word: &str) -> bool {
    let raw = text.get(span.range.clone()).unwrap_or_default();
    let bare = ['"', '\''].iter().find_map(|quote| raw.strip_prefix(*quote)?.strip_suffix(*quote)).unwrap_or(raw);
    bare == word
}

/// How findings call a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owner<'a> {
    /// The kind of table; empty for a whole file.
    kind: &'a str,
    /// Its name, for tables that have one.
    name: Option<&'a str>,
    /// The key of the table inside it that is meant.
    inside: Option<&'a str>,
}

impl Owner<'_> {
    pub const FILE: Self = Self { kind: "", name: None, inside: None };
}

impl fmt::Display for Owner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(inside) = self.inside {
            write!(f, "`{inside}` of ")?;
        }
        match self.name {
            None if self.kind.is_empty() => f.write_str("a configuration"),
            None => write!(f, "[{}]", self.kind),
            Some(name) if name.starts_with('+') => write!(f, "[{}.\"{name}\"]", self.kind),
            Some(name) => write!(f, "[{}.{name}]", self.kind),
        }
    }
}

/// A value with its key and place, about to be read.
pub(crate) struct Slot<'a> {
    /// The key as the user sees it.
    pub key: &'a str,
    /// Which item of a list under the key it is.
    pub index: Option<usize>,
    /// What a table would be called that stands here.
    pub owner: Owner<'a>,
    pub value: &'a DeValue<'a>,
    pub span: Span,
}

impl<'a> Slot<'a> {
    /// The value as text, or a finding.
    pub fn text(&self, cx: &mut Cx<'_>) -> Option<&'a str> {
        let text = self.value.as_str();
        if text.is_none() {
            self.wrong_type("text", cx);
        }
        text
    }

    pub fn wrong_type(&self, expected: &str, cx: &mut Cx<'_>) {
        let finding = rules::wrong_type(&self.shown(), expected, type_name(self.value), self.span.clone());
        cx.findings.push(self.converted(expected, finding, cx));
    }

    /// Adds the fix where the value says in another type exactly what the key takes.
    fn converted(&self, expected: &str, finding: Finding, cx: &Cx<'_>) -> Finding {
        let bare = |text: &str, finding: Finding| {
            finding.fix(format!("write {text} without quotes"), true, self.span.clone(), text)
        };
        match self.value {
            DeValue::String(text) if !cx.is_literal(&self.span, text) => finding,
            DeValue::String(text) if expected == "true or false" && matches!(text.as_ref(), "true" | "false") => {
                bare(text, finding)
            }
            // Digits alone: what TOML reads otherwise (`007`, `1_000`) might be meant otherwise.
            DeValue::String(text)
                if expected.starts_with("an integer")
                    && text.parse::<u16>().is_ok_and(|number| number.to_string() == text.as_ref()) =>
            {
                bare(text, finding)
            }
            DeValue::String(_) if expected == "a list" => rules::enclosed(finding, "make it a list of one", "[", "]"),
            DeValue::Integer(number)
                if expected == "text" && number.radix() == 10 && cx.is_literal(&self.span, number.as_str()) =>
            {
                rules::enclosed(finding, "put quotes around it", "\"", "\"")
            }
            _ => finding,
        }
    }

    /// What findings call it.
    pub fn shown(&self) -> Cow<'a, str> {
        match self.index {
            None => Cow::Borrowed(self.key),
            Some(at) => Cow::Owned(format!("{}[{at}]", self.key)),
        }
    }
}

/// A type that can be read from a TOML value. `None` means that a finding was left.
pub(crate) trait FromToml: Sized {
    fn from_toml(slot: &Slot<'_>, cx: &mut Cx<'_>) -> Option<Self>;
}

/// A field of a table: required as [`At`], optional as an `Option` of it.
pub(crate) trait Field: Sized {
    fn take(table: &mut Open<'_>, key: &'static str, cx: &mut Cx<'_>) -> Option<Self>;
}

impl<T: FromToml> Field for At<T> {
    fn take(table: &mut Open<'_>, key: &'static str, cx: &mut Cx<'_>) -> Option<Self> {
        let Some(slot) = table.slot(key, cx) else {
            // A key whose line is broken is not missing.
            let Owner { kind, name, .. } = table.owner;
            if !table.misspelt.contains(&key) && !cx.broken.has_key(kind, name.unwrap_or_default(), key) {
                cx.findings.push(rules::missing_key(key, table.owner, table.head.clone()));
            }
            return None;
        };
        if cx.is_unresolved(&slot.span.range) {
            return None;
        }
        let value = T::from_toml(&slot, cx)?;
        Some(At { value, span: slot.span })
    }
}

impl<T: FromToml> Field for Option<At<T>> {
    fn take(table: &mut Open<'_>, key: &'static str, cx: &mut Cx<'_>) -> Option<Self> {
        // Nobody knows what a table says whose key is misspelt, so nothing more is said of it.
        let Some(slot) = table.slot(key, cx) else { return (!table.misspelt.contains(&key)).then_some(None) };
        if cx.is_unresolved(&slot.span.range) {
            return None;
        }
        let value = T::from_toml(&slot, cx)?;
        Some(Some(At { value, span: slot.span }))
    }
}

impl<T: FromToml> Field for Tables<T> {
    fn take(table: &mut Open<'_>, key: &'static str, cx: &mut Cx<'_>) -> Option<Self> {
        let Some(slot) = table.slot(key, cx) else { return Some(Tables(Vec::new())) };
        Self::from_toml(&slot, cx)
    }
}

/// A table whose keys are being read.
pub(crate) struct Open<'a> {
    table: &'a DeTable<'a>,
    owner: Owner<'a>,
    /// Where a missing key is reported: the table's key or header.
    head: Span,
    /// Known keys that are absent and that an unknown key was surely meant for.
    misspelt: Vec<&'static str>,
}

impl<'a> Open<'a> {
    /// Opens a table and reports the keys in it that nobody reads.
    pub fn new(slot: &Slot<'a>, known: &[&'static str], cx: &mut Cx<'_>) -> Option<Self> {
        let Some(table) = slot.value.as_table() else {
            slot.wrong_type("a table", cx);
            return None;
        };
        Some(Self::of(table, slot.owner, slot.span.clone(), known, cx))
    }

    pub fn of(table: &'a DeTable<'a>, owner: Owner<'a>, head: Span, known: &[&'static str], cx: &mut Cx<'_>) -> Self {
        let mut misspelt = Vec::new();
        for (key, value) in table.iter() {
            let name = key.get_ref().as_ref();
            if !known.contains(&name) {
                // A near word that is there already cannot be what was meant.
                let left: Vec<&'static str> = known.iter().copied().filter(|word| !table.contains_key(*word)).collect();
                let span = cx.span(key.span());
                let literal = cx.is_literal(&span, name);
                misspelt.extend(rules::near(name, &left));
                // What a header or a dotted key opens may be opened again elsewhere.
                let once = value.span().start >= key.span().end;
                cx.findings.push(rules::unknown_key(name, owner, span, known, &left, literal, once));
            }
        }
        Self { table, owner, head, misspelt }
    }

    /// Opens a table whose keys were looked at already.
    pub fn unchecked(table: &'a DeTable<'a>, owner: Owner<'a>, head: Span) -> Self {
        Self { table, owner, head, misspelt: Vec::new() }
    }

    fn slot(&self, key: &'static str, cx: &Cx<'_>) -> Option<Slot<'a>> {
        let value = self.table.get(key)?;
        let owner = match self.owner.kind {
            "" => Owner { kind: key, ..self.owner },
            _ => Owner { inside: Some(key), ..self.owner },
        };
        Some(Slot { key, index: None, owner, value: value.get_ref(), span: cx.span(value.span()) })
    }
}

/// One of several tables of a kind, such as `[gateway.us]`.
#[derive(Debug)]
pub struct Entry<T> {
    /// The name, which is the last part of the header.
    pub name: At<String>,
    /// The table; `None` when it is broken, so that references to it are not reported again.
    pub table: Option<T>,
    /// The texts in a broken table: what it may refer to, so that nothing is called unused for its sake.
    pub mentions: Vec<String>,
}

/// All tables of one kind, by name.
#[derive(Debug)]
pub struct Tables<T>(pub Vec<Entry<T>>);

impl<T> Default for Tables<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: FromToml> FromToml for Tables<T> {
    fn from_toml(slot: &Slot<'_>, cx: &mut Cx<'_>) -> Option<Self> {
        let Some(table) = slot.value.as_table() else {
            slot.wrong_type(&format!("tables with a name, such as [{}.NAME]", slot.key), cx);
            return None;
        };
        // Keys right below the kind: the header lacks a name, which is one mistake, however many keys follow it.
        let nameless = table.iter().filter(|(_, value)| !matches!(value.get_ref(), DeValue::Table(_)));
        let nameless = nameless.min_by_key(|(key, _)| key.span().start);
        if let Some((key, value)) = nameless {
            let found = type_name(value.get_ref());
            let finding = rules::wrong_type(key.get_ref(), "a table", found, cx.span(key.span()));
            cx.findings.push(finding.help(format!("a header has a name: write `[{}.NAME]`", slot.key)));
        }
        let mut entries: Vec<Entry<T>> = Vec::new();
        for (key, value) in table.iter() {
            let name = key.get_ref().as_ref();
            let head = cx.span(key.span());
            let owner = Owner { name: Some(name), ..slot.owner };
            let inner = Slot { key: name, index: None, owner, value: value.get_ref(), span: head.clone() };
            // A table that stands after its key, and not in a header, belongs to the header without a name.
            let inline = value.span().start >= key.span().end;
            let is_key = !matches!(value.get_ref(), DeValue::Table(_)) || (inline && nameless.is_some());
            // A table that has lost a line is read for its other mistakes, and not believed.
            let read = if is_key { None } else { T::from_toml(&inner, cx) };
            let table = read.filter(|_| !cx.broken.has_table(slot.key, name));
            let mut mentions = Vec::new();
            if table.is_none() {
                self::mentions(value.get_ref(), &mut mentions);
            }
            entries.push(Entry { name: At { value: name.to_owned(), span: head }, table, mentions });
        }
        // In the order of the file, so that "first" is what the reader sees first.
        entries.sort_by_key(|entry| entry.name.span.range.start);
        Some(Self(entries))
    }
}

/// Every text in a value.
pub(crate) fn mentions(value: &DeValue<'_>, all: &mut Vec<String>) {
    match value {
        DeValue::String(text) => all.push(text.to_string()),
        DeValue::Array(array) => array.iter().for_each(|item| mentions(item.get_ref(), all)),
        DeValue::Table(table) => table.values().for_each(|item| mentions(item.get_ref(), all)),
        _ => {}
    }
}

/// Says what a value is, with its article.
pub(crate) fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a decimal number",
        DeValue::Boolean(_) => "a flag",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// Reads one list, reporting every element that does not fit.
pub(crate) fn list<T: FromToml>(slot: &Slot<'_>, cx: &mut Cx<'_>) -> Option<Vec<At<T>>> {
    let Some(array) = slot.value.as_array() else {
        slot.wrong_type("a list", cx);
        return None;
    };
    let read: Vec<Option<At<T>>> = array.iter().enumerate().map(|(at, element)| item(at, slot, element, cx)).collect();
    read.into_iter().collect()
}

/// Reads the values of a table whose keys are free.
pub(crate) fn map<T: FromToml>(slot: &Slot<'_>, cx: &mut Cx<'_>) -> Option<BTreeMap<String, Keyed<T>>> {
    let Some(table) = slot.value.as_table() else {
        slot.wrong_type("a table", cx);
        return None;
    };
    let read: Vec<Option<(String, Keyed<T>)>> = table
        .iter()
        .map(|(key, value)| {
            let name = key.get_ref().as_ref();
            let inner =
                Slot { key: name, index: None, owner: slot.owner, value: value.get_ref(), span: cx.span(value.span()) };
            if cx.is_unresolved(&inner.span.range) {
                return None;
            }
            let value = T::from_toml(&inner, cx)?;
            Some((name.to_owned(), Keyed { key: cx.span(key.span()), value: At { value, span: inner.span } }))
        })
        .collect();
    read.into_iter().collect()
}

/// A value under a free key, with the places of both.
#[derive(Debug, Clone)]
pub struct Keyed<T> {
    /// Where the key stands.
    pub key: Span,
    /// The value.
    pub value: At<T>,
}

fn item<T: FromToml>(index: usize, slot: &Slot<'_>, element: &Spanned<DeValue<'_>>, cx: &mut Cx<'_>) -> Option<At<T>> {
    let span = cx.span(element.span());
    let inner = Slot { key: slot.key, index: Some(index), owner: slot.owner, value: element.get_ref(), span };
    if cx.is_unresolved(&inner.span.range) {
        return None;
    }
    let value = T::from_toml(&inner, cx)?;
    Some(At { value, span: inner.span })
}

macro_rules! same_schema {
    ($($wrapper:ident => $inner:ty),+ $(,)?) => {
        $(impl<T: JsonSchema> JsonSchema for $wrapper<T> {
            fn inline_schema() -> bool {
                <$inner>::inline_schema()
            }

            fn schema_name() -> Cow<'static, str> {
                <$inner>::schema_name()
            }

            fn schema_id() -> Cow<'static, str> {
                <$inner>::schema_id()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                <$inner>::json_schema(generator)
            }
        })+
    };
}
same_schema!(Keyed => At<T>, Tables => BTreeMap<String, T>);

/// How a reference to a variable looks, as a JSON Schema pattern: what may stand in place of any value.
const REFERENCE: &str = r"^\$\{var\.[A-Za-z0-9_-]+\}$";

impl<T: JsonSchema> JsonSchema for At<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        format!("At<{}>", T::schema_id()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let inner = generator.subschema_for::<T>();
        let object = inner.as_object();
        let is_text = object.is_some_and(|object| {
            object.get("type").and_then(serde_json::Value::as_str) == Some("string") && !object.contains_key("enum")
        });
        if is_text {
            return inner;
        }
        json_schema!({ "anyOf": [inner, { "type": "string", "pattern": REFERENCE }] })
    }
}

/// Defines a table once: the struct, its reader, its JSON Schema and its documentation.
macro_rules! table {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, schemars::JsonSchema)]
        #[schemars(deny_unknown_fields)]
        pub struct $name { $($(#[$field_meta])* pub $field: $type,)* }

        impl $name {
            /// Every key, in the order of the documentation.
            pub(crate) const KEYS: &'static [&'static str] = &[$(stringify!($field)),*];

            #[allow(clippy::question_mark, reason = "every field is read before the first broken one ends the table")]
            pub(crate) fn fields(mut table: $crate::syntax::read::Open<'_>, cx: &mut $crate::syntax::read::Cx<'_>) -> Option<Self> {
                $(let $field = <$type as $crate::syntax::read::Field>::take(&mut table, stringify!($field), cx);)*
                Some(Self { $($field: $field?,)* })
            }
        }

        impl $crate::syntax::read::FromToml for $name {
            fn from_toml(
                slot: &$crate::syntax::read::Slot<'_>,
                cx: &mut $crate::syntax::read::Cx<'_>,
            ) -> Option<Self> {
                let table = $crate::syntax::read::Open::new(slot, Self::KEYS, cx)?;
                Self::fields(table, cx)
            }
        }
    };
}
pub(crate) use table;
