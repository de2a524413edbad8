//! What is a finding?

use std::fmt;

use miette::{Diagnostic, LabeledSpan, SourceCode};

use super::render::covered;
use super::{Files, Span};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is done with the configuration.
    Error,
    /// The configuration is used as it is.
    Warning,
}

impl Severity {
    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// A kind of finding: its name, and the text of its `explain` page.
#[derive(Debug)]
pub struct Rule {
    /// Kebab-case: also its file, its test folder and what `explain` takes.
    pub name: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// One line.
    pub summary: &'static str,
    /// What it means, why it matters, and what to write instead.
    pub explanation: &'static str,
}

/// A place that a finding points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What stands there.
    pub text: String,
}

/// One replacement in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced; an empty stretch inserts.
    pub span: Span,
    /// What stands there afterwards.
    pub text: String,
}

/// A way to mend a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What it does, as an order: "write `gateway`".
    pub title: String,
    /// Whether it cannot change what the user meant, so that it may be applied without being looked at.
    pub safe: bool,
    /// The replacements, which do not overlap.
    pub edits: Vec<Edit>,
}

/// Something that is wrong with the user's input.
#[derive(Debug, Clone)]
pub struct Finding {
    /// Its kind.
    pub rule: &'static Rule,
    /// What is wrong.
    pub message: String,
    /// Where; the first label is the place to mend.
    pub labels: Vec<Label>,
    /// What to do.
    pub help: Option<String>,
    /// How a program can do it.
    pub fix: Option<Fix>,
}

impl Finding {
    /// A finding at one place.
    pub fn new(rule: &'static Rule, message: impl Into<String>, span: Span, label: impl Into<String>) -> Self {
        let labels = vec![Label { span, text: label.into() }];
        Self { rule, message: shortened(message.into()), labels, help: None, fix: None }
    }

    /// Points at one more place.
    pub fn and(mut self, span: Span, label: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: label.into() });
        self
    }

    /// Says how a program can mend it, by one replacement.
    pub fn fix(mut self, title: impl Into<String>, safe: bool, span: Span, text: impl Into<String>) -> Self {
        self.fix = Some(Fix { title: title.into(), safe, edits: vec![Edit { span, text: text.into() }] });
        self
    }

    /// Says what to do.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// The longest message that is shown whole, in bytes; what users write into a value has no end.
const MESSAGE_MAX: usize = 400;

/// The beginning and the end of a message that is too long.
fn shortened(message: String) -> String {
    if message.len() <= MESSAGE_MAX {
        return message;
    }
    let half = MESSAGE_MAX / 2;
    let start = (0..=half).rev().find(|at| message.is_char_boundary(*at)).unwrap_or(0);
    let end = (message.len() - half..message.len()).find(|at| message.is_char_boundary(*at)).unwrap_or(message.len());
    format!("{}…{}", &message[..start], &message[end..])
}

/// All findings of one run, with the files they point into.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The files.
    pub files: Files,
    /// The findings, by file and place.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Sorts the findings by file and place.
    pub fn new(files: Files, mut findings: Vec<Finding>) -> Self {
        findings.sort_by_key(|finding| {
            finding.labels.first().map(|label| (label.span.file, label.span.range.start, label.span.range.end))
        });
        Self { files, findings }
    }

    /// Adds a finding at its place.
    pub fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
        let findings = std::mem::take(&mut self.findings);
        *self = Self::new(std::mem::take(&mut self.files), findings);
    }

    /// How many findings of a severity there are.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.rule.severity == severity).count()
    }

    /// Whether nothing may be done with the configuration.
    pub fn is_refused(&self) -> bool {
        self.count(Severity::Error) > 0
    }
}

/// A finding beside its files, as miette wants it: one source each, labels in other files apart.
#[derive(Debug)]
pub(super) struct Shown<'a> {
    pub finding: &'a Finding,
    pub files: &'a Files,
    pub others: Vec<Other<'a>>,
}

/// A label that points into another file than the finding's first.
#[derive(Debug)]
pub(super) struct Other<'a> {
    pub label: &'a Label,
    pub files: &'a Files,
}

impl<'a> Shown<'a> {
    pub fn new(finding: &'a Finding, files: &'a Files) -> Self {
        let first = finding.labels.first().map(|label| label.span.file);
        let others = finding
            .labels
            .iter()
            .filter(|label| Some(label.span.file) != first)
            .map(|label| Other { label, files })
            .collect();
        Self { finding, files, others }
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&covered(&self.finding.message))
    }
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.finding.rule.name))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.finding.rule.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.finding.help.as_ref().map(|help| Box::new(covered(help)) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.finding.labels.first().map(|label| &**self.files.get(label.span.file) as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let (first, more) = self.finding.labels.split_first()?;
        let more = more.iter().filter(|label| label.span.file == first.span.file).map(labeled);
        // The place to mend gives the place of the whole finding, wherever the other labels stand.
        let primary =
            LabeledSpan::new_primary_with_span(Some(covered(&first.text).into_owned()), first.span.range.clone());
        Some(Box::new(std::iter::once(primary).chain(more)))
    }
}

impl fmt::Display for Other<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the other place")
    }
}

impl std::error::Error for Other<'_> {}

impl Diagnostic for Other<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(miette::Severity::Advice)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&**self.files.get(self.label.span.file))
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(std::iter::once(labeled(self.label))))
    }
}

fn labeled(label: &Label) -> LabeledSpan {
    LabeledSpan::new(Some(covered(&label.text).into_owned()), label.span.range.start, label.span.range.len())
}
