//! `strowger route`

use std::net::IpAddr;

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::model::E164;
use crate::route::{Decision, Offer, Outcome, Table};

use super::compile::{PathArg, compile};
use super::exit::{Exit, Failure, print};

/// Decides a call that nobody makes, and says why.
///
/// By the files alone, with the very function that decides real calls.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  strowger route examples/quickstart --to +14155550100 --from +12125550123 --source 192.0.2.7"
)]
pub(super) struct Route {
    #[command(flatten)]
    path: PathArg,
    /// The number dialled, as it would stand in the Request-URI.
    #[arg(long, value_name = "NUMBER")]
    to: String,
    /// The caller's number, as it would stand in From; without it, a caller who shows none.
    #[arg(long, value_name = "NUMBER", default_value = "anonymous", hide_default_value = true)]
    from: String,
    /// The address that the call comes from.
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    source: IpAddr,
    /// How the decision is shown.
    #[arg(long, value_enum, default_value_t = FormatArg::Text)]
    format: FormatArg,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormatArg {
    /// For people.
    Text,
    /// For programs.
    Json,
}

impl Route {
    pub fn run(self) -> Result<Exit, Failure> {
        let Some(compiled) = compile(&self.path)? else { return Ok(Exit::Failed) };
        let offer = Offer::inbound(&self.to, &self.from, self.source);
        let decision = Table::build(&compiled.exchange.book()).decide(&offer);
        let rule = decision.trace.candidate.as_ref().map(|booked| booked.id.to_string());
        let place = rule.as_ref().and_then(|key| {
            let rule = compiled.exchange.rules().get(&key.parse().ok()?)?;
            Some(rule.place.to_string())
        });
        match self.format {
            FormatArg::Text => print(text(&decision, rule.as_deref().zip(place.as_deref()), &offer)),
            FormatArg::Json => print(format_args!("{:#}\n", as_json(&decision, rule, place, &offer))),
        }
        Ok(Exit::Done)
    }
}

fn text(decision: &Decision, rule: Option<(&str, &str)>, offer: &Offer) -> String {
    let mut lines = Vec::new();
    match &decision.outcome {
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
        if permit.rule().hide_caller {
            lines.push("  the caller's number is hidden".to_owned());
        }
    }
    if let Some((key, place)) = rule {
        lines.push(format!("  by rule {key} ({place})"));
    }
    lines.extend(decision.trace.steps().map(|step| format!("  ✓ {step}")));
    if let Outcome::Refuse(_) = &decision.outcome {
        if let Some(dialled) = offer.dialled.filter(|_| decision.trace.candidate.is_none()) {
            lines.push(format!("  ✗ {dialled} leads to no rule"));
        }
        lines.extend(decision.trace.nearest_miss().map(|miss| format!("  ✗ it would take {miss}")));
    }
    lines.join("\n") + "\n"
}

fn as_json(decision: &Decision, rule: Option<String>, place: Option<String>, offer: &Offer) -> serde_json::Value {
    let (word, permit, refusal) = match &decision.outcome {
        Outcome::Accept(permit) => ("accept", Some(permit), None),
        Outcome::AskPin(permit) => ("ask-pin", Some(permit), None),
        Outcome::Refuse(cause) => ("refuse", None, Some(cause)),
    };
    json!({
        "version": 1,
        "decision": word,
        "to": offer.dialled.map(|number: E164| number.to_string()),
        "from": offer.calling.map(|number| number.to_string()),
        "source": offer.source,
        "rule": rule,
        "place": place,
        "room": permit.map(|permit| permit.room_in_words()),
        "agent": permit.and_then(|permit| permit.agent()).map(|agent| agent.id.to_string()),
        "status": refusal.map(|cause| cause.status().0),
        "reason": refusal.map(|cause| cause.to_string()),
        "held": decision.trace.steps().map(|step| step.to_string()).collect::<Vec<_>>(),
        "nearestMiss": decision.trace.nearest_miss(),
    })
}
