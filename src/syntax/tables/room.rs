//! `[room.NAME]`, and `room = { … }` inside a rule

use crate::model::RoomPrefix;
use crate::syntax::read::{At, Cx, FromToml, Slot, table};
use crate::syntax::rules;
use crate::syntax::value::SecretSource;

table!(
    /// A room that callers are put into.
    RoomTable {
        /// `static` for one room for every call, `dynamic` for a room made for each call.
        mode: At<RoomWord>,
        /// The id of a static room.
        id: Option<At<String>>,
        /// How the id of a dynamic room is made. Without it, `none`.
        prefix: Option<At<RoomPrefix>>,
        /// Digits that a caller has to enter first, as a reference.
        pin: Option<At<SecretSource>>,
    }
);

table!(
    /// A room that rules may name.
    NamedRoomTable {
        /// `static` for one room for every call, `dynamic` for a room made for each call.
        mode: At<RoomWord>,
        /// The id of a static room.
        id: Option<At<String>>,
        /// How the id of a dynamic room is made. Without it, `none`.
        prefix: Option<At<RoomPrefix>>,
        /// Digits that a caller has to enter first, as a reference.
        pin: Option<At<SecretSource>>,
        /// The environments in which it is there. Without it, all.
        #[schemars(example = ["prod"])]
        only: Option<At<Vec<At<String>>>>,
    }
);

impl NamedRoomTable {
    /// The room itself, and the environments in which it is there.
    pub(crate) fn split(self) -> (RoomTable, Option<At<Vec<At<String>>>>) {
        let Self { mode, id, prefix, pin, only } = self;
        (RoomTable { mode, id, prefix, pin }, only)
    }
}

/// Whether a room is one for all calls or made for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, schemars::JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum RoomWord {
    /// One room, the same for every call.
    Static,
    /// A room made for each call.
    Dynamic,
}

impl FromToml for RoomWord {
    fn from_toml(slot: &Slot<'_>, cx: &mut Cx<'_>) -> Option<Self> {
        match slot.value.as_str() {
            Some("static") => Some(Self::Static),
            Some("dynamic") => Some(Self::Dynamic),
            Some(other) => {
                let literal = cx.is_literal(&slot.span, other);
                let known = ["static", "dynamic"];
                cx.findings.push(rules::unknown_word(&slot.shown(), other, slot.span.clone(), &known, literal));
                None
            }
            None => {
                slot.wrong_type("one of static, dynamic", cx);
                None
            }
        }
    }
}
