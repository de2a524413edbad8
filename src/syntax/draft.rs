//! What do all files of a configuration say together?

use std::cell::OnceCell;
use std::collections::BTreeSet;

use toml::de::{DeTable, DeValue};

use super::read::{At, Cx, Entry, Field, FromToml, Open, Owner, Tables, mentions};
use super::recover::{recover, whole};
use super::rules;
use super::tables::{
    AccountTable, AdoptTable, AgentTable, DaemonTable, GatewayTable, GuardTable, NamedRoomTable, NumberRangeTable,
    NumberTable, ProviderTable, RootTable, RuleTable, StackTable, TestTable,
};
use super::vars::{Variable, Vars};
use crate::diagnostic::{Files, Finding, Span, nearest};

/// What the files say: known shape, a span for every key and value; most values are still text.
#[derive(Debug, Default)]
pub struct Draft {
    /// The files.
    pub files: Files,
    /// What is wrong with their shape.
    pub findings: Vec<Finding>,
    /// `[stack]`, from each file that has one.
    pub stack: Vec<At<StackTable>>,
    /// Tables without a name that are there but broken, so that nothing is said of what they lack.
    pub broken: BTreeSet<&'static str>,
    /// `[account]`, from each file that has one.
    pub account: Vec<At<AccountTable>>,
    /// `[guard]`, from each file that has one.
    pub guard: Vec<At<GuardTable>>,
    /// `[daemon]`, from each file that has one.
    pub daemon: Vec<At<DaemonTable>>,
    /// What the environment's file says beside its variables.
    pub environment: Environment,
    /// The kinds of tables of which any name may be lost.
    pub lost: BTreeSet<&'static str>,
    /// Words in what could not be read: what it may define or refer to.
    pub mentioned: BTreeSet<String>,
    /// The `schema` keys.
    pub schema: Vec<At<u16>>,
    /// Every declaration under `[vars]`.
    pub vars: Vec<Variable>,
    /// `[provider.*]`
    pub provider: Tables<ProviderTable>,
    /// `[gateway.*]`
    pub gateway: Tables<GatewayTable>,
    /// `[number.*]`
    pub number: Tables<NumberTable>,
    /// `[number_range.*]`
    pub number_range: Tables<NumberRangeTable>,
    /// `[agent.*]`
    pub agent: Tables<AgentTable>,
    /// `[room.*]`
    pub room: Tables<NamedRoomTable>,
    /// `[rule.*]`
    pub rule: Tables<RuleTable>,
    /// `[[adopt]]`
    pub adopt: Vec<At<AdoptTable>>,
    /// `[[test]]`
    pub test: Vec<At<TestTable>>,
}

/// What the file of an environment says: settings only, each key of which replaces the stack's.
#[derive(Debug, Default)]
pub struct Environment {
    /// `[account]`
    pub account: Option<At<AccountTable>>,
    /// `[guard]`
    pub guard: Option<At<GuardTable>>,
    /// `[daemon]`
    pub daemon: Option<At<DaemonTable>>,
    /// Tables that an environment may not have, as they are called.
    pub forbidden: Vec<At<String>>,
}

/// The keys that the file of an environment may have.
const ENVIRONMENT_KEYS: &[&str] = &["schema", "vars", "account", "guard", "daemon"];

/// Reads the texts of a configuration. Total: any text gives a draft, with findings where it is wrong.
pub fn parse(files: &Files) -> Draft {
    let mut draft = Draft { files: files.clone(), ..Draft::default() };
    let mended: Vec<OnceCell<String>> = files.iter().map(|_| OnceCell::new()).collect();
    let environment = files.environment().map(|(_, id)| id);
    let mut vars = Vars::default();
    let mut trees = Vec::new();
    for ((id, file), mended) in files.iter().zip(&mended) {
        let text = file.text();
        let mut cx = Cx::new(id, text);
        let (mut table, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            let recovered = recover(id, text);
            cx.findings = recovered.findings;
            cx.broken = recovered.broken;
            let errors;
            (table, errors) = DeTable::parse_recoverable(mended.get_or_init(|| recovered.text));
            cx.findings.extend(whole(id, text, &errors));
        }
        let mut root = table.into_inner();
        vars.declare(&mut cx, &mut root, environment == Some(id));
        variables_in_include(&root, &mut cx);
        trees.push((cx, root));
    }
    vars.settle(&mut draft.findings);
    for (mut cx, mut root) in trees {
        if cx.text.contains("${") {
            vars.fill_table(&mut root, &mut cx);
        }
        match environment == Some(cx.file) {
            true => draft.environment(&root, &mut cx),
            false => draft.file(&root, &mut cx),
        }
        draft.findings.append(&mut cx.findings);
    }
    draft.vars = vars.finish();
    draft
}

