//! How are numbers kept, and put on gateways?

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{OptionalExtension, Row};
use serde::Serialize;
use serde_json::Map;

use super::error::Fault;
use super::gateways::{self, GatewayRow};
use super::{Store, Work, fresh_id, needle, now, page_of, rules};
use crate::api::{
    ApiError, Auth, Call, CreateNumbers, CreatedNumbers, DetachNumber, Detached, Gateway, GetNumber, Handle,
    ListNumbers, NewNumbers, NumberItem, NumbersQuery, Page, PhoneNumber, ReleaseNumber, Released,
};
use crate::model::{Direction, E164, MediaEncryption, Region, Transport};

/// Numbers on a page when the query does not say (contract section 3.2).
const PER_PAGE: u32 = 20;

/// The columns that rows of numbers are read by.
const COLUMNS: &str = "id, e164, name, inbound, outbound, created_at, updated_at";

#[derive(Debug, Clone, Serialize)]
struct NumberRow {
    id: String,
    e164: String,
    name: String,
    inbound: Option<String>,
    outbound: Option<String>,
    created_at: String,
    updated_at: String,
}

impl Handle<CreateNumbers> for Store {
    type Error = ApiError;

    async fn handle(&self, call: Call<CreateNumbers>) -> Result<CreatedNumbers, ApiError> {
        let wanted = Wanted::read(call.body)?;
        self.write(call.by, move |work| create(work, &wanted)).await
    }
}

impl Handle<ListNumbers> for Store {
    type Error = ApiError;

    async fn handle(&self, call: Call<ListNumbers>) -> Result<Page<NumberItem>, ApiError> {
        self.read(move |work| list(work, &call.query)).await
    }
}

impl Handle<GetNumber> for Store {
    type Error = ApiError;

    async fn handle(&self, call: Call<GetNumber>) -> Result<NumberItem, ApiError> {
        self.read(move |work| {
            let unknown = || ApiError::not_found(format!("Phone number {} not found", call.path));
            let number = lenient(&call.path).ok_or_else(unknown)?;
            let row = find(work, number)?.ok_or_else(unknown)?;
            item(work, row, &mut BTreeMap::new())
        })
        .await
    }
}

impl Handle<DetachNumber> for Store {
    type Error = ApiError;

    async fn handle(&self, call: Call<DetachNumber>) -> Result<Detached, ApiError> {
        self.write(call.by, move |work| detach(work, &call.body.phone_number)).await
    }
}

impl Handle<ReleaseNumber> for Store {
    type Error = ApiError;

    async fn handle(&self, call: Call<ReleaseNumber>) -> Result<Released, ApiError> {
        self.write(call.by, move |work| release(work, &call.path)).await
    }
}

/// A creation whose every field is legal.
struct Wanted {
    name: String,
    numbers: Vec<E164>,
    shared: bool,
    media_encryption: MediaEncryption,
    inbound_region: String,
    outbound_region: String,
    address: String,
    transport: Transport,
    auth: Option<Auth>,
}

impl Wanted {
    fn read(body: NewNumbers) -> Result<Self, ApiError> {
        if body.phone_numbers.is_empty() {
            return Err(ApiError::invalid("phoneNumbers may not be empty"));
        }
        let mut seen = BTreeSet::new();
        let mut numbers = Vec::new();
        for (place, text) in body.phone_numbers.iter().enumerate() {
            let number: E164 =
                text.parse().map_err(|why| ApiError::invalid(format!("phoneNumbers[{place}] `{text}`: {why}")))?;
            if !seen.insert(number) {
                return Err(ApiError::invalid(format!("phoneNumbers[{place}] `{number}` is listed twice")));
            }
            numbers.push(number);
        }
        let region = |region: Option<String>| region.filter(|text| !text.is_empty()).unwrap_or(Region::default().0);
        Ok(Self {
            name: gateways::non_empty("name", body.name)?,
            numbers,
            shared: body.is_shared,
            // No source states the default; the seed sample leaves it out and sends plain media.
            media_encryption: match body.media_encryption {
                None => MediaEncryption::Disable,
                Some(word) => gateways::media_encryption(&word)?,
            },
            inbound_region: region(body.inbound.sip_region),
            outbound_region: region(body.outbound.sip_region),
            address: gateways::address("outbound.address", &body.outbound.address)?,
            // The default of both vendor SDKs (contract section 14).
            transport: match body.outbound.transport {
                None => Transport::Tls,
                Some(word) => gateways::transport("outbound.transport", &word)?,
            },
            auth: match body.outbound.auth {
                None => None,
                Some(auth) => gateways::credentials("outbound.auth", auth)?,
            },
        })
    }

    /// Makes one pair of gateways, and answers their ids.
    fn make_pair(&self, work: &Work<'_>) -> Result<(String, String), Fault> {
        let inbound = GatewayRow {
            id: uuid::Uuid::new_v4().to_string(),
            direction: Direction::Inbound,
            name: self.name.clone(),
            media_encryption: self.media_encryption,
            region: self.inbound_region.clone(),
            address: None,
            transport: None,
            auth: None,
            settings: None,
        };
        let outbound = GatewayRow {
            id: uuid::Uuid::new_v4().to_string(),
            direction: Direction::Outbound,
            region: self.outbound_region.clone(),
            address: Some(self.address.clone()),
            transport: Some(self.transport),
            auth: self.auth.clone(),
            ..inbound.clone()
        };
        gateways::write(work, None, &inbound)?;
        gateways::write(work, None, &outbound)?;
        Ok((inbound.id, outbound.id))
    }
}

