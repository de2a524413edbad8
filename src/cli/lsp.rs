//! `strowger lsp`

mod answer;
mod convert;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::Args;
use lsp_server::{Connection, Message, Notification, Request, Response};
use lsp_types as lsp;
use lsp_types::notification::Notification as _;
use lsp_types::request::Request as _;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::check::check;
use crate::diagnostic::{File, FileId, Files, Report};
use crate::editor::Words;
use crate::source::{self, ENVIRONMENTS, ROOT_FILE, Unsaved};
use crate::syntax;

use super::exit::{Exit, Failure};

/// Serves editors, over the Language Server Protocol.
///
/// Findings as you type, hover, completion, definitions, fixes and layout, on standard input and output. An editor
/// starts it.
#[derive(Debug, Args)]
#[command(after_help = "Example, for Neovim:\n  vim.lsp.start({ name = 'strowger', cmd = { 'strowger', 'lsp' } })")]
pub(super) struct Lsp {
    /// What editors say that can speak in several ways; there is one.
    #[arg(long, hide = true)]
    stdio: bool,
}

impl Lsp {
    pub fn run(self) -> Result<Exit, Failure> {
        let failed =
            |error: &dyn std::fmt::Display| Failure::new("lsp", format!("the editor cannot be served: {error}"));
        let (connection, threads) = Connection::stdio();
        let capabilities = serde_json::to_value(capabilities()).map_err(|error| failed(&error))?;
        let (id, _) = connection.initialize_start().map_err(|error| failed(&error))?;
        let info = serde_json::json!({ "name": "strowger", "version": env!("CARGO_PKG_VERSION") });
        let about = serde_json::json!({ "capabilities": capabilities, "serverInfo": info });
        connection.initialize_finish(id, about).map_err(|error| failed(&error))?;
        Server::new(&connection).serve().map_err(|error| failed(&error))?;
        drop(connection);
        threads.join().map_err(|error| failed(&error))?;
        Ok(Exit::Done)
    }
}

fn capabilities() -> lsp::ServerCapabilities {
    lsp::ServerCapabilities {
        position_encoding: Some(lsp::PositionEncodingKind::UTF16),
        text_document_sync: Some(lsp::TextDocumentSyncCapability::Kind(lsp::TextDocumentSyncKind::FULL)),
        hover_provider: Some(lsp::HoverProviderCapability::Simple(true)),
        completion_provider: Some(lsp::CompletionOptions {
            trigger_characters: Some(["\"", "'", ".", "[", "{"].map(str::to_owned).to_vec()),
            ..lsp::CompletionOptions::default()
        }),
        definition_provider: Some(lsp::OneOf::Left(true)),
        code_action_provider: Some(lsp::CodeActionProviderCapability::Options(lsp::CodeActionOptions {
            code_action_kinds: Some(vec![lsp::CodeActionKind::QUICKFIX]),
            ..lsp::CodeActionOptions::default()
        })),
        document_formatting_provider: Some(lsp::OneOf::Left(true)),
        ..lsp::ServerCapabilities::default()
    }
}

/// A configuration as the editor has it, compiled.
struct World {
    files: Files,
    /// The absolute paths of the files, in the same order.
    paths: Vec<PathBuf>,
    report: Report,
    /// The file that was asked about.
    id: FileId,
}

impl World {
    fn path(&self, id: FileId) -> Option<&PathBuf> {
        let at = self.files.iter().position(|(known, _)| known == id)?;
        self.paths.get(at)
    }

    fn uri(&self, id: FileId) -> Option<lsp::Uri> {
        convert::uri(self.path(id)?)
    }

    fn file(&self) -> &File {
        self.files.get(self.id)
    }

    /// Compiles the configuration that a file belongs to, or the file alone.
    fn of(path: &Path, unsaved: &Unsaved) -> Option<Self> {
        // A file of an environment is read with what it belongs to.
        let beside = path.parent().is_some_and(|parent| parent.ends_with(ENVIRONMENTS));
        let environment = path.file_stem().and_then(|name| name.to_str()).filter(|_| beside);
        for directory in path.ancestors().skip(1).filter(|directory| directory.join(ROOT_FILE).is_file()) {
            let Ok(set) = source::read_over(directory, environment, unsaved) else { continue };
            let paths: Vec<PathBuf> = set.paths.into_iter().filter_map(|path| std::path::absolute(path).ok()).collect();
            if let Some(at) = paths.iter().position(|known| known == path) {
                return Self::compile(set.files, paths, at);
            }
        }
        let text = match unsaved.get(path) {
            Some(text) => text.clone(),
            None => std::fs::read_to_string(path).ok()?,
        };
        let mut files = Files::default();
        files.add(File::new(path.display().to_string(), text));
        Self::compile(files, vec![path.to_path_buf()], 0)
    }

    fn compile(files: Files, paths: Vec<PathBuf>, at: usize) -> Option<Self> {
        let report = check(syntax::parse(&files)).report;
        let (id, _) = files.iter().nth(at)?;
        Some(Self { files, paths, report, id })
    }
}

struct Server<'a> {
    connection: &'a Connection,
    words: Words,
    /// The texts that the editor holds open.
    unsaved: Unsaved,
    /// Files that changed since findings were last told.
    changed: BTreeSet<PathBuf>,
    /// The files that were told to have findings, by the file that they were found with.
    told: BTreeMap<PathBuf, Vec<PathBuf>>,
}

