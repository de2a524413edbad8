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
    judge(compile(texts));
}

fn judge(checked: check::Checked) {
    for finding in &checked.report.findings {
        assert!(!finding.labels.is_empty(), "{} points nowhere", finding.rule.name);
        for label in &finding.labels {
            let text = checked.report.files.get(label.span.file).text();
            let stretch = text.get(label.span.range.clone());
            assert!(stretch.is_some(), "{} points outside its file: {:?}", finding.rule.name, label.span);
        }
        for edit in finding.fix.iter().flat_map(|fix| &fix.edits) {
            let text = checked.report.files.get(edit.span.file).text();
            assert!(text.get(edit.span.range.clone()).is_some(), "{} mends outside its file", finding.rule.name);
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

/// Lines of many kinds, right and wrong, to be put together at random: what no bending of one text comes upon.
const LINES: &[&str] = &[
    "[stack]",
    "name = \"demo\"",
    "[vars]",
    "a = \"${var.b}\"",
    "b = \"${var.a}x\"",
    "c = [\"+1*\", { d = 1 }]",
    "d = { env = \"D\" }",
    "[gateway.us]",
    "[gateway.us",
    "address = \"${var.a}\"",
    "auth = { username = \"u\", password = \"${var.d}\" }",
    "[number.\"+14155550100\"]",
    "[number.\"0049 30 901820\"]",
    "gateway = \"us\"",
    "alias = \"main\"",
    "only = [\"prod\"]",
    "[number_range.r]",
    "first = \"+14155550100\"",
    "last = \"+14155559999\"",
    "last = \"+999999999999999\"",
    "[rule.x]",
    "[rule.y]",
    "direction = \"inbound\"",
    "direction = \"outbound\"",
    "numbers = [\"main\", \"r-*\", \"*\", \"911\"]",
    "numbers = [",
    "room = { mode = \"dynamic\" }",
    "room = \"\"\"",
    "\"\"\"",
    "allow = { callers = \"${var.c}\", ips = [\"::/0\", \"10.0.0.0/8\", \"10.1.0.0/16\"] }",
    "was = [\"y\", \"z\"]",
    "tags = \"${var.}\" # ${",
    "[guard]",
    "protect = [\"number.*\", \"x\", \"rule.*z*\"]",
    "[daemon]",
    "sip = [\"tls:1\", \"[::1]:5060\"]",
    "[[adopt]]",
    "rule = \"x\"",
    "id = \"rr_1\"",
    "[[test]]",
    "]",
    "= 1",
    "ü",
];

fn shuffled() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(LINES), 0..40).prop_map(|lines| lines.join("\n"))
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
    fn lines_of_any_kind_give_findings_inside_them(one in shuffled(), two in shuffled(), three in shuffled()) {
        holds(&[one.clone(), two.clone()]);
        // The last as an environment's.
        let mut files = Files::default();
        files.add(File::new("strowger.toml", one));
        files.add(File::new("more.toml", two));
        files.add_environment("prod", File::new("env/prod.toml", three));
        files.set_environments(vec!["prod".to_owned()]);
        judge(check::check(syntax::parse(&files)));
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_before(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(text) = String::from_utf8(bytes) {
            holds(&[text]);
        }
    }

    #[test]
    fn one_broken_line_is_one_finding(line in 0_usize..60, how in 0_usize..4) {
        let lines: Vec<&str> = WHOLE.lines().collect();
        let line = line.min(lines.len() - 1);
        let broken = match (how, lines[line].trim_start().starts_with('[')) {
            (_, _) if lines[line].trim().is_empty() || lines[line].starts_with('#') => return Ok(()),
            (0, true) => lines[line].replace(']', ""),
            (1, true) => lines[line].replace('[', ""),
            (_, true) => lines[line].replace('.', " "),
            (0, false) => lines[line].replace('=', ""),
            (1, false) => lines[line].split('=').next().unwrap_or_default().to_owned() + "=",
            (2, false) => lines[line].replacen('"', "", 1),
            (_, false) => lines[line].to_owned() + " }",
        };
        if broken == lines[line] || broken.parse::<toml::Table>().is_ok() {
            return Ok(());
        }
        let mut text = lines.clone();
        text[line] = &broken;
        let checked = compile(&[text.join("\n")]);
        let names: Vec<&str> = checked.report.findings.iter().map(|finding| finding.rule.name).collect();
        prop_assert_eq!(names, ["toml-syntax"], "{}", broken);
        let file = checked.report.files.iter().next().expect("a file").1;
        let at = file.line_column(checked.report.findings[0].labels[0].span.range.start).0;
        prop_assert_eq!(at, line + 1, "{}", broken);
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
