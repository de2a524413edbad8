//! SARIF 2.1.0 (OASIS Static Analysis Results Interchange Format).

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::Region;
use crate::diagnostic::{File, FileId, Finding, Fix, Report, Severity, Span};

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

pub(super) fn report(report: &Report) -> String {
    let mut rules: BTreeMap<&str, &Finding> = BTreeMap::new();
    for finding in &report.findings {
        rules.entry(finding.rule.name).or_insert(finding);
    }
    let index: BTreeMap<&str, usize> = rules.keys().enumerate().map(|(at, name)| (*name, at)).collect();
    let rules: Vec<Value> = rules
        .values()
        .map(|Finding { rule, .. }| {
            json!({
                "id": rule.name, "shortDescription": { "text": rule.summary },
                "fullDescription": { "text": rule.explanation },
                "defaultConfiguration": { "level": level(rule.severity) },
            })
        })
        .collect();
    let results: Vec<Value> = report.findings.iter().map(|one| result(one, report, index[one.rule.name])).collect();
    let driver = json!({ "name": "strowger", "semanticVersion": env!("CARGO_PKG_VERSION"), "rules": rules });
    let log = json!({
        "$schema": SCHEMA, "version": "2.1.0",
        "runs": [{ "tool": { "driver": driver }, "columnKind": "unicodeCodePoints", "results": results }],
    });
    format!("{log:#}\n")
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn result(finding: &Finding, report: &Report, index: usize) -> Value {
    let message = match &finding.help {
        Some(help) => format!("{}\n{help}", finding.message),
        None => finding.message.clone(),
    };
    let mut locations = finding
        .labels
        .iter()
        .map(|label| json!({ "physicalLocation": physical(report, &label.span), "message": { "text": label.text } }));
    let mut result = Map::new();
    result.insert("ruleId".to_owned(), finding.rule.name.into());
    result.insert("ruleIndex".to_owned(), index.into());
    result.insert("level".to_owned(), level(finding.rule.severity).into());
    result.insert("message".to_owned(), json!({ "text": message }));
    result.insert("locations".to_owned(), locations.next().into_iter().collect());
    let related: Vec<Value> = locations.collect();
    if !related.is_empty() {
        result.insert("relatedLocations".to_owned(), related.into());
    }
    if let Some(one) = &finding.fix {
        result.insert("fixes".to_owned(), json!([fix(one, report)]));
    }
    Value::Object(result)
}

fn fix(fix: &Fix, report: &Report) -> Value {
    let mut files: BTreeMap<FileId, Vec<Value>> = BTreeMap::new();
    for edit in &fix.edits {
        let region = region(report.files.get(edit.span.file), &edit.span);
        let replacement = json!({ "deletedRegion": region, "insertedContent": { "text": edit.text } });
        files.entry(edit.span.file).or_default().push(replacement);
    }
    let changes: Vec<Value> = files
        .into_iter()
        .map(|(file, replacements)| {
            json!({ "artifactLocation": artifact(report.files.get(file)), "replacements": replacements })
        })
        .collect();
    json!({ "description": { "text": fix.title }, "artifactChanges": changes })
}

fn physical(report: &Report, span: &Span) -> Value {
    let file = report.files.get(span.file);
    json!({ "artifactLocation": artifact(file), "region": region(file, span) })
}

fn artifact(file: &File) -> Value {
    json!({ "uri": uri(file.name()) })
}

fn region(file: &File, span: &Span) -> Value {
    let Region { line, column, end_line, end_column } = Region::of(file, span);
    json!({
        "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column,
        "byteOffset": span.range.start, "byteLength": span.range.len(),
    })
}

/// A path as a URI reference (RFC 3986): relative as it was given, absolute with its scheme.
fn uri(path: &str) -> String {
    let mut out = String::from(if path.starts_with('/') { "file://" } else { "" });
    for byte in path.trim_start_matches("./").replace('\\', "/").bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}
