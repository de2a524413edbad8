//! Who answers which endpoint?
//!
//! The store answers what only has to be remembered; calls and rooms are answered by what goes on. What is not there
//! yet answers 501 and says what is missing: never a success that was none.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use crate::api::{
    ApiError, Call, CallsQuery, CreateCall, CreateInboundGateway, CreateNumbers, CreateOutboundGateway, CreateRoom,
    CreateRule, CreateWebhook, DeactivateRoom, DeleteInboundGateway, DeleteOutboundGateway, DeleteRule, DeleteWebhook,
    DetachNumber, DispatchAgent, EndCall, Endpoint, Enveloped, GetCall, GetInboundGateway, GetNumber,
    GetOutboundGateway, GetPublicKey, GetRoom, GetRule, GetWebhook, Handle, KeyRing, ListCalls, ListInboundGateways,
    ListNumbers, ListOutboundGateways, ListRooms, ListRules, ListWebhooks, MeetingRoom, Page, ReleaseNumber, SipCall,
    SwitchRoom, TimelogEntry, TransferCall, UpdateGateway, UpdateInboundGateway, UpdateOutboundGateway, UpdateRule,
    UpdateWebhook, ValidateRoom, Word,
};
use crate::call::Status;
use crate::model::{Direction, RoomMode, Secret};
use crate::store::{self, Store, StoreError};
use crate::switch::{CallSnapshot, Switch};

/// Calls on a page when the query does not say (contract section 5.2).
const CALLS_PER_PAGE: u32 = 10;

/// Rooms on a page when the query does not say; the contract states none for them, so it is that of numbers.
const ROOMS_PER_PAGE: u32 = 20;

/// Answers the whole contract. A clone is another handle to the same store and switch.
#[derive(Clone)]
pub struct Service {
    store: Store,
    switch: Switch,
}

macro_rules! stored {
    ($($endpoint:ident),+ $(,)?) => {$(
        impl Handle<$endpoint> for Service {
            type Error = ApiError;

            async fn handle(&self, call: Call<$endpoint>) -> Result<<$endpoint as Endpoint>::Reply, ApiError> {
                self.store.handle(call).await
            }
        }
    )+};
}

macro_rules! missing {
    ($($endpoint:ident: $why:literal),+ $(,)?) => {$(
        impl Handle<$endpoint> for Service {
            type Error = ApiError;

            async fn handle(&self, _: Call<$endpoint>) -> Result<<$endpoint as Endpoint>::Reply, ApiError> {
                Err(ApiError::missing($why))
            }
        }
    )+};
}

stored!(
    CreateNumbers,
    ListNumbers,
    GetNumber,
    DetachNumber,
    ReleaseNumber,
    UpdateGateway,
    CreateInboundGateway,
    ListInboundGateways,
    GetInboundGateway,
    UpdateInboundGateway,
    DeleteInboundGateway,
    CreateOutboundGateway,
    ListOutboundGateways,
    GetOutboundGateway,
    UpdateOutboundGateway,
    DeleteOutboundGateway,
    CreateRule,
    ListRules,
    GetRule,
    UpdateRule,
    DeleteRule,
    CreateWebhook,
    ListWebhooks,
    GetWebhook,
    UpdateWebhook,
    DeleteWebhook,
);

missing!(
    CreateCall: "Outbound calls are not placed by this daemon yet; nothing was dialled",
    TransferCall: "Calls are not transferred by this daemon yet (it sends no REFER); the call is where it was",
    DispatchAgent: "Agents are dispatched by rules alone, not yet by a request; none was sent",
    GetPublicKey: "Webhooks are not delivered by this daemon yet, so there is no key that signs them",
);

impl KeyRing for Service {
    async fn secret(&self, key: &str) -> Result<Option<Secret>, ApiError> {
        self.store.secret(key).await
    }
}

impl Service {
    /// The service of a store and a switch.
    pub fn new(store: Store, switch: Switch) -> Self {
        Self { store, switch }
    }

