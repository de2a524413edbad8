//! Does the house stand as it is meant to: layers, names, schema and examples?

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use strowger::check::{Checked, check};
use strowger::diagnostic::Rule;
use strowger::route::{self, Difference, Graph, Table};
use strowger::source::SourceSet;
use strowger::{check as rules, source, syntax};
use syn::visit::Visit;

/// What a module may use of ours.
enum Uses {
    Only(&'static [&'static str]),
    AllBut(&'static [&'static str]),
}

/// Who uses whom. A new module brings its row.
const LAYERS: &[(&str, Uses)] = &[
    // -- words
    ("model", Uses::Only(&[])),
    ("diagnostic", Uses::Only(&[])),
    // -- compile
    // The words of the language are the words of the model.
    ("syntax", Uses::Only(&["diagnostic", "model"])),
    // Secret references are resolved where files are read.
    ("source", Uses::Only(&["diagnostic", "model", "syntax"])),
    // Proofs about the rules together, and the tests, are asked of the function that decides calls.
    ("check", Uses::Only(&["diagnostic", "model", "route", "syntax"])),
    ("editor", Uses::Only(&["diagnostic", "syntax"])),
    // -- synchronise
    ("api", Uses::Only(&["model"])),
    ("client", Uses::Only(&["api", "model"])),
    ("plan", Uses::Only(&["diagnostic", "model"])),
    ("sync", Uses::Only(&["api", "model", "plan"])),
    // -- calls
    ("route", Uses::Only(&["model"])),
    ("call", Uses::Only(&["model", "route"])),
    ("sip", Uses::Only(&["model"])),
    ("media", Uses::Only(&["model"])),
    ("room", Uses::Only(&["media", "model"])),
    ("agent", Uses::Only(&["media", "model"])),
    ("switch", Uses::Only(&["agent", "api", "call", "media", "model", "room", "route", "sip", "store"])),
    // -- serve
    ("store", Uses::Only(&["api", "model"])),
    ("server", Uses::Only(&["api", "model"])),
    // -- run
    ("daemon", Uses::AllBut(&["cli"])),
    ("cli", Uses::AllBut(&[])),
];

/// Modules without files, sockets, clocks and environment.
const PURE: &[&str] = &["api", "call", "check", "diagnostic", "editor", "model", "plan", "route", "syntax"];

/// The line by which a pure module has `clippy.toml` watch over it.
const PURITY: &str = "#![deny(clippy::disallowed_methods, clippy::disallowed_types)]";

/// The longest file under `src/`. Files read best at 100 to 400 lines.
const LINES_MAX: usize = 550;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn update() -> bool {
    std::env::var_os("STROWGER_UPDATE").is_some_and(|value| !value.is_empty())
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{} is readable: {error}", path.display()))
}

/// The path as it stands in the repository.
fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let read = fs::read_dir(directory).unwrap_or_else(|error| panic!("{} is readable: {error}", directory.display()));
    let mut paths: Vec<PathBuf> = read.map(|entry| entry.expect("a readable directory").path()).collect();
    paths.sort();
    paths
}

/// Every file under a directory, but for what is built and what git keeps.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for path in entries(directory) {
        match path.is_dir() {
            true if path == root().join("target") || path == root().join(".git") => {}
            true => all.extend(files(&path)),
            false => all.push(path),
        }
    }
    all
}

fn sources() -> Vec<PathBuf> {
    let mut all = files(&root().join("src"));
    all.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    all
}

/// Fails with all faults at once.
fn none(faults: Vec<String>) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

// ---- Layers

/// Where a file stands in the tree of modules: `src/check/rules/unused.rs` is `[check, rules, unused]`.
fn module(file: &Path) -> Vec<String> {
    let below = file.strip_prefix(root().join("src")).expect("a file under src").with_extension("");
    let mut parts: Vec<String> = below.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    parts.retain(|part| part != "mod" && part != "lib" && part != "main");
    parts
}

/// Collects the modules at the root of the crate that a file names.
struct Named {
    /// The module that is being read, inline modules included.
    within: Vec<String>,
    found: BTreeSet<String>,
}

impl Named {
    fn path(&mut self, segments: &[String]) {
        let supers = segments.iter().take_while(|segment| *segment == "super").count();
        let rest = match segments.first().map(String::as_str) {
            Some("crate" | "strowger") => &segments[1..],
            Some("super") if supers == self.within.len() => &segments[supers..],
            _ => return,
        };
        self.found.extend(rest.first().cloned());
    }

