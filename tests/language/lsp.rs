//! The language server, spoken to as an editor speaks: over its standard input and output.

use std::io::BufReader;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use lsp_server::{Message, Notification, Request};
use serde_json::{Value, json};

const ROOT: &str = "[stack]\nname = \"acme\"\ninclude = [\"rules/*.toml\"]\n\n[gateway.us]\naddress = \"sip.example.com\"\n\n\
                    [number.\"+14155550100\"]\nalias = \"main\"\ngateway = \"us\"\n\n# Where people wait.\n[room.lobby]\nmode = \"static\"\nid = \"l\"\n";
const RULES: &str = "# \u{1f600}\n[rule.main]\ndirection = \"inbound\"\nnumbers = [\"main\"]\nroom = \"lobby\"\nallow = { callers = [\"+1*\"] }\n";

struct Editor {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    id: i32,
    /// What was told without being asked, until it is looked at.
    told: Vec<Notification>,
}

impl Editor {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_strowger"))
            .args(["lsp", "--stdio"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut editor = Self { child, input, output, id: 0, told: Vec::new() };
        let about = editor.ask("initialize", json!({ "capabilities": {} }));
        assert_eq!(about["capabilities"]["hoverProvider"], true);
        editor.say("initialized", json!({}));
        editor
    }

    fn say(&mut self, method: &str, params: Value) {
        Message::from(Notification::new(method.to_owned(), params)).write(&mut self.input).unwrap();
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.id += 1;
        Message::from(Request::new(self.id.into(), method.to_owned(), params)).write(&mut self.input).unwrap();
        loop {
            match Message::read(&mut self.output).unwrap().expect("the server answers before it ends") {
                Message::Notification(notification) => self.told.push(notification),
                Message::Response(response) => {
                    assert_eq!(response.id, self.id.into());
                    return response.response_result.unwrap();
                }
                Message::Request(request) => panic!("the server asks {request:?}"),
            }
        }
    }

    /// The findings that are told next about a file, by name.
    fn findings(&mut self, uri: &str) -> Vec<Value> {
        loop {
            let of = |one: &Notification| one.params["uri"] == uri;
            if let Some(at) = self.told.iter().position(of) {
                return self.told.remove(at).params["diagnostics"].as_array().unwrap().clone();
            }
            match Message::read(&mut self.output).unwrap().expect("the server tells before it ends") {
                Message::Notification(notification) => self.told.push(notification),
                other => panic!("{other:?}"),
            }
        }
    }

    fn open(&mut self, uri: &str, text: &str) {
        let document = json!({ "uri": uri, "languageId": "toml", "version": 1, "text": text });
        self.say("textDocument/didOpen", json!({ "textDocument": document }));
    }

    fn change(&mut self, uri: &str, text: &str) {
        let changes = json!([{ "text": text }]);
        let params = json!({ "textDocument": { "uri": uri, "version": 2 }, "contentChanges": changes });
        self.say("textDocument/didChange", params);
    }

    fn stop(mut self) {
        assert_eq!(self.ask("shutdown", Value::Null), Value::Null);
        self.say("exit", Value::Null);
        assert!(self.child.wait().unwrap().success());
    }
}

fn stack() -> (tempfile::TempDir, String, String) {
    let directory = tempfile::Builder::new().prefix("ä lsp").tempdir().unwrap();
    std::fs::create_dir(directory.path().join("rules")).unwrap();
    let uri = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        uri(&path)
    };
    let (root, rules) = (uri("strowger.toml", ROOT), uri("rules/main.toml", RULES));
    (directory, root, rules)
}

fn uri(path: &Path) -> String {
    let path = path.to_str().unwrap();
    path.bytes().fold("file://".to_owned(), |uri, byte| match byte {
        b'/' | b'.' | b'_' => uri + &char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => uri + &char::from(byte).to_string(),
        _ => uri + &format!("%{byte:02X}"),
    })
}

