//! What does each name stand for?

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use super::{preset, rules};
use crate::diagnostic::{Files, Finding, Span};
use crate::model::{
    Account, Agent, Alias, Credentials, Declared, E164, Gateway, MediaEncryption, Parts, PhoneNumber, Place, Preset,
    Provider, Region, Regions, Removal, Room, RoomMode, RoomPrefix, RoomTarget, Sharing, SipAddress, Transport,
    Unmanaged,
};
use crate::syntax::tables::{RoomTable, RoomWord};
use crate::syntax::{At, Draft, Entry, Tables, rules as shape};

/// A named table with its place: broken ones are known by name and have no value.
pub(super) struct Known<T> {
    pub span: Span,
    pub value: Option<T>,
}

/// Everything that names can stand for, by name.
pub(super) struct Names {
    pub files: Files,
    pub findings: RefCell<Vec<Finding>>,
    /// Every name that something refers to, by kind.
    used: RefCell<BTreeSet<(&'static str, String)>>,
    pub providers: BTreeMap<String, Known<Provider>>,
    pub gateways: BTreeMap<String, Known<Gateway<crate::model::SecretRef>>>,
    pub numbers: BTreeMap<String, Known<(E164, PhoneNumber)>>,
    pub aliases: BTreeMap<String, (String, Span)>,
    pub agents: BTreeMap<String, Known<Agent>>,
    pub rooms: BTreeMap<String, Known<Room>>,
}

impl Names {
    pub fn report(&self, finding: Finding) {
        self.findings.borrow_mut().push(finding);
    }

    pub fn place(&self, span: &Span) -> Place {
        let file = self.files.get(span.file);
        let (line, column) = file.line_column(span.range.start);
        Place { file: file.name().clone(), line, column }
    }

