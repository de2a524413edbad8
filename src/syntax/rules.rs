//! Which findings does reading make?

use std::fmt::Display;

use crate::diagnostic::{Edit, Finding, Fix, Rule, Severity, Span, nearest};

pub(crate) static TOML_SYNTAX: Rule = Rule {
    name: "toml-syntax",
    severity: Severity::Error,
    summary: "the text is not TOML",
    explanation: "A file breaks the grammar of TOML 1.0: a quote that does not close, a key twice in one table, a \
value without quotes. As many mistakes as can be told apart are shown at once; the rest of the file is still read. What may only follow from \
a mistake, such as a name that is defined in the broken part, is not reported until it is mended.",
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
given as a reference, `{ env = \"NAME\" }`, `{ file = \"PATH\" }` or `{ exec = [\"PROGRAM\"] }`, which is read only \
when it is needed. If the secret was committed already, change it at its provider too.",
};

pub(crate) static VARIABLE_CYCLE: Rule = Rule {
    name: "variable-cycle",
    severity: Severity::Error,
    summary: "variables stand for each other in a circle",
    explanation: "A variable may refer to other variables, as long as the chain ends at one that refers to none. \
Here it comes back to where it began, so none of the variables on it has a value.",
};

pub(crate) static VARIABLE_MALFORMED: Rule = Rule {
    name: "variable-malformed",
    severity: Severity::Error,
    summary: "a text begins like a reference to a variable and is none",
    explanation: "`${var.NAME}` stands for the value of a variable under [vars]; nothing else may stand between the \
braces. A variable inside a longer text has to be text, a number or a flag. Where `${` itself is meant, write `$${`.",
};

pub(crate) static VARIABLE_UNKNOWN: Rule = Rule {
    name: "variable-unknown",
    severity: Severity::Error,
    summary: "a reference to a variable that is not declared",
    explanation: "Every variable is declared under [vars] in one of the files, with a value. An environment gives it \
another value, and never brings a new one, so that the files can be checked without it.",
};

/// All of them.
pub(crate) static ALL: &[&Rule] = &[
    &MISSING_KEY,
    &PLAIN_SECRET,
    &TOML_SYNTAX,
    &UNKNOWN_KEY,
    &UNKNOWN_WORD,
    &VARIABLE_CYCLE,
    &VARIABLE_MALFORMED,
    &VARIABLE_UNKNOWN,
    &WRONG_TYPE,
];

pub(super) fn variable_cycle(name: &str, span: Span, declared: Span) -> Finding {
    Finding::new(&VARIABLE_CYCLE, format!("variable `{name}` stands for itself"), span, "leads back to it")
        .and(declared, "declared here")
        .help("give one of the variables on the circle a value of its own")
}

pub(super) fn variable_malformed(text: &str, span: Span) -> Finding {
    Finding::new(&VARIABLE_MALFORMED, format!("`{text}` is no reference to a variable"), span, "not `${var.NAME}`")
        .help("write `${var.NAME}`; where `${` itself is meant, write `$${`")
}

pub(super) fn variable_too_large(name: &str, most: usize, span: Span) -> Finding {
    Finding::new(
        &VARIABLE_MALFORMED,
        format!("with variable `{name}` this value grows beyond {most} bytes"),
        span,
        "too large",
    )
    .help("variables that stand for each other many times grow with every step; write less into them")
}

pub(super) fn variable_inside_text(name: &str, kind: &str, span: Span) -> Finding {
    Finding::new(
        &VARIABLE_MALFORMED,
        format!("variable `{name}` is {kind}, which no text can hold"),
        span,
        "inside a text",
    )
    .help("let the value be this one reference and nothing else, or make the variable text, a number or a flag")
}