    /// What stands in a macro or an attribute is no syntax yet, so its words are looked at.
    fn words(&mut self, tokens: &str) {
        let word = |text: &str| -> String { text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect() };
        for after in tokens.split("crate").skip(1) {
            let Some(after) = after.trim_start().strip_prefix("::") else { continue };
            let after = after.trim_start();
            let group = after.strip_prefix('{').map(|group| group.split('}').next().unwrap_or_default());
            for item in group.unwrap_or(after.split(',').next().unwrap_or_default()).split(',') {
                self.path(&["crate".to_owned(), word(item.trim_start())]);
            }
        }
    }

    fn tree(&mut self, before: &[String], tree: &syn::UseTree) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => self.tree(&with(&path.ident), &path.tree),
            syn::UseTree::Name(name) => self.path(&with(&name.ident)),
            syn::UseTree::Rename(rename) => self.path(&with(&rename.ident)),
            syn::UseTree::Glob(_) => self.path(&[before, &["*".to_owned()]].concat()),
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.tree(before, tree)),
        }
    }
}

impl<'ast> Visit<'ast> for Named {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.tree(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.path(&segments);
        syn::visit::visit_path(self, path);
    }

    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {
        // `pub(in crate::…)` gives; it does not use.
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.within.push(item.ident.to_string());
        syn::visit::visit_item_mod(self, item);
        self.within.pop();
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        self.words(&mac.tokens.to_string());
        syn::visit::visit_macro(self, mac);
    }

    fn visit_meta_list(&mut self, list: &'ast syn::MetaList) {
        self.words(&list.tokens.to_string());
        syn::visit::visit_meta_list(self, list);
    }
}

/// The line that names a module, as well as a text can tell.
fn line(text: &str, module: &str) -> usize {
    let names = |line: &str| {
        line.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| word == module)
            && !line.trim_start().starts_with("//")
    };
    let lines = || text.lines().enumerate().filter(|(_, line)| names(line));
    let direct = lines().find(|(_, line)| line.contains("crate::") || line.contains("super::"));
    direct.or_else(|| lines().next()).map_or(1, |(at, _)| at + 1)
}

#[test]
fn modules_use_only_what_lies_below_them() {
    let modules: BTreeSet<String> = sources().iter().filter_map(|file| module(file).into_iter().next()).collect();
    let rows: BTreeMap<&str, &Uses> = LAYERS.iter().map(|(name, uses)| (*name, uses)).collect();
    let mut faults = Vec::new();
    for module in &modules {
        if !rows.contains_key(module.as_str()) {
            faults.push(format!("src/{module}: has no row in LAYERS of tests/house.rs; say what it may use"));
        }
    }
    for (name, uses) in &rows {
        let (Uses::Only(named) | Uses::AllBut(named)) = uses;
        for gone in std::iter::once(name).chain(named.iter()).filter(|name| !modules.contains(**name)) {
            faults.push(format!("the row of `{name}` in LAYERS names `{gone}`, which is not there"));
        }
    }
    for file in sources() {
        let within = module(&file);
        let Some(this) = within.first().cloned() else { continue };
        let Some(uses) = rows.get(this.as_str()) else { continue };
        let text = text(&file);
        let tree = syn::parse_file(&text).unwrap_or_else(|error| panic!("{} is Rust: {error}", file.display()));
        let mut named = Named { within, found: BTreeSet::new() };
        named.visit_file(&tree);
        for other in named.found.iter().filter(|other| **other != this && modules.contains(*other)) {
            let may = match uses {
                Uses::Only(named) => named.contains(&other.as_str()),
                Uses::AllBut(named) => !named.contains(&other.as_str()),
            };
            if !may {
                let line = line(&text, other);
                faults.push(format!("{}:{line}: `{this}` must not use `{other}`", shown(&file)));
            }
        }
        if named.found.contains("*") {
            faults.push(format!("{}: `use crate::*` hides what is used", shown(&file)));
        }
    }
    none(faults);
}

#[test]
fn pure_modules_are_watched() {
    let front = |module: &str| root().join("src").join(module).join("mod.rs");
    let unwatched = |module: &&&str| !text(&front(module)).lines().any(|line| line == PURITY);
    let fault = |module: &&str| format!("{}: a pure module begins with `{PURITY}`", shown(&front(module)));
    none(PURE.iter().filter(unwatched).map(fault).collect());
}

// ---- Names