    /// Looks a name up; leaves a finding when there is none. A broken table gives `None` without a finding.
    pub fn refer<'a, T>(
        &self,
        kind: &'static str,
        name: &At<String>,
        all: &'a BTreeMap<String, Known<T>>,
    ) -> Option<&'a T> {
        self.used.borrow_mut().insert((kind, name.value.clone()));
        let Some(known) = all.get(&name.value) else {
            let names: Vec<&str> = all.keys().map(String::as_str).collect();
            self.report(rules::reference_unknown::finding(kind, &name.value, &name.span, &names));
            return None;
        };
        known.value.as_ref()
    }

    /// Reads a name or id; leaves a finding when it is malformed.
    pub fn name<T: FromStr<Err = crate::model::Malformed>>(&self, what: &str, text: &At<String>) -> Option<T> {
        let read = text.value.parse::<T>();
        read.map_err(|why| self.report(rules::name_malformed::finding(what, &text.value, &why, &text.span))).ok()
    }

    fn address(&self, text: &At<String>) -> Option<SipAddress> {
        let read = text.value.parse();
        read.map_err(|why| self.report(rules::address_malformed::finding(&text.value, &why, &text.span))).ok()
    }

    pub fn source(&self, text: &At<String>) -> Option<crate::model::SourceNet> {
        let read = text.value.parse();
        read.map_err(|why| self.report(rules::source_malformed::finding(&text.value, &why, &text.span))).ok()
    }

    /// What a room table means.
    pub fn room(&self, head: &Span, table: &RoomTable) -> Option<Room> {
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
        Some(RoomTarget { mode, pin: table.pin.as_ref().map(|pin| pin.value.reference()) })
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

/// Gathers the tables of one kind by name; the same name twice is a finding.
fn gather<T, V>(
    names: &Names,
    kind: &str,
    tables: Tables<T>,
    mut read: impl FnMut(&At<String>, &T) -> Option<V>,
) -> BTreeMap<String, Known<V>> {
    let mut all: BTreeMap<String, Known<V>> = BTreeMap::new();
    for Entry { name, table } in tables.0 {
        if let Some(first) = all.get(&name.value) {
            let what = format!("{kind} `{}`", name.value);
            names.report(rules::defined_twice::finding(&what, &name.span, &first.span));
            continue;
        }
        let value = table.and_then(|table| read(&name, &table));
        all.insert(name.value, Known { span: name.span, value });
    }
    all
}

/// Resolves a draft. The parts are `None` when there is nothing to own them: no stack, or a broken one.
pub(super) fn resolve(draft: Draft) -> (Option<Parts>, Vec<Finding>) {
    let Draft { files, findings, stack, stack_broken, account, schema, .. } = draft;
    let mut names = Names {
        files,
        findings: RefCell::new(findings),
        used: RefCell::default(),
        providers: BTreeMap::new(),
        gateways: BTreeMap::new(),
        numbers: BTreeMap::new(),
        aliases: BTreeMap::new(),
        agents: BTreeMap::new(),
        rooms: BTreeMap::new(),
    };

    for version in schema.iter().filter(|version| version.value != 1) {
        names.report(rules::schema_unknown::finding(version.value, &version.span));
    }
    for pair in stack.windows(2) {
        names.report(rules::defined_twice::finding("[stack]", &pair[1].span, &pair[0].span));
    }
    for pair in account.windows(2) {
        names.report(rules::defined_twice::finding("[account]", &pair[1].span, &pair[0].span));
    }
    if stack.is_empty()
        && !stack_broken
        && let Some((file, _)) = names.files.iter().next()
    {
        names.report(shape::missing_stack(Span { file, range: 0..0 }));
    }
    let stack = stack.into_iter().next().map(|at| at.value);
    let stack_name = stack.as_ref().and_then(|stack| names.name("the name of a stack", &stack.name));
    let unmanaged = stack.and_then(|stack| stack.unmanaged).map_or(Unmanaged::Ignore, |word| word.value);
    let account = account.into_iter().next().and_then(|At { value: table, .. }| {
        Some(Account {
            endpoint: names.url(&table.endpoint, &["https://", "http://"])?,
            api_key: table.api_key.value.reference(),
            secret: table.secret.value.reference(),
        })
    });

    names.providers = gather(&names, "provider", draft.provider, |name, table| {
        let _: crate::model::ProviderName = names.name("the name of a provider", name)?;
        let preset = table.preset.as_ref().map_or(Preset::Custom, |preset| preset.value);
        let facts = preset::facts(preset);
        let address = table.address.as_ref().map(|text| names.address(text));
        let sources = table.ips.as_ref().map(|ips| ips.value.iter().filter_map(|ip| names.source(ip)).collect());
        Some(Provider {
            preset,
            address: address.map_or(Some(facts.address), |address| address.map(Some))?,
            transport: table.transport.as_ref().map(|word| word.value).or(facts.transport),
            sources: sources.unwrap_or(facts.sources),
        })
    });

    names.gateways = gather(&names, "gateway", draft.gateway, |name, table| {
        let own = table.address.as_ref().map(|text| names.address(text));
        let provider = table.provider.as_ref().map(|reference| names.refer("provider", reference, &names.providers));
        let key = names.name("the name of a gateway", name)?;
        // A broken provider or address was reported where it stands.
        let provider = provider.map_or(Some(None), |provider| provider.map(Some))?;
        let address = match own {
            Some(address) => address?,
            None => match provider.and_then(|provider| provider.address.clone()) {
                Some(address) => address,
                None => {
                    let provider = table.provider.as_ref().map(|name| name.value.as_str());
                    names.report(rules::gateway_address_missing::finding(&name.value, &name.span, provider));
                    return None;
                }
            },
        };
        let transport = table.transport.as_ref().map(|word| word.value);
        let region = |text: Option<&At<String>>| text.map_or_else(Region::default, |text| Region(text.value.clone()));
        let regions = table.region.as_ref().map_or_else(Regions::default, |region_table| Regions {
            inbound: region(region_table.value.inbound.as_ref()),
            outbound: region(region_table.value.outbound.as_ref()),
        });
        Some(Gateway {
            name: key,
            address,
            transport: transport.or(provider.and_then(|provider| provider.transport)).unwrap_or(Transport::Tls),
            regions,
            sharing: table.sharing.as_ref().map_or(Sharing::Shared, |word| word.value),
            media_encryption: match table.media_encryption.as_ref().is_some_and(|flag| flag.value) {
                true => MediaEncryption::Enable,
                false => MediaEncryption::Disable,
            },
            credentials: table.auth.as_ref().map(|auth| Credentials {
                username: auth.value.username.value.clone(),
                password: auth.value.password.value.reference(),
            }),
        })
    });

    let mut aliases: BTreeMap<String, (String, Span)> = BTreeMap::new();
    names.numbers = gather(&names, "number", draft.number, |key, table| {
        let e164 = key.value.parse::<E164>();
        let e164 = e164.map_err(|why| names.report(rules::number_malformed::finding(&key.value, &why, &key.span))).ok();
        let alias: Option<Option<Alias>> = match &table.alias {
            None => Some(None),
            Some(alias) => {
                if let Some((_, first)) = aliases.get(&alias.value) {
                    names.report(rules::alias_claimed_twice::finding(&alias.value, &alias.span, first));
                } else {
                    aliases.insert(alias.value.clone(), (key.value.clone(), alias.span.clone()));
                }
                names.name("an alias", alias).map(Some)
            }
        };
        let gateway = names.refer("gateway", &table.gateway, &names.gateways);
        let number = PhoneNumber {
            alias: alias?,
            name: table.name.as_ref().map(|name| name.value.clone()),
            gateway: gateway?.name.clone(),
            on_remove: table.on_remove.as_ref().map_or(Removal::Keep, |word| word.value),
        };
        Some((e164?, number))
    });
    names.aliases = aliases;

    names.rooms = gather(&names, "room", draft.room, |name, table| {
        let _: crate::model::RoomName = names.name("the name of a room", name)?;
        names.room(&name.span, table)
    });

    let mut fallbacks = Vec::new();
    names.agents = gather(&names, "agent", draft.agent, |name, table| {
        fallbacks.push((name.clone(), super::agent::wishes(&names, name, table)));
        super::agent::agent(&names, name, table)
    });
    // Only now, for an agent may fall back to one that is declared after it.
    super::agent::fall_back(&mut names, fallbacks);

    let rules = gather(&names, "rule", draft.rule, |name, table| super::rule::rule(&names, name, table));
    super::rule::claims(&names, &rules);
    names.report_unused();
    names.parts(stack_name, unmanaged, account, rules)
}

impl Names {
    fn report_unused(&self) {
        fn unused<'a, T>(
            kind: &'static str,
            all: &'a BTreeMap<String, Known<T>>,
        ) -> Vec<(&'static str, &'a str, &'a Span)> {
            // A broken table has a finding already.
            let whole = all.iter().filter(|(_, known)| known.value.is_some());
            whole.map(|(name, known)| (kind, name.as_str(), &known.span)).collect()
        }
        let used = self.used.borrow();
        let all = [
            unused("provider", &self.providers),
            unused("gateway", &self.gateways),
            unused("agent", &self.agents),
            unused("room", &self.rooms),
        ];
        for (kind, name, span) in all.into_iter().flatten() {
            if !used.contains(&(kind, name.to_owned())) {
                self.report(rules::unused::finding(kind, name, span));
            }
        }
    }

    fn parts(
        self,
        stack: Option<crate::model::StackName>,
        unmanaged: Unmanaged,
        account: Option<Account>,
        rules: BTreeMap<String, Known<super::rule::Read>>,
    ) -> (Option<Parts>, Vec<Finding>) {
        let places = |span: &Span| self.place(span);
        let mut parts = stack.map(|stack| Parts {
            stack,
            unmanaged,
            account,
            gateways: BTreeMap::new(),
            numbers: BTreeMap::new(),
            rules: BTreeMap::new(),
            providers: BTreeMap::new(),
            agents: BTreeMap::new(),
            rooms: BTreeMap::new(),
            answer_first: BTreeSet::new(),
        });
        if let Some(parts) = &mut parts {
            for known in self.gateways.values() {
                let Some(value) = known.value.clone() else { continue };
                parts.gateways.insert(value.name.clone(), Declared { value, place: places(&known.span) });
            }
            for known in self.numbers.values() {
                let Some((e164, value)) = known.value.clone() else { continue };
                parts.numbers.insert(e164, Declared { value, place: places(&known.span) });
            }
            for known in rules.into_values() {
                let Some(read) = known.value else { continue };
                if read.answer_first {
                    parts.answer_first.insert(read.key.clone());
                }
                parts.rules.insert(read.key, Declared { value: read.rule, place: places(&known.span) });
            }
            parts.providers = self.providers.iter().filter_map(named).collect();
            parts.agents = self.agents.iter().filter_map(named).collect();
            parts.rooms = self.rooms.iter().filter_map(named).collect();
        }
        (parts, self.findings.into_inner())
    }
}

fn named<N: FromStr, V: Clone>((name, known): (&String, &Known<V>)) -> Option<(N, V)> {
    Some((name.parse().ok()?, known.value.clone()?))
}
