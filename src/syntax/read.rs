//! How is a table read, with every mistake in it?

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

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
pub(crate) struct Cx {
    pub file: FileId,
    pub findings: Vec<Finding>,
}

impl Cx {
    pub fn span(&self, range: std::ops::Range<usize>) -> Span {
        Span { file: self.file, range }
    }
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
    /// What a table would be called that stands here.
    pub owner: Owner<'a>,
    pub value: &'a DeValue<'a>,
    pub span: Span,
}

impl<'a> Slot<'a> {
    /// The value as text, or a finding.
    pub fn text(&self, cx: &mut Cx) -> Option<&'a str> {
        let text = self.value.as_str();
        if text.is_none() {
            self.wrong_type("text", cx);
        }
        text
    }

    pub fn wrong_type(&self, expected: &str, cx: &mut Cx) {
        let finding = rules::wrong_type(self.key, expected, type_name(self.value), self.span.clone());
        cx.findings.push(self.converted(expected, finding));
    }

    /// Adds the fix where the value says in another type exactly what the key takes.
    fn converted(&self, expected: &str, finding: Finding) -> Finding {
        let span = self.span.clone();
        match self.value {
            DeValue::String(text) if expected == "true or false" && matches!(text.as_ref(), "true" | "false") => {
                finding.fix(format!("write {text} without quotes"), true, span, text.as_ref())
            }
            // Digits alone: what TOML reads otherwise (`007`, `1_000`) might be meant otherwise.
            DeValue::String(text)
                if expected.starts_with("an integer")
                    && text.parse::<u16>().is_ok_and(|number| number.to_string() == text.as_ref()) =>
            {
                finding.fix(format!("write {text} without quotes"), true, span, text.as_ref())
            }
            DeValue::Integer(number)
                if expected == "text" && number.radix() == 10 && number.as_str().len() == self.span.range.len() =>
            {
                rules::enclosed(finding, "put quotes around it", "\"", "\"")
            }
            DeValue::String(_) if expected == "a list" => rules::enclosed(finding, "make it a list of one", "[", "]"),
            _ => finding,
        }
    }
}

/// A type that can be read from a TOML value. `None` means that a finding was left.
pub(crate) trait FromToml: Sized {
    fn from_toml(slot: &Slot<'_>, cx: &mut Cx) -> Option<Self>;
}

/// A field of a table: required as [`At`], optional as an `Option` of it.
pub(crate) trait Field: Sized {
    fn take(table: &mut Open<'_>, key: &'static str, cx: &mut Cx) -> Option<Self>;
}

impl<T: FromToml> Field for At<T> {
    fn take(table: &mut Open<'_>, key: &'static str, cx: &mut Cx) -> Option<Self> {
        let Some(slot) = table.slot(key, cx) else {
            cx.findings.push(rules::missing_key(key, table.owner, table.head.clone()));
            return None;
        };
        let value = T::from_toml(&slot, cx)?;
        Some(At { value, span: slot.span })
    }
}

impl<T: FromToml> Field for Option<At<T>> {
    fn take(table: &mut Open<'_>, key: &'static str, cx: &mut Cx) -> Option<Self> {
        let Some(slot) = table.slot(key, cx) else { return Some(None) };
        let value = T::from_toml(&slot, cx)?;
        Some(Some(At { value, span: slot.span }))
    }
}

impl<T: FromToml> Field for Tables<T> {
    fn take(table: &mut Open<'_>, key: &'static str, cx: &mut Cx) -> Option<Self> {
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
}

impl<'a> Open<'a> {
    /// Opens a table and reports the keys in it that nobody reads.
    pub fn new(slot: &Slot<'a>, known: &[&str], cx: &mut Cx) -> Option<Self> {
        let Some(table) = slot.value.as_table() else {
            slot.wrong_type("a table", cx);
            return None;
        };
        Some(Self::of(table, slot.owner, slot.span.clone(), known, cx))
    }

