//! How are gateways kept and changed?

use rusqlite::{OptionalExtension, Row};
use serde_json::{Map, Value, json};

use super::error::Fault;
use super::{Store, Work, now, numbers};
use crate::api::{
    ApiError, Auth, Call, DeleteInboundGateway, DeleteOutboundGateway, Gateway, GatewayPatch, Handle, Message, Patch,
    TrunkSettings, UpdateGateway, WireSecret,
};
use crate::model::{Direction, MediaEncryption, SipAddress, Transport};

/// What replies show in place of a password (contract section 13.5, point 4).
const MASK: &str = "****";

/// What is fixed when a pair of gateways is made (contract section 3.7), by the names of requests.
const FIXED: &[&str] = &["phoneNumbers", "numbers", "isShared"];

/// The columns that [`Row`]s of gateways are read by.
const COLUMNS: &str = "id, direction, name, media_encryption, region, address, transport, username, password, settings";

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
    /// What the older paths know; none for a gateway that they never touched.
    pub settings: Option<TrunkSettings>,
}

impl GatewayRow {
    /// The whole row, secrets included, for its digest.
    fn content(&self) -> Value {
        json!([
            self.direction.as_str(),
            self.name,
            self.media_encryption.as_str(),
            self.region,
            self.address,
            self.transport.map(Transport::as_str),
            self.auth,
            self.settings
        ])
    }
}

/// The place of a gateway's password, as it is sealed.
pub(super) fn place(id: &str) -> String {
    format!("gateway/{id}")
}

impl Handle<UpdateGateway> for Store {
    type Error = ApiError;

    async fn handle(&self, call: Call<UpdateGateway>) -> Result<Message, ApiError> {
        self.write(call.by, move |work| update(work, &call.path, call.body)).await
    }
}

impl Handle<DeleteInboundGateway> for Store {
    type Error = ApiError;

    async fn handle(&self, call: Call<DeleteInboundGateway>) -> Result<Message, ApiError> {
        self.write(call.by, move |work| delete(work, &call.path, Direction::Inbound)).await
    }
}

impl Handle<DeleteOutboundGateway> for Store {
    type Error = ApiError;

    async fn handle(&self, call: Call<DeleteOutboundGateway>) -> Result<Message, ApiError> {
        self.write(call.by, move |work| delete(work, &call.path, Direction::Outbound)).await
    }
}

fn update(work: &Work<'_>, id: &str, patch: GatewayPatch) -> Result<Message, Fault> {
    let before = find(work, id)?.ok_or_else(|| unknown(id))?;
    let mut row = before.clone();
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
    write(work, Some(&before), &row)?;
    Ok(Message { message: "Gateway updated".to_owned() })
}

/// Deletes a gateway. Of one that the older paths made or changed, its numbers are taken: those paths have no other
/// way to empty it. One made with its numbers has to be empty.
fn delete(work: &Work<'_>, id: &str, direction: Direction) -> Result<Message, Fault> {
    let row = of_direction(work, id, direction)?;
    let standing = numbers_on(work, &row.id, direction)?;
    if !standing.is_empty() && row.settings.is_none() {
        return Err(ApiError::invalid(format!(
            "Gateway `{}` still carries {}; detach them first",
            row.name,
            standing.join(", ")
        ))
        .into());
    }
    for number in standing {
        let number = number.parse().map_err(damaged)?;
        numbers::stand(work, number, direction, None, &row.name)?;
    }
    work.execute("DELETE FROM gateway WHERE id = ?1", [&row.id])?;
    work.deleted("gateway", &row.id, &row.content())?;
    Ok(Message { message: "Gateway deleted".to_owned() })
}

fn unknown(id: &str) -> ApiError {
    ApiError::not_found(format!("Gateway {id} not found"))
}

/// A gateway by its id, if it is of this direction.
pub(super) fn of_direction(work: &Work<'_>, id: &str, direction: Direction) -> Result<GatewayRow, Fault> {
    Ok(find(work, id)?.filter(|row| row.direction == direction).ok_or_else(|| unknown(id))?)
}

