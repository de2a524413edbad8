//! What do all files of a configuration say together?

use toml::de::DeTable;

use super::grammar;
use super::read::{At, Cx, Entry, Open, Owner, Tables};
use super::tables::{
    AccountTable, AgentTable, GatewayTable, NumberTable, ProviderTable, RoomTable, RootTable, RuleTable, StackTable,
};
use crate::diagnostic::{FileId, Files, Finding, Span, nearest};

/// What the files say: known shape, a span for every key and value; most values are still text.
#[derive(Debug)]
pub struct Draft {
    /// The files.
    pub files: Files,
    /// What is wrong with their shape.
    pub findings: Vec<Finding>,
    /// `[stack]`, from each file that has one.
    pub stack: Vec<At<StackTable>>,
    /// Whether a `[stack]` is there but broken, so that its absence is not reported again.
    pub stack_broken: bool,
    /// `[account]`, from each file that has one.
    pub account: Vec<At<AccountTable>>,
    /// Sections of files that are no TOML, in order. They are read at a guess, and names in them may be lost.
    pub guessed: Vec<Span>,
    /// The kinds of tables of which none can be read in some file, so that any name may be lost.
    pub unread: Vec<&'static str>,
    /// The `schema` keys.
    pub schema: Vec<At<u16>>,
    /// `[provider.*]`
    pub provider: Tables<ProviderTable>,
    /// `[gateway.*]`
    pub gateway: Tables<GatewayTable>,
    /// `[number.*]`
    pub number: Tables<NumberTable>,
    /// `[agent.*]`
    pub agent: Tables<AgentTable>,
    /// `[room.*]`
    pub room: Tables<RoomTable>,
    /// `[rule.*]`
    pub rule: Tables<RuleTable>,
}

/// Reads the texts of a configuration. Total: any text gives a draft, with findings where it is wrong.
pub fn parse(files: &Files) -> Draft {
    let mut draft = Draft {
        files: files.clone(),
        findings: Vec::new(),
        stack: Vec::new(),
        stack_broken: false,
        account: Vec::new(),
        guessed: Vec::new(),
        unread: Vec::new(),
        schema: Vec::new(),
        provider: Tables::default(),
        gateway: Tables::default(),
        number: Tables::default(),
        agent: Tables::default(),
        room: Tables::default(),
        rule: Tables::default(),
    };
    for (id, file) in files.iter() {
        draft.file(id, file.text());
    }
    draft
}

/// The `include` patterns of a root file; none when the file is too broken to say.
pub fn includes(root: &str) -> Vec<String> {
    let (table, _) = DeTable::parse_recoverable(root);
    let include = table.get_ref().get("stack").and_then(|stack| stack.get_ref().get("include"));
    let Some(patterns) = include.and_then(|include| include.get_ref().as_array()) else { return Vec::new() };
    patterns.iter().filter_map(|pattern| pattern.get_ref().as_str().map(str::to_owned)).collect()
}

impl Draft {
    /// Whether a place lies in a section that was read at a guess.
    pub fn is_guessed(guessed: &[Span], place: &Span) -> bool {
        let after =
            guessed.partition_point(|section| (section.file, section.range.start) <= (place.file, place.range.start));
        guessed[..after].last().is_some_and(|section| {
            section.file == place.file && (place.range.start < section.range.end || section.range.is_empty())
        })
    }

    /// Takes in the names of tables whose kind is misspelt, so that references to them are not reported as well.
    fn misspelt(&mut self, root: &DeTable<'_>, cx: &Cx) {
        fn known<T>(all: &mut Tables<T>, names: Vec<At<String>>) {
            all.0.extend(names.into_iter().map(|name| Entry { name, table: None }));
        }
        for (key, value) in root.iter().filter(|(key, _)| !RootTable::KEYS.contains(&key.get_ref().as_ref())) {
            let Some(kind) = nearest(key.get_ref(), RootTable::KEYS.iter().copied()) else { continue };
            let tables = value.get_ref().as_table().into_iter().flat_map(|table| table.keys());
            let names =
                tables.map(|name| At { value: name.get_ref().to_string(), span: cx.span(name.span()) }).collect();
            match kind {
                "stack" => self.stack_broken = true,
                "provider" => known(&mut self.provider, names),
                "gateway" => known(&mut self.gateway, names),
                "number" => known(&mut self.number, names),
                "agent" => known(&mut self.agent, names),
                "room" => known(&mut self.room, names),
                _ => {}
            }
        }
    }

    fn file(&mut self, id: FileId, text: &str) {
        let (table, errors) = DeTable::parse_recoverable(text);
        let mut cx = Cx { file: id, findings: Vec::new() };
        self.guessed.extend(grammar::report(text, &errors, &mut cx));
        let whole = Span { file: id, range: 0..0 };
        // A root table has no required key, so it is never refused as a whole; but one broken singleton would
        // take the other tables with it, so each is read on its own.
        let root = table.get_ref();
        let open = || Open::of(root, Owner::FILE, whole.clone(), &[], &mut Cx { file: id, findings: Vec::new() });
        Open::of(root, Owner::FILE, whole.clone(), RootTable::KEYS, &mut cx);
        self.misspelt(root, &cx);
        macro_rules! read {
            ($key:literal, $type:ty) => {
                <$type as super::read::Field>::take(&mut open(), $key, &mut cx)
            };
        }
        let stack = read!("stack", Option<At<StackTable>>);
        self.stack_broken |= stack.is_none();
        self.stack.extend(stack.flatten());
        self.account.extend(read!("account", Option<At<AccountTable>>).flatten());
        self.schema.extend(read!("schema", Option<At<u16>>).flatten());
        macro_rules! more {
            ($field:ident, $key:literal, $type:ty) => {
                match read!($key, Tables<$type>) {
                    Some(tables) => self.$field.0.extend(tables.0),
                    None => self.unread.push($key),
                }
            };
        }
        more!(provider, "provider", ProviderTable);
        more!(gateway, "gateway", GatewayTable);
        more!(number, "number", NumberTable);
        more!(agent, "agent", AgentTable);
        more!(room, "room", RoomTable);
        more!(rule, "rule", RuleTable);
        self.findings.append(&mut cx.findings);
    }
}