fn create(work: &Work<'_>, wanted: &Wanted) -> Result<CreatedNumbers, Fault> {
    // All are looked at before any is written, so that the refusal names the first in the order of the request.
    for number in &wanted.numbers {
        if let Some(row) = find(work, *number)? {
            let direction = match (row.inbound, row.outbound) {
                (Some(_), _) => "an inbound",
                (None, Some(_)) => "an outbound",
                (None, None) => continue,
            };
            return Err(
                ApiError::invalid(format!("Phone number {number} is already attached to {direction} gateway")).into()
            );
        }
    }
    let at = now();
    let shared = if wanted.shared { Some(wanted.make_pair(work)?) } else { None };
    // In the order of the numbers, so that a list has the order of creation, then of E.164.
    let sorted: BTreeSet<E164> = wanted.numbers.iter().copied().collect();
    for number in sorted {
        let (inbound, outbound) = match &shared {
            Some(pair) => pair.clone(),
            None => wanted.make_pair(work)?,
        };
        // A number that was detached is used again, under the new label: no other request could rename it.
        let before = find(work, number)?;
        let id = before.as_ref().map_or_else(|| fresh_id("pn_"), |row| row.id.clone());
        let created_at = before.as_ref().map_or(&at, |row| &row.created_at).clone();
        let name = wanted.name.clone();
        let e164 = number.to_string();
        let (inbound, outbound) = (Some(inbound), Some(outbound));
        write(work, before, NumberRow { id, e164, name, inbound, outbound, created_at, updated_at: at.clone() })?;
    }
    let mut known = BTreeMap::new();
    let mut data = Vec::new();
    for number in &wanted.numbers {
        if let Some(row) = find(work, *number)? {
            data.push(item(work, row, &mut known)?);
        }
    }
    Ok(CreatedNumbers { message: "Phone numbers configured with SIP".to_owned(), data })
}

fn list(work: &Work<'_>, query: &NumbersQuery) -> Result<Page<NumberItem>, Fault> {
    let needle = needle(query.search.as_deref());
    let mut statement = work.prepare_cached(&format!("SELECT {COLUMNS} FROM number ORDER BY sequence"))?;
    let mut rows = statement.query_map([], from_row)?.collect::<Result<Vec<_>, _>>()?;
    rows.retain(|row| row.e164.contains(&needle) || row.name.to_lowercase().contains(&needle));
    let (page, per_page) = page_of(query.page, query.per_page, PER_PAGE);
    let cut = Page::cut(rows, page, per_page);
    let mut known = BTreeMap::new();
    let data = cut.data.into_iter().map(|row| item(work, row, &mut known)).collect::<Result<_, _>>()?;
    Ok(Page { page_info: cut.page_info, data, strowger: cut.strowger })
}

fn detach(work: &Work<'_>, text: &str) -> Result<Detached, Fault> {
    if text.is_empty() {
        return Err(ApiError::invalid("phoneNumber is required").into());
    }
    let number: E164 = text.parse().map_err(|why| ApiError::invalid(format!("phoneNumber `{text}`: {why}")))?;
    let row = find(work, number)?.ok_or_else(|| ApiError::not_found(format!("Phone number {number} not found")))?;
    if row.inbound.is_none() && row.outbound.is_none() {
        return Err(ApiError::invalid(format!("Phone number {number} is not attached to a gateway")).into());
    }
    let at = now();
    // Rules keep listing the number (contract section 3.5): only a release takes it off them.
    let after = NumberRow { inbound: None, outbound: None, updated_at: at, ..row.clone() };
    let (inbound, outbound) = (row.inbound.clone(), row.outbound.clone());
    write(work, Some(row), after.clone())?;
    Ok(Detached { message: "Gateway detached".to_owned(), phone_number: Some(shown(after)), inbound, outbound })
}