    /// Has the switch close the rooms that the store says are closed. Blocks on the disk.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn close_rooms(&self) -> Result<(), StoreError> {
        self.switch.close_rooms(self.store.closed_rooms()?.into_iter().collect());
        Ok(())
    }

    /// The same, off the threads that serve requests.
    async fn closed_rooms_changed(&self) -> Result<(), ApiError> {
        let service = self.clone();
        off_thread(move || service.close_rooms()).await
    }

    fn live_rooms(&self) -> BTreeMap<String, usize> {
        self.switch.rooms().into_iter().map(|room| (room.id, room.participants.len())).collect()
    }

    /// A room by either id, kept or live.
    async fn room(&self, id: &str) -> Result<MeetingRoom, ApiError> {
        let live = self.live_rooms();
        match self.store.room(id).await? {
            Some(room) => Ok(shown_room(room, &live)),
            None if live.contains_key(id) => Ok(shown_room(live_room(id), &live)),
            None => Err(store::unknown_room(id)),
        }
    }

    /// Whether a rule leads to a room of this id.
    async fn is_led_to(&self, id: &str) -> Result<bool, ApiError> {
        let store = self.store.clone();
        let book = off_thread(move || store.book()).await?;
        Ok(book.rules.iter().any(|booked| match booked.rule.room.as_ref().map(|room| &room.mode) {
            Some(RoomMode::Static(room)) => room.as_str() == id,
            _ => false,
        }))
    }

    /// A call as replies show it.
    async fn shown(&self, call: &CallSnapshot) -> Result<SipCall, ApiError> {
        Ok(shown_call(call, &self.store.inbound_gateways([call.to.clone()].into()).await?))
    }
}

impl Handle<ListCalls> for Service {
    type Error = ApiError;

    async fn handle(&self, call: Call<ListCalls>) -> Result<Page<SipCall>, ApiError> {
        let query = call.query;
        let range = Range::of(&query)?;
        let needle = store::needle(query.search.as_deref());
        let direction = query.kind.as_ref().map(|word| word.known("type")).transpose();
        let direction = direction.map_err(|why| ApiError::invalid(why.0))?;
        let is = |wanted: &Option<String>, found: Option<&str>| wanted.as_deref().is_none_or(|id| found == Some(id));
        let wanted = |call: &CallSnapshot| {
            // Every call came in so far, and sessions have no ids here.
            direction.is_none_or(|direction| direction == Direction::Inbound)
                && query.session_id.is_none()
                && is(&query.id, Some(&call.id))
                && is(&query.room_id, call.room.as_deref())
                && is(&query.rule_id, call.rule.as_ref().map(|rule| rule.as_str()))
                && range.holds(call.started())
                && [Some(&call.from), Some(&call.to), call.room.as_ref()]
                    .into_iter()
                    .flatten()
                    .any(|text| text.to_lowercase().contains(&needle))
        };
        let mut found: Vec<Arc<CallSnapshot>> = self.switch.listed().into_iter().filter(|call| wanted(call)).collect();
        let dialled = |calls: &[Arc<CallSnapshot>]| calls.iter().map(|call| call.to.clone()).collect();
        if query.gateway_id.is_some() {
            let gateways = self.store.inbound_gateways(dialled(&found)).await?;
            found.retain(|call| is(&query.gateway_id, gateways.get(&call.to).map(|(id, _)| id.as_str())));
        }
        let (page, per_page) = store::page_of(query.page, query.per_page, CALLS_PER_PAGE);
        let Page { page_info, data, strowger } = Page::cut(found, page, per_page);
        // Of one page alone: there may be a hundred thousand numbers.
        let gateways = self.store.inbound_gateways(dialled(&data)).await?;
        Ok(Page { page_info, data: data.iter().map(|call| shown_call(call, &gateways)).collect(), strowger })
    }
}

impl Handle<GetCall> for Service {
    type Error = ApiError;

    async fn handle(&self, call: Call<GetCall>) -> Result<Enveloped<SipCall>, ApiError> {
        let found = self.switch.call(&call.path).ok_or_else(|| unknown_call(&call.path))?;
        Ok(Enveloped::of(self.shown(&found).await?))
    }
}

impl Handle<EndCall> for Service {
    type Error = ApiError;

