//! What does a test's table mean?

use std::collections::BTreeMap;

use super::names::{Known, Names};
use super::rules::test_malformed;
use crate::model::{Expect, TestCase, moment};
use crate::syntax::At;
use crate::syntax::tables::TestTable;

/// Statuses that refuse a call (RFC 3261 section 21.4 to 21.6).
const REFUSALS: std::ops::RangeInclusive<u16> = 400..=699;

pub(super) fn test_case<T>(
    names: &Names,
    test: &At<TestTable>,
    all_rules: &BTreeMap<String, Known<T>>,
) -> Option<TestCase> {
    let At { value: table, .. } = test;
    let expect = &table.expect.value;
    if let Some(rule) = &expect.rule {
        names.refer("rule", rule, all_rules);
    }
    let source = table.source.as_ref().map(|source| {
        let read = source.value.parse().map_err(|_| {
            let message = format!("`{}` is not an address", source.value);
            names.report(test_malformed::finding(message, &source.span, "write one IP address, such as `192.0.2.7`"));
        });
        read.ok()
    });
    let at = table.at.as_ref().map(|at| {
        let read = moment(&at.value.0).map_err(|why| {
            let message = format!("`{}` is not a moment", at.value.0);
            names.report(test_malformed::finding(message, &at.span, why.to_string()));
        });
        read.ok()
    });
    if let Some(status) = expect.status.as_ref().filter(|status| !REFUSALS.contains(&status.value)) {
        let message = format!("{} refuses no call", status.value);
        let help = "write the status of the refusal, 400 to 699; without `status` the call is to be taken";
        names.report(test_malformed::finding(message, &status.span, help));
    }
    // Agents and rooms may also be meant by their ids, so only what is neither is unknown.
    if let Some(agent) = &expect.agent {
        let id = names.agents.values().filter_map(|known| known.value.as_ref()).any(|a| a.id.as_str() == agent.value);
        if !id {
            names.refer("agent", agent, &names.agents);
        }
    }
    let text = |at: &Option<At<String>>| at.as_ref().map(|at| at.value.clone());
    Some(TestCase {
        name: table.name.value.clone(),
        place: names.place(&table.name.span),
        dial: table.dial.value.clone(),
        from: text(&table.from),
        source: source.map_or(Some(None), |read| read.map(Some))?,
        at: at.map_or(Some(None), |read| read.map(Some))?,
        headers: table
            .headers
            .iter()
            .flat_map(|map| &map.value)
            .map(|(k, v)| (k.clone(), v.value.value.clone()))
            .collect(),
        expect: Expect {
            rule: text(&expect.rule),
            room: text(&expect.room),
            agent: text(&expect.agent),
            status: expect.status.as_ref().map(|at| at.value),
            pin: expect.pin.as_ref().map(|at| at.value),
        },
    })
}
