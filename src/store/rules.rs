//! How are routing rules kept and changed?

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension, Row};

use super::error::Fault;
use super::vault::Vault;
use super::{Store, Work, fresh_id, needle, now, page_of, rule_check};
use crate::api::{
    ApiError, Call, CreateRule, DeleteRule, DeletedRule, GetRule, Handle, ListRules, NewRule, Page, RoutingRule,
    RulePatch, RulesQuery, UpdateRule, WireSecret,
};
use crate::model::Direction;

/// Rules on a page when the query does not say (contract section 4.2).
const PER_PAGE: u32 = 10;

/// The columns that rows of rules are read by.
const COLUMNS: &str = "id, body, created_at, updated_at";

impl Handle<CreateRule> for Store {
    type Error = ApiError;

    async fn handle(&self, call: Call<CreateRule>) -> Result<RoutingRule, ApiError> {
        self.write(call.by, move |work| create(work, call.body)).await
    }
}

impl Handle<ListRules> for Store {
    type Error = ApiError;

    /// The vendor reads `search` as a regular expression; here it is a plain text, with the escapes that such
    /// an expression needs undone. It is found in any case, in the name and in the numbers.
    async fn handle(&self, call: Call<ListRules>) -> Result<Page<RoutingRule>, ApiError> {
        self.read(move |work| list(work, &call.query)).await
    }
}

impl Handle<GetRule> for Store {
    type Error = ApiError;

    async fn handle(&self, call: Call<GetRule>) -> Result<RoutingRule, ApiError> {
        self.read(move |work| find(work, &call.path)).await
    }
}

impl Handle<UpdateRule> for Store {
    type Error = ApiError;

    async fn handle(&self, call: Call<UpdateRule>) -> Result<RoutingRule, ApiError> {
        self.write(call.by, move |work| update(work, &call.path, call.body)).await
    }
}

impl Handle<DeleteRule> for Store {
    type Error = ApiError;

    async fn handle(&self, call: Call<DeleteRule>) -> Result<DeletedRule, ApiError> {
        self.write(call.by, move |work| {
            let read = format!("SELECT {COLUMNS} FROM rule WHERE id = ?1");
            let raw = work.query_row(&read, [&call.path], RawRule::read).optional()?;
            let raw = raw.ok_or_else(|| unknown(&call.path))?;
            work.execute("DELETE FROM rule WHERE id = ?1", [&call.path])?;
            work.deleted("rule", &call.path, &raw.body)?;
            Ok(DeletedRule { message: "Routing rule deleted".to_owned(), rule_id: Some(call.path) })
        })
        .await
    }
}

fn create(work: &Work<'_>, body: NewRule) -> Result<RoutingRule, Fault> {
    let at = now();
    let mut rule = RoutingRule {
        id: fresh_id("rr_"),
        extra: serde_json::Map::new(),
        name: String::new(),
        kind: body.kind,
        numbers: Vec::new(),
        room: None,
        agent_id: None,
        agent_metadata: None,
        api_key: None,
        include_headers: None,
        headers_to_attributes: None,
        headers: None,
        allowed_numbers: Vec::new(),
        allowed_ip_addresses: Vec::new(),
        tags: Vec::new(),
        recording: false,
        dtmf: false,
        noise_cancellation: false,
        hide_phone_number: false,
        strowger: None,
        created_at: Some(at.clone()),
        updated_at: Some(at),
    };
    body.fields.apply(&mut rule);
    if rule.numbers.is_empty() {
        return Err(ApiError::invalid("phoneNumbers is required and may not be empty").into());
    }
    let direction = rule_check::settle(&mut rule)?;
    rule_check::fits(work, &rule, direction)?;
    work.execute(
        "INSERT INTO rule (id, direction, name, body, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
        (&rule.id, direction.as_str(), &rule.name, body_of(work, &rule)?, &rule.created_at),
    )?;
    write_numbers(work, &rule, direction)?;
    work.created("rule", &rule.id, &rule)?;
    Ok(rule)
}