/// A place in a file: line and column at the `|` of a text.
fn place(uri: &str, text: &str) -> (String, Value) {
    let at = text.find('|').unwrap();
    let (before, clean) = (&text[..at], text.replacen('|', "", 1));
    let line = before.matches('\n').count();
    let column = before.rsplit('\n').next().unwrap().encode_utf16().count();
    (clean, json!({ "textDocument": { "uri": uri }, "position": { "line": line, "character": column } }))
}

fn names(findings: &[Value]) -> Vec<&str> {
    findings.iter().map(|finding| finding["code"].as_str().unwrap()).collect()
}

fn labels(items: &Value) -> Vec<&str> {
    items.as_array().unwrap().iter().map(|item| item["label"].as_str().unwrap()).collect()
}

#[test]
fn findings_come_as_the_buffer_changes_and_go_when_it_is_mended() {
    let (_directory, root, rules) = stack();
    let mut editor = Editor::start();
    editor.open(&rules, RULES);
    assert!(editor.findings(&rules).is_empty());

    // The disk still says `lobby`; the emoji before it counts two units of UTF-16.
    editor.change(&rules, "# x\n[rule.main]\ndirection = \"inbound\"\nnumbers = [\"main\"]\nmetadata = { e = \"\u{1f600}\" , f = 1 }\nroom = { mode = \"\u{1f600}\", x = 1 }\n");
    let findings = editor.findings(&rules);
    assert!(names(&findings).contains(&"unknown-word"), "{findings:#?}");
    let key = findings.iter().find(|finding| finding["code"] == "unknown-key").unwrap();
    assert_eq!(key["range"]["start"], json!({ "line": 5, "character": 22 }));
    assert_eq!(key["range"]["end"], json!({ "line": 5, "character": 23 }));

    editor.change(&rules, RULES);
    assert!(editor.findings(&rules).is_empty());

    // A mistake of the other file, unsaved, is told where it is.
    editor.open(&root, &ROOT.replace("room.lobby", "room.loby"));
    let findings = editor.findings(&rules);
    assert_eq!(names(&findings), ["reference-unknown"]);
    assert_eq!(names(&editor.findings(&root)), ["unused"]);
    editor.say("textDocument/didClose", json!({ "textDocument": { "uri": root } }));
    assert!(editor.findings(&rules).is_empty());
    editor.stop();
}

#[test]
fn hover_says_what_keys_and_names_are() {
    let (_directory, _, rules) = stack();
    let mut editor = Editor::start();
    let cases = [
        (RULES.replacen("rection", "r|ection", 1), "`inbound`: From the provider"),
        (RULES.replacen("\"lobby\"", "\"lob|by\"", 1), "[room.lobby]\nmode = \"static\""),
        (RULES.replacen("\"main\"", "\"|main\"", 1), "alias = \"main\""),
        (RULES.replacen("rule.main", "ru|le.main", 1), "Routing rules"),
        (RULES.replacen("rule.main", "rule.ma|in", 1), "[rule.main]"),
    ];
    for (text, wanted) in cases {
        let (text, place) = place(&rules, &text);
        editor.open(&rules, &text);
        let hover = editor.ask("textDocument/hover", place);
        let told = hover["contents"]["value"].as_str().unwrap_or_default();
        assert!(told.contains(wanted), "{wanted}: {told}");
        assert!(!told.contains("Where people wait"), "{told}");
    }
    editor.stop();
}

