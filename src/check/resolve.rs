//! What do all tables mean together?

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

use super::names::{Known, Names, Only, gather};
use super::settings::{self, Settings};
use super::{gateways, numbers, rules};
use crate::diagnostic::{Finding, Span};
use crate::model::{DaemonSettings, Declared, Parts, RoomMode, RoomName, RoomPrefix, RoomTarget, TestCase};
use crate::syntax::tables::{NamedRoomTable, RoomTable, RoomWord};
use crate::syntax::{Draft, Entry, Tables};

/// What a draft comes to.
pub(super) struct Resolved {
    /// The parts are `None` when there is nothing to own them: no stack, or a broken one.
    pub parts: Option<Parts>,
    pub findings: Vec<Finding>,
    /// What `[daemon]` says; `None` when it is broken.
    pub daemon: Option<DaemonSettings>,
    /// Files that hold secrets, and where they are named.
    pub secret_files: Vec<(PathBuf, Span)>,
    pub spans: Spans,
}

/// Where the files say what is only judged once everything is known.
#[derive(Default)]
pub(super) struct Spans {
    /// The rules, by key.
    pub rules: BTreeMap<String, Span>,
    /// The tests that could be read, in order.
    pub tests: Vec<Span>,
}

/// Resolves a draft.
pub(super) fn resolve(mut draft: Draft) -> Resolved {
    let files = std::mem::take(&mut draft.files);
    let mut names = Names::new(files, std::mem::take(&mut draft.findings));
    names.lost = std::mem::take(&mut draft.lost);
    names.mentioned.borrow_mut().append(&mut draft.mentioned);
    let settings = settings::read(&names, &mut draft);

    names.providers =
        gather(&names, "provider", draft.provider, |_| None, |name, table| gateways::provider(&names, name, &table));
    names.gateways = gather(
        &names,
        "gateway",
        draft.gateway,
        |table| table.only.as_ref(),
        |name, table| gateways::gateway(&names, name, &table),
    );
    numbers::read(&mut names, draft.number, draft.number_range);
    names.rooms = gather(
        &names,
        "room",
        rooms(draft.room),
        |(_, only)| only.as_ref(),
        |name, (table, _)| {
            let _: RoomName = names.name("the name of a room", name)?;
            names.room(&name.span, &table)
        },
    );
    let mut fallbacks = Vec::new();
    names.agents = gather(
        &names,
        "agent",
        draft.agent,
        |table| table.only.as_ref(),
        |name, table| {
            fallbacks.push((name.clone(), super::agent::wishes(&names, name, &table)));
            super::agent::agent(&names, name, &table)
        },
    );
    // Only now, for an agent may fall back to one that is declared after it.
    super::agent::fall_back(&mut names, fallbacks);

    let all = gather(
        &names,
        "rule",
        draft.rule,
        |table| table.only.as_ref(),
        |name, table| super::rule::rule(&names, name, &table),
    );
    super::rule::claims(&names, &all);
    settings::identity(&names, &settings, &all);
    let rules = all.iter().map(|(name, known)| (name.clone(), known.span.clone()));
    let mut spans = Spans { rules: rules.collect(), tests: Vec::new() };
    let mut tests = Vec::new();
    for test in &draft.test {
        if let Some(case) = super::test_case::test_case(&names, test, &all) {
            tests.push(case);
            spans.tests.push(test.value.name.span.clone());
        }
    }
    names.report_unused(&draft.vars);
    Resolved { spans, ..names.parts(settings, all, tests) }
}

/// Splits what is a named table's from what is a room's.
fn rooms(tables: Tables<NamedRoomTable>) -> Tables<(RoomTable, Only)> {
    let entries = tables.0.into_iter();
    let split = |Entry { name, table, mentions }: Entry<NamedRoomTable>| Entry {
        name,
        table: table.map(NamedRoomTable::split),
        mentions,
    };
    Tables(entries.map(split).collect())
}

impl Names {
    /// What a room table means.
    pub fn room(&self, head: &Span, table: &RoomTable) -> Option<RoomTarget<crate::model::SecretRef>> {
        let mismatch = |message: &str, span: &Span, label: &str, help: &str| {
            self.report(rules::room_mode_mismatch::finding(message, span, label, &table.mode.span, help));
            None
        };
        let mode = match (table.mode.value, &table.id, &table.prefix) {
            (RoomWord::Static, _, Some(prefix)) => {
                return mismatch("a static room has no prefix", &prefix.span, "never used", "take the prefix away");
            }
            (RoomWord::Static, None, None) => {
                return mismatch("a static room needs its id", head, "no id here", "write the room's `id`");
            }
            (RoomWord::Static, Some(id), None) => RoomMode::Static(self.name("the id of a room", id)?),
            (RoomWord::Dynamic, Some(id), _) => {
                let help = "take the id away, or write `mode = \"static\"`";
                return mismatch("a dynamic room has no id", &id.span, "never used", help);
            }
            (RoomWord::Dynamic, None, prefix) => {
                RoomMode::Dynamic(prefix.as_ref().map_or(RoomPrefix::None, |prefix| prefix.value))
            }
        };
        Some(RoomTarget { mode, pin: table.pin.as_ref().map(|pin| self.secret(pin)) })
    }

