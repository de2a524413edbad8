//! What does the far side have now?

use std::collections::BTreeSet;

use crate::api::{self, Call, EXTENSION, Handle, ListNumbers, ListRules, NumbersQuery, Page, PageInfo, RulesQuery};
use crate::model::{Direction, E164, GatewayId, Malformed};
use crate::plan::{Live, LiveGateway, LiveNumber, LiveRule, Mark};

use super::Remote;

/// The largest page that the contract gives.
const PER_PAGE: u32 = 100;

/// How often a list is read again when it changes between its pages.
const READS_MAX: u32 = 5;

/// Why the live state is not known.
#[derive(Debug, thiserror::Error)]
pub enum FetchError<F: std::error::Error> {
    /// A call failed.
    #[error("the live {what} cannot be read: {cause}")]
    Call {
        /// What was being listed.
        what: &'static str,
        /// Why.
        cause: F,
    },
    /// A list did not hold still.
    #[error("the list of {what} changed under {READS_MAX} reads in a row; try again when nobody else is writing")]
    Unsteady {
        /// What was being listed.
        what: &'static str,
    },
    /// The far side sent something that has no meaning here.
    #[error("the far side lists {what} `{text}`: {why}")]
    Malformed {
        /// What it is.
        what: &'static str,
        /// As it was sent.
        text: String,
        /// What is wrong with it.
        why: Malformed,
    },
}

/// Reads all numbers with their gateways, and all rules. Two lists, never one call an object.
///
/// # Errors
/// When a call fails, when a list changes under every read, or when an id or number has no meaning here.
pub async fn fetch<R: Remote>(remote: &R) -> Result<Live, FetchError<R::Failure>> {
    let numbers = pages("phone numbers", async |page| {
        let query = NumbersQuery { page: Some(page), per_page: Some(PER_PAGE), search: None };
        Handle::<ListNumbers>::handle(remote, Call::with_query(query)).await
    });
    let (numbers, _) = numbers.await?;
    let rules = pages("routing rules", async |page| {
        let query = RulesQuery { page: Some(page), per_page: Some(PER_PAGE), ..RulesQuery::default() };
        Handle::<ListRules>::handle(remote, Call::with_query(query)).await
    });
    let (rules, extension) = rules.await?;

    // A newer daemon knows more than this program, and at least as much.
    let mut live = Live { honours_beyond: extension.is_some_and(|version| version >= EXTENSION), ..Live::default() };
    for item in numbers {
        number(&mut live, item)?;
    }
    for rule in rules {
        let text = rule.id.clone();
        live.rules.push(self::rule(rule).map_err(|why| FetchError::Malformed { what: "the rule", text, why })?);
    }
    live.rules.sort_by(|left, right| left.id.cmp(&right.id));
    Ok(live)
}

/// Reads every page of a list, again from the start when the list changed in between; and which of our extensions the
/// far side says it honours.
async fn pages<T: Listed, F: std::error::Error>(
    what: &'static str,
    mut read: impl AsyncFnMut(u32) -> Result<Page<T>, F>,
) -> Result<(Vec<T>, Option<u32>), FetchError<F>> {
    for _ in 0..READS_MAX {
        let first = read(1).await.map_err(|cause| FetchError::Call { what, cause })?;
        // A far side that says nothing of pages has sent everything.
        let Some(PageInfo { last_page, total, .. }) = first.page_info else { return Ok((first.data, first.strowger)) };
        let mut items = first.data;
        let mut steady = true;
        for page in 2..=last_page {
            let next = read(page).await.map_err(|cause| FetchError::Call { what, cause })?;
            steady &= next.page_info.is_none_or(|info| info.total == total);
            items.extend(next.data);
        }
        let distinct: BTreeSet<&str> = items.iter().map(Listed::key).collect();
        if steady && items.len() as u64 == total && distinct.len() == items.len() {
            return Ok((items, first.strowger));
        }
    }
    Err(FetchError::Unsteady { what })
}

/// An item of a list, which no list may hold twice.
trait Listed {
    fn key(&self) -> &str;
}

impl Listed for api::NumberItem {
    fn key(&self) -> &str {
        &self.phone_number.e164
    }
}

impl Listed for api::RoutingRule {
    fn key(&self) -> &str {
        &self.id
    }
}

fn number<F: std::error::Error>(live: &mut Live, item: api::NumberItem) -> Result<(), FetchError<F>> {
    let api::NumberItem { phone_number: number, inbound, outbound } = item;
    let malformed = |what, text: &str| {
        let text = text.to_owned();
        move |why| FetchError::Malformed { what, text, why }
    };
    let e164: E164 = number.e164.parse().map_err(malformed("the number", &number.e164))?;
    let id = number.phone_number_id.parse().map_err(malformed("the number's id", &number.phone_number_id))?;
    let mut side = |found: Option<api::Gateway>, direction| -> Result<Option<GatewayId>, FetchError<F>> {
        let Some(found) = found else { return Ok(None) };
        let id: GatewayId = found.id.parse().map_err(malformed("the gateway's id", &found.id))?;
        let gateway = live.gateways.entry(id.clone()).or_insert_with(|| LiveGateway {
            direction,
            name: found.name,
            address: found.address,
            transport: found.transport,
            region: found.geo_region,
            media_encryption: found.media_encryption,
            username: found.auth.map(|auth| auth.username),
            numbers: BTreeSet::new(),
        });
        gateway.numbers.insert(e164);
        Ok(Some(id))
    };
    let (inbound, outbound) = (side(inbound, Direction::Inbound)?, side(outbound, Direction::Outbound)?);
    let purchased = number.origin.is_some_and(|origin| origin.eq_ignore_ascii_case("purchased"));
    live.numbers.insert(e164, LiveNumber { id, purchased, inbound, outbound });
    Ok(())
}

fn rule(found: api::RoutingRule) -> Result<LiveRule, Malformed> {
    let mut rule = found.to_model();
    if let Ok(rule) = &mut rule {
        rule.tags.retain(|tag| !Mark::claims(tag));
    }
    let mark = found.tags.iter().find_map(|tag| tag.parse().ok());
    Ok(LiveRule { id: found.id.parse()?, name: found.name, mark, rule })
}
