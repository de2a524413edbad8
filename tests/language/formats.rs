//! Every form of a report says the same, in its own grammar.

use serde_json::Value;
use strowger::check::check;
use strowger::diagnostic::{File, Files, Format, Look, Report, render};
use strowger::syntax::parse;

const LOOK: Look = Look { colour: false, unicode: true, width: 80 };

fn report(name: &str, text: &str) -> Report {
    let mut files = Files::default();
    files.add(File::new(name, text.to_owned()));
    check(parse(&files)).report
}

/// One mistake of each kind of label and fix: two places, a guess, a safe fix of two edits.
fn mistakes() -> Report {
    report(
        "a dir/ä:b,c%.toml",
        "[stack]\nname = \"acme\"\n[gateway.us]\naddress = \"a.example\"\nTransport = 'UDP'\n[number.\"+14155550100\"]\n\
         gateway = \"uss\"\nalias = \"x\"\n[number.\"+14155550101\"]\ngateway = \"us\"\nalias = \"x\"\n[rule.u]\n\
         direction = \"inbound\"\nnumbers = \"x\"\nroom = { mode = \"dynamic\" }\n",
    )
}

#[test]
fn sarif_is_what_its_schema_says() {
    let schema: Value = serde_json::from_str(include_str!("sarif-schema-2.1.0.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for report in [mistakes(), report("empty.toml", ""), report("no.toml", "= = =\n\"")] {
        let text = render(&report, Format::Sarif, LOOK);
        let log: Value = serde_json::from_str(&text).unwrap();
        let errors: Vec<String> = validator.iter_errors(&log).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:#?}\n{text}");
        let results = log["runs"][0]["results"].as_array().unwrap();
        assert_eq!(results.len(), report.findings.len());
        for result in results {
            let rules = &log["runs"][0]["tool"]["driver"]["rules"];
            assert_eq!(rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()]["id"], result["ruleId"]);
        }
    }
    let log: Value = serde_json::from_str(&render(&mistakes(), Format::Sarif, LOOK)).unwrap();
    let uri = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(uri, "a%20dir/%C3%A4%3Ab%2Cc%25.toml");
}

#[test]
fn json_carries_edits_that_a_program_can_apply() {
    let report = mistakes();
    let json: Value = serde_json::from_str(&render(&report, Format::Json, LOOK)).unwrap();
    assert_eq!(json["version"], 1);
    let (_, file) = report.files.iter().next().unwrap();
    let mut fixes = 0;
    for finding in json["findings"].as_array().unwrap() {
        let mut text = file.text().to_owned();
        let edits = finding["fix"]["edits"].as_array().cloned().unwrap_or_default();
        for edit in edits.iter().rev() {
            let at = |key: &str| usize::try_from(edit[key].as_u64().unwrap()).unwrap();
            let (line, column) = file.line_column(at("start"));
            assert_eq!((at("line"), at("column")), (line, column));
            text.replace_range(at("start")..at("end"), edit["text"].as_str().unwrap());
        }
        if !edits.is_empty() {
            fixes += 1;
            let after = self::report("a.toml", &text);
            let gone = |one: &strowger::diagnostic::Finding| one.message == finding["message"].as_str().unwrap();
            assert!(!after.findings.iter().any(gone), "{finding:#}");
        }
    }
    assert_eq!(fixes, 3);
}

#[test]
fn github_commands_are_one_line_each_whatever_the_file_says() {
    let report = report("a:b,c%\n.toml", "[stack]\nname = \"x\\n::error::forged\"\n[gateway.us]\n\"a\\n::b\" = 1\n");
    let text = render(&report, Format::Github, LOOK);
    assert_eq!(text.lines().count(), report.findings.len());
    for line in text.lines() {
        assert!(line.starts_with("::error file=a%3Ab%2Cc%25%0A.toml,line="), "{line}");
    }
    let concise = render(&report, Format::Concise, LOOK);
    assert_eq!(concise.lines().count(), report.findings.len(), "{concise}");
}

#[test]
fn nothing_in_a_file_acts_on_the_terminal() {
    let report = report("a\u{1b}[2J.toml", "[stack]\nname = \"\u{1b}]0;x\u{7}\u{202e}\"\n# \u{1b}[31m\nx = \u{9b}1\n");
    for format in [Format::Graphical, Format::Plain, Format::Concise] {
        let text = render(&report, format, LOOK);
        let acts = |c: char| (c.is_control() && c != '\n' && c != '\t') || c == '\u{202e}';
        assert!(!text.contains(acts), "{format:?}: {text:?}");
    }
}

#[test]
fn plain_has_no_drawings() {
    let text = render(&mistakes(), Format::Plain, Look { colour: true, ..LOOK });
    assert!(!text.contains(['│', '╭', '─', '\u{1b}']), "{text}");
    assert!(
        text.contains("\n  and at a dir/ä:b,c%.toml, line 8, column 9: given first here\n    alias = \"x\"\n"),
        "{text}"
    );
}

#[test]
fn of_thousands_the_first_are_drawn_and_the_rest_counted() {
    let mut text = String::from("[stack]\nname = \"acme\"\n");
    for number in 0..5_000 {
        text += &format!("[gateway.g{number}]\naddress = \"a.example\"\ntransprt = 1\n");
    }
    let report = report("a.toml", &text);
    assert!(report.findings.len() >= 5_000);
    for format in [Format::Graphical, Format::Plain] {
        let text = render(&report, format, LOOK);
        assert_eq!(text.matches("is not a key of").count() + text.matches("is used by nothing").count(), 50);
        assert!(text.contains(" × error[unknown-key]\n"), "{}", &text[text.len() - 300..]);
        // What is drawn does not grow with what was found.
        assert!(text.len() < 40_000, "{} bytes", text.len());
    }
    assert_eq!(render(&report, Format::Concise, LOOK).lines().count(), report.findings.len());
}

#[test]
fn a_long_line_does_not_fill_the_screen() {
    let text = format!("[stack]\nname = \"acme\"\nx = [{}]\n", "1, ".repeat(100_000));
    let report = report("a.toml", &text);
    for format in [Format::Graphical, Format::Plain] {
        assert!(render(&report, format, LOOK).len() < 2_000);
    }
}
