//! By which rules are calls decided, as the store holds them now?

use std::collections::{BTreeMap, BTreeSet};

use super::error::{Fault, StoreError};
use super::{Access, Store, Work, rules};
use crate::api;
use crate::model::{BookedGateway, BookedRule, E164, Malformed, RuleBook};

impl Store {
    /// The numbers that stand on an inbound gateway, and every rule, from one moment. Blocks on the disk.
    ///
    /// A rule that cannot be understood is left out and logged as an error: the calls of the other rules go on.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn book(&self) -> Result<RuleBook, StoreError> {
        self.administer(Access::Read, read)
    }
}

fn read(work: &Work<'_>) -> Result<RuleBook, Fault> {
    let mut standing = work.prepare("SELECT e164 FROM number WHERE inbound IS NOT NULL ORDER BY sequence")?;
    let mut numbers = Vec::new();
    for text in standing.query_map([], |row| row.get::<_, String>(0))? {
        let text = text?;
        match text.parse::<E164>() {
            Ok(number) => numbers.push(number),
            Err(why) => tracing::error!(number = %text, error = %why, "a number in the store cannot be understood"),
        }
    }
    let mut booked = Vec::new();
    for (id, rule) in rules::every(work)? {
        match rule.map_err(Malformed).and_then(|rule| entry(&rule)) {
            Ok(entry) => booked.push(entry),
            Err(why) => {
                tracing::error!(rule = %id, error = %why, "a rule in the store cannot be understood, and no call will meet it");
            }
        }
    }
    booked.sort_by(|left, right| left.id.cmp(&right.id));
    Ok(RuleBook { numbers, rules: booked, gateways: gateways(work)? })
}

fn gateways(work: &Work<'_>) -> Result<Vec<BookedGateway>, Fault> {
    let mut all = Vec::new();
    let mut statement = work.prepare("SELECT id, name, direction, region, transport FROM gateway ORDER BY id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (id, direction): (String, String) = (row.get(0)?, row.get(2)?);
        let (Ok(id), Ok(direction)) = (id.parse(), direction.parse()) else { continue };
        let numbers = BTreeSet::new();
        all.push(BookedGateway {
            id,
            name: row.get(1)?,
            direction,
            region: row.get(3)?,
            transport: row.get(4)?,
            numbers,
        });
    }
    let at: BTreeMap<String, usize> =
        all.iter().enumerate().map(|(at, gateway)| (gateway.id.to_string(), at)).collect();
    let mut statement = work.prepare("SELECT e164, inbound, outbound FROM number")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let Ok(number) = row.get::<_, String>(0)?.parse() else { continue };
        for id in [row.get::<_, Option<String>>(1)?, row.get(2)?].into_iter().flatten() {
            if let Some(gateway) = at.get(&id).and_then(|at| all.get_mut(*at)) {
                gateway.numbers.insert(number);
            }
        }
    }
    Ok(all)
}

fn entry(rule: &api::RoutingRule) -> Result<BookedRule, Malformed> {
    // A PIN that the store holds is known, hence `Some`.
    let known = rule.to_model()?.try_map(|pin| Ok::<_, Malformed>(Some(pin)))?;
    Ok(BookedRule { id: rule.id.parse()?, rule: known })
}
