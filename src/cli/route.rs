//! `strowger route`

use std::net::IpAddr;

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use serde_json::json;

use crate::model::{Country, Direction, E164, RuleBook, RuleId, moment};
use crate::route::{Decision, Offer, Outcome, Table, Way};
use crate::sync;

use super::compile::{Compiled, PathArg, compile};
use super::exit::{Exit, Failure, print};
use super::log::runtime;
use super::target::Target;

/// Decides a call that nobody makes, and says why.
///
/// By the files alone, or by the rules of a running daemon or account, with the very function that decides real calls.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  strowger route examples/quickstart --to +14155550100 --from +12125550123 --source 192.0.2.7
  strowger route --to +14155550100 --at 2026-12-24T10:00[Europe/Berlin] --why-not night
  strowger route --direction outbound --rule dial-out --from +14155550100 --to +12125550123")]
pub(super) struct Route {
    #[command(flatten)]
    path: PathArg,
    #[command(flatten)]
    target: Target,
    /// By the rules that the daemon or the account has now, not by those of the files.
    #[arg(long)]
    live: bool,
    /// The number dialled, as it would stand in the Request-URI: a number in any form, or a `tel:` or `sip:` URI.
    #[arg(long, value_name = "NUMBER")]
    to: String,
    /// The caller's number, as it would stand in From; without it, a caller who shows none. Of an outbound call, the
    /// number to call from.
    #[arg(long, value_name = "NUMBER", default_value = "anonymous", hide_default_value = true)]
    from: String,
    /// The address that the call comes from.
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    source: IpAddr,
    /// A header of the call; may be repeated.
    #[arg(long, value_name = "NAME=VALUE", value_parser = header)]
    header: Vec<(String, String)>,
    /// When the call comes, with an offset or a zone: `2026-12-24T10:00[Europe/Berlin]`. Without it, now.
    #[arg(long, value_name = "TIME", value_parser = at)]
    at: Option<Timestamp>,
    /// Which way the call goes.
    #[arg(long, value_name = "DIRECTION", default_value = "inbound")]
    direction: Direction,
    /// The rule that an outbound call is placed by: its key, or with --live its id.
    #[arg(long, value_name = "RULE", required_if_eq("direction", "outbound"))]
    rule: Option<RuleId>,
    /// Says why this rule does not take the call, and what would have to differ.
    #[arg(long, value_name = "RULE")]
    why_not: Option<RuleId>,
    /// The country whose networks wrote the numbers, such as `+49`: national numbers are then read as they mean them.
    #[arg(long, value_name = "+CODE")]
    country: Option<Country>,
    /// How the decision is shown.
    #[arg(long, value_enum, default_value_t = FormatArg::Text)]
    format: FormatArg,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FormatArg {
    /// For people.
    Text,
    /// For programs.
    Json,
}

fn header(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=').filter(|(name, _)| !name.trim().is_empty());
    let parts = parts.ok_or_else(|| "write a name and a value, such as X-Customer=acme".to_owned())?;
    Ok((parts.0.trim().to_owned(), parts.1.to_owned()))
}

fn at(text: &str) -> Result<Timestamp, String> {
    moment(text).map_err(|why| why.to_string())
}

/// The rules that a far side has now, each by the id that is known there.
pub(super) fn live_book(target: &Target, compiled: &Compiled) -> Result<RuleBook, Failure> {
    let client = target.client(Some(compiled))?;
    let live = runtime()?.block_on(sync::fetch(&client)).map_err(|error| Failure::new("fetch", error))?;
    Ok(live.book())
}

impl Route {
    pub fn run(self) -> Result<Exit, Failure> {
        let Some(compiled) = compile(&self.path)? else { return Ok(Exit::Failed) };
        let book = match self.live {
            true => live_book(&self.target, &compiled)?,
            false => compiled.exchange.book(),
        };
        let table = Table::build(&book);
        let now = self.at.unwrap_or_else(Timestamp::now);
        let offer = match (self.direction, self.rule.clone()) {
            (Direction::Outbound, Some(rule)) => Offer::outbound(rule, &self.from, &self.to),
            _ => Offer::inbound_in(self.country, &self.to, &self.from, self.source),
        };
        let decision = table.decide(&offer, now);
        let why_not = match &self.why_not {
            None => None,
            Some(rule) => {
                let asked = table.examine(&offer, now, rule).ok_or_else(|| unknown(rule, &book))?;
                Some((rule, asked))
            }
        };
        let shown = Shown {
            decision: &decision,
            offer: &offer,
            headers: &self.header,
            now,
            place: &|rule: &RuleId| {
                let declared = (!self.live).then(|| compiled.exchange.rules().get(&rule.as_str().parse().ok()?))??;
                Some(declared.place.to_string())
            },
            why_not,
        };
        match self.format {
            FormatArg::Text => print(shown.text()),
            FormatArg::Json => print(format_args!("{:#}\n", shown.json())),
        }
        Ok(Exit::Done)
    }
}

fn unknown(rule: &RuleId, book: &RuleBook) -> Failure {
    let names = book.rules.iter().map(|booked| booked.id.as_str());
    let failure = Failure::new("rule", format!("there is no rule `{rule}`"));
    match crate::diagnostic::nearest(rule.as_str(), names) {
        Some(near) => failure.help(format!("did you mean `{near}`?")),
        None => failure,
    }
}

/// A decision with all that a person wants to know of it.
struct Shown<'a> {
    decision: &'a Decision,
    offer: &'a Offer,
    headers: &'a [(String, String)],
    now: Timestamp,
    place: &'a dyn Fn(&RuleId) -> Option<String>,
    why_not: Option<(&'a RuleId, Vec<(bool, String)>)>,
}

impl Shown<'_> {
    fn text(&self) -> String {
        let Self { decision, offer, .. } = self;
        let mut lines = Vec::new();
        let outbound = matches!(offer.way, Way::Outbound(_));
        match &decision.outcome {
            Outcome::Accept(permit) if outbound => {
                lines.push(format!("placed, and joined to {}", permit.room_in_words()))
            }
            Outcome::Accept(permit) => lines.push(format!("accepted into {}", permit.room_in_words())),
            Outcome::AskPin(permit) => lines.push(format!("asked for a PIN, then into {}", permit.room_in_words())),
            Outcome::Refuse(cause) => {
                let (status, reason) = cause.status();
                lines.push(format!("refused with {status} {reason}: {cause}"));
            }
        }
        if let Outcome::Accept(permit) | Outcome::AskPin(permit) = &decision.outcome {
            if let Some(agent) = permit.agent() {
                lines.push(format!("  with agent {}", agent.id));
            }
            if let Some(target) = permit.target() {
                lines.push(format!("  by its share of the split: {target}"));
            }
            let gateways: Vec<String> = permit.gateways().map(|gateway| gateway.name.clone()).collect();
            if !gateways.is_empty() {
                lines.push(format!("  out by gateway {}", gateways.join(", then ")));
            }
            if permit.rule().hide_caller {
                lines.push("  the caller's number is hidden".to_owned());
            }
            for (name, value) in permit.headers(self.headers) {
                lines.push(format!("  the room is shown {name}: {value}"));
            }
            for (attribute, value) in permit.attributes(self.headers) {
                lines.push(format!("  attribute {attribute} = {value}"));
            }
        }
        let by = |rule: &RuleId| match (self.place)(rule) {
            Some(place) => format!("rule {rule} ({place})"),
            None => format!("rule {rule}"),
        };
        let decider = decision.trace.candidate();
        if let Some(booked) = decider {
            lines.push(format!("  by {}", by(&booked.id)));
        }
        lines.extend(decision.trace.steps().iter().map(|step| format!("  ✓ {step}")));
        if let Outcome::Refuse(_) = &decision.outcome {
            if let Some(dialled) = offer.dialled.filter(|_| decider.is_none() && !outbound) {
                lines.push(format!("  ✗ {dialled} leads to no rule"));
            }
            lines.extend(decision.trace.nearest_miss().map(|miss| format!("  ✗ it would take {miss}")));
        }
        for candidate in decision.trace.candidates().filter(|c| decider.is_none_or(|d| d.id != c.booked.id)) {
            if let Some(take) = candidate.would_take() {
                lines.push(format!("  not by {}: it would take {take}", by(&candidate.booked.id)));
            }
        }
        if let Some((rule, asked)) = &self.why_not {
            let all = asked.iter().all(|(holds, _)| *holds);
            lines.push(format!("{} {}:", if all { "nothing speaks against" } else { "why not" }, by(rule)));
            lines.extend(asked.iter().map(|(holds, text)| format!("  {} {text}", if *holds { "✓" } else { "✗" })));
        }
        lines.join("\n") + "\n"
    }