/// Writes a gateway in the place of what was there before.
pub(super) fn write(work: &Work<'_>, before: Option<&GatewayRow>, row: &GatewayRow) -> Result<(), Fault> {
    let password = row.auth.as_ref().map(|auth| work.vault.seal(&place(&row.id), &auth.password.0)).transpose()?;
    let settings = row.settings.as_ref().map(serde_json::to_string).transpose();
    let settings = settings.map_err(|why| Fault::Damaged(format!("a gateway cannot be written: {why}")))?;
    work.prepare_cached(
        "INSERT INTO gateway (id, direction, name, media_encryption, region, address, transport, username, password,
         settings, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11)
         ON CONFLICT (id) DO UPDATE SET name = ?3, media_encryption = ?4, region = ?5, address = ?6, transport = ?7,
         username = ?8, password = ?9, settings = ?10, updated_at = ?11",
    )?
    .execute((
        &row.id,
        row.direction.as_str(),
        &row.name,
        row.media_encryption.as_str(),
        &row.region,
        &row.address,
        row.transport.map(Transport::as_str),
        row.auth.as_ref().map(|auth| &auth.username),
        password,
        settings,
        now(),
    ))?;
    work.audit("gateway", &row.id, before.map(GatewayRow::content).as_ref(), Some(&row.content()))
}

/// A gateway as replies show it.
pub(super) fn shown(work: &Work<'_>, id: &str) -> Result<Gateway, Fault> {
    let row = find(work, id)?
        .ok_or_else(|| Fault::Damaged(format!("a number stands on the gateway {id}, which is not there")))?;
    shown_row(work, row)
}

/// The same, of a row that was read.
pub(super) fn shown_row(work: &Work<'_>, row: GatewayRow) -> Result<Gateway, Fault> {
    let numbers = numbers_on(work, &row.id, row.direction)?;
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

fn find(work: &Work<'_>, id: &str) -> Result<Option<GatewayRow>, Fault> {
    let mut statement = work.prepare_cached(&format!("SELECT {COLUMNS} FROM gateway WHERE id = ?1"))?;
    statement.query_row([id], |row| Ok(from_row(work, row))).optional()?.transpose()
}

/// The gateways of one direction, oldest first.
pub(super) fn every(work: &Work<'_>, direction: Direction) -> Result<Vec<GatewayRow>, Fault> {
    let read = format!("SELECT {COLUMNS} FROM gateway WHERE direction = ?1 ORDER BY sequence");
    let mut statement = work.prepare_cached(&read)?;
    let rows = statement.query_map([direction.as_str()], |row| Ok(from_row(work, row)))?;
    rows.collect::<Result<Result<_, _>, _>>()?
}

fn damaged(why: crate::model::Malformed) -> Fault {
    Fault::Damaged(format!("gateway: {why}"))
}

fn from_row(work: &Work<'_>, row: &Row<'_>) -> Result<GatewayRow, Fault> {
    let id: String = row.get(0)?;
    let username: Option<String> = row.get(7)?;
    let sealed: Option<String> = row.get(8)?;
    let password = sealed.map(|sealed| work.vault.open(&place(&id), &sealed)).transpose()?;
    let settings: Option<String> = row.get(9)?;
    let settings = settings.map(|text| serde_json::from_str(&text)).transpose();
    Ok(GatewayRow {
        direction: row.get::<_, String>(1)?.parse().map_err(damaged)?,
        name: row.get(2)?,
        media_encryption: row.get::<_, String>(3)?.parse().map_err(damaged)?,
        region: row.get(4)?,
        address: row.get(5)?,
        transport: row.get::<_, Option<String>>(6)?.map(|word| word.parse()).transpose().map_err(damaged)?,
        auth: username.zip(password).map(|(username, password)| Auth { username, password: WireSecret(password) }),
        settings: settings.map_err(|why| Fault::Damaged(format!("the settings of the gateway {id}: {why}")))?,
        id,
    })
}

/// The numbers on a gateway, oldest first.
pub(super) fn numbers_on(work: &Work<'_>, id: &str, direction: Direction) -> Result<Vec<String>, Fault> {
    let read = match direction {
        Direction::Inbound => "SELECT e164 FROM number WHERE inbound = ?1 ORDER BY sequence",
        Direction::Outbound => "SELECT e164 FROM number WHERE outbound = ?1 ORDER BY sequence",
    };
    let mut statement = work.prepare_cached(read)?;
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
