//! What does each name stand for?

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::str::FromStr;

use super::{lengths, rules};
use crate::diagnostic::{Files, Finding, Span};
use crate::model::{
    Agent, E164, Gateway, Glob, Malformed, PhoneNumber, Place, Provider, Room, SecretRef, SipAddress, SourceNet,
};
use crate::syntax::{At, Entry, SecretSource, Tables, is_literal};

/// A named table with its place: broken ones are known by name and have no value.
pub(super) struct Known<T> {
    pub span: Span,
    pub value: Option<T>,
    /// Its `only`, when that leaves it out of this environment.
    pub absent: Option<Span>,
    /// Whether something refers to it.
    pub used: Cell<bool>,
}

impl<T> Known<T> {
    pub fn new(span: Span, value: Option<T>, absent: Option<Span>) -> Self {
        Self { span, value, absent, used: Cell::new(false) }
    }

    /// The value, where it is there in this environment.
    pub fn present(self) -> Option<(T, Span)> {
        if self.absent.is_some() {
            return None;
        }
        let Self { span, value, .. } = self;
        value.map(|value| (value, span))
    }
}

/// What an alias stands for.
pub(super) struct AliasOf {
    /// The number; none when its table is broken.
    pub number: Option<E164>,
    /// Where the alias is given.
    pub span: Span,
}

/// Everything that names can stand for, by name.
pub(super) struct Names {
    pub files: Files,
    pub findings: RefCell<Vec<Finding>>,
    /// Texts in broken tables: what they may refer to.
    pub mentioned: RefCell<BTreeSet<String>>,
    /// The kinds of which any name may be lost, because a file is broken where it may stand.
    pub lost: BTreeSet<&'static str>,
    /// The kinds of which a name refers to nothing: any of their tables may be the one that was meant.
    dangling: RefCell<BTreeSet<&'static str>>,
    /// Whether the table that is being read is there in this environment.
    here: Cell<bool>,
    /// Files that hold secrets.
    pub secret_files: RefCell<Vec<(PathBuf, Span)>>,
    pub providers: BTreeMap<String, Known<Provider>>,
    pub gateways: BTreeMap<String, Known<Gateway<SecretRef>>>,
    pub numbers: BTreeMap<E164, Known<PhoneNumber>>,
    /// Numbers that are meant by malformed tables.
    pub broken_numbers: BTreeSet<E164>,
    /// Ranges by name: where each begins in the files, and its numbers. Broken ones have none.
    pub ranges: BTreeMap<String, Known<(E164, E164)>>,
    pub aliases: BTreeMap<String, AliasOf>,
    pub agents: BTreeMap<String, Known<Agent>>,
    pub rooms: BTreeMap<String, Known<Room>>,
}

impl Names {
    pub fn new(files: Files, findings: Vec<Finding>) -> Self {
        Self {
            files,
            findings: RefCell::new(findings),
            mentioned: RefCell::default(),
            lost: BTreeSet::new(),
            dangling: RefCell::default(),
            here: Cell::new(true),
            secret_files: RefCell::default(),
            providers: BTreeMap::new(),
            gateways: BTreeMap::new(),
            numbers: BTreeMap::new(),
            broken_numbers: BTreeSet::new(),
            ranges: BTreeMap::new(),
            aliases: BTreeMap::new(),
            agents: BTreeMap::new(),
            rooms: BTreeMap::new(),
        }
    }

    pub fn report(&self, finding: Finding) {
        self.findings.borrow_mut().push(finding);
    }

    pub fn place(&self, span: &Span) -> Place {
        let file = self.files.get(span.file);
        let (line, column) = file.line_column(span.range.start);
        Place { file: file.name().clone(), line, column }
    }

    /// Whether a text stands at a place as it is, so that it can be replaced there.
    pub fn is_literal(&self, text: &At<String>) -> bool {
        is_literal(self.files.get(text.span.file).text(), &text.span, &text.value)
    }

