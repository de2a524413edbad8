//! How are our values said in the protocol's words?

use std::collections::HashMap;
use std::fmt::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use lsp_types as lsp;

use crate::diagnostic::{File, Finding, Fix, Label, Severity, Span};

use super::World;

/// The path of a `file:` address.
pub(super) fn path(uri: &lsp::Uri) -> Option<PathBuf> {
    let rest = uri.as_str().strip_prefix("file://")?;
    let path = rest.get(rest.find('/')?..)?;
    let mut bytes = Vec::with_capacity(path.len());
    let mut left = path.bytes();
    while let Some(byte) = left.next() {
        match byte {
            b'%' => {
                let digits = [left.next()?, left.next()?];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok().map(PathBuf::from)
}

/// The `file:` address of a path.
pub(super) fn uri(path: &Path) -> Option<lsp::Uri> {
    let path = std::path::absolute(path).ok()?;
    let mut out = String::from("file://");
    for byte in path.to_str()?.bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    lsp::Uri::from_str(&out).ok()
}

pub(super) fn range(file: &File, range: &Range<usize>) -> lsp::Range {
    let position = |byte| {
        let (line, column) = file.line_utf16(byte);
        lsp::Position::new(u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
    };
    lsp::Range::new(position(range.start), position(range.end))
}

pub(super) fn byte(file: &File, position: lsp::Position) -> usize {
    let whole = |count| usize::try_from(count).unwrap_or(usize::MAX);
    file.byte_at_utf16(whole(position.line), whole(position.character))
}

pub(super) fn location(world: &World, span: &Span) -> Option<lsp::Location> {
    Some(lsp::Location::new(world.uri(span.file)?, range(world.files.get(span.file), &span.range)))
}

pub(super) fn diagnostic(world: &World, finding: &Finding) -> Option<lsp::Diagnostic> {
    let first = &finding.labels.first()?.span;
    let related = |label: &Label| {
        let location = location(world, &label.span)?;
        Some(lsp::DiagnosticRelatedInformation { location, message: label.text.clone() })
    };
    let related: Vec<_> = finding.labels.iter().skip(1).filter_map(related).collect();
    let message = match &finding.help {
        Some(help) => format!("{}\n{help}", finding.message),
        None => finding.message.clone(),
    };
    Some(lsp::Diagnostic {
        range: range(world.files.get(first.file), &first.range),
        severity: Some(match finding.rule.severity {
            Severity::Error => lsp::DiagnosticSeverity::ERROR,
            Severity::Warning => lsp::DiagnosticSeverity::WARNING,
        }),
        code: Some(lsp::NumberOrString::String(finding.rule.name.to_owned())),
        source: Some("strowger".to_owned()),
        message,
        related_information: (!related.is_empty()).then_some(related),
        tags: (finding.rule.name == "unused").then(|| vec![lsp::DiagnosticTag::UNNECESSARY]),
        ..lsp::Diagnostic::default()
    })
}

#[allow(clippy::mutable_key_type, reason = "the protocol's type of an edit; an address does not change under it")]
pub(super) fn action(world: &World, finding: &Finding, fix: &Fix) -> Option<lsp::CodeAction> {
    let mut changes: HashMap<lsp::Uri, Vec<lsp::TextEdit>> = HashMap::new();
    for edit in &fix.edits {
        let range = range(world.files.get(edit.span.file), &edit.span.range);
        changes.entry(world.uri(edit.span.file)?).or_default().push(lsp::TextEdit::new(range, edit.text.clone()));
    }
    Some(lsp::CodeAction {
        title: fix.title.clone(),
        kind: Some(lsp::CodeActionKind::QUICKFIX),
        diagnostics: Some(diagnostic(world, finding).into_iter().collect()),
        edit: Some(lsp::WorkspaceEdit { changes: Some(changes), ..lsp::WorkspaceEdit::default() }),
        is_preferred: Some(fix.safe),
        ..lsp::CodeAction::default()
    })
}
