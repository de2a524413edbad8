//! How are gateways kept under their older paths, one direction at a time?
//!
//! The same gateways as under the newer ones (contract section 12), with settings that only these paths know.
//! Allow-lists and inbound credentials would have to be enforced call by call, which nothing here does: they are
//! refused, because a list that is kept and not enforced admits everybody.

use std::collections::BTreeSet;

use super::error::Fault;
use super::gateways::{self, GatewayRow};
use super::{Store, Work, needle, numbers, page_of};
use crate::api::{
    ApiError, Call, CreateInboundGateway, CreateOutboundGateway, GetInboundGateway, GetOutboundGateway, Handle,
    ListInboundGateways, ListOutboundGateways, NewTrunk, Page, Patch, Trunk, TrunkPatch, TrunksQuery,
    UpdateInboundGateway, UpdateOutboundGateway,
};
use crate::model::{Direction, E164, MediaEncryption, Region, Transport};

/// Gateways on a page when the query does not say; the contract states none for them, so it is that of numbers.
const PER_PAGE: u32 = 20;

macro_rules! one_direction {
    ($direction:expr, $create:ident, $list:ident, $get:ident, $update:ident) => {
        impl Handle<$create> for Store {
            type Error = ApiError;

            async fn handle(&self, call: Call<$create>) -> Result<Trunk, ApiError> {
                self.write(call.by, move |work| create(work, $direction, call.body)).await
            }
        }

        impl Handle<$list> for Store {
            type Error = ApiError;

            async fn handle(&self, call: Call<$list>) -> Result<Page<Trunk>, ApiError> {
                self.read(move |work| list(work, $direction, &call.query)).await
            }
        }

        impl Handle<$get> for Store {
            type Error = ApiError;

            async fn handle(&self, call: Call<$get>) -> Result<Trunk, ApiError> {
                self.read(move |work| shown(work, gateways::of_direction(work, &call.path, $direction)?)).await
            }
        }

        impl Handle<$update> for Store {
            type Error = ApiError;

            async fn handle(&self, call: Call<$update>) -> Result<Trunk, ApiError> {
                self.write(call.by, move |work| update(work, $direction, &call.path, call.body)).await
            }
        }
    };
}

one_direction!(Direction::Inbound, CreateInboundGateway, ListInboundGateways, GetInboundGateway, UpdateInboundGateway);
one_direction!(
    Direction::Outbound,
    CreateOutboundGateway,
    ListOutboundGateways,
    GetOutboundGateway,
    UpdateOutboundGateway
);

fn create(work: &Work<'_>, direction: Direction, body: NewTrunk) -> Result<Trunk, Fault> {
    let mut row = GatewayRow {
        id: uuid::Uuid::new_v4().to_string(),
        direction,
        name: body.name.clone(),
        media_encryption: MediaEncryption::Disable,
        region: Region::default().0,
        address: None,
        transport: (direction == Direction::Outbound).then_some(Transport::Tls),
        auth: None,
        settings: None,
    };
    let wanted = numbers_of(&body.fields)?;
    if direction == Direction::Outbound && wanted.as_ref().is_none_or(Vec::is_empty) {
        return Err(ApiError::invalid("numbers is required and may not be empty").into());
    }
    change(&mut row, TrunkPatch { name: Some(body.name), ..body.fields })?;
    if direction == Direction::Outbound && row.address.is_none() {
        return Err(ApiError::invalid("address is required").into());
    }
    gateways::write(work, None, &row)?;
    stand(work, &row, wanted)?;
    shown(work, row)
}

fn update(work: &Work<'_>, direction: Direction, id: &str, patch: TrunkPatch) -> Result<Trunk, Fault> {
    let before = gateways::of_direction(work, id, direction)?;
    let mut row = before.clone();
    let wanted = numbers_of(&patch)?;
    change(&mut row, patch)?;
    gateways::write(work, Some(&before), &row)?;
    stand(work, &row, wanted)?;
    shown(work, row)
}

fn list(work: &Work<'_>, direction: Direction, query: &TrunksQuery) -> Result<Page<Trunk>, Fault> {
    let needle = needle(query.search.as_deref());
    let mut found = Vec::new();
    for row in gateways::every(work, direction)? {
        if query.id.as_ref().is_some_and(|id| *id != row.id) {
            continue;
        }
        let trunk = shown(work, row)?;
        let gateway = &trunk.gateway;
        let texts = gateway.name.iter().chain(&gateway.address).chain(&gateway.numbers);
        if needle.is_empty() || texts.into_iter().any(|text| text.to_lowercase().contains(&needle)) {
            found.push(trunk);
        }
    }
    let (page, per_page) = page_of(query.page, query.per_page, PER_PAGE);
    Ok(Page::cut(found, page, per_page))
}

