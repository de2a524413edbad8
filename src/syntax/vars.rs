//! What do the variables stand for, and where are they used?
//!
//! `${var.NAME}` inside a string value is replaced after parsing, so no value can ever become syntax. A value that is
//! one reference and nothing else takes the variable's value with its type. `$${` stands for `${`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::read::{At, Cx, type_name};
use super::rules;
use super::tables::RootTable;
use crate::diagnostic::{FileId, Finding, nearest};

/// A variable as it was declared, for the checks that look at variables themselves.
#[derive(Debug, Clone)]
pub struct Variable {
    /// Its name.
    pub name: At<String>,
    /// What its value is, with its article.
    pub kind: &'static str,
    /// Whether something refers to it.
    pub used: bool,
    /// Whether the environment's file sets it.
    pub overrides: bool,
}

/// All variables, with their values.
#[derive(Default)]
pub(super) struct Vars<'a> {
    /// Every declaration, in the order of the files.
    declared: Vec<Variable>,
    /// Whether a declaration may be gone without a trace.
    lost: bool,
    /// Where the declaration that holds stands, by name.
    holds: BTreeMap<String, Holds<'a>>,
}

struct Holds<'a> {
    declared: usize,
    file: FileId,
    text: &'a str,
    value: Spanned<DeValue<'a>>,
    state: State,
    used: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// References in it are not replaced yet.
    Raw,
    /// Its own references are being replaced: who meets it now goes round in a circle.
    Open,
    Done,
    /// It was reported, so whoever uses it says nothing.
    Broken,
}