    async fn handle(&self, call: Call<EndCall>) -> Result<Enveloped<SipCall>, ApiError> {
        let id = call.body.call_id;
        let was_over = self.switch.call(&id).ok_or_else(|| unknown_call(&id))?.end.is_some();
        let found = self.switch.end_call(&id).await.ok_or_else(|| unknown_call(&id))?;
        if found.end.is_none() {
            return Err(ApiError::internal("The call has not ended yet; look at it again"));
        }
        let message = if was_over { "Call had ended already" } else { "Call ended" };
        Ok(Enveloped::said(message, self.shown(&found).await?))
    }
}

impl Handle<SwitchRoom> for Service {
    type Error = ApiError;

    async fn handle(&self, call: Call<SwitchRoom>) -> Result<Enveloped<SipCall>, ApiError> {
        let body = call.body;
        if body.participant_id.is_some() {
            return Err(ApiError::missing(
                "participantId cannot be chosen here: a call keeps its own id in every room; leave it out",
            ));
        }
        let found = self.switch.call(&body.call_id).ok_or_else(|| unknown_call(&body.call_id))?;
        let room = self.room(&body.room_id).await?;
        if room.disabled {
            return Err(ApiError::invalid(format!("Room {} is deactivated", body.room_id)));
        }
        match &found.room {
            Some(now) if found.end.is_none() && *now == room.room_id => {
                return Err(ApiError::invalid(format!("Call {} is in that room already", body.call_id)));
            }
            Some(_) if found.end.is_none() => {}
            _ => return Err(ApiError::invalid(format!("Call {} is not in a room now", body.call_id))),
        }
        let moved = self.switch.switch_room(&body.call_id, &room.room_id).await;
        let moved = moved.ok_or_else(|| unknown_call(&body.call_id))?;
        if moved.room.as_deref() != Some(room.room_id.as_str()) || moved.status() != Status::SwitchRoomCompleted {
            return Err(ApiError::conflict("The call ended or was moved elsewhere meanwhile; look at it again"));
        }
        Ok(Enveloped::said("Room switched", self.shown(&moved).await?))
    }
}

impl Handle<CreateRoom> for Service {
    type Error = ApiError;

    async fn handle(&self, call: Call<CreateRoom>) -> Result<MeetingRoom, ApiError> {
        let room = self.store.handle(call).await?;
        self.closed_rooms_changed().await?;
        Ok(shown_room(room, &self.live_rooms()))
    }
}

impl Handle<ListRooms> for Service {
    type Error = ApiError;

    async fn handle(&self, call: Call<ListRooms>) -> Result<Page<MeetingRoom>, ApiError> {
        let query = call.query;
        let (mut rooms, live) = (self.store.rooms().await?, self.live_rooms());
        let kept: BTreeSet<String> = rooms.iter().map(|room| room.room_id.clone()).collect();
        rooms.extend(live.keys().filter(|id| !kept.contains(*id)).map(|id| live_room(id)));
        let needle = store::needle(query.query.as_deref());
        let found = rooms.into_iter().filter(|room| query.user_id.is_none() || query.user_id == room.user_id);
        let found = found.filter(|room| room.room_id.to_lowercase().contains(&needle));
        let (page, per_page) = store::page_of(query.page, query.per_page, ROOMS_PER_PAGE);
        Ok(Page::cut(found.map(|room| shown_room(room, &live)).collect(), page, per_page))
    }
}

impl Handle<GetRoom> for Service {
    type Error = ApiError;

    async fn handle(&self, call: Call<GetRoom>) -> Result<MeetingRoom, ApiError> {
        self.room(&call.path).await
    }
}

impl Handle<ValidateRoom> for Service {
    type Error = ApiError;

    async fn handle(&self, call: Call<ValidateRoom>) -> Result<MeetingRoom, ApiError> {
        let room = self.room(&call.path).await?;
        match room.disabled {
            true => Err(ApiError::invalid(format!("Room {} is deactivated", call.path))),
            false => Ok(room),
        }
    }
}

impl Handle<DeactivateRoom> for Service {
    type Error = ApiError;