fn shown(work: &Work<'_>, mut row: GatewayRow) -> Result<Trunk, Fault> {
    let settings = row.settings.take().unwrap_or_default();
    Ok(Trunk { settings, gateway: gateways::shown_row(work, row)? })
}

/// Changes a row, or refuses what cannot be.
fn change(row: &mut GatewayRow, patch: TrunkPatch) -> Result<(), ApiError> {
    if let Some(name) = patch.name {
        row.name = gateways::non_empty("name", name)?;
    }
    if let Some(word) = patch.media_encryption {
        row.media_encryption = gateways::media_encryption(&word)?;
    }
    row.region = patch.geo_region.filter(|region| !region.is_empty()).unwrap_or(Region::default().0);
    let lists = [("allowedAddresses", &patch.allowed_addresses), ("allowedNumbers", &patch.allowed_numbers)];
    let filled = lists.iter().find(|(_, list)| matches!(list, Patch::Set(list) if !list.is_empty()));
    match row.direction {
        Direction::Inbound => {
            if let Some((key, _)) = filled {
                return Err(ApiError::missing(format!(
                    "{key} is not enforced on gateways here; put it on the routing rule, as allowedIpAddresses or allowedNumbers"
                )));
            }
            if matches!(patch.auth, Patch::Set(_)) {
                return Err(ApiError::missing(
                    "auth on an inbound gateway is not enforced here; put allowedIpAddresses on the routing rule",
                ));
            }
            if let Some(key) = [("address", patch.address.is_some()), ("transport", patch.transport.is_some())]
                .iter()
                .find_map(|(key, sent)| sent.then_some(key))
            {
                return Err(ApiError::invalid(format!("{key} belongs to outbound gateways; this one is inbound")));
            }
        }
        // The two lists are ignored on outbound gateways (contract section 12).
        Direction::Outbound => {
            if let Some(text) = patch.address {
                row.address = Some(gateways::address("address", &text)?);
            }
            if let Some(word) = patch.transport {
                row.transport = Some(gateways::transport("transport", &word)?);
            }
            match patch.auth {
                Patch::Keep => {}
                Patch::Clear => row.auth = None,
                Patch::Set(auth) => row.auth = gateways::credentials("auth", auth)?,
            }
        }
    }
    let mut settings = row.settings.take().unwrap_or_default();
    settings.record = patch.record.unwrap_or_default();
    settings.noise_cancellation = patch.noise_cancellation.unwrap_or_default();
    settings.enable_dtmf = patch.enable_dtmf.unwrap_or_default();
    patch.tags.apply_or_default(&mut settings.tags);
    patch.metadata.apply_or_default(&mut settings.metadata);
    row.settings = Some(settings);
    Ok(())
}

/// The numbers that are asked for; none where they stay as they are.
fn numbers_of(patch: &TrunkPatch) -> Result<Option<Vec<E164>>, ApiError> {
    let texts = match &patch.numbers {
        Patch::Keep => return Ok(None),
        Patch::Clear => return Ok(Some(Vec::new())),
        Patch::Set(texts) => texts,
    };
    let numbers = texts.iter().enumerate().map(|(place, text)| {
        text.parse().map_err(|why| ApiError::invalid(format!("numbers[{place}] `{text}`: {why}")))
    });
    let numbers: BTreeSet<E164> = numbers.collect::<Result<_, _>>()?;
    Ok(Some(numbers.into_iter().collect()))
}

/// Has exactly these numbers stand on a gateway.
fn stand(work: &Work<'_>, row: &GatewayRow, wanted: Option<Vec<E164>>) -> Result<(), Fault> {
    let Some(wanted) = wanted else { return Ok(()) };
    let standing = gateways::numbers_on(work, &row.id, row.direction)?;
    for text in &standing {
        let number: E164 = text.parse().map_err(|why| Fault::Damaged(format!("number {text}: {why}")))?;
        if !wanted.contains(&number) {
            numbers::stand(work, number, row.direction, None, &row.name)?;
        }
    }
    for number in wanted {
        if !standing.contains(&number.to_string()) {
            numbers::stand(work, number, row.direction, Some(&row.id), &row.name)?;
        }
    }
    Ok(())
}
