//! Every example is free of findings, and its calls are decided as it says.

use std::path::PathBuf;

use strowger::route::{Graph, Table, judge};
use strowger::{check, source, syntax};

fn examples() -> Vec<PathBuf> {
    let all = std::fs::read_dir("examples").expect("the examples are there");
    let mut paths: Vec<PathBuf> = all.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.join(source::ROOT_FILE).exists());
    paths.sort();
    paths
}

#[test]
fn every_example_does_what_it_says() {
    assert!(examples().len() >= 4);
    for path in examples() {
        let shown = path.display();
        let set = source::read(&path, None).expect("the files can be read");
        let checked = check::check(syntax::parse(&set.files));
        assert!(checked.report.findings.is_empty(), "{shown}: {:?}", checked.report.findings);
        let exchange = checked.exchange.expect("no findings");
        let table = Table::build(&exchange.book());
        let calls = source::read_calls(&path.join("calls.toml")).expect("the calls can be read");
        let text = std::fs::read_to_string(path.join("calls.toml")).expect("the calls can be read");
        let rows: toml::Table = text.parse().expect("it is TOML");
        let rows = rows["call"].as_array().expect("a list").clone();
        assert_eq!(rows.len(), calls.len());
        for (case, row) in calls.iter().zip(rows) {
            let verdict = judge(case, &table, Some(&exchange));
            assert!(verdict.differences.is_empty(), "{}: {:?}", case.place, verdict.differences);
            if let Some(trace) = row.get("trace").and_then(toml::Value::as_str) {
                assert_eq!(verdict.decision.trace.to_string(), trace, "{}", case.place);
            }
        }
        let picture = Graph::of(&exchange.book()).svg(exchange.stack().as_str());
        assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>\n") && !picture.contains("<script"));
    }
}
