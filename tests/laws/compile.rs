//! Any text gives a draft or findings, and every span lies in its file.

use proptest::prelude::*;
use strowger::diagnostic::{File, Files, Format, Look, render};
use strowger::{check, syntax};

/// A whole configuration, to be bent.
const WHOLE: &str = include_str!("../../examples/quickstart/strowger.toml");

fn compile(texts: &[String]) -> check::Checked {
    let mut files = Files::default();
    for (at, text) in texts.iter().enumerate() {
        files.add(File::new(format!("{at}.toml"), text.clone()));
    }
    check::check(syntax::parse(&files))
}

fn holds(texts: &[String]) {
    let checked = compile(texts);
    for finding in &checked.report.findings {
        assert!(!finding.labels.is_empty(), "{} points nowhere", finding.rule.name);
        for label in &finding.labels {
            let text = checked.report.files.get(label.span.file).text();
            let stretch = text.get(label.span.range.clone());
            assert!(stretch.is_some(), "{} points outside its file: {:?}", finding.rule.name, label.span);
        }
    }
    assert_eq!(checked.exchange.is_none(), checked.report.is_refused(), "findings and result disagree");
    let look = Look { colour: false, unicode: true, width: 80 };
    for format in Format::ALL {
        let _ = render(&checked.report, format, look);
    }
}

/// The whole configuration with some stretches taken out, doubled or replaced.
pub fn bent() -> impl Strategy<Value = String> {
    let cut = (
        any::<prop::sample::Index>(),
        0_usize..40,
        prop_oneof![Just(""), Just("\""), Just("= 1\n"), Just("[x]\n"), Just("ü")],
    );
    prop::collection::vec(cut, 1..6).prop_map(|cuts| {
        let mut text = WHOLE.to_owned();
        for (at, length, with) in cuts {
            let characters: Vec<char> = text.chars().collect();
            let start = at.index(characters.len() + 1);
            let end = (start + length).min(characters.len());
            text =
                characters[..start].iter().collect::<String>() + with + &characters[end..].iter().collect::<String>();
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn any_text_gives_findings_inside_it(text in any::<String>()) {
        holds(&[text]);
    }

    #[test]
    fn a_bent_configuration_gives_findings_inside_it(one in bent(), two in bent()) {
        holds(&[one, two]);
    }

    #[test]
    fn one_more_line_anywhere_is_found_once(line in 0_usize..40) {
        // A key that nobody knows, in whatever table it falls into, is one finding.
        let mut lines: Vec<&str> = WHOLE.lines().collect();
        let line = line.min(lines.len());
        lines.insert(line, "qwertz = 1");
        let checked = compile(&[lines.join("\n")]);
        let names: Vec<&str> = checked.report.findings.iter().map(|finding| finding.rule.name).collect();
        prop_assert_eq!(names, ["unknown-key"]);
    }
}