#[test]
fn completion_knows_keys_words_and_names() {
    let (_directory, _, rules) = stack();
    let mut editor = Editor::start();
    let cases = [
        ("[ru|", "rule"),
        ("[rule.main]\nnum|", "numbers"),
        ("[rule.main]\nroom = { mode = \"dynamic\", pre|", "prefix"),
        ("[rule.main]\ndirection = \"in|", "inbound"),
        ("[rule.main]\nrecording = |", "true"),
        ("[rule.main]\nnumbers = [\"ma|\"]", "main"),
        ("[rule.main]\nnumbers = [|", "+14155550100"),
        ("[rule.main]\nroom = |", "lobby"),
        ("[number.\"+14155550101\"]\ngateway = \"|", "us"),
    ];
    for (text, wanted) in cases {
        let (text, place) = place(&rules, text);
        editor.open(&rules, &text);
        let items = editor.ask("textDocument/completion", place);
        assert!(labels(&items).contains(&wanted), "{wanted} after {text:?}: {:?}", labels(&items));
    }
    // The word is replaced with its quotes, and what follows an open quote is not.
    let (text, place) = place(&rules, "[rule.main]\nnumbers = [\"m|]\n");
    editor.open(&rules, &text);
    let items = editor.ask("textDocument/completion", place);
    let item = items.as_array().unwrap().iter().find(|item| item["label"] == "main").unwrap();
    assert_eq!(item["textEdit"]["newText"], "\"main\"");
    assert_eq!(item["textEdit"]["range"]["start"]["character"], 11);
    assert_eq!(item["textEdit"]["range"]["end"]["character"], 13);
    editor.stop();
}

#[test]
fn a_name_leads_to_its_table_in_another_file() {
    let (_directory, root, rules) = stack();
    let mut editor = Editor::start();
    for (text, line) in [("\"lobby\"", 12), ("\"main\"", 8)] {
        let (text, place) = place(&rules, &RULES.replacen(text, &text.replacen('"', "\"|", 1), 1));
        editor.open(&rules, &text);
        let location = editor.ask("textDocument/definition", place);
        assert_eq!(location["uri"], root);
        assert_eq!(location["range"]["start"]["line"], line);
    }
    editor.stop();
}

#[test]
fn fixes_and_layout_are_edits() {
    let (_directory, _, rules) = stack();
    let mut editor = Editor::start();
    let text = RULES.replace("numbers = [\"main\"]", "Numbers = \"main\"").replace("room =", "room=");
    editor.open(&rules, &text);
    assert!(names(&editor.findings(&rules)).contains(&"unknown-key"));
    let range = json!({ "start": { "line": 3, "character": 0 }, "end": { "line": 3, "character": 3 } });
    let params = json!({ "textDocument": { "uri": rules }, "range": range, "context": { "diagnostics": [] } });
    let actions = editor.ask("textDocument/codeAction", params);
    assert_eq!(actions[0]["title"], "write `numbers`");
    assert_eq!(actions[0]["isPreferred"], true);
    let edit = &actions[0]["edit"]["changes"][&rules][0];
    assert_eq!(edit["newText"], "numbers");
    assert_eq!(edit["range"]["end"], json!({ "line": 3, "character": 7 }));

    let options = json!({ "tabSize": 2, "insertSpaces": true });
    let params = json!({ "textDocument": { "uri": rules }, "options": options });
    let edits = editor.ask("textDocument/formatting", params.clone());
    assert!(
        edits[0]["newText"].as_str().unwrap().contains("Numbers   = \"main\"\nroom      = \"lobby\"\n"),
        "{edits:#}"
    );
    editor.change(&rules, "= broken");
    assert_eq!(editor.ask("textDocument/formatting", params), Value::Null);
    editor.stop();
}

#[test]
fn what_is_not_served_or_not_understood_is_an_error_and_no_end() {
    let mut editor = Editor::start();
    for (method, params) in [("textDocument/rename", json!({})), ("textDocument/hover", json!({ "x": 1 }))] {
        editor.id += 1;
        Message::from(Request::new(editor.id.into(), method.to_owned(), params)).write(&mut editor.input).unwrap();
        let Some(Message::Response(response)) = Message::read(&mut editor.output).unwrap() else { panic!("no answer") };
        assert!(response.response_result.is_err());
    }
    editor.say("textDocument/didChange", json!({ "nonsense": [1, 2] }));
    editor.open("untitled:new", "[");
    editor.stop();
}