    pub fn of(table: &'a DeTable<'a>, owner: Owner<'a>, head: Span, known: &[&str], cx: &mut Cx) -> Self {
        for (key, value) in table.iter() {
            let name = key.get_ref().as_ref();
            if !known.contains(&name) {
                let finding = rules::unknown_key(name, owner, cx.span(key.span()), known);
                let free: Vec<&str> = known.iter().copied().filter(|known| table.get(*known).is_none()).collect();
                // What a header or a dotted key opens may be opened again elsewhere.
                let once = value.span().start >= key.span().end;
                cx.findings.push(rules::renamed(finding, name, &free, once));
            }
        }
        Self { table, owner, head }
    }

    fn slot(&self, key: &'static str, cx: &Cx) -> Option<Slot<'a>> {
        let value = self.table.get(key)?;
        let owner = match self.owner.kind {
            "" => Owner { kind: key, ..self.owner },
            _ => Owner { inside: Some(key), ..self.owner },
        };
        Some(Slot { key, owner, value: value.get_ref(), span: cx.span(value.span()) })
    }
}

/// One of several tables of a kind, such as `[gateway.us]`.
#[derive(Debug)]
pub struct Entry<T> {
    /// The name, which is the last part of the header.
    pub name: At<String>,
    /// The table; `None` when it is broken, so that references to it are not reported again.
    pub table: Option<T>,
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
    fn from_toml(slot: &Slot<'_>, cx: &mut Cx) -> Option<Self> {
        let Some(table) = slot.value.as_table() else {
            slot.wrong_type(&format!("tables with a name, such as [{}.NAME]", slot.key), cx);
            return None;
        };
        let entries = table.iter().map(|(key, value)| {
            let name = key.get_ref().as_ref();
            let head = cx.span(key.span());
            let owner = Owner { name: Some(name), ..slot.owner };
            let inner = Slot { key: name, owner, value: value.get_ref(), span: head.clone() };
            let table = T::from_toml(&inner, cx);
            Entry { name: At { value: name.to_owned(), span: head }, table }
        });
        Some(Self(entries.collect()))
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
pub(crate) fn list<T: FromToml>(slot: &Slot<'_>, cx: &mut Cx) -> Option<Vec<At<T>>> {
    let Some(array) = slot.value.as_array() else {
        slot.wrong_type("a list", cx);
        return None;
    };
    let read: Vec<Option<At<T>>> = array.iter().map(|element| item(slot, element, cx)).collect();
    read.into_iter().collect()
}

/// Reads the values of a table whose keys are free.
pub(crate) fn map<T: FromToml>(slot: &Slot<'_>, cx: &mut Cx) -> Option<BTreeMap<String, Keyed<T>>> {
    let Some(table) = slot.value.as_table() else {
        slot.wrong_type("a table", cx);
        return None;
    };
    let read: Vec<Option<(String, Keyed<T>)>> = table
        .iter()
        .map(|(key, value)| {
            let name = key.get_ref().as_ref();
            let inner = Slot { key: name, owner: slot.owner, value: value.get_ref(), span: cx.span(value.span()) };
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

fn item<T: FromToml>(slot: &Slot<'_>, element: &Spanned<DeValue<'_>>, cx: &mut Cx) -> Option<At<T>> {
    let inner = Slot { key: slot.key, owner: slot.owner, value: element.get_ref(), span: cx.span(element.span()) };
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
// Where a value stands says nothing of what it may be.
same_schema!(At => T, Keyed => T, Tables => BTreeMap<String, T>);

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
            pub(crate) fn fields(mut table: $crate::syntax::read::Open<'_>, cx: &mut $crate::syntax::read::Cx) -> Option<Self> {
                $(let $field = <$type as $crate::syntax::read::Field>::take(&mut table, stringify!($field), cx);)*
                Some(Self { $($field: $field?,)* })
            }
        }

        impl $crate::syntax::read::FromToml for $name {
            fn from_toml(
                slot: &$crate::syntax::read::Slot<'_>,
                cx: &mut $crate::syntax::read::Cx,
            ) -> Option<Self> {
                let table = $crate::syntax::read::Open::new(slot, Self::KEYS, cx)?;
                Self::fields(table, cx)
            }
        }
    };
}
pub(crate) use table;
