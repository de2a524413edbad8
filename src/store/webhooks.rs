//! How are webhooks kept? Where events are to be sent; whoever sends them reads it here.

use reqwest::Url;
use rusqlite::{OptionalExtension, Row};

use super::error::Fault;
use super::{Store, Work, fresh_id, needle, now, page_of};
use crate::api::{
    ApiError, Call, CreateWebhook, DeleteWebhook, GetWebhook, Handle, ListWebhooks, Message, Page, UpdateWebhook,
    WEBHOOK_EVENTS, Webhook, WebhooksQuery,
};

/// Webhooks on a page when the query does not say; the contract states none for them, so it is that of numbers.
const PER_PAGE: u32 = 20;

/// The columns that rows of webhooks are read by.
const COLUMNS: &str = "id, url, events, created_at, updated_at";

impl Handle<CreateWebhook> for Store {
    type Error = ApiError;

    async fn handle(&self, call: Call<CreateWebhook>) -> Result<Webhook, ApiError> {
        let (url, events) = (checked_url(&call.body.url)?, checked_events(call.body.events)?);
        if events.is_empty() {
            return Err(ApiError::invalid("events may not be empty; a webhook without events would never be called"));
        }
        self.write(call.by, move |work| {
            let (id, at) = (fresh_id("wh_"), now());
            let webhook =
                Webhook { webhook_id: id.clone(), id, url, events, created_at: Some(at.clone()), updated_at: Some(at) };
            write(work, None, &webhook)?;
            Ok(webhook)
        })
        .await
    }
}

impl Handle<ListWebhooks> for Store {
    type Error = ApiError;

    async fn handle(&self, call: Call<ListWebhooks>) -> Result<Page<Webhook>, ApiError> {
        self.read(move |work| list(work, &call.query)).await
    }
}

impl Handle<GetWebhook> for Store {
    type Error = ApiError;

    async fn handle(&self, call: Call<GetWebhook>) -> Result<Webhook, ApiError> {
        self.read(move |work| find(work, &call.path)).await
    }
}

impl Handle<UpdateWebhook> for Store {
    type Error = ApiError;

    async fn handle(&self, call: Call<UpdateWebhook>) -> Result<Webhook, ApiError> {
        self.write(call.by, move |work| {
            let before = find(work, &call.path)?;
            let patch = call.body;
            if patch.url.is_empty() && patch.events.is_empty() {
                return Err(ApiError::invalid("No editable fields provided").into());
            }
            let mut webhook = before.clone();
            if !patch.url.is_empty() {
                webhook.url = checked_url(&patch.url)?;
            }
            if !patch.events.is_empty() {
                webhook.events = checked_events(patch.events)?;
            }
            webhook.updated_at = Some(now());
            write(work, Some(&before), &webhook)?;
            Ok(webhook)
        })
        .await
    }
}

impl Handle<DeleteWebhook> for Store {
    type Error = ApiError;

    async fn handle(&self, call: Call<DeleteWebhook>) -> Result<Message, ApiError> {
        self.write(call.by, move |work| {
            let webhook = find(work, &call.path)?;
            work.execute("DELETE FROM webhook WHERE id = ?1", [&webhook.id])?;
            work.deleted("webhook", &webhook.id, &webhook)?;
            Ok(Message { message: "Webhook deleted".to_owned() })
        })
        .await
    }
}

fn checked_url(text: &str) -> Result<String, ApiError> {
    let refused = |why: &str| ApiError::invalid(format!("url: {why}"));
    let url = Url::parse(text.trim()).map_err(|_| refused("it is no address; write https://host/path"))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(refused("it has to begin with https:// or http://, and to name a host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("it may not hold a user name or a password; they would be shown in every list"));
    }
    Ok(url.to_string())
}

/// The events, each once, in their order. An unknown one is refused (contract section 8.2).
fn checked_events(events: Vec<String>) -> Result<Vec<String>, ApiError> {
    let mut known = Vec::new();
    for event in events {
        if !WEBHOOK_EVENTS.contains(&event.as_str()) {
            // Short enough to be read in one look, and by clients that cut long refusals.
            let after =
                |prefix| WEBHOOK_EVENTS.iter().filter_map(|known| known.strip_prefix(prefix)).collect::<Vec<_>>();
            let (calls, rooms) = (after("call-").join(","), after("switch-room-").join(","));
            return Err(ApiError::invalid(format!(
                "events: `{event}` is not known; it is one of call-{{{calls}}} or switch-room-{{{rooms}}}"
            )));
        }
        if !known.contains(&event) {
            known.push(event);
        }
    }
    Ok(known)
}

fn list(work: &Work<'_>, query: &WebhooksQuery) -> Result<Page<Webhook>, Fault> {
    let needle = needle(query.search.as_deref());
    let mut statement = work.prepare_cached(&format!("SELECT {COLUMNS} FROM webhook ORDER BY sequence"))?;
    let mut found = Vec::new();
    for webhook in statement.query_map([], |row| Ok(from_row(row)))? {
        let webhook = webhook??;
        if webhook.url.to_lowercase().contains(&needle) {
            found.push(webhook);
        }
    }
    let (page, per_page) = page_of(query.page, query.per_page, PER_PAGE);
    Ok(Page::cut(found, page, per_page))
}

fn find(work: &Work<'_>, id: &str) -> Result<Webhook, Fault> {
    let mut statement = work.prepare_cached(&format!("SELECT {COLUMNS} FROM webhook WHERE id = ?1"))?;
    let found = statement.query_row([id], |row| Ok(from_row(row))).optional()?;
    found.ok_or_else(|| ApiError::not_found(format!("Webhook {id} not found")))?
}

fn from_row(row: &Row<'_>) -> Result<Webhook, Fault> {
    let id: String = row.get(0)?;
    let events = serde_json::from_str(&row.get::<_, String>(2)?)
        .map_err(|why| Fault::Damaged(format!("the events of the webhook {id}: {why}")))?;
    Ok(Webhook {
        webhook_id: id.clone(),
        id,
        url: row.get(1)?,
        events,
        created_at: row.get(3)?,
        updated_at: row.get(4)?,
    })
}

fn write(work: &Work<'_>, before: Option<&Webhook>, webhook: &Webhook) -> Result<(), Fault> {
    let events = serde_json::to_string(&webhook.events)
        .map_err(|why| Fault::Damaged(format!("a webhook cannot be written: {why}")))?;
    work.execute(
        "INSERT INTO webhook (id, url, events, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (id) DO UPDATE SET url = ?2, events = ?3, updated_at = ?5",
        (&webhook.id, &webhook.url, events, &webhook.created_at, &webhook.updated_at),
    )?;
    work.audit("webhook", &webhook.id, before, Some(webhook))
}