/// The editor went away.
type Gone = Box<dyn std::error::Error + Send + Sync>;

impl<'a> Server<'a> {
    fn new(connection: &'a Connection) -> Self {
        let words = Words::new(syntax::schema());
        Self { connection, words, unsaved: Unsaved::new(), changed: BTreeSet::new(), told: BTreeMap::new() }
    }

    fn serve(&mut self) -> Result<(), Gone> {
        let connection = self.connection;
        for message in &connection.receiver {
            match message {
                Message::Request(request) => {
                    if connection.handle_shutdown(&request)? {
                        return Ok(());
                    }
                    let response = self.answer(request);
                    connection.sender.send(response.into())?;
                }
                Message::Notification(notification) => self.note(notification),
                Message::Response(_) => {}
            }
            // Fast typing is answered once, when it pauses.
            if connection.receiver.is_empty() {
                self.tell()?;
            }
        }
        Ok(())
    }

    fn note(&mut self, notification: Notification) {
        let Notification { method, params } = notification;
        match method.as_str() {
            lsp::notification::DidOpenTextDocument::METHOD => {
                let Some(opened) = read::<lsp::DidOpenTextDocumentParams>(params) else { return };
                self.text(&opened.text_document.uri, Some(opened.text_document.text));
            }
            lsp::notification::DidChangeTextDocument::METHOD => {
                let Some(change) = read::<lsp::DidChangeTextDocumentParams>(params) else { return };
                let text = change.content_changes.into_iter().next_back().map(|change| change.text);
                if text.is_some() {
                    self.text(&change.text_document.uri, text);
                }
            }
            lsp::notification::DidCloseTextDocument::METHOD => {
                let Some(closed) = read::<lsp::DidCloseTextDocumentParams>(params) else { return };
                self.text(&closed.text_document.uri, None);
            }
            _ => {}
        }
    }

    fn text(&mut self, uri: &lsp::Uri, text: Option<String>) {
        let Some(path) = convert::path(uri) else { return };
        match text {
            Some(text) => self.unsaved.insert(path.clone(), text),
            None => self.unsaved.remove(&path),
        };
        self.changed.insert(path);
    }

    /// Tells the findings of every configuration that changed, and takes back those that are gone.
    fn tell(&mut self) -> Result<(), Gone> {
        while let Some(path) = self.changed.pop_first() {
            let mut found: BTreeMap<PathBuf, Vec<lsp::Diagnostic>> = BTreeMap::new();
            let mut key = path.clone();
            if let Some(world) = World::of(&path, &self.unsaved) {
                // One root stands for all its files, whichever of them changed.
                key = world.paths.first().cloned().unwrap_or(key);
                for finding in &world.report.findings {
                    let place = finding.labels.first().and_then(|label| world.path(label.span.file));
                    if let Some((path, told)) = place.zip(convert::diagnostic(&world, finding)) {
                        found.entry(path.clone()).or_default().push(told);
                    }
                }
                for path in world.paths {
                    self.changed.remove(&path);
                    // An open file is told of even when nothing is wrong with it.
                    if self.unsaved.contains_key(&path) {
                        found.entry(path).or_default();
                    }
                }
            }
            for gone in self.told.remove(&key).into_iter().chain(self.told.remove(&path)).flatten() {
                found.entry(gone).or_default();
            }
            let still = found.iter().filter(|(_, told)| !told.is_empty());
            self.told.insert(key, still.map(|(path, _)| path.clone()).collect());
            for (path, diagnostics) in found {
                let Some(uri) = convert::uri(&path) else { continue };
                let params = lsp::PublishDiagnosticsParams { uri, diagnostics, version: None };
                let method = lsp::notification::PublishDiagnostics::METHOD.to_owned();
                self.connection.sender.send(Notification::new(method, params).into())?;
            }
        }
        Ok(())
    }

    fn world(&self, uri: &lsp::Uri) -> Option<World> {
        World::of(&convert::path(uri)?, &self.unsaved)
    }

    fn answer(&self, request: Request) -> Response {
        use lsp::request as ask;

        let Request { id, method, params } = request;
        let answer = match method.as_str() {
            ask::HoverRequest::METHOD => read(params).map(|params| value(self.hover(params))),
            ask::Completion::METHOD => read(params).map(|params| value(self.completion(params))),
            ask::GotoDefinition::METHOD => read(params).map(|params| value(self.definition(params))),
            ask::CodeActionRequest::METHOD => read(params).map(|params| value(self.actions(params))),
            ask::Formatting::METHOD => read(params).map(|params| value(self.formatting(params))),
            _ => {
                let code = lsp_server::ErrorCode::MethodNotFound as i32;
                return Response::new_err(id, code, format!("`{method}` is not served"));
            }
        };
        match answer {
            Some(answer) => Response::new_ok(id, answer),
            None => {
                let code = lsp_server::ErrorCode::InvalidParams as i32;
                Response::new_err(id, code, format!("the parameters of `{method}` cannot be read"))
            }
        }
    }
}

fn read<T: DeserializeOwned>(params: Value) -> Option<T> {
    serde_json::from_value(params).ok()
}

fn value<T: serde::Serialize>(answer: Option<T>) -> Value {
    answer.and_then(|answer| serde_json::to_value(answer).ok()).unwrap_or_default()
}
