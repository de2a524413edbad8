//! A safe fix gives back what was meant: its finding is gone, and none comes.

use proptest::prelude::*;
use strowger::check::{Checked, check};
use strowger::diagnostic::{File, Files, mend};
use strowger::syntax::parse;

/// A configuration without findings, with a value of each kind that can be mistaken.
const WHOLE: &str = r#"
schema = 1

[stack]
name = "acme"
unmanaged = "report"

[provider.carrier]
preset = "telnyx"

[gateway.us]
provider = "carrier"
address = "sip.example.com:5061" # ours
transport = "tls"
sharing = "dedicated"
media_encryption = true

[number."+14155550100"]
alias = "main"
gateway = "us"
on_remove = "keep"

[room.lobby]
mode = "static"
id = "12"

[rule.main]
direction = "inbound"
numbers = ["main"]
room = "lobby"
include_headers = "none"
recording = false
dtmf = true
allow = { callers = ["+1*"] }
tags = ["reception"]
"#;

/// Mistakes that can be taken back without guessing: what stands there, and what is written instead.
const MISTAKES: &[(&str, &str)] = &[
    ("unmanaged = \"report\"", "unmanaged = \"Report\""),
    ("preset = \"telnyx\"", "preset = ' TELNYX '"),
    ("transport = \"tls\"", "Transport = \"TLS\""),
    ("sharing = \"dedicated\"", "\"Sharing\" = \"Dedicated\""),
    ("media_encryption = true", "media-encryption = \"true\""),
    ("on_remove = \"keep\"", "'on remove' = 'Keep'"),
    ("id = \"12\"", "id = 12"),
    ("direction = \"inbound\"", "Direction = \"INBOUND\""),
    ("numbers = [\"main\"]", "numbers = \"main\""),
    ("numbers = [\"main\"]", "Numbers = 'main' # ours"),
    ("recording = false", "recording = \"false\""),
    ("include_headers = \"none\"", "include-headers = \"none\""),
    ("allow = { callers = [\"+1*\"] }", "allow = { Callers = \"+1*\" }"),
    ("tags = [\"reception\"]", "TAGS = \"reception\""),
];

fn compile(text: &str) -> Checked {
    let mut files = Files::default();
    files.add(File::new("a.toml", text.to_owned()));
    check(parse(&files))
}

/// What a configuration means, but for the places where it stands.
fn meaning(checked: &Checked) -> String {
    let exchange = format!("{:?}", checked.exchange.as_ref().expect("no finding is an error"));
    exchange.split("place: Place {").map(|part| part.split_once('}').map_or(part, |(_, rest)| rest)).collect()
}

/// Applies the safe fixes until there are none, and gives the last text.
fn mended(mut text: String) -> String {
    for _ in 0..16 {
        let report = compile(&text).report;
        let before = report.findings.len();
        let Some((_, new)) = mend(&report, |fix| fix.safe).texts.pop_first() else { return text };
        assert_ne!(new, text, "a fix that changes nothing, among {before}");
        text = new;
    }
    panic!("mending does not come to an end:\n{text}");
}

proptest! {
    #[test]
    fn mistakes_are_taken_back(chosen in prop::sample::subsequence(MISTAKES, 1..=MISTAKES.len())) {
        let mut text = WHOLE.to_owned();
        for (right, wrong) in &chosen {
            text = text.replacen(right, wrong, 1);
        }
        let planted = compile(&text);
        prop_assert!(planted.exchange.is_none());
        let text = mended(text);
        let after = compile(&text);
        prop_assert!(after.report.findings.is_empty(), "{:?}\n{text}", after.report.findings);
        prop_assert_eq!(meaning(&after), meaning(&compile(WHOLE)));
        prop_assert!(text.contains("# ours"), "the comment is gone:\n{text}");
    }

    #[test]
    fn every_round_of_any_text_ends(text in super::compile::bent()) {
        mended(text);
    }
}

#[test]
fn each_safe_fix_removes_its_finding_and_adds_none() {
    assert!(compile(WHOLE).report.findings.is_empty(), "{:?}", compile(WHOLE).report.findings);
    for (right, wrong) in MISTAKES {
        let text = WHOLE.replacen(right, wrong, 1);
        let report = compile(&text).report;
        assert!(report.findings.iter().any(|one| one.fix.as_ref().is_some_and(|fix| fix.safe)), "{wrong}");
        let after = compile(&mended(text)).report;
        assert!(after.findings.is_empty(), "{wrong}: {:?}", after.findings);
    }
}