/// What a ui case of a rule reports, by the library.
fn reported(case: &Path) -> Vec<&'static str> {
    let arguments = text(&case.join("cmd"));
    let environment = arguments.split_whitespace().skip_while(|word| *word != "-e").nth(1);
    let set = source::read(&case.join("in"), environment).unwrap_or_else(|error| panic!("{}: {error}", shown(case)));
    let mut checked = check(syntax::parse(&set.files));
    checked.warn_of_exposed_secrets(|file| source::is_exposed(file, &set.directory));
    checked.report.findings.iter().map(|finding| finding.rule.name).collect()
}

/// Every folder with a `cmd`, at or below a folder.
fn cases(directory: &Path) -> Vec<PathBuf> {
    let all = files(directory);
    let cases = all.iter().filter(|file| file.ends_with("cmd")).filter_map(|file| file.parent());
    cases.map(Path::to_path_buf).collect()
}

#[test]
fn a_rule_has_one_name_everywhere() {
    let mut faults = Vec::new();
    let all: BTreeMap<&str, &Rule> = rules::all().into_iter().map(|rule| (rule.name, rule)).collect();
    let shape = text(&root().join("src/syntax/rules.rs"));

    let mut in_files = BTreeSet::new();
    for file in entries(&root().join("src/check/rules")) {
        let name = file.file_stem().expect("a file has a name").to_string_lossy().replace('_', "-");
        if name == "mod" {
            continue;
        }
        if !all.contains_key(name.as_str()) {
            faults.push(format!("{}: `{name}` is not in src/check/registry.rs", shown(&file)));
        }
        if !text(&file).contains(&format!("name: \"{name}\"")) {
            faults.push(format!("{}: its rule is not named `{name}`", shown(&file)));
        }
        in_files.insert(name);
    }
    for (name, rule) in &all {
        if !in_files.contains(*name) && !shape.contains(&format!("name: \"{name}\"")) {
            faults.push(format!("`{name}` has no file under src/check/rules/ and is not in src/syntax/rules.rs"));
        }
        if rule.explanation.len() <= rule.summary.len() || !rule.explanation.ends_with('.') {
            faults.push(format!("`{name}` is not explained: its explanation says no more than its summary"));
        }
        let folder = root().join("tests/ui/check").join(name.replace('-', "_"));
        if !folder.join("cmd").is_file() {
            faults.push(format!("`{name}` has no case: {} is missing", shown(&folder.join("cmd"))));
            continue;
        }
        for case in cases(&folder) {
            let reported = reported(&case);
            let clean = case.ends_with("clean");
            if clean && !reported.is_empty() {
                faults.push(format!("{}: a clean twin reports {reported:?}", shown(&case)));
            }
            if !clean && (reported.is_empty() || reported.iter().any(|other| other != name)) {
                faults.push(format!("{}: reports {reported:?} and not `{name}` alone", shown(&case)));
            }
        }
    }
    for case in entries(&root().join("tests/ui/check")) {
        let name = case.file_name().expect("an entry has a name").to_string_lossy().replace('_', "-");
        if !all.contains_key(name.as_str()) {
            faults.push(format!("{}: there is no rule `{name}`", shown(&case)));
        }
    }
    none(faults);
}

#[test]
fn a_subcommand_has_a_file_and_cases() {
    let help = std::process::Command::new(env!("CARGO_BIN_EXE_strowger")).arg("--help").output();
    let help = String::from_utf8(help.expect("the program starts").stdout).expect("the program writes UTF-8");
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names: Vec<&str> = commands.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.contains(&"validate"), "the list of commands was not found in:\n{help}");
    let places = |name: &&str| [root().join(format!("src/cli/{name}.rs")), root().join(format!("tests/ui/{name}"))];
    let missing = names.iter().flat_map(places).filter(|path| !path.exists());
    none(missing.map(|path| format!("{} is missing", shown(&path))).collect());
}

// ---- Schema

#[test]
fn the_schema_is_the_one_that_the_reader_has() {
    let file = root().join("schema/strowger.schema.json");
    let is = format!("{:#}\n", syntax::schema());
    if update() {
        fs::write(&file, &is).expect("a writable schema");
    }
    let diff =
        similar::TextDiff::from_lines(text(&file), is.clone()).unified_diff().header("file", "reader").to_string();
    assert!(diff.is_empty(), "{} is stale; STROWGER_UPDATE=1 rewrites it:\n{diff}", shown(&file));
}

/// An independent reader of the schema.
fn judge() -> jsonschema::Validator {
    jsonschema::validator_for(&syntax::schema()).expect("the schema is a JSON Schema")
}