/// What stands at one place in a text.
enum Piece<'t> {
    Text(&'t str),
    Var(&'t str),
}

impl<'a> Vars<'a> {
    /// Takes the declarations of a file. A later one does not replace an earlier, but an environment's does.
    pub fn declare(&mut self, cx: &mut Cx<'a>, root: &mut DeTable<'a>, environment: bool) {
        let header = cx.broken.headers.iter().any(|(kind, ..)| kind == "vars");
        self.lost |= header || cx.broken.has_table("vars", "") || cx.broken.loses_tables(RootTable::KEYS);
        let Some((key, value)) = root.remove_entry("vars") else { return };
        let span = value.span();
        let DeValue::Table(table) = value.into_inner() else {
            cx.findings.push(rules::wrong_type(key.get_ref(), "a table", "something else", cx.span(span)));
            return;
        };
        for (key, value) in table {
            let name = key.get_ref().to_string();
            let kind = type_name(value.get_ref());
            let span = cx.span(key.span());
            self.declared.push(Variable {
                name: At { value: name.clone(), span },
                kind,
                used: false,
                overrides: environment,
            });
            let before = self.holds.get(&name).map(|holds| self.declared[holds.declared].kind);
            // A value of another type is told of where it stands, and not wherever it is used.
            if before.is_none_or(|before| environment && before == kind) {
                let declared = self.declared.len() - 1;
                let holds = Holds { declared, file: cx.file, text: cx.text, value, state: State::Raw, used: false };
                self.holds.insert(name, holds);
            }
        }
    }

    /// Every declaration, once all files were read.
    pub fn finish(mut self) -> Vec<Variable> {
        for variable in &mut self.declared {
            variable.used = self.holds.get(&variable.name.value).is_some_and(|holds| holds.used);
        }
        self.declared
    }

    /// Replaces the references inside the variables themselves.
    pub fn settle(&mut self, findings: &mut Vec<Finding>) {
        let names: Vec<String> = self.holds.keys().cloned().collect();
        for name in names {
            self.settle_one(&name, findings);
        }
    }

    fn settle_one(&mut self, name: &str, findings: &mut Vec<Finding>) -> State {
        let Some(holds) = self.holds.get_mut(name) else { return State::Broken };
        if holds.state != State::Raw {
            return holds.state;
        }
        holds.state = State::Open;
        let (file, text) = (holds.file, holds.text);
        let mut value = std::mem::replace(&mut holds.value, Spanned::new(0..0, DeValue::Boolean(false)));
        let mut cx = Cx::new(file, text);
        self.fill(&mut value, &mut cx);
        let broken = !cx.unresolved.is_empty();
        findings.append(&mut cx.findings);
        let state = if broken { State::Broken } else { State::Done };
        if let Some(holds) = self.holds.get_mut(name) {
            holds.value = value;
            // Whoever came round the circle has marked it broken already.
            holds.state = if holds.state == State::Broken { State::Broken } else { state };
        }
        state
    }

    /// Replaces every reference in a table.
    pub fn fill_table(&mut self, table: &mut DeTable<'a>, cx: &mut Cx<'a>) {
        for (_, value) in table.iter_mut() {
            self.fill(value, cx);
        }
    }

    fn fill(&mut self, value: &mut Spanned<DeValue<'a>>, cx: &mut Cx<'a>) {
        let span = value.span();
        match value.get_mut() {
            DeValue::Table(table) => self.fill_table(table, cx),
            DeValue::Array(array) => array.iter_mut().for_each(|item| self.fill(item, cx)),
            DeValue::String(text) if text.contains("${") => {
                let text = std::mem::take(text);
                match self.replaced(&text, &span, cx) {
                    Some(replaced) => *value.get_mut() = replaced,
                    None => {
                        *value.get_mut() = DeValue::String(text);
                        cx.unresolved.insert(span.start);
                    }
                }
            }
            _ => {}
        }
    }

    /// What a text with references stands for; `None` when a finding was left, here or where a variable is broken.
    fn replaced(&mut self, text: &str, span: &Range<usize>, cx: &mut Cx<'a>) -> Option<DeValue<'a>> {
        let pieces = match pieces(text) {
            Ok(pieces) => pieces,
            Err(bad) => {
                let place = cx.span(within(cx.text, span, bad));
                cx.findings.push(rules::variable_malformed(bad, place));
                return None;
            }
        };
        if let [Piece::Var(name)] = pieces.as_slice() {
            let found = self.look_up(name, span, cx)?;
            if weight(found.get_ref()) > VALUE_MAX {
                let place = cx.span(within(cx.text, span, &reference(name)));
                cx.findings.push(rules::variable_too_large(name, VALUE_MAX, place));
                return None;
            }
            return Some(moved(found.get_ref(), span));
        }
        let mut whole = String::new();
        let mut known = true;
        for piece in &pieces {
            let name = match piece {
                Piece::Text(text) => {
                    whole.push_str(text);
                    continue;
                }
                Piece::Var(name) => name,
            };
            let Some(found) = self.look_up(name, span, cx) else {
                known = false;
                continue;
            };
            match found.get_ref() {
                DeValue::String(text) => whole.push_str(text),
                DeValue::Integer(number) => whole.push_str(&number.to_string()),
                DeValue::Float(number) => whole.push_str(number.as_str()),
                DeValue::Boolean(flag) => whole.push_str(if *flag { "true" } else { "false" }),
                other @ (DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_)) => {
                    let kind = type_name(other);
                    let place = cx.span(within(cx.text, span, &reference(name)));
                    cx.findings.push(rules::variable_inside_text(name, kind, place));
                    known = false;
                }
            }
            if whole.len() > VALUE_MAX {
                let place = cx.span(within(cx.text, span, &reference(name)));
                cx.findings.push(rules::variable_too_large(name, VALUE_MAX, place));
                return None;
            }
        }
        known.then_some(DeValue::String(Cow::Owned(whole)))
    }

    /// The value of a variable, or a finding.
    fn look_up(&mut self, name: &str, span: &Range<usize>, cx: &mut Cx<'a>) -> Option<&Spanned<DeValue<'a>>> {
        let place = cx.span(within(cx.text, span, &reference(name)));
        let Some(holds) = self.holds.get_mut(name) else {
            let known: Vec<&str> = self.holds.keys().map(String::as_str).collect();
            let near = nearest(name, known.iter().copied()).map(str::to_owned);
            if !self.lost {
                cx.findings.push(rules::variable_unknown(name, place, &known));
            }
            // What was surely meant is not unused.
            if let Some(holds) = near.and_then(|near| self.holds.get_mut(&near)) {
                holds.used = true;
            }
            return None;
        };
        holds.used = true;
        let (state, declared) = (holds.state, holds.declared);
        let state = match state {
            State::Raw => self.settle_one(name, &mut cx.findings),
            State::Open => {
                let declared = self.declared[declared].name.span.clone();
                cx.findings.push(rules::variable_cycle(name, place, declared));
                State::Broken
            }
            other => other,
        };
        if state == State::Broken {
            if let Some(holds) = self.holds.get_mut(name) {
                holds.state = State::Broken;
            }
            return None;
        }
        self.holds.get(name).map(|holds| &holds.value)
    }
}

/// The most that a value may come to by its references, in bytes: far more than any field takes, and little enough
/// that variables which stand for each other ten times over, ten deep, are a mistake and not the end of the program.
const VALUE_MAX: usize = 64 << 10;

/// What a value takes, about, in bytes.
fn weight(value: &DeValue<'_>) -> usize {
    match value {
        DeValue::String(text) => text.len() + 1,
        DeValue::Array(array) => 1 + array.iter().map(|item| weight(item.get_ref())).sum::<usize>(),
        DeValue::Table(table) => {
            1 + table.iter().map(|(key, value)| key.get_ref().len() + weight(value.get_ref())).sum::<usize>()
        }
        _ => 8,
    }
}

/// A reference as it is written.
fn reference(name: &str) -> String {
    format!("${{var.{name}}}")
}

/// Splits a text at its references. The error is what begins like one and is none.
fn pieces(text: &str) -> Result<Vec<Piece<'_>>, &str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, after) = (&rest[..at], &rest[at + 2..]);
        if before.ends_with('$') {
            // The first `$` of `$${` takes the special meaning away, and is itself not kept.
            pieces.push(Piece::Text(&rest[..at - 1]));
            pieces.push(Piece::Text("${"));
            rest = after;
            continue;
        }
        let end = after.find('}').ok_or(&rest[at..])?;
        let whole = &rest[at..at + 2 + end + 1];
        let name = after[..end].strip_prefix("var.").ok_or(whole)?;
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
            return Err(whole);
        }
        if !before.is_empty() {
            pieces.push(Piece::Text(before));
        }
        pieces.push(Piece::Var(name));
        rest = &after[end + 1..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    Ok(pieces)
}

/// Where in a value a stretch of it stands; the whole value when its escapes hide it.
fn within(text: &str, value: &Range<usize>, stretch: &str) -> Range<usize> {
    match text.get(value.clone()).and_then(|raw| raw.find(stretch)) {
        Some(at) => value.start + at..value.start + at + stretch.len(),
        None => value.clone(),
    }
}

/// A copy of a value, every part of which stands where the reference stands.
fn moved<'a>(value: &DeValue<'a>, span: &Range<usize>) -> DeValue<'a> {
    match value {
        DeValue::Array(array) => {
            let mut copy = toml::de::DeArray::new();
            for item in array.iter() {
                copy.push(Spanned::new(span.clone(), moved(item.get_ref(), span)));
            }
            DeValue::Array(copy)
        }
        DeValue::Table(table) => {
            let entry = |(key, value): (&Spanned<Cow<'a, str>>, &Spanned<DeValue<'a>>)| {
                let key = Spanned::new(span.clone(), key.get_ref().clone());
                (key, Spanned::new(span.clone(), moved(value.get_ref(), span)))
            };
            DeValue::Table(table.iter().map(entry).collect())
        }
        other => other.clone(),
    }
}