pub(super) fn variable_unknown(name: &str, span: Span, known: &[&str]) -> Finding {
    let fixed = span.clone();
    let finding = Finding::new(&VARIABLE_UNKNOWN, format!("there is no variable `{name}`"), span, "stands for nothing");
    match nearest(name, known.iter().copied()) {
        Some(word) => finding.help(format!("did you mean `{word}`?")).fix(
            format!("write `${{var.{word}}}`"),
            true,
            fixed,
            format!("${{var.{word}}}"),
        ),
        None if known.is_empty() => finding.help("declare it: `[vars]` and `NAME = VALUE`"),
        None => finding.help(format!("known: {}", known.join(", "))),
    }
}

pub(super) fn key_twice(key: &str, span: Span) -> Finding {
    Finding::new(&TOML_SYNTAX, format!("`{key}` stands here twice"), span, "a second time here")
        .help("keep one of the two")
}

pub(super) fn toml_syntax(message: &str, span: Span) -> Finding {
    let help = if message == "a value is missing" {
        "write a value behind the `=`, or take the line away"
    } else if message.starts_with("string values must be quoted") {
        "write text in quotes"
    } else if message.starts_with("invalid unquoted key") {
        "put the key in quotes, as in `[number.\"+14155550100\"]`"
    } else if message.contains("expected newline") {
        "write each key on a line of its own"
    } else {
        "mend the line; the rest of the file was read without it"
    };
    Finding::new(&TOML_SYNTAX, message, span, "here").help(help)
}

pub(super) fn variable_in_include(span: Span) -> Finding {
    Finding::new(&VARIABLE_MALFORMED, "`include` takes no variables", span, "read before any variable has a value")
        .help("write the path, or a pattern such as `rules/*.toml`")
}

/// `left` are the known keys that are not there yet; `literal` says that the key can be replaced where it stands.
pub(super) fn unknown_key(
    key: &str,
    owner: impl Display,
    span: Span,
    known: &[&str],
    left: &[&str],
    literal: bool,
    once: bool,
) -> Finding {
    let fixed = span.clone();
    let finding = Finding::new(&UNKNOWN_KEY, format!("`{key}` is not a key of {owner}"), span, "not known here");
    match near(key, left) {
        Some(word) if literal => finding.help(format!("did you mean `{word}`?")).fix(
            format!("write `{word}`"),
            once && plain(key) == word,
            fixed,
            word,
        ),
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

/// The known word that was meant by one in any spelling. Where more than the spelling differs, it is a guess.
pub(super) fn near<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    nearest(&plain(word), known.iter().copied())
}

/// A value that is what was meant, once it stands between other characters.
pub(super) fn enclosed(mut finding: Finding, title: &str, before: &str, after: &str) -> Finding {
    let Span { file, range } = finding.labels[0].span.clone();
    let insert = |at, text: &str| Edit { span: Span { file, range: at..at }, text: text.to_owned() };
    let edits = vec![insert(range.start, before), insert(range.end, after)];
    finding.fix = Some(Fix { title: title.to_owned(), safe: true, edits });
    finding
}

pub(crate) fn missing_key(key: &str, owner: impl Display, span: Span) -> Finding {
    Finding::new(&MISSING_KEY, format!("{owner} needs `{key}`"), span, format!("`{key}` is missing here"))
}

/// A configuration without a `[stack]`.
pub(crate) fn missing_stack(span: Span) -> Finding {
    Finding::new(&MISSING_KEY, "the configuration has no [stack]", span, "nothing says whose configuration this is")
        .help("begin the file with `[stack]` and `name = \"my-stack\"`")
}

pub(super) fn unknown_word(key: &str, word: &str, span: Span, known: &[&str], literal: bool) -> Finding {
    let fixed = span.clone();
    let finding = Finding::new(&UNKNOWN_WORD, format!("`{key}` cannot be `{word}`"), span, "not among the known words");
    let list = format!("it is one of {}", known.join(", "));
    match near(word, known) {
        Some(near) => {
            let finding = finding.help(format!("did you mean `{near}`? {list}"));
            let safe = plain(word) == near;
            if literal { finding.fix(format!("write `{near}`"), safe, fixed, format!("\"{near}\"")) } else { finding }
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
