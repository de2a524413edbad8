//! What do the tables without a name say, and the environment?

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::names::{Known, Names};
use super::rule::Read;
use super::rules;
use crate::diagnostic::Span;
use crate::model::{
    Account, DaemonSettings, Declared, Guard, ObjectKind, Protected, RuleId, RuleName, StackName, Unmanaged,
};
use crate::syntax::tables::{AccountTable, AdoptTable, DaemonTable, GuardTable};
use crate::syntax::{At, Draft, rules as shape};

/// What is said of the configuration as a whole.
pub(super) struct Settings {
    pub stack: Option<StackName>,
    pub unmanaged: Unmanaged,
    pub account: Option<Account>,
    pub guard: Guard,
    /// Entries of `protect`, with their places.
    protect: Vec<(Protected, Span)>,
    /// What `[daemon]` says; none when it is broken.
    pub daemon: Option<DaemonSettings>,
    pub adopted: BTreeMap<RuleName, Declared<RuleId>>,
    adoptions: Vec<At<AdoptTable>>,
    /// Former names of rules, filled by [`identity`].
    pub former: RefCell<BTreeMap<RuleName, RuleName>>,
}

/// Reads the settings, the environment's over the stack's.
pub(super) fn read(names: &Names, draft: &mut Draft) -> Settings {
    for version in draft.schema.iter().filter(|version| version.value != 1) {
        names.report(rules::schema_unknown::finding(version.value, &version.span));
    }
    environment(names, draft);
    if draft.stack.is_empty()
        && !draft.broken.contains("stack")
        && let Some((file, _)) = names.files.iter().next()
    {
        names.report(shape::missing_stack(Span { file, range: 0..0 }));
    }
    let stack = once(names, "[stack]", std::mem::take(&mut draft.stack)).map(|at| at.value);
    let account = once(names, "[account]", std::mem::take(&mut draft.account));
    let guard = once(names, "[guard]", std::mem::take(&mut draft.guard)).map(|at| at.value);
    let daemon = once(names, "[daemon]", std::mem::take(&mut draft.daemon)).map(|at| at.value);
    let over = std::mem::take(&mut draft.environment);
    let whole = !draft.broken.contains("account");
    let (guard, protect) = self::guard(names, guard, over.guard.map(|at| at.value));
    let daemon = self::daemon(names, daemon, over.daemon.map(|at| at.value));
    let adoptions = std::mem::take(&mut draft.adopt);
    Settings {
        stack: stack.as_ref().and_then(|stack| names.name("the name of a stack", &stack.name)),
        unmanaged: stack.and_then(|stack| stack.unmanaged).map_or(Unmanaged::Ignore, |word| word.value),
        account: self::account(names, account, over.account, whole),
        guard,
        protect,
        daemon: daemon.filter(|_| !draft.broken.contains("daemon")),
        adopted: adopted(names, &adoptions),
        adoptions,
        former: RefCell::default(),
    }
}

/// The one table of a kind that may stand only once in all files.
fn once<T>(names: &Names, what: &str, tables: Vec<At<T>>) -> Option<At<T>> {
    for pair in tables.windows(2) {
        names.report(rules::defined_twice::finding(what, &pair[1].span, &pair[0].span));
    }
    tables.into_iter().next()
}

/// Checks that an environment brings nothing of its own, and that a variable is declared once.
fn environment(names: &Names, draft: &Draft) {
    let environment = names.files.environment().map_or("", |(name, _)| name);
    for table in &draft.environment.forbidden {
        names.report(rules::environment_forbids::table(&table.value, environment, &table.span));
    }
    let mut first: BTreeMap<&str, &crate::syntax::Variable> = BTreeMap::new();
    for variable in draft.vars.iter().filter(|variable| !variable.overrides) {
        let name = variable.name.value.as_str();
        if let Some(first) = first.get(name) {
            let what = format!("variable `{name}`");
            names.report(rules::defined_twice::finding(&what, &variable.name.span, &first.name.span));
        } else {
            first.insert(name, variable);
        }
    }
    for variable in draft.vars.iter().filter(|variable| variable.overrides) {
        let At { value: name, span } = &variable.name;
        match first.get(name.as_str()) {
            None => names.report(rules::environment_forbids::variable(name, span)),
            // A secret may be a table in one environment and a variable's text in another only by mistake too.
            Some(first) if first.kind != variable.kind => {
                let before = (first.kind, &first.name.span);
                names.report(rules::environment_forbids::retyped(name, variable.kind, span, before.0, before.1));
            }
            Some(_) => {}
        }
    }
}

/// The account. `whole` says that no table of it is broken, so that what is missing is missing.
fn account(
    names: &Names,
    table: Option<At<AccountTable>>,
    over: Option<At<AccountTable>>,
    whole: bool,
) -> Option<Account> {
    let head = over.as_ref().or(table.as_ref())?.span.clone();
    let split = |table: Option<At<AccountTable>>| {
        table.map_or((None, None, None), |At { value, .. }| (value.endpoint, value.api_key, value.secret))
    };
    let (table, over) = (split(table), split(over));
    let (endpoint, api_key, secret) = (over.0.or(table.0), over.1.or(table.1), over.2.or(table.2));
    let missing = |key: &str| {
        if whole {
            names.report(shape::missing_key(key, "[account]", head.clone()));
        }
    };
    if endpoint.is_none() {
        missing("endpoint");
    }
    if api_key.is_none() {
        missing("api_key");
    }
    if secret.is_none() {
        missing("secret");
    }
    Some(Account {
        endpoint: names.url(&endpoint?, &["https://", "http://"])?,
        api_key: names.secret(&api_key?),
        secret: names.secret(&secret?),
    })
}

