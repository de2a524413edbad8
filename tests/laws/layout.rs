//! Laying out twice changes nothing, and never the meaning or a comment.

use proptest::prelude::*;
use strowger::syntax::{format, same_meaning};

use super::compile::bent;

fn holds(text: &str) {
    let once = format(text);
    if toml::from_str::<toml::Table>(text).is_err() {
        return; // It came to an end, which is all that is asked.
    }
    assert!(same_meaning(text, &once), "another meaning:\n{text}\n->\n{once}");
    assert_eq!(format(&once), once, "laid out twice:\n{text}");
    assert_eq!(comments(text), comments(&once), "comments of:\n{text}");
    assert!(once.lines().all(|line| line.trim_end() == line || once.contains("'''") || once.contains("\"\"\"")));
}

fn comments(text: &str) -> Vec<&str> {
    let tokens = toml_parser::Source::new(text).lex().into_vec();
    let comments = tokens.iter().filter(|token| token.kind() == toml_parser::lexer::TokenKind::Comment);
    comments.map(|token| text[token.span().start()..token.span().end()].trim_end()).collect()
}

fn space() -> impl Strategy<Value = String> {
    prop_oneof![3 => Just(""), 2 => Just(" "), 1 => Just("\t  ")].prop_map(str::to_owned)
}

/// What may stand between the elements of a list.
fn gap() -> impl Strategy<Value = String> {
    prop_oneof![4 => Just(""), 2 => Just(" "), 1 => Just("\n"), 1 => Just(" # c, ] \"\n"), 1 => Just("\r\n\n")]
        .prop_map(str::to_owned)
}

fn value() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        Just("1_000"),
        Just("-0x1F"),
        Just("1.5e-3"),
        Just("nan"),
        Just("-inf"),
        Just("true"),
        Just("0xDEAD"),
        Just("2026-01-01 10:00:00.5"),
        Just("1979-05-27T07:32:00Z"),
        Just("''"),
        Just("'a'"),
        Just("'say \"x\"'"),
        Just("'\\d'"),
        Just("\"ü # , ]\""),
        Just("\"\\\"'\""),
        Just("'''\n # x \n'''"),
        Just("\"\"\"\n a = 1\n\n\"\"\""),
    ]
    .prop_filter("TOML has no negative hex", |text| *text != "-0x1F")
    .prop_map(str::to_owned);
    scalar.prop_recursive(3, 24, 6, |inner| {
        let list = prop::collection::vec((gap(), inner.clone(), gap()), 0..7);
        let table = prop::collection::vec((space(), inner, space()), 0..4);
        prop_oneof![
            (list, any::<bool>(), gap()).prop_map(|(items, comma, last)| {
                let comma = if comma && !items.is_empty() { "," } else { "" };
                let items: Vec<String> = items.into_iter().map(|(a, item, b)| format!("{a}{item}{b}")).collect();
                format!("[{}{comma}{last}]", items.join(","))
            }),
            table.prop_map(|items| {
                let pair = |(at, (a, item, b)): (usize, (String, String, String))| format!("{a}k{at}{b}={a}{item}{b}");
                let items: Vec<String> = items.into_iter().enumerate().map(pair).collect();
                format!("{{{}}}", items.join(","))
            }),
        ]
    })
}

fn text() -> impl Strategy<Value = String> {
    let line = (0..8_u8, space(), value(), prop_oneof![Just(""), Just("# x"), Just("#\ty  ")]);
    prop::collection::vec(line, 0..24).prop_map(|lines| {
        let line = |(at, (kind, space, value, comment)): (usize, (u8, String, String, &str))| match kind {
            0 => format!("{space}[{space}t{at}{space}.{space}'x y'{space}]{space}{comment}\n"),
            1 => format!("[[l{at}]]{space}{comment}\r\n"),
            2 => format!("{space}\n{space}\n"),
            3 => format!("{space}# about {at}{space}\n"),
            4 => format!("\"q {at}\"{space}.{space}a{space}={space}{value}{space}{comment}\n"),
            _ => format!("{space}key_{at}{space}={space}{value}{space}{comment}\n"),
        };
        lines.into_iter().enumerate().map(line).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn of_any_toml(text in text()) {
        prop_assert!(toml::from_str::<toml::Table>(&text).is_ok(), "the generator makes TOML:\n{}", text);
        holds(&text);
    }

    #[test]
    fn of_any_text(text in any::<String>()) {
        holds(&text);
    }

    #[test]
    fn of_a_bent_configuration(text in bent()) {
        holds(&text);
    }
}