fn as_json(text: &str) -> Option<serde_json::Value> {
    let table: toml::Table = toml::from_str(text).ok()?;
    Some(serde_json::to_value(table).expect("a table is an object"))
}

/// An editor that follows the schema and the program agree on what is no configuration.
#[test]
fn the_schema_and_the_reader_judge_alike() {
    let judge = judge();
    let mut faults = Vec::new();
    let (mut good, mut bad) = (0, 0);
    for case in cases(&root().join("tests/ui/check")) {
        for file in files(&case.join("in")) {
            let text = text(&file);
            let Some(instance) = as_json(&text) else { continue };
            // What a variable stands for is beyond a schema.
            if text.contains("${") {
                continue;
            }
            let mut alone = strowger::diagnostic::Files::default();
            alone.add(strowger::diagnostic::File::new(shown(&file), text));
            let draft = syntax::parse(&alone);
            let refused = judge.iter_errors(&instance).next().map(|error| error.to_string());
            if !draft.findings.is_empty() {
                bad += 1;
                if refused.is_none() {
                    let finding = &draft.findings[0].message;
                    faults.push(format!("{}: the reader says \"{finding}\", the schema nothing", shown(&file)));
                }
            } else if case.ends_with("clean") {
                good += 1;
                faults.extend(refused.map(|error| format!("{}: the schema refuses it: {error}", shown(&file))));
            }
        }
    }
    assert!(good > 5 && bad > 5, "{good} good and {bad} bad files were compared");
    none(faults);
}

// ---- Numbering plans

/// The lengths of national numbers by country code, as libphonenumber has them.
fn plans() -> String {
    let database = &*phonenumber::metadata::DATABASE;
    let mut out = String::new();
    for code in 1..1000_u16 {
        let mut lengths = 0_u32;
        for plan in database.by_code(&code).into_iter().flatten() {
            let kinds = plan.descriptors();
            // The plan's description of all numbers has no lengths of its own; those of each kind have.
            let described = [
                Some(kinds.general()),
                kinds.fixed_line(),
                kinds.mobile(),
                kinds.toll_free(),
                kinds.premium_rate(),
                kinds.shared_cost(),
                kinds.personal_number(),
                kinds.voip(),
                kinds.pager(),
                kinds.uan(),
                kinds.voicemail(),
            ];
            lengths |= described
                .into_iter()
                .flatten()
                .flat_map(|kind| kind.possible_length())
                .fold(0, |all, length| all | 1 << length);
        }
        if lengths != 0 {
            out.push_str(&format!("    ({code}, {lengths:#x}),\n"));
        }
    }
    out
}

#[test]
fn the_numbering_plans_are_those_of_libphonenumber() {
    let file = root().join("src/check/plans.rs");
    let text = text(&file);
    let head = text.find("= &[\n").expect("the table begins") + "= &[\n".len();
    let expected = format!("{}{}];\n", &text[..head], plans());
    if update() {
        std::fs::write(&file, &expected).expect("a writable file");
    }
    assert!(
        update() || text == expected,
        "{} is not what libphonenumber says; STROWGER_UPDATE=1 writes it",
        shown(&file)
    );
}

// ---- Examples

struct Example {
    folder: PathBuf,
    set: SourceSet,
    checked: Checked,
}

fn examples() -> Vec<Example> {
    let folders = entries(&root().join("examples")).into_iter().filter(|folder| folder.is_dir());
    let examples: Vec<Example> = folders
        .map(|folder| {
            let set = source::read(&folder, None).unwrap_or_else(|error| panic!("{}: {error}", shown(&folder)));
            let checked = check(syntax::parse(&set.files));
            Example { folder, set, checked }
        })
        .collect();
    assert!(!examples.is_empty(), "there are examples");
    examples
}