/// What of the texts is not TOML, and nothing else.
pub fn syntax_errors(files: &Files) -> Vec<Finding> {
    parse(files).findings.into_iter().filter(|finding| finding.rule.name == rules::TOML_SYNTAX.name).collect()
}

/// The `include` patterns of a root file; none when the file is too broken to say.
pub fn includes(root: &str) -> Vec<String> {
    let patterns = |table: &DeTable<'_>| -> Vec<String> {
        include(table).filter_map(|pattern| pattern.get_ref().as_str().map(str::to_owned)).collect()
    };
    let (table, errors) = DeTable::parse_recoverable(root);
    if errors.is_empty() {
        return patterns(table.get_ref());
    }
    // Which file it is does not matter here: what is found is not shown.
    let id = Files::default().add(crate::diagnostic::File::new("", String::new()));
    patterns(DeTable::parse_recoverable(&recover(id, root).text).0.get_ref())
}

fn include<'a>(root: &'a DeTable<'a>) -> impl Iterator<Item = &'a toml::Spanned<DeValue<'a>>> {
    let include = root.get("stack").and_then(|stack| stack.get_ref().get("include"));
    include.and_then(|include| include.get_ref().as_array()).into_iter().flat_map(|patterns| patterns.iter())
}

/// Files are looked for before variables have values.
fn variables_in_include(root: &DeTable<'_>, cx: &mut Cx<'_>) {
    let found = include(root).filter(|pattern| pattern.get_ref().as_str().is_some_and(|text| text.contains("${")));
    let found: Vec<Finding> = found.map(|pattern| rules::variable_in_include(cx.span(pattern.span()))).collect();
    cx.findings.extend(found);
}

/// Reads one key of a file on its own: a file is never refused as a whole, and one broken table costs no other.
fn read<F: Field>(root: &DeTable<'_>, key: &'static str, cx: &mut Cx<'_>) -> Option<F> {
    let whole = Span { file: cx.file, range: 0..0 };
    F::take(&mut Open::unchecked(root, Owner::FILE, whole), key, cx)
}

impl Draft {
    fn file(&mut self, root: &DeTable<'_>, cx: &mut Cx<'_>) {
        let whole = Span { file: cx.file, range: 0..0 };
        Open::of(root, Owner::FILE, whole, RootTable::KEYS, cx);
        // A header that says nothing might have been anything's.
        if cx.broken.loses_tables(RootTable::KEYS) {
            self.broken.insert("stack");
            self.lost.extend(["provider", "gateway", "number", "agent", "room", "rule"]);
        }
        if cx.broken.has_key_of("number", "alias") {
            self.lost.insert("number");
        }
        let keys = root.keys().map(|key| key.get_ref().as_ref()).filter(|key| !RootTable::KEYS.contains(key));
        self.broken.extend(keys.filter_map(|key| nearest(key, RootTable::KEYS.iter().copied())));
        self.mentioned.append(&mut cx.broken.words);
        self.stack.extend(one::<StackTable>("stack", root, cx, &mut self.broken));
        self.account.extend(one::<AccountTable>("account", root, cx, &mut self.broken));
        self.guard.extend(one::<GuardTable>("guard", root, cx, &mut self.broken));
        self.daemon.extend(one::<DaemonTable>("daemon", root, cx, &mut self.broken));
        self.schema.extend(read::<Option<At<u16>>>(root, "schema", cx).flatten());
        more(&mut self.provider, "provider", root, cx, &mut self.lost);
        more(&mut self.gateway, "gateway", root, cx, &mut self.lost);
        more(&mut self.number, "number", root, cx, &mut self.lost);
        more(&mut self.number_range, "number_range", root, cx, &mut self.lost);
        more(&mut self.agent, "agent", root, cx, &mut self.lost);
        more(&mut self.room, "room", root, cx, &mut self.lost);
        more(&mut self.rule, "rule", root, cx, &mut self.lost);
        let adopt = read::<Option<At<Vec<At<AdoptTable>>>>>(root, "adopt", cx).flatten();
        self.adopt.extend(adopt.into_iter().flat_map(|at| at.value));
        let test = read::<Option<At<Vec<At<TestTable>>>>>(root, "test", cx).flatten();
        self.test.extend(test.into_iter().flat_map(|at| at.value));
    }

