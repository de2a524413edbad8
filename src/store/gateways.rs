//! How are gateways kept and changed?

use rusqlite::{OptionalExtension, Row, Transaction};
use serde_json::Map;

use super::error::Fault;
use super::{Store, now};
use crate::api::{
    ApiError, Auth, Call, DeleteInboundGateway, DeleteOutboundGateway, Gateway, GatewayPatch, Handle, Message, Patch,
    UpdateGateway, WireSecret,
};
use crate::model::{Direction, MediaEncryption, SipAddress, Transport};

/// What replies show in place of a password (contract section 13.5, point 4).
const MASK: &str = "****";

/// What is fixed when a pair of gateways is made (contract section 3.7), by the names of requests.
const FIXED: &[&str] = &["phoneNumbers", "numbers", "isShared"];

/// The columns that [`Row`]s of gateways are read by.
const COLUMNS: &str = "id, direction, name, media_encryption, region, address, transport, username, password";

/// One gateway as the store holds it.
#[derive(Debug, Clone)]
pub(super) struct GatewayRow {
    pub id: String,
    pub direction: Direction,
    pub name: String,
    pub media_encryption: MediaEncryption,
    pub region: String,
    /// On outbound gateways only.
    pub address: Option<String>,
    /// On outbound gateways only.
    pub transport: Option<Transport>,
    /// On outbound gateways only; the password is the real one.
    pub auth: Option<Auth>,
}

impl Handle<UpdateGateway> for Store {
    type Error = ApiError;

    async fn handle(&self, call: Call<UpdateGateway>) -> Result<Message, ApiError> {
        self.write(move |transaction| update(transaction, &call.path, call.body)).await
    }
}

impl Handle<DeleteInboundGateway> for Store {
    type Error = ApiError;

    async fn handle(&self, call: Call<DeleteInboundGateway>) -> Result<Message, ApiError> {
        self.write(move |transaction| delete(transaction, &call.path, Direction::Inbound)).await
    }
}

impl Handle<DeleteOutboundGateway> for Store {
    type Error = ApiError;

    async fn handle(&self, call: Call<DeleteOutboundGateway>) -> Result<Message, ApiError> {
        self.write(move |transaction| delete(transaction, &call.path, Direction::Outbound)).await
    }
}

fn update(transaction: &Transaction<'_>, id: &str, patch: GatewayPatch) -> Result<Message, Fault> {
    let mut row = find(transaction, id)?.ok_or_else(|| unknown(id))?;
    if let Some(key) = FIXED.iter().find(|key| patch.extra.contains_key(**key)) {
        return Err(ApiError::invalid(format!(
            "{key} cannot be changed on a gateway; detach its numbers and create them again"
        ))
        .into());
    }
    if row.direction == Direction::Inbound {
        let sent = [
            ("address", patch.address.is_some()),
            ("transport", patch.transport.is_some()),
            ("auth", !patch.auth.is_keep()),
        ];
        if let Some((key, _)) = sent.iter().find(|(_, sent)| *sent) {
            return Err(ApiError::invalid(format!("{key} belongs to outbound gateways; this one is inbound")).into());
        }
    }
    if let Some(name) = patch.name {
        row.name = non_empty("name", name)?;
    }
    if let Some(word) = patch.media_encryption {
        row.media_encryption = media_encryption(&word)?;
    }
    if let Some(region) = one_region(patch.sip_region, patch.geo_region)? {
        row.region = region;
    }
    if let Some(text) = patch.address {
        row.address = Some(address("address", &text)?);
    }
    if let Some(word) = patch.transport {
        row.transport = Some(transport("transport", &word)?);
    }
    match patch.auth {
        Patch::Keep => {}
        Patch::Clear => row.auth = None,
        Patch::Set(auth) => {
            row.auth = Some(credentials("auth", auth)?.ok_or_else(|| {
                ApiError::invalid("auth needs both username and password; send null to remove the credentials")
            })?);
        }
    }
    transaction.execute(
        "UPDATE gateway SET name = ?2, media_encryption = ?3, region = ?4, address = ?5, transport = ?6,
         username = ?7, password = ?8, updated_at = ?9 WHERE id = ?1",
        (
            &row.id,
            &row.name,
            row.media_encryption.as_str(),
            &row.region,
            &row.address,
            row.transport.map(Transport::as_str),
            row.auth.as_ref().map(|auth| &auth.username),
            row.auth.as_ref().map(|auth| auth.password.0.expose()),
            now(),
        ),
    )?;
    Ok(Message { message: "Gateway updated".to_owned() })
}

fn delete(transaction: &Transaction<'_>, id: &str, direction: Direction) -> Result<Message, Fault> {
    let row = find(transaction, id)?.filter(|row| row.direction == direction).ok_or_else(|| unknown(id))?;
    let standing = numbers_on(transaction, &row.id, direction)?;
    if !standing.is_empty() {
        return Err(ApiError::invalid(format!(
            "Gateway `{}` still carries {}; detach them first",
            row.name,
            standing.join(", ")
        ))
        .into());
    }
    transaction.execute("DELETE FROM gateway WHERE id = ?1", [&row.id])?;
    Ok(Message { message: "Gateway deleted".to_owned() })
}

fn unknown(id: &str) -> ApiError {
    ApiError::not_found(format!("Gateway {id} not found"))
}