    /// Its calls end, and no other is let in: a room that could still be joined would not be closed. A rule that leads
    /// there refuses its callers until the room is made again.
    async fn handle(&self, call: Call<DeactivateRoom>) -> Result<MeetingRoom, ApiError> {
        let id = call.body.room_id;
        let known = self.live_rooms().contains_key(&id) || self.is_led_to(&id).await?;
        let room = self.store.close_room(call.by, &id, known).await?;
        self.closed_rooms_changed().await?;
        Ok(shown_room(room, &self.live_rooms()))
    }
}

/// The moments that a query of calls asks for.
struct Range {
    from: Option<Timestamp>,
    /// The first moment after it.
    until: Option<Timestamp>,
}

impl Range {
    fn of(query: &CallsQuery) -> Result<Self, ApiError> {
        let moment = |field: &str, at: Option<i64>| {
            let read = at.map(Timestamp::from_millisecond).transpose();
            read.map_err(|_| ApiError::invalid(format!("{field} is no moment in milliseconds since 1970")))
        };
        // The day of the end belongs to the range (contract section 5.2).
        let until = moment("endDate", query.end_date)?
            .map(|at| at.to_zoned(TimeZone::UTC).tomorrow().and_then(|day| day.start_of_day()))
            .transpose()
            .map_err(|_| ApiError::invalid("endDate is too far away"))?;
        Ok(Self { from: moment("startDate", query.start_date)?, until: until.map(|day| day.timestamp()) })
    }

    fn holds(&self, at: Option<Timestamp>) -> bool {
        self.from.is_none_or(|from| at.is_some_and(|at| at >= from))
            && self.until.is_none_or(|until| at.is_some_and(|at| at < until))
    }
}

fn unknown_call(id: &str) -> ApiError {
    ApiError::not_found(format!("Call {id} not found"))
}

fn shown_call(call: &CallSnapshot, gateways: &BTreeMap<String, (String, String)>) -> SipCall {
    let time = |at: Timestamp| format!("{at:.3}");
    let gateway = gateways.get(&call.to);
    let details = json!({
        "decision": call.trace, "end": call.end, "sipCallId": call.sip_call_id, "source": call.source.to_string(),
    });
    SipCall {
        id: call.id.clone(),
        call_id: call.id.clone(),
        kind: Some(Word::Known(Direction::Inbound)),
        status: Some(call.status().as_str().to_owned()),
        from: Some(call.from.clone()),
        to: Some(call.to.clone()),
        sip_call_from: Some(call.from.clone()),
        sip_call_to: Some(call.to.clone()),
        transport: Some(call.transport.to_string()),
        provider: None,
        gateway_id: gateway.map(|(id, _)| id.clone()),
        gateway_name: gateway.map(|(_, name)| name.clone()),
        rule_id: call.rule.as_ref().map(ToString::to_string),
        room_id: call.room.clone(),
        session_id: None,
        transfer: None,
        metadata: None,
        start: call.started().map(time),
        end: call.ended().map(time),
        timelog: call
            .timelog
            .iter()
            .map(|(status, at)| TimelogEntry { status: status.as_str().to_owned(), timestamp: time(*at) })
            .collect(),
        region: None,
        additional_details: match details {
            Value::Object(details) => Some(details),
            _ => None,
        },
        extra: Map::new(),
    }
}

/// A room that calls are in, without one having been made.
fn live_room(id: &str) -> MeetingRoom {
    MeetingRoom { id: id.to_owned(), room_id: id.to_owned(), ..MeetingRoom::default() }
}

fn shown_room(mut room: MeetingRoom, live: &BTreeMap<String, usize>) -> MeetingRoom {
    room.participants = Some(live.get(&room.room_id).copied().unwrap_or(0) as u64);
    // No host: the daemon does not know under which name it is reached.
    let link = Value::String(format!("/v2/rooms/{}", room.room_id));
    room.links = Some(Map::from_iter([("get_room".to_owned(), link)]));
    room
}

/// Does what blocks, off the threads that serve requests.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, ApiError> {
    let failed = |error: String| {
        tracing::error!(error, "a request failed in the store");
        ApiError::internal("The store failed; the daemon's log says more")
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(failed(error.to_string())),
        Err(error) => Err(failed(error.to_string())),
    }
}