    /// Looks a name up; leaves a finding when there is none. A broken table gives `None` without a finding.
    pub fn refer<'a, T>(
        &self,
        kind: &'static str,
        name: &At<String>,
        all: &'a BTreeMap<String, Known<T>>,
    ) -> Option<&'a T> {
        self.refer_after("", kind, name, all)
    }

    /// Looks up a name that stands behind a prefix in its text.
    pub fn refer_after<'a, T>(
        &self,
        prefix: &str,
        kind: &'static str,
        text: &At<String>,
        all: &'a BTreeMap<String, Known<T>>,
    ) -> Option<&'a T> {
        let name = text.value.strip_prefix(prefix).unwrap_or(&text.value);
        let Some(known) = all.get(name) else {
            if self.is_lost(kind) {
                return None;
            }
            let names: Vec<&str> = all.keys().map(String::as_str).collect();
            let literal = self.is_literal(text);
            self.report(rules::reference_unknown::finding(kind, name, &text.span, &names, prefix, literal));
            return None;
        };
        self.meet(kind, name, &text.span, known)
    }

    /// Notes that a name refers to nothing. Whether nothing is to be said of it, because its table may be lost.
    pub fn is_lost(&self, kind: &'static str) -> bool {
        self.dangling.borrow_mut().insert(kind);
        self.lost.contains(kind)
    }

    /// Whether some name of a kind refers to nothing.
    pub fn is_dangling(&self, kind: &str) -> bool {
        self.dangling.borrow().contains(kind)
    }

    /// Notes that something refers to a table; leaves a finding when it is absent where the reference is not.
    pub fn meet<'a, T>(&self, kind: &str, name: &str, span: &Span, known: &'a Known<T>) -> Option<&'a T> {
        known.used.set(true);
        if let Some(only) = known.absent.as_ref().filter(|_| self.here.get()) {
            let environment = self.files.environment().map(|(name, _)| name);
            self.report(rules::reference_absent::finding(kind, name, span, only, environment));
            return None;
        }
        known.value.as_ref()
    }

    /// Whether the table that is being read is there in this environment.
    pub fn is_here(&self) -> bool {
        self.here.get()
    }

    /// Whether an object with this `only` is there; its place when it is not.
    fn absent(&self, only: Option<&At<Vec<At<String>>>>) -> Option<Span> {
        let only = only?;
        if only.value.is_empty() {
            let label = "in no environment at all";
            self.report(rules::useless_key::finding("`only` is empty", &only.span, label, None));
        }
        if let Some(known) = self.files.environments() {
            let names: Vec<&str> = known.iter().map(String::as_str).collect();
            for name in only.value.iter().filter(|name| !names.contains(&name.value.as_str())) {
                let literal = self.is_literal(name);
                let kind = "environment";
                self.report(rules::reference_unknown::finding(kind, &name.value, &name.span, &names, "", literal));
            }
        }
        let environment = self.files.environment().map(|(name, _)| name);
        let here = only.value.iter().any(|name| Some(name.value.as_str()) == environment);
        (!here).then(|| only.span.clone())
    }

    /// Reads a name or id; leaves a finding when it is malformed.
    pub fn name<T: FromStr<Err = Malformed>>(&self, what: &str, text: &At<String>) -> Option<T> {
        let read = text.value.parse::<T>();
        read.map_err(|why| self.report(rules::name_malformed::finding(what, &text.value, &why, &text.span))).ok()
    }

    pub fn address(&self, text: &At<String>) -> Option<SipAddress> {
        let read = text.value.parse();
        read.map_err(|why| self.report(rules::address_malformed::finding(&text.value, &why, &text.span))).ok()
    }

    pub fn source(&self, text: &At<String>) -> Option<SourceNet> {
        let read = text.value.parse();
        read.map_err(|why| self.report(rules::source_malformed::finding(&text.value, &why, &text.span))).ok()
    }

    /// Reads a number; leaves a finding when it is malformed.
    pub fn written_number(&self, text: &At<String>) -> Option<E164> {
        let malformed = |why| {
            let literal = self.is_literal(text);
            self.report(rules::number_malformed::finding(&text.value, &why, &text.span, literal));
        };
        text.value.parse().map_err(malformed).ok()
    }

    /// Reads a number that is declared here; leaves a finding too when it has a length that its country has not.
    pub fn number(&self, text: &At<String>) -> Option<E164> {
        let number = self.written_number(text)?;
        if let Err(why) = lengths::check(number) {
            self.report(rules::number_impossible::finding(number, &why, &text.span));
        }
        Some(number)
    }

    /// A reference to a secret, as the model knows it.
    pub fn secret(&self, source: &At<SecretSource>) -> SecretRef {
        let reference = source.value.reference();
        if let SecretRef::File(path) = &reference {
            self.secret_files.borrow_mut().push((path.clone(), source.span.clone()));
        }
        reference
    }

    /// Reads a label, and warns when it is longer than any that was seen to work.
    pub fn label(&self, what: &str, text: &At<String>) -> String {
        let size = text.value.chars().count();
        if size > LABEL_MAX {
            self.report(rules::over_limit::finding(what, size, LABEL_MAX, "characters", &text.span));
        }
        text.value.clone()
    }

    /// Whether a broken table may refer to a name.
    pub fn is_mentioned(&self, name: &str) -> bool {
        let mentioned = self.mentioned.borrow();
        mentioned.contains(name)
            || mentioned.iter().any(|text| Glob::is_glob(text) && Glob::new(text.as_str()).matches(name))
    }

    pub fn url(&self, text: &At<String>, schemes: &[&str]) -> Option<String> {
        let rest = schemes.iter().find_map(|scheme| text.value.strip_prefix(scheme));
        let host = rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '['));
        if !host || text.value.chars().any(|c| c.is_whitespace() || c.is_control()) {
            self.report(rules::url_malformed::finding(&text.value, &schemes.join(" or "), &text.span));
            return None;
        }
        Some(text.value.trim_end_matches('/').to_owned())
    }
}

/// The longest label that is not warned of; see `over-limit`.
const LABEL_MAX: usize = 255;

/// The `only` of a table, where its kind has one.
pub(super) type Only = Option<At<Vec<At<String>>>>;

/// Gathers the tables of one kind by name; the same name twice is a finding.
pub(super) fn gather<T, V>(
    names: &Names,
    kind: &str,
    tables: Tables<T>,
    only: impl Fn(&T) -> Option<&At<Vec<At<String>>>>,
    mut read: impl FnMut(&At<String>, T) -> Option<V>,
) -> BTreeMap<String, Known<V>> {
    let mut all: BTreeMap<String, Known<V>> = BTreeMap::new();
    for Entry { name, table, mentions } in tables.0 {
        names.mentioned.borrow_mut().extend(mentions);
        if let Some(first) = all.get(&name.value) {
            let what = format!("{kind} `{}`", name.value);
            names.report(rules::defined_twice::finding(&what, &name.span, &first.span));
            continue;
        }
        let absent = table.as_ref().and_then(|table| names.absent(only(table)));
        names.here.set(absent.is_none());
        let value = table.and_then(|table| read(&name, table));
        names.here.set(true);
        all.insert(name.value, Known::new(name.span, value, absent));
    }
    all
}