    fn environment(&mut self, root: &DeTable<'_>, cx: &mut Cx<'_>) {
        for (key, value) in root {
            let name = key.get_ref().as_ref();
            if ENVIRONMENT_KEYS.contains(&name) {
                continue;
            }
            if !RootTable::KEYS.contains(&name) {
                let span = cx.span(key.span());
                let literal = cx.is_literal(&span, name);
                let finding = rules::unknown_key(
                    name,
                    "an environment",
                    span,
                    ENVIRONMENT_KEYS,
                    ENVIRONMENT_KEYS,
                    literal,
                    false,
                );
                cx.findings.push(finding);
                continue;
            }
            let named = value.get_ref().as_table().filter(|_| name != "stack");
            match named {
                None => self.environment.forbidden.push(At { value: format!("[{name}]"), span: cx.span(key.span()) }),
                Some(tables) => self.environment.forbidden.extend(tables.keys().map(|inner| At {
                    value: match inner.get_ref().starts_with('+') {
                        true => format!("[{name}.\"{}\"]", inner.get_ref()),
                        false => format!("[{name}.{}]", inner.get_ref()),
                    },
                    span: cx.span(inner.span()),
                })),
            }
        }
        self.schema.extend(read::<Option<At<u16>>>(root, "schema", cx).flatten());
        self.environment.account = one("account", root, cx, &mut self.broken);
        self.environment.guard = one("guard", root, cx, &mut self.broken);
        self.environment.daemon = one("daemon", root, cx, &mut self.broken);
    }
}

/// Reads a table without a name.
fn one<T: FromToml>(
    key: &'static str,
    root: &DeTable<'_>,
    cx: &mut Cx<'_>,
    broken: &mut BTreeSet<&'static str>,
) -> Option<At<T>> {
    let table: Option<Option<At<T>>> = read(root, key, cx);
    if table.is_none() || cx.broken.has_table(key, "") {
        broken.insert(key);
        return None;
    }
    table.flatten()
}

/// Adds the tables of one kind from one file; those whose headers are broken or misspelt are known by name.
fn more<T: FromToml>(
    all: &mut Tables<T>,
    kind: &'static str,
    root: &DeTable<'_>,
    cx: &mut Cx<'_>,
    lost: &mut BTreeSet<&'static str>,
) {
    match read::<Tables<T>>(root, kind, cx) {
        Some(tables) => all.0.extend(tables.0),
        None => drop(lost.insert(kind)),
    }
    for (_, name, range) in cx.broken.headers.iter().filter(|(broken, ..)| broken == kind) {
        if name.is_empty() {
            lost.insert(kind);
            continue;
        }
        let name = At { value: name.clone(), span: cx.span(range.clone()) };
        all.0.push(Entry { name, table: None, mentions: Vec::new() });
    }
    for (key, value) in root {
        let word = key.get_ref().as_ref();
        if RootTable::KEYS.contains(&word) || nearest(word, RootTable::KEYS.iter().copied()) != Some(kind) {
            continue;
        }
        let names = value.get_ref().as_table().into_iter().flatten();
        all.0.extend(names.map(|(name, value)| {
            let mut texts = Vec::new();
            mentions(value.get_ref(), &mut texts);
            let name = At { value: name.get_ref().to_string(), span: cx.span(name.span()) };
            Entry { name, table: None, mentions: texts }
        }));
    }
}