#[test]
fn every_example_is_valid_for_the_program_and_for_an_editor() {
    let judge = judge();
    let mut faults = Vec::new();
    for Example { folder, set, checked } in examples() {
        for finding in &checked.report.findings {
            faults.push(format!("{}: {} ({})", shown(&folder), finding.message, finding.rule.name));
        }
        for path in &set.paths {
            let text = text(path);
            let Some(schema) = text.lines().next().and_then(|line| line.strip_prefix("#:schema ")) else {
                faults.push(format!("{}:1: begins without a `#:schema` line", shown(path)));
                continue;
            };
            let target = path.parent().expect("a file stands somewhere").join(schema.trim());
            let same = target.canonicalize().ok() == root().join("schema/strowger.schema.json").canonicalize().ok();
            if !same {
                faults.push(format!("{}:1: `{schema}` is not the schema of this repository", shown(path)));
            }
            let Some(instance) = as_json(&text) else {
                faults.push(format!("{}: is not TOML for `toml::from_str`", shown(path)));
                continue;
            };
            for error in judge.iter_errors(&instance) {
                faults.push(format!("{}: the schema refuses {}: {error}", shown(path), error.instance_path));
            }
            for pointer in closed_tables(&instance) {
                let mut typo = instance.clone();
                let table = typo.pointer_mut(&pointer).and_then(serde_json::Value::as_object_mut);
                table.expect("a table").insert("mispelled".to_owned(), true.into());
                if judge.is_valid(&typo) {
                    faults.push(format!("{}: the schema lets an unknown key pass in `{pointer}`", shown(path)));
                }
            }
        }
    }
    none(faults);
}

/// JSON pointers of the tables in which no unknown key may stand: the file, and every table that the language has.
fn closed_tables(file: &serde_json::Value) -> Vec<String> {
    let mut all = vec![String::new()];
    for (kind, value) in file.as_object().expect("a table") {
        let Some(tables) = value.as_object() else { continue };
        match kind.as_str() {
            "stack" | "account" => all.push(format!("/{kind}")),
            _ => all.extend(tables.keys().map(|name| format!("/{kind}/{name}"))),
        }
    }
    all
}

#[test]
fn the_calls_of_every_example_are_decided_as_it_says() {
    let mut faults = Vec::new();
    let mut decided = 0;
    for Example { folder, checked, .. } in examples() {
        let file = folder.join("calls.toml");
        if !file.is_file() {
            faults.push(format!("{} is missing: an example says what becomes of calls", shown(&file)));
            continue;
        }
        let calls = source::read_calls(&file).unwrap_or_else(|error| panic!("{error}"));
        let rows: toml::Table = text(&file).parse().expect("what was read as calls is TOML");
        // What is wrong with the files themselves is told elsewhere.
        let Some(exchange) = checked.exchange else { continue };
        let table = Table::build(&exchange.book());
        for (call, row) in calls.iter().zip(rows["call"].as_array().expect("a list of calls")) {
            decided += 1;
            let verdict = route::judge(call, &table, Some(&exchange));
            for Difference { what, expected, got } in verdict.differences {
                faults.push(format!("{}: {}: {what} is {got}, expected {expected}", shown(&file), call.name));
            }
            let trace = verdict.decision.trace.to_string();
            let expected = row.get("trace").map(|trace| trace.as_str().expect("a trace is text"));
            if expected.is_some_and(|expected| expected != trace) {
                faults.push(format!("{}: {}: its trace is {trace:?}", shown(&file), call.name));
            }
        }
        let picture = Graph::of(&exchange.book()).svg(exchange.stack().as_str());
        assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>\n") && !picture.contains("<script"));
    }
    assert!(decided > 0 || !faults.is_empty(), "calls were decided");
    none(faults);
}

// ---- Text

#[test]
fn nothing_is_left_to_do_in_src() {
    let left = ["todo", "unimplemented", "dbg"].map(|name| format!("{name}!"));
    let mut faults = Vec::new();
    for file in sources() {
        for (at, line) in text(&file).lines().enumerate() {
            for name in left.iter().filter(|name| line.contains(name.as_str())) {
                faults.push(format!("{}:{}: `{name}` is left there", shown(&file), at + 1));
            }
        }
    }
    none(faults);
}

#[test]
fn files_stay_short_enough_to_read() {
    let long = sources().into_iter().map(|file| (text(&file).lines().count(), file));
    let long = long.filter(|(lines, _)| *lines > LINES_MAX);
    none(long.map(|(lines, file)| format!("{}: {lines} lines; split it along its nouns", shown(&file))).collect());
}

/// A path of one machine in the repository is of no use on another.
#[test]
fn no_file_names_a_path_of_this_machine() {
    let mut homes: Vec<String> = ["home", "Users", "root"].map(|name| format!("/{name}/")).to_vec();
    homes.push(root().display().to_string());
    let mut faults = Vec::new();
    for file in files(&root()) {
        // What is no text names no path.
        let Ok(text) = fs::read_to_string(&file) else { continue };
        for (at, line) in text.lines().enumerate() {
            for home in homes.iter().filter(|home| line.contains(home.as_str())) {
                faults.push(format!("{}:{}: names `{home}`", shown(&file), at + 1));
            }
        }
    }
    none(faults);
}
