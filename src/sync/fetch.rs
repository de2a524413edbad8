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

/// Everything that an account lists, as it says it.
#[derive(Debug, Clone, PartialEq)]
pub struct Lists {
    /// The numbers with their gateways.
    pub numbers: Vec<api::NumberItem>,
    /// The rules.
    pub rules: Vec<api::RoutingRule>,
    /// Which version of the object `strowger` the far side honours; none for a far side that is not ours.
    pub extension: Option<u32>,
}

/// Reads all numbers with their gateways, and all rules, as the far side says them. Two lists, never one call an
/// object.
///
/// # Errors
/// When a call fails, or a list changes under every read.
pub async fn list<R: Remote>(remote: &R) -> Result<Lists, FetchError<R::Failure>> {
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
    Ok(Lists { numbers, rules, extension })
}

/// Reads all numbers with their gateways, and all rules.
///
/// # Errors
/// As [`list`], and when an id or number has no meaning here.
pub async fn fetch<R: Remote>(remote: &R) -> Result<Live, FetchError<R::Failure>> {
    let lists = list(remote).await?;
    // A newer daemon knows more than this program, and at least as much.
    let honours_beyond = lists.extension.is_some_and(|version| version >= EXTENSION);
    let mut live = Live { honours_beyond, ..Live::default() };
    for item in lists.numbers {
        number(&mut live, item)?;
    }
    for rule in lists.rules {
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
        if let Some(read) = once(&mut read).await.map_err(|cause| FetchError::Call { what, cause })? {
            return Ok(read);
        }
    }
    Err(FetchError::Unsteady { what })
}

/// Reads every page of a list; none when the list changed in between.
async fn once<T: Listed, F>(
    read: &mut impl AsyncFnMut(u32) -> Result<Page<T>, F>,
) -> Result<Option<(Vec<T>, Option<u32>)>, F> {
    let first = read(1).await?;
    let extension = first.strowger;
    let told = first.page_info;
    let mut items = first.data;
    let mut known: BTreeSet<String> = items.iter().map(|item| item.key().to_owned()).collect();
    if known.len() != items.len() {
        return Ok(None);
    }
    for number in 2.. {
        let more = match told {
            Some(PageInfo { last_page, .. }) => number <= last_page,
            // A far side that says nothing of pages has sent everything, unless the page is full.
            None => items.len() as u64 == u64::from(PER_PAGE) * u64::from(number - 1),
        };
        if !more {
            break;
        }
        let page = read(number).await?;
        let fresh = page.data.iter().filter(|item| known.insert(item.key().to_owned())).count();
        match told {
            // It never heard of pages, and says the same again.
            None if fresh == 0 => break,
            Some(PageInfo { total, .. }) if page.page_info.is_some_and(|info| info.total != total) => return Ok(None),
            // An item that comes twice has moved; a page without any ends a list that says it goes on.
            _ if fresh == 0 || fresh != page.data.len() => return Ok(None),
            _ => items.extend(page.data),
        }
    }
    let whole = told.is_none_or(|info| info.total == items.len() as u64);
    Ok(whole.then_some((items, extension)))
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
            region: found.region().map(str::to_owned),
            name: found.name,
            address: found.address,
            transport: found.transport,
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
