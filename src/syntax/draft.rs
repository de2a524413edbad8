//! What do all files of a configuration say together?

use toml::de::DeTable;

use super::read::{At, Cx, Entry, Open, Owner, Tables};
use super::rules;
use super::tables::{
    AccountTable, AgentTable, GatewayTable, NumberTable, ProviderTable, RoomTable, RootTable, RuleTable, StackTable,
};
use crate::diagnostic::{FileId, Files, Finding, Span};

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

/// What of the texts is not TOML, and nothing else.
pub fn syntax_errors(files: &Files) -> Vec<Finding> {
    parse(files).findings.into_iter().filter(|finding| finding.rule.name == rules::TOML_SYNTAX.name).collect()
}

/// The `include` patterns of a root file; none when the file is too broken to say.
pub fn includes(root: &str) -> Vec<String> {
    let (table, _) = DeTable::parse_recoverable(root);
    let include = table.get_ref().get("stack").and_then(|stack| stack.get_ref().get("include"));
    let Some(patterns) = include.and_then(|include| include.get_ref().as_array()) else { return Vec::new() };
    patterns.iter().filter_map(|pattern| pattern.get_ref().as_str().map(str::to_owned)).collect()
}

impl Draft {
    fn file(&mut self, id: FileId, text: &str) {
        let (table, errors) = DeTable::parse_recoverable(text);
        let mut cx = Cx { file: id, findings: Vec::new() };
        for error in &errors {
            let range = error.span().unwrap_or(0..0);
            let range = range.start.min(text.len())..range.end.min(text.len());
            let message = error.message().to_owned();
            cx.findings.push(Finding::new(&rules::TOML_SYNTAX, message, cx.span(range), "here"));
        }
        let whole = Span { file: id, range: 0..0 };
        // A root table has no required key, so it is never refused as a whole; but one broken singleton would
        // take the other tables with it, so each is read on its own.
        let root = table.get_ref();
        let open = || Open::of(root, Owner::FILE, whole.clone(), &[], &mut Cx { file: id, findings: Vec::new() });
        Open::of(root, Owner::FILE, whole.clone(), RootTable::KEYS, &mut cx);
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
        fn more<T>(all: &mut Tables<T>, read: Option<Tables<T>>) {
            let entries: Vec<Entry<T>> = read.map(|tables| tables.0).unwrap_or_default();
            all.0.extend(entries);
        }
        more(&mut self.provider, read!("provider", Tables<ProviderTable>));
        more(&mut self.gateway, read!("gateway", Tables<GatewayTable>));
        more(&mut self.number, read!("number", Tables<NumberTable>));
        more(&mut self.agent, read!("agent", Tables<AgentTable>));
        more(&mut self.room, read!("room", Tables<RoomTable>));
        more(&mut self.rule, read!("rule", Tables<RuleTable>));
        self.findings.append(&mut cx.findings);
    }
}