fn update(work: &Work<'_>, id: &str, patch: RulePatch) -> Result<RoutingRule, Fault> {
    let before = find(work, id)?;
    let mut rule = before.clone();
    if patch.is_empty() {
        return Err(ApiError::invalid("No editable fields provided").into());
    }
    patch.apply(&mut rule);
    let direction = rule_check::settle(&mut rule)?;
    rule_check::fits(work, &rule, direction)?;
    rule.updated_at = Some(now());
    work.execute(
        "UPDATE rule SET name = ?2, body = ?3, updated_at = ?4 WHERE id = ?1",
        (&rule.id, &rule.name, body_of(work, &rule)?, &rule.updated_at),
    )?;
    work.execute("DELETE FROM rule_number WHERE rule = ?1", [&rule.id])?;
    write_numbers(work, &rule, direction)?;
    work.audit("rule", id, Some(&before), Some(&rule))?;
    Ok(rule)
}

/// Takes a number off a rule.
pub(super) fn lose_number(work: &Work<'_>, id: &str, e164: &str) -> Result<(), Fault> {
    work.execute("DELETE FROM rule_number WHERE rule = ?1 AND e164 = ?2", [id, e164])?;
    work.execute("UPDATE rule SET updated_at = ?2 WHERE id = ?1", [id, &now()])?;
    // Of the rule itself nothing is read: one that cannot be read must not keep a number from being given back.
    work.audit("rule", id, Some(&[id, e164]), Some(&[id]))
}

fn list(work: &Work<'_>, query: &RulesQuery) -> Result<Page<RoutingRule>, Fault> {
    let (page, per_page) = page_of(query.page, query.per_page, PER_PAGE);
    if *query == (RulesQuery { page: query.page, per_page: query.per_page, ..RulesQuery::default() }) {
        return everything(work, page, per_page);
    }
    let direction: Option<Direction> = match &query.kind {
        None => None,
        Some(word) => Some(word.known("type").map_err(|why| ApiError::invalid(why.0))?),
    };
    let ids = words(query.rule_ids.as_deref());
    let rooms = words(query.room_type.as_deref());
    if let Some(word) = rooms.iter().flatten().find(|word| !matches!(word.as_str(), "static" | "dynamic")) {
        return Err(ApiError::invalid(format!("roomType `{word}` is not known; it is static or dynamic")).into());
    }
    let needle = needle(query.search.as_deref());
    let standing = match &query.gateway_id {
        None => None,
        Some(gateway) => {
            let read = "SELECT e164 FROM number WHERE inbound = ?1 OR outbound = ?1";
            let mut statement = work.prepare_cached(read)?;
            Some(statement.query_map([gateway], |row| row.get(0))?.collect::<Result<BTreeSet<String>, _>>()?)
        }
    };
    let wanted = |rule: &RoutingRule| {
        let room = rule.room.as_ref().and_then(|room| room.kind.as_ref());
        direction.is_none_or(|direction| rule.kind.known("type") == Ok(direction))
            && ids.as_ref().is_none_or(|ids| ids.contains(&rule.id))
            && rooms.as_ref().is_none_or(|rooms| room.is_some_and(|room| rooms.contains(room)))
            && standing.as_ref().is_none_or(|standing| rule.numbers.iter().any(|number| standing.contains(number)))
            && (rule.name.to_lowercase().contains(&needle)
                || rule.numbers.iter().any(|number| number.contains(&needle)))
    };
    let mut found = Vec::new();
    for (_, rule) in every(work)? {
        let rule = rule.map_err(Fault::Damaged)?;
        if wanted(&rule) {
            found.push(rule);
        }
    }
    Ok(Page::cut(found, page, per_page))
}

/// A page of all rules. Only its own rules are read: a plan reads every page, and must not read every rule each time.
fn everything(work: &Work<'_>, page: u32, per_page: u32) -> Result<Page<RoutingRule>, Fault> {
    let total: i64 = work.query_row("SELECT count(*) FROM rule", [], |row| row.get(0))?;
    let read = format!("SELECT {COLUMNS} FROM rule ORDER BY sequence LIMIT ?1 OFFSET ?2");
    let mut statement = work.prepare_cached(&read)?;
    let skip = i64::from(page - 1) * i64::from(per_page);
    let raws = statement.query_map([i64::from(per_page), skip], RawRule::read)?.collect::<Result<Vec<_>, _>>()?;
    let rules = raws.into_iter().map(|raw| raw.rule(work)?.map_err(Fault::Damaged)).collect::<Result<_, _>>()?;
    Ok(Page::part(rules, page, per_page, total.unsigned_abs()))
}

/// The words of a list with commas; none when nothing was asked.
fn words(text: Option<&str>) -> Option<Vec<String>> {
    let words: Vec<String> =
        text?.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect();
    (!words.is_empty()).then_some(words)
}