fn release(work: &Work<'_>, id: &str) -> Result<Released, Fault> {
    let read = format!("SELECT {COLUMNS} FROM number WHERE id = ?1");
    let row = work
        .query_row(&read, [id], from_row)
        .optional()?
        .ok_or_else(|| ApiError::not_found(format!("Phone number with the id {id} not found")))?;
    let held: Vec<String> = work
        .prepare_cached("SELECT rule FROM rule_number WHERE e164 = ?1")?
        .query_map([&row.e164], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for rule in held {
        rules::lose_number(work, &rule, &row.e164)?;
    }
    work.execute("DELETE FROM number WHERE id = ?1", [id])?;
    work.deleted("number", id, &row)?;
    let message = "Phone number released".to_owned();
    Ok(Released { message, phone_number_id: Some(row.id), e164: Some(row.e164) })
}

/// Writes a number in the place of what was there before.
fn write(work: &Work<'_>, before: Option<NumberRow>, after: NumberRow) -> Result<(), Fault> {
    work.prepare_cached(
        "INSERT INTO number (id, e164, name, inbound, outbound, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (e164) DO UPDATE SET name = ?3, inbound = ?4, outbound = ?5, updated_at = ?7",
    )?
    .execute((
        &after.id,
        &after.e164,
        &after.name,
        &after.inbound,
        &after.outbound,
        &after.created_at,
        &after.updated_at,
    ))?;
    work.audit("number", &after.id, before.as_ref(), Some(&after))
}

/// Puts a number onto a gateway of one direction, or takes it off; a number that is not known is taken in.
pub(super) fn stand(
    work: &Work<'_>,
    number: E164,
    direction: Direction,
    gateway: Option<&str>,
    label: &str,
) -> Result<(), Fault> {
    let (before, at) = (find(work, number)?, now());
    let mut after = before.clone().unwrap_or_else(|| NumberRow {
        id: fresh_id("pn_"),
        e164: number.to_string(),
        name: label.to_owned(),
        inbound: None,
        outbound: None,
        created_at: at.clone(),
        updated_at: at.clone(),
    });
    after.updated_at = at;
    let place = match direction {
        Direction::Inbound => &mut after.inbound,
        Direction::Outbound => &mut after.outbound,
    };
    if gateway.is_some() && place.as_deref().is_some_and(|there| Some(there) != gateway) {
        let kind = if direction == Direction::Inbound { "an inbound" } else { "an outbound" };
        return Err(ApiError::invalid(format!("Phone number {number} is already attached to {kind} gateway")).into());
    }
    *place = gateway.map(str::to_owned);
    write(work, before, after)
}

impl Store {
    /// The inbound gateway, by id and label, of each of these numbers that stands on one.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn inbound_gateways(
        &self,
        numbers: BTreeSet<String>,
    ) -> Result<BTreeMap<String, (String, String)>, ApiError> {
        self.read(move |work| {
            let mut statement = work.prepare_cached(
                "SELECT gateway.id, gateway.name FROM number JOIN gateway ON gateway.id = number.inbound
                 WHERE number.e164 = ?1",
            )?;
            let mut found = BTreeMap::new();
            for number in numbers {
                let gateway = statement.query_row([&number], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
                found.extend(gateway.map(|gateway| (number, gateway)));
            }
            Ok(found)
        })
        .await
    }
}

/// A number as a path may hold it: a `+` that was read as a space, or left out, is put back.
fn lenient(text: &str) -> Option<E164> {
    let digits = text.trim();
    format!("+{}", digits.strip_prefix('+').unwrap_or(digits)).parse().ok()
}

fn find(work: &Work<'_>, number: E164) -> Result<Option<NumberRow>, Fault> {
    let mut statement = work.prepare_cached(&format!("SELECT {COLUMNS} FROM number WHERE e164 = ?1"))?;
    Ok(statement.query_row([number.to_string()], from_row).optional()?)
}

/// Whether the account has a number.
pub(super) fn exists(work: &Work<'_>, number: E164) -> Result<bool, Fault> {
    Ok(find(work, number)?.is_some())
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<NumberRow> {
    Ok(NumberRow {
        id: row.get(0)?,
        e164: row.get(1)?,
        name: row.get(2)?,
        inbound: row.get(3)?,
        outbound: row.get(4)?,
        created_at: row.get(5)?,
        updated_at: row.get(6)?,
    })
}

/// A number with its gateways. `known` holds those read before: numbers of one page often share theirs.
fn item(work: &Work<'_>, row: NumberRow, known: &mut BTreeMap<String, Gateway>) -> Result<NumberItem, Fault> {
    let mut gateway = |id: Option<&String>| -> Result<Option<Gateway>, Fault> {
        let Some(id) = id else { return Ok(None) };
        if let Some(gateway) = known.get(id) {
            return Ok(Some(gateway.clone()));
        }
        let gateway = gateways::shown(work, id)?;
        known.insert(id.clone(), gateway.clone());
        Ok(Some(gateway))
    };
    let (inbound, outbound) = (gateway(row.inbound.as_ref())?, gateway(row.outbound.as_ref())?);
    Ok(NumberItem { phone_number: shown(row), inbound, outbound })
}

fn shown(row: NumberRow) -> PhoneNumber {
    let mut extra = Map::new();
    extra.insert("provider".to_owned(), "other".into());
    extra.insert("createdAt".to_owned(), row.created_at.into());
    extra.insert("updatedAt".to_owned(), row.updated_at.into());
    PhoneNumber {
        phone_number_id: row.id,
        e164: row.e164,
        status: Some("ACTIVE".to_owned()),
        name: Some(row.name),
        origin: Some("SIP Configured".to_owned()),
        extra,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_in_a_path_has_many_spellings() {
        for text in ["+15550100001", "15550100001", " 15550100001"] {
            assert_eq!(lenient(text).map(|number| number.to_string()).as_deref(), Some("+15550100001"));
        }
        assert_eq!(lenient("detach"), None);
    }
}