    fn json(&self) -> serde_json::Value {
        let Self { decision, offer, .. } = self;
        let (word, permit, refusal) = match &decision.outcome {
            Outcome::Accept(permit) => ("accept", Some(permit), None),
            Outcome::AskPin(permit) => ("ask-pin", Some(permit), None),
            Outcome::Refuse(cause) => ("refuse", None, Some(cause)),
        };
        let rule = decision.trace.candidate().map(|booked| &booked.id);
        let candidates = decision.trace.candidates().map(|candidate| {
            json!({
                "rule": candidate.booked.id.as_str(),
                "held": candidate.held(),
                "wouldTake": candidate.would_take(),
            })
        });
        let mut value = json!({
            "version": 1,
            "decision": word,
            "to": offer.dialled.map(|number: E164| number.to_string()),
            "from": offer.calling.map(|number| number.to_string()),
            "at": self.now.to_string(),
            "rule": rule.map(RuleId::as_str),
            "place": rule.and_then(self.place),
            "room": permit.map(|permit| permit.room_in_words()),
            "agent": permit.and_then(|permit| permit.agent()).map(|agent| agent.id.to_string()),
            "gateways": permit.map(|permit| permit.gateways().map(|gateway| gateway.name.clone()).collect::<Vec<_>>()),
            "headers": permit.map(|permit| permit.headers(self.headers)),
            "attributes": permit.map(|permit| permit.attributes(self.headers).into_iter().collect::<std::collections::BTreeMap<_, _>>()),
            "status": refusal.map(|cause| cause.status().0),
            "reason": refusal.map(|cause| cause.to_string()),
            "held": decision.trace.steps(),
            "nearestMiss": decision.trace.nearest_miss(),
            "candidates": candidates.collect::<Vec<_>>(),
        });
        let Some(object) = value.as_object_mut() else { return value };
        if let Way::Inbound(arrival) = &offer.way {
            object.insert("source".to_owned(), json!(arrival.source));
        }
        if let Some((rule, asked)) = &self.why_not {
            let asked: Vec<_> = asked.iter().map(|(holds, text)| json!({ "holds": holds, "text": text })).collect();
            object.insert("whyNot".to_owned(), json!({ "rule": rule.as_str(), "asked": asked }));
        }
        value
    }
}
