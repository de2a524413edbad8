//! `strowger show`

use std::collections::BTreeMap;
use std::io::IsTerminal;

use clap::{Args, ValueEnum};
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Map, Value, json};

use crate::api::{Gateway, NumberItem, RoutingRule};
use crate::model::Direction;
use crate::plan::Mark;
use crate::sync::{self, Lists};

use super::compile::look;
use super::exit::{Exit, Failure, print};
use super::log::runtime;
use super::target::LiveTarget;

/// Lists the live numbers, gateways and rules.
///
/// Of the account, or else of the daemon on this machine. Secrets are shown as ****.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  strowger show\n  strowger show rules --format json")]
pub(super) struct Show {
    /// What is shown.
    #[arg(value_enum, default_value_t = What::All)]
    what: What,
    #[command(flatten)]
    target: LiveTarget,
    /// How it is shown.
    #[arg(long, value_enum, default_value_t = FormatArg::Table)]
    format: FormatArg,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// Everything.
    All,
    /// Phone numbers, and the gateways that they stand on.
    Numbers,
    /// Gateways that some number stands on.
    Gateways,
    /// Routing rules, and whose they are.
    Rules,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormatArg {
    /// For people.
    Table,
    /// A versioned object with everything that the far side says, for programs.
    Json,
}

impl Show {
    pub fn run(self) -> Result<Exit, Failure> {
        let Some(found) = self.target.find()? else { return Ok(Exit::Failed) };
        let lists = runtime()?.block_on(sync::list(&found.client));
        let lists = lists.map_err(|error| Failure::new("show", error))?;
        match self.format {
            FormatArg::Table => print(tables(&lists, self.what, width())),
            FormatArg::Json => print(format_args!("{:#}\n", as_json(&lists, self.what, found.client.endpoint()))),
        }
        Ok(Exit::Done)
    }
}

/// The width to keep to: of the terminal, or as `COLUMNS` says. A program that reads along gets whole lines.
fn width() -> Option<u16> {
    let terminal = std::io::stdout().is_terminal();
    let asked = terminal || std::env::var_os("COLUMNS").is_some_and(|columns| !columns.is_empty());
    asked.then(|| u16::try_from(look(terminal).width).unwrap_or(u16::MAX))
}

/// The gateways that numbers stand on, once each, by direction and id.
fn gateways(numbers: &[NumberItem]) -> Vec<(Direction, &Gateway)> {
    let mut found = BTreeMap::new();
    for item in numbers {
        let sides = [(Direction::Inbound, &item.inbound), (Direction::Outbound, &item.outbound)];
        for (direction, gateway) in sides.into_iter().filter_map(|(side, found)| Some((side, found.as_ref()?))) {
            found.entry((direction, gateway.id.as_str())).or_insert(gateway);
        }
    }
    found.into_iter().map(|((direction, _), gateway)| (direction, gateway)).collect()
}

fn tables(lists: &Lists, what: What, width: Option<u16>) -> String {
    let numbers = lists.numbers.iter().map(|item| {
        let number = &item.phone_number;
        let id = |side: &Option<Gateway>| side.as_ref().map_or_else(String::new, |gateway| gateway.id.clone());
        let words = [&number.name, &number.status, &number.origin].map(|word| word.clone().unwrap_or_default());
        let [name, status, origin] = words;
        vec![number.e164.clone(), name, status, origin, id(&item.inbound), id(&item.outbound)]
    });
    let gateways = gateways(&lists.numbers);
    let gateways = gateways.iter().map(|(direction, gateway)| {
        let words = [&gateway.name, &gateway.address, &gateway.transport];
        let mut row = vec![direction.to_string()];
        row.extend(words.map(|word| word.clone().unwrap_or_default()));
        row.push(gateway.region().unwrap_or_default().to_owned());
        row.push(gateway.media_encryption.clone().unwrap_or_default());
        row.push(gateway.auth.as_ref().map_or_else(String::new, |auth| auth.username.clone()));
        row.extend([gateway.numbers.join(", "), gateway.id.clone()]);
        row
    });
    let rules = lists.rules.iter().map(|rule| {
        let owner = rule.tags.iter().find_map(|tag| tag.parse::<Mark>().ok());
        let owner = owner.map_or_else(String::new, |mark| format!("{}/{}", mark.stack, mark.key));
        vec![
            rule.name.clone(),
            rule.kind.text().to_owned(),
            rule.numbers.join(", "),
            leads_to(rule),
            owner,
            rule.id.clone(),
        ]
    });
    let all = [
        (
            What::Numbers,
            draw("phone number", &["NUMBER", "NAME", "STATUS", "ORIGIN", "INBOUND", "OUTBOUND"], numbers, width),
        ),
        (
            What::Gateways,
            draw(
                "gateway",
                &["DIRECTION", "NAME", "ADDRESS", "TRANSPORT", "REGION", "ENCRYPTION", "USER", "NUMBERS", "ID"],
                gateways,
                width,
            ),
        ),
        (What::Rules, draw("routing rule", &["NAME", "DIRECTION", "NUMBERS", "LEADS TO", "OWNER", "ID"], rules, width)),
    ];
    let shown: Vec<String> = all
        .into_iter()
        .filter(|(which, _)| matches!(what, What::All) || what == *which)
        .map(|(_, text)| text)
        .collect();
    shown.join("\n")
}

/// Where the calls of a rule go, as it says it: a word that is not known here is shown too.
fn leads_to(rule: &RoutingRule) -> String {
    let mut parts = Vec::new();
    if let Some(room) = &rule.room
        && let Some(kind) = &room.kind
    {
        let which = room.id.as_deref().or_else(|| room.prefix.as_ref().map(|prefix| prefix.text()));
        parts.push(which.map_or_else(|| format!("{kind} room"), |which| format!("{kind} room {which}")));
        if room.pin.as_ref().is_some_and(|pin| !pin.0.expose().is_empty()) {
            parts.push("PIN ****".to_owned());
        }
    }
    parts.extend(rule.agent_id.as_ref().filter(|id| !id.is_empty()).map(|id| format!("agent {id}")));
    parts.join(", ")
}

fn draw(what: &str, head: &[&str], rows: impl Iterator<Item = Vec<String>>, width: Option<u16>) -> String {
    let rows: Vec<Vec<String>> = rows.map(|row| row.into_iter().map(|cell| cell_text(&cell)).collect()).collect();
    if rows.is_empty() {
        return format!("No {what}s.\n");
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(head.iter().copied()).add_rows(rows);
    // Two spaces between columns, and none before the first.
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((if at == 0 { 0 } else { 1 }, 1));
    }
    if let Some(width) = width {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// A cell: names come from the far side, and may not steer the terminal.
pub(super) fn cell_text(text: &str) -> String {
    if text.is_empty() {
        return "-".to_owned();
    }
    text.chars().map(|c| if c.is_control() || is_steering(c) { '\u{fffd}' } else { c }).collect()
}

/// Characters that turn the direction of a text around (Unicode's bidirectional formatting).
fn is_steering(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn as_json(lists: &Lists, what: What, endpoint: &str) -> Value {
    let mut out = Map::from_iter([("version".to_owned(), json!(1)), ("endpoint".to_owned(), json!(endpoint))]);
    let mut put = |which, key: &str, value: Value| {
        if matches!(what, What::All) || what == which {
            out.insert(key.to_owned(), masked(value));
        }
    };
    put(What::Numbers, "numbers", json!(lists.numbers));
    let gateways = gateways(&lists.numbers).into_iter().map(|(direction, gateway)| {
        let mut gateway = json!(gateway);
        gateway["direction"] = json!(direction.to_string());
        gateway
    });
    put(What::Gateways, "gateways", gateways.collect());
    put(What::Rules, "rules", json!(lists.rules));
    Value::Object(out)
}

/// The same, with `****` for every secret: those of the contract, and what is named like one.
fn masked(value: Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.into_iter()
                .map(|(key, value)| match &value {
                    Value::String(text) if is_secret(&key) && !text.is_empty() => (key, json!("****")),
                    Value::Number(_) if is_secret(&key) => (key, json!("****")),
                    _ => (key, masked(value)),
                })
                .collect(),
        ),
        Value::Array(items) => items.into_iter().map(masked).collect(),
        other => other,
    }
}

fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase().replace(['_', '-'], "");
    matches!(key.as_str(), "pin" | "apikey")
        || ["password", "passwd", "secret", "token"].iter().any(|w| key.contains(w))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_like_a_secret_is_masked_wherever_it_stands() {
        let value = json!({"room": {"pin": "1234", "id": null}, "apiKey": "ak", "agentMetadata": {"auth_token": "t"},
            "list": [{"Password": 7, "username": "u"}], "secret": null});
        let text = masked(value).to_string();
        let expected = r#"{"room":{"pin":"****","id":null},"apiKey":"****","agentMetadata":{"auth_token":"****"},"list":[{"Password":"****","username":"u"}],"secret":null}"#;
        assert_eq!(text, expected);
    }

    #[test]
    fn a_table_is_aligned_and_keeps_to_its_width() {
        let rows = || [vec!["a".to_owned(), "x y ".repeat(20)], vec!["日本".to_owned(), String::new()]].into_iter();
        assert_eq!(draw("thing", &["ID", "TEXT"], [].into_iter(), None), "No things.\n");
        let wide = draw("thing", &["ID", "TEXT"], rows(), None);
        assert_eq!(wide.lines().count(), 3);
        assert!(wide.ends_with("日本  -\n"), "{wide}");
        let narrow = draw("thing", &["ID", "TEXT"], rows(), Some(40));
        assert!(narrow.lines().count() > 3 && narrow.lines().all(|line| line.chars().count() <= 40), "{narrow}");
    }

    #[test]
    fn a_name_does_not_steer_the_terminal() {
        assert_eq!(cell_text("a\u{1b}[31mb\nc\u{202e}d"), "a\u{fffd}[31mb\u{fffd}c\u{fffd}d");
    }
}