fn unknown(id: &str) -> ApiError {
    ApiError::not_found(format!("Routing rule {id} not found"))
}

// -- rows: a rule's numbers stand in a table of their own, the rest of it in one text

fn find(work: &Work<'_>, id: &str) -> Result<RoutingRule, Fault> {
    let mut statement = work.prepare_cached(&format!("SELECT {COLUMNS} FROM rule WHERE id = ?1"))?;
    let raw = statement.query_row([id], RawRule::read).optional()?.ok_or_else(|| unknown(id))?;
    raw.rule(work)?.map_err(Fault::Damaged)
}

/// A rule, or why its text does not read as one.
type Readable = Result<RoutingRule, String>;

/// Every rule with its id, oldest first.
pub(super) fn every(work: &Work<'_>) -> Result<Vec<(String, Readable)>, Fault> {
    let mut statement = work.prepare_cached(&format!("SELECT {COLUMNS} FROM rule ORDER BY sequence"))?;
    let raws = statement.query_map([], RawRule::read)?.collect::<Result<Vec<_>, _>>()?;
    raws.into_iter().map(|raw| Ok((raw.id.clone(), raw.rule(work)?))).collect()
}

struct RawRule {
    id: String,
    body: String,
    created_at: String,
    updated_at: String,
}

impl RawRule {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { id: row.get(0)?, body: row.get(1)?, created_at: row.get(2)?, updated_at: row.get(3)? })
    }

    fn rule(self, work: &Work<'_>) -> Result<Readable, Fault> {
        let mut rule: RoutingRule = match serde_json::from_str(&self.body) {
            Ok(rule) => rule,
            // Where, but not what: the text may hold a PIN.
            Err(why) => {
                return Ok(Err(format!("the rule {} is unreadable at column {}", self.id, why.column())));
            }
        };
        if let Some(pin) = rule.room.as_mut().and_then(|room| room.pin.as_mut()) {
            match work.vault.open(&place(&self.id), pin.0.expose()) {
                Ok(open) => *pin = WireSecret(open),
                Err(_) => return Ok(Err(format!("the PIN of the rule {} cannot be opened", self.id))),
            }
        }
        let read = "SELECT e164 FROM rule_number WHERE rule = ?1 ORDER BY position";
        let mut statement = work.prepare_cached(read)?;
        rule.numbers = statement.query_map([&self.id], |row| row.get(0))?.collect::<Result<_, _>>()?;
        rule.id = self.id;
        rule.created_at = Some(self.created_at);
        rule.updated_at = Some(self.updated_at);
        Ok(Ok(rule))
    }
}

/// The place of a rule's PIN, as it is sealed.
fn place(id: &str) -> String {
    format!("rule/{id}")
}

/// Puts the sealed PIN of a rule in the place of the open one.
pub(super) fn seal_pin(rule: &mut RoutingRule, id: &str, vault: &Vault) -> Result<(), Fault> {
    if let Some(pin) = rule.room.as_mut().and_then(|room| room.pin.as_mut()) {
        *pin = WireSecret::new(vault.seal(&place(id), &pin.0)?);
    }
    Ok(())
}

/// The text of everything that has no column.
fn body_of(work: &Work<'_>, rule: &RoutingRule) -> Result<String, Fault> {
    let mut rest = RoutingRule { numbers: Vec::new(), created_at: None, updated_at: None, ..rule.clone() };
    seal_pin(&mut rest, &rule.id, work.vault)?;
    serde_json::to_string(&rest).map_err(|why| Fault::Damaged(format!("a rule cannot be written: {why}")))
}

fn write_numbers(work: &Work<'_>, rule: &RoutingRule, direction: Direction) -> Result<(), Fault> {
    let write = "INSERT INTO rule_number (rule, e164, direction, position, priority) VALUES (?1, ?2, ?3, ?4, ?5)";
    let priority = priority_of(rule);
    let mut statement = work.prepare_cached(write)?;
    for (position, number) in (0_i64..).zip(&rule.numbers) {
        statement.execute((&rule.id, number, direction.as_str(), position, priority))?;
    }
    Ok(())
}

/// A rule's priority as it stands beside its numbers; a rule without one is below all others.
pub(super) fn priority_of(rule: &RoutingRule) -> i64 {
    rule.strowger.as_ref().and_then(|beyond| beyond.priority).map_or(-1, i64::from)
}