    fn report_unused(&self, vars: &[crate::syntax::Variable]) {
        let unused = |kind: &str, name: &str, span: &Span| {
            if !self.is_mentioned(name) && !self.is_dangling(kind) {
                self.report(rules::unused::finding(kind, name, span));
            }
        };
        fn idle<T>(all: &BTreeMap<String, Known<T>>) -> impl Iterator<Item = (&String, &Span)> {
            // A broken table has a finding already.
            let idle = all.iter().filter(|(_, known)| known.value.is_some() && !known.used.get());
            idle.map(|(name, known)| (name, &known.span))
        }
        idle(&self.providers).for_each(|(name, span)| unused("provider", name, span));
        idle(&self.gateways).for_each(|(name, span)| unused("gateway", name, span));
        idle(&self.ranges).for_each(|(name, span)| {
            let mentioned = self.mentioned.borrow().iter().any(|text| text.starts_with(&format!("{name}-")));
            if !self.is_dangling("number") && !mentioned {
                unused("number range", name, span);
            }
        });
        idle(&self.agents).for_each(|(name, span)| unused("agent", name, span));
        idle(&self.rooms).for_each(|(name, span)| unused("room", name, span));
        let ranges: Vec<&Span> = self.ranges.values().map(|known| &known.span).collect();
        for (e164, known) in self.numbers.iter().filter(|(_, known)| known.value.is_some() && !known.used.get()) {
            let alias = known.value.as_ref().and_then(|number| number.alias.as_ref());
            // A range is told of as a whole.
            if !ranges.contains(&&known.span) && !alias.is_some_and(|alias| self.is_mentioned(alias.as_str())) {
                unused("number", &e164.to_string(), &known.span);
            }
        }
        for variable in vars.iter().filter(|variable| !variable.used && !variable.overrides) {
            unused("variable", &variable.name.value, &variable.name.span);
        }
    }

    fn parts(
        mut self,
        settings: Settings,
        all: BTreeMap<String, Known<super::rule::Read>>,
        tests: Vec<TestCase>,
    ) -> Resolved {
        let (gateways, numbers) = (std::mem::take(&mut self.gateways), std::mem::take(&mut self.numbers));
        let (providers, agents) = (std::mem::take(&mut self.providers), std::mem::take(&mut self.agents));
        let rooms = std::mem::take(&mut self.rooms);
        let declare = |span: &Span| self.place(span);
        let gateways = gateways.into_values().filter_map(Known::present);
        let gateways = gateways.map(|(value, span)| (value.name.clone(), Declared { place: declare(&span), value }));
        let numbers = numbers.into_iter().filter_map(|(e164, known)| Some((e164, known.present()?)));
        let numbers = numbers.map(|(e164, (value, span))| (e164, Declared { place: declare(&span), value }));
        let read: Vec<_> = all.into_values().filter_map(Known::present).collect();
        let answer_first =
            read.iter().filter(|(read, _)| read.answer_first).map(|(read, _)| read.key.clone()).collect();
        let read = read.into_iter().filter_map(|(read, span)| {
            let declared = Declared { place: declare(&span), value: read.rule? };
            Some((read.key, declared))
        });
        let parts = settings.stack.map(|stack| Parts {
            stack,
            unmanaged: settings.unmanaged,
            account: settings.account,
            guard: settings.guard,
            adopted: settings.adopted,
            former: settings.former.into_inner(),
            gateways: gateways.collect(),
            numbers: numbers.collect(),
            rules: read.collect(),
            providers: providers.into_iter().filter_map(named).collect(),
            agents: agents.into_iter().filter_map(named).collect(),
            rooms: rooms.into_iter().filter_map(named).collect(),
            answer_first,
            tests,
        });
        Resolved {
            parts,
            findings: self.findings.into_inner(),
            daemon: settings.daemon,
            secret_files: self.secret_files.into_inner(),
            spans: Spans::default(),
        }
    }
}

fn named<N: FromStr, V>((name, known): (String, Known<V>)) -> Option<(N, V)> {
    Some((name.parse().ok()?, known.present()?.0))
}
