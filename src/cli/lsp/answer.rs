//! What is an editor's question answered with?

use lsp_types as lsp;

use crate::editor::{self, Cursor, Names, Role, Wanted, Word};
use crate::syntax;

use super::{Server, World, convert};

impl Server<'_> {
    /// Where a position stands, and what is referred to there.
    fn place(&self, place: &lsp::TextDocumentPositionParams) -> Option<(World, Cursor, Option<Wanted>, usize)> {
        let world = self.world(&place.text_document.uri)?;
        let byte = convert::byte(world.file(), place.position);
        let text = world.file().text();
        let cursor = editor::at(text, byte);
        // What of the word, without its quote, stands before the cursor.
        let start = cursor.range.start + quote(text, &cursor);
        let before = text.get(start..byte.max(start)).unwrap_or_default();
        let wanted = editor::wanted(&cursor, before);
        Some((world, cursor, wanted, byte))
    }

    pub(super) fn hover(&self, params: lsp::HoverParams) -> Option<lsp::Hover> {
        let (world, cursor, wanted, _) = self.place(&params.text_document_position_params)?;
        let names = Names::of(&world.files);
        let named = wanted.and_then(|wanted| names.find(&wanted).cloned());
        let text = match named {
            Some(name) => {
                let file = world.files.get(name.span.file);
                let (line, _) = file.line_column(name.span.range.start);
                let text = name.text(&world.files);
                format!("{} `{}`, {}:{line}\n\n```toml\n{text}\n```", name.kind, name.name, file.name())
            }
            None => {
                let mut path = cursor.path.clone();
                if matches!(cursor.role, Role::Key | Role::Header) {
                    path.push(cursor.text.clone());
                }
                self.words.describe(&path).filter(|_| cursor.role != Role::Nothing)?
            }
        };
        Some(lsp::Hover {
            contents: lsp::HoverContents::Markup(lsp::MarkupContent { kind: lsp::MarkupKind::Markdown, value: text }),
            range: Some(convert::range(world.file(), &cursor.range)),
        })
    }

    pub(super) fn definition(&self, params: lsp::GotoDefinitionParams) -> Option<lsp::GotoDefinitionResponse> {
        let (world, _, wanted, _) = self.place(&params.text_document_position_params)?;
        let names = Names::of(&world.files);
        let name = names.find(&wanted?)?;
        convert::location(&world, &name.span).map(lsp::GotoDefinitionResponse::Scalar)
    }

    pub(super) fn completion(&self, params: lsp::CompletionParams) -> Option<lsp::CompletionResponse> {
        let (world, cursor, wanted, byte) = self.place(&params.text_document_position)?;
        let text = world.file().text();
        let names = Names::of(&world.files);
        let word = cursor.range.clone();
        // A quote that is not closed yet takes the rest of its line with it, which is not to be replaced.
        let whole = text.get(word.clone()).unwrap_or_default();
        let is_closed = quote(text, &cursor) == 0 || (whole.len() > 1 && whole.ends_with(&whole[..1]));
        let end = if is_closed { word.end } else { byte };
        let item = |word: Word, kind, range, text: String| lsp::CompletionItem {
            label: word.text,
            kind: Some(kind),
            documentation: (!word.about.is_empty()).then_some(lsp::Documentation::String(word.about)),
            filter_text: Some(text.clone()),
            text_edit: Some(lsp::CompletionTextEdit::Edit(lsp::TextEdit::new(range, text))),
            ..lsp::CompletionItem::default()
        };
        let range = convert::range(world.file(), &(word.start..end));
        let mut items = Vec::new();
        match cursor.role {
            Role::Header if cursor.path.is_empty() => {
                let keys = self.words.keys(&[]).into_iter();
                items.extend(keys.map(|word| item(word.clone(), lsp::CompletionItemKind::CLASS, range, word.text)));
            }
            Role::Key => {
                let keys = self.words.keys(&cursor.path).into_iter();
                items.extend(keys.map(|word| item(word.clone(), lsp::CompletionItemKind::PROPERTY, range, word.text)));
            }
            Role::Value => {
                if let Some(wanted) = &wanted {
                    for name in names.of_kinds(wanted.kinds) {
                        let about = name.text(&world.files).to_owned();
                        let word = Word { text: format!("{}{}", wanted.prefix, name.name), about, is_text: true };
                        let (range, text) = if wanted.kinds == ["var"] {
                            let start = cursor.range.start + quote(text, &cursor) + wanted.skipped;
                            let range = start..(start + wanted.name.len()).min(end).max(byte);
                            (convert::range(world.file(), &range), word.text.clone())
                        } else {
                            (range, format!("\"{}\"", word.text))
                        };
                        items.push(item(word, lsp::CompletionItemKind::REFERENCE, range, text));
                    }
                }
                for word in self.words.values(&cursor.path) {
                    let text = if word.is_text { format!("\"{}\"", word.text) } else { word.text.clone() };
                    items.push(item(word, lsp::CompletionItemKind::ENUM_MEMBER, range, text));
                }
            }
            Role::Header | Role::Nothing => {}
        }
        Some(lsp::CompletionResponse::Array(items))
    }

    pub(super) fn actions(&self, params: lsp::CodeActionParams) -> Option<lsp::CodeActionResponse> {
        let world = self.world(&params.text_document.uri)?;
        let file = world.file();
        let asked = convert::byte(file, params.range.start)..=convert::byte(file, params.range.end);
        let touched = world.report.findings.iter().filter(|finding| {
            let span = finding.labels.first().map(|label| &label.span).filter(|span| span.file == world.id);
            span.is_some_and(|span| span.range.start <= *asked.end() && *asked.start() <= span.range.end)
        });
        let actions = touched.filter_map(|finding| convert::action(&world, finding, finding.fix.as_ref()?));
        Some(actions.map(lsp::CodeActionOrCommand::CodeAction).collect())
    }

    pub(super) fn formatting(&self, params: lsp::DocumentFormattingParams) -> Option<Vec<lsp::TextEdit>> {
        let world = self.world(&params.text_document.uri)?;
        let text = world.file().text();
        let new = syntax::format(text);
        // A text that is not TOML stays as it is; its findings say where it is broken.
        if !syntax::same_meaning(text, &new) {
            return None;
        }
        if text == new {
            return Some(Vec::new());
        }
        Some(vec![lsp::TextEdit::new(convert::range(world.file(), &(0..text.len())), new)])
    }
}

/// How many bytes of quote a word begins with.
fn quote(text: &str, cursor: &Cursor) -> usize {
    usize::from(text.get(cursor.range.clone()).is_some_and(|word| word.starts_with(['"', '\''])))
}