/// Writes a gateway that was not there.
pub(super) fn insert(transaction: &Transaction<'_>, row: &GatewayRow, at: &str) -> Result<(), Fault> {
    transaction.execute(
        "INSERT INTO gateway (id, direction, name, media_encryption, region, address, transport, username, password,
         created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10)",
        (
            &row.id,
            row.direction.as_str(),
            &row.name,
            row.media_encryption.as_str(),
            &row.region,
            &row.address,
            row.transport.map(Transport::as_str),
            row.auth.as_ref().map(|auth| &auth.username),
            row.auth.as_ref().map(|auth| auth.password.0.expose()),
            at,
        ),
    )?;
    Ok(())
}

/// A gateway as replies show it.
pub(super) fn shown(transaction: &Transaction<'_>, id: &str) -> Result<Gateway, Fault> {
    let row = find(transaction, id)?
        .ok_or_else(|| Fault::Damaged(format!("a number stands on the gateway {id}, which is not there")))?;
    let numbers = numbers_on(transaction, id, row.direction)?;
    Ok(Gateway {
        id: row.id,
        name: Some(row.name),
        address: row.address,
        numbers,
        media_encryption: Some(row.media_encryption.to_string()),
        transport: row.transport.map(|transport| transport.to_string()),
        auth: row.auth.map(|auth| Auth { username: auth.username, password: WireSecret::new(MASK) }),
        geo_region: Some(row.region),
        extra: Map::new(),
    })
}

fn find(transaction: &Transaction<'_>, id: &str) -> Result<Option<GatewayRow>, Fault> {
    let read = format!("SELECT {COLUMNS} FROM gateway WHERE id = ?1");
    transaction.query_row(&read, [id], |row| Ok(from_row(row))).optional()?.transpose()
}

fn from_row(row: &Row<'_>) -> Result<GatewayRow, Fault> {
    let id: String = row.get(0)?;
    let damaged = |why: crate::model::Malformed| Fault::Damaged(format!("gateway: {why}"));
    let username: Option<String> = row.get(7)?;
    let password: Option<String> = row.get(8)?;
    Ok(GatewayRow {
        id,
        direction: row.get::<_, String>(1)?.parse().map_err(damaged)?,
        name: row.get(2)?,
        media_encryption: row.get::<_, String>(3)?.parse().map_err(damaged)?,
        region: row.get(4)?,
        address: row.get(5)?,
        transport: row.get::<_, Option<String>>(6)?.map(|word| word.parse()).transpose().map_err(damaged)?,
        auth: username.zip(password).map(|(username, password)| Auth { username, password: WireSecret::new(password) }),
    })
}

/// The numbers on a gateway, oldest first.
fn numbers_on(transaction: &Transaction<'_>, id: &str, direction: Direction) -> Result<Vec<String>, Fault> {
    let read = match direction {
        Direction::Inbound => "SELECT e164 FROM number WHERE inbound = ?1 ORDER BY sequence",
        Direction::Outbound => "SELECT e164 FROM number WHERE outbound = ?1 ORDER BY sequence",
    };
    let mut statement = transaction.prepare_cached(read)?;
    let numbers = statement.query_map([id], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(numbers)
}

// -- what the fields of a gateway may hold, at creation and later

/// A text that may not be empty.
pub(super) fn non_empty(field: &str, text: String) -> Result<String, ApiError> {
    if text.trim().is_empty() {
        return Err(ApiError::invalid(format!("{field} may not be empty")));
    }
    Ok(text)
}

/// A word for media encryption.
pub(super) fn media_encryption(word: &str) -> Result<MediaEncryption, ApiError> {
    word.to_ascii_lowercase()
        .parse()
        .map_err(|why| ApiError::invalid(format!("mediaEncryption `{word}` is not known: {why}")))
}

/// A word for a transport.
pub(super) fn transport(field: &str, word: &str) -> Result<Transport, ApiError> {
    word.to_ascii_lowercase().parse().map_err(|why| ApiError::invalid(format!("{field} `{word}` is not known: {why}")))
}

/// A SIP address, as it is written.
pub(super) fn address(field: &str, text: &str) -> Result<String, ApiError> {
    if text.trim().is_empty() {
        return Err(ApiError::invalid(format!("{field} may not be empty")));
    }
    let address: SipAddress =
        text.trim().parse().map_err(|why| ApiError::invalid(format!("{field} `{text}`: {why}")))?;
    Ok(address.to_string())
}

/// Credentials: both parts, or none where both are missing. An empty part counts as missing.
pub(super) fn credentials(field: &str, auth: Auth) -> Result<Option<Auth>, ApiError> {
    match (auth.username.is_empty(), auth.password.0.expose().is_empty()) {
        (true, true) => Ok(None),
        (true, false) => Err(ApiError::invalid(format!("{field} has a password but no username; it needs both"))),
        (false, true) => Err(ApiError::invalid(format!("{field} has a username but no password; it needs both"))),
        // Replies are often sent back as they came; the mask would take the place of the password.
        (false, false) if auth.password.0.expose() == MASK => {
            Err(ApiError::invalid(format!("{field}.password is the mask of a reply; send the password itself")))
        }
        (false, false) => Ok(Some(auth)),
    }
}

/// The region, which has two names in requests.
fn one_region(sip: Option<String>, geo: Option<String>) -> Result<Option<String>, ApiError> {
    match (sip, geo) {
        (Some(sip), Some(geo)) if sip != geo => Err(ApiError::invalid(format!(
            "sipRegion `{sip}` and geoRegion `{geo}` are two names of one field and differ; send one"
        ))),
        (Some(region), _) => non_empty("sipRegion", region).map(Some),
        (None, Some(region)) => non_empty("geoRegion", region).map(Some),
        (None, None) => Ok(None),
    }
}
