//! Which findings does reading make?

use std::fmt::Display;

use crate::diagnostic::{Edit, Finding, Fix, Rule, Severity, Span, nearest};

pub(crate) static TOML_SYNTAX: Rule = Rule {
    name: "toml-syntax",
    severity: Severity::Error,
    summary: "the text is not TOML",
    explanation: "A file breaks the grammar of TOML 1.0: a quote that does not close, a key twice in one table, a \
value without quotes. As many mistakes as can be told apart are shown at once; the rest of the file is still read.",
};

pub(crate) static UNKNOWN_KEY: Rule = Rule {
    name: "unknown-key",
    severity: Severity::Error,
    summary: "a key or table has no meaning here",
    explanation: "A key that nobody reads would be a setting that silently does nothing, so it is refused. The \
nearest known key is suggested. Check also that the key stands in the right table: what follows a [header] belongs \
to that table until the next one.",
};

pub(crate) static WRONG_TYPE: Rule = Rule {
    name: "wrong-type",
    severity: Severity::Error,
    summary: "a value has another type than its key takes",
    explanation: "For example a number where text is expected, or one text where a list is. Nothing is converted \
silently: `\"true\"` is text and not a flag.",
};

pub(crate) static UNKNOWN_WORD: Rule = Rule {
    name: "unknown-word",
    severity: Severity::Error,
    summary: "a value is not among those its key takes",
    explanation: "The key takes one of a few words, which are listed with the finding. Words are lower case.",
};

pub(crate) static MISSING_KEY: Rule = Rule {
    name: "missing-key",
    severity: Severity::Error,
    summary: "a table lacks a key that it needs",
    explanation: "Without the key the table has no meaning. A configuration itself needs a [stack] table with a \
`name`, which marks what belongs to it.",
};

pub(crate) static PLAIN_SECRET: Rule = Rule {
    name: "plain-secret",
    severity: Severity::Error,
    summary: "a secret stands in the file in clear",
    explanation: "Configuration lives in git, and what was once committed stays readable. A secret is therefore \
given as a reference, `{ env = \"NAME\" }` or `{ file = \"PATH\" }`, which is read only when it is needed. If the \
secret was committed already, change it at its provider too.",
};

/// All of them.
pub(crate) static ALL: &[&Rule] =
    &[&MISSING_KEY, &PLAIN_SECRET, &TOML_SYNTAX, &UNKNOWN_KEY, &UNKNOWN_WORD, &WRONG_TYPE];

pub(super) fn unknown_key(key: &str, owner: impl Display, span: Span, known: &[&str]) -> Finding {
    let finding = Finding::new(&UNKNOWN_KEY, format!("`{key}` is not a key of {owner}"), span, "not known here");
    match nearest(key, known.iter().copied()) {
        Some(word) => finding.help(format!("did you mean `{word}`?")),
        None => finding.help(format!("known keys: {}", known.join(", "))),
    }
}

pub(super) fn wrong_type(key: &str, expected: &str, found: &str, span: Span) -> Finding {
    Finding::new(&WRONG_TYPE, format!("`{key}` takes {expected}, not {found}"), span, format!("this is {found}"))
}

/// A word as it would be spelled here: how it is cased and joined is no part of what was meant.
fn plain(word: &str) -> String {
    word.trim().to_lowercase().replace(['-', ' '], "_")
}

/// A key that is known under another spelling, and may be renamed: no key of that name is there.
/// It is safe when only case and joints differ, and the key stands in one place (a header may have others).
pub(super) fn renamed(finding: Finding, key: &str, free: &[&str], once: bool) -> Finding {
    let Some(word) = nearest(&plain(key), free.iter().copied()) else { return finding };
    let span = finding.labels[0].span.clone();
    finding.fix(format!("write `{word}`"), once && plain(key) == word, span, word)
}

/// A value that is what was meant, once it stands between other characters.
pub(super) fn enclosed(mut finding: Finding, title: &str, before: &str, after: &str) -> Finding {
    let Span { file, range } = finding.labels[0].span.clone();
    let insert = |at, text: &str| Edit { span: Span { file, range: at..at }, text: text.to_owned() };
    let edits = vec![insert(range.start, before), insert(range.end, after)];
    finding.fix = Some(Fix { title: title.to_owned(), safe: true, edits });
    finding
}

pub(super) fn missing_key(key: &str, owner: impl Display, span: Span) -> Finding {
    Finding::new(&MISSING_KEY, format!("{owner} needs `{key}`"), span, format!("`{key}` is missing here"))
}

/// A configuration without a `[stack]`.
pub(crate) fn missing_stack(span: Span) -> Finding {
    Finding::new(&MISSING_KEY, "the configuration has no [stack]", span, "nothing says whose configuration this is")
        .help("begin the file with `[stack]` and `name = \"my-stack\"`")
}

pub(super) fn unknown_word(key: &str, word: &str, span: Span, known: &[&str]) -> Finding {
    let finding = Finding::new(&UNKNOWN_WORD, format!("`{key}` cannot be `{word}`"), span, "not among the known words");
    let list = format!("it is one of {}", known.join(", "));
    match nearest(&plain(word), known.iter().copied()) {
        Some(near) => {
            let (span, safe) = (finding.labels[0].span.clone(), plain(word) == near);
            let finding = finding.fix(format!("write `{near}`"), safe, span, format!("\"{near}\""));
            finding.help(format!("did you mean `{near}`? {list}"))
        }
        None => finding.help(list),
    }
}

pub(super) fn plain_secret(key: &str, span: Span) -> Finding {
    Finding::new(
        &PLAIN_SECRET,
        format!("`{key}` holds a secret in clear"),
        span,
        "anybody who reads the file reads this",
    )
    .help(format!("write `{key} = {{ env = \"NAME\" }}` or `{key} = {{ file = \"PATH\" }}`"))
}