fn guard(names: &Names, table: Option<GuardTable>, over: Option<GuardTable>) -> (Guard, Vec<(Protected, Span)>) {
    let split = |table: Option<GuardTable>| {
        table.map_or((None, None, None, None), |table| {
            (table.max_deletes, table.max_rerouted_numbers, table.max_unrouted_seconds, table.protect)
        })
    };
    let (table, over) = (split(table), split(over));
    let number = |over: Option<At<u32>>, table: Option<At<u32>>| over.or(table).map(|at| at.value);
    let mut protect = Vec::new();
    for text in over.3.or(table.3).iter().flat_map(|list| &list.value) {
        match text.value.parse::<Protected>() {
            Ok(entry) => protect.push((entry, text.span.clone())),
            Err(why) => {
                names.report(rules::protect_malformed::finding(&text.value, &why.to_string(), &text.span));
            }
        }
    }
    let guard = Guard {
        max_deletes: number(over.0, table.0),
        max_rerouted_numbers: number(over.1, table.1),
        max_unrouted_seconds: number(over.2, table.2),
        protect: protect.iter().map(|(entry, _)| entry.clone()).collect(),
    };
    (guard, protect)
}

fn daemon(names: &Names, table: Option<DaemonTable>, over: Option<DaemonTable>) -> Option<DaemonSettings> {
    let split = |table: Option<DaemonTable>| {
        table.map_or((None, None, None, None), |table| (table.api, table.sip, table.advertise, table.media_ports))
    };
    let (table, over) = (split(table), split(over));
    fn read<T: std::str::FromStr>(names: &Names, key: &str, text: &At<String>, help: &str) -> Option<T>
    where
        T::Err: std::fmt::Display,
    {
        let why = |error: T::Err| if help.is_empty() { error.to_string() } else { help.to_owned() };
        let read = text.value.parse();
        read.map_err(|error| names.report(rules::listen_malformed::finding(key, &text.value, &why(error), &text.span)))
            .ok()
    }
    let address = "write an address and a port, such as 127.0.0.1:7878";
    let api = over.0.or(table.0).map(|text| read(names, "api", &text, address));
    let sip = over.1.or(table.1);
    let sip = sip.iter().flat_map(|list| list.value.items()).map(|text| read(names, "sip", text, ""));
    let sip: Vec<_> = sip.collect();
    let advertise = over.2.or(table.2).map(|text| read(names, "advertise", &text, "write an IP address"));
    let media_ports = over.3.or(table.3).map(|text| read(names, "media_ports", &text, ""));
    Some(DaemonSettings {
        api: api.map_or(Some(None), |read| read.map(Some))?,
        sip: sip.into_iter().collect::<Option<Vec<_>>>()?,
        advertise: advertise.map_or(Some(None), |read| read.map(Some))?,
        media_ports: media_ports.map_or(Some(None), |read| read.map(Some))?,
    })
}

fn adopted(names: &Names, tables: &[At<AdoptTable>]) -> BTreeMap<RuleName, Declared<RuleId>> {
    let mut all: BTreeMap<RuleName, Declared<RuleId>> = BTreeMap::new();
    let mut spans: BTreeMap<(&str, &str), &Span> = BTreeMap::new();
    for At { value: table, .. } in tables {
        let mut twice = false;
        for (what, text) in [("rule", &table.rule), ("live rule", &table.id)] {
            match spans.get(&(what, text.value.as_str())) {
                Some(first) => {
                    names.report(rules::adopt_conflicts::finding(what, &text.value, &text.span, first));
                    twice = true;
                }
                None => {
                    spans.insert((what, &text.value), &text.span);
                }
            }
        }
        let id = names.name("the id of a rule", &table.id);
        let (Ok(rule), Some(id)) = (table.rule.value.parse(), id) else { continue };
        if !twice {
            all.insert(rule, Declared { value: id, place: names.place(&table.rule.span) });
        }
    }
    all
}

/// Checks what refers to rules by name: adoptions, former names, and what a guard protects.
pub(super) fn identity(names: &Names, settings: &Settings, all: &BTreeMap<String, Known<Read>>) {
    for At { value: table, .. } in &settings.adoptions {
        names.refer("rule", &table.rule, all);
    }
    let mut claimed: BTreeMap<&str, &Span> = BTreeMap::new();
    let mut former = settings.former.borrow_mut();
    for (name, known) in all {
        let Some(read) = &known.value else { continue };
        for was in &read.was {
            if let Some(table) = all.get(&was.value) {
                names.report(rules::was_conflicts::in_use(&was.value, &was.span, &table.span));
            } else if let Some(first) = claimed.get(was.value.as_str()) {
                names.report(rules::was_conflicts::claimed(&was.value, &was.span, first));
            } else if let (Some(old), Ok(new)) = (names.name("the name of a rule", was), name.parse::<RuleName>()) {
                claimed.insert(&was.value, &was.span);
                if known.absent.is_none() {
                    former.insert(old, new);
                }
            }
        }
    }
    for (entry, span) in &settings.protect {
        let matches = match entry.kind {
            ObjectKind::Rule => all.keys().any(|name| entry.names.matches(name)),
            ObjectKind::Gateway => names.gateways.keys().any(|name| entry.names.matches(name)),
            ObjectKind::Number => {
                names.numbers.keys().any(|number| entry.names.matches(&number.to_string()))
                    || names.aliases.keys().any(|alias| entry.names.matches(alias))
            }
        };
        if !matches && entry.names != crate::model::Glob::new("*") {
            names.report(rules::protect_matches_nothing::finding(&entry.to_string(), span));
        }
    }
}
