//! `[agent.NAME]`

use std::collections::BTreeMap;

use crate::model::OnClose;
use crate::syntax::read::{At, Keyed, table};
use crate::syntax::value::{SecretSource, TextOrSecret};

table!(
    /// An AI agent that rules may dispatch.
    ///
    /// Every key but `id` is for the daemon, which reaches agents itself; an account knows them by their id.
    AgentTable {
        /// The id under which the agent's worker is registered.
        id: At<String>,
        /// Where our own runtime reaches the agent: a `ws:` or `wss:` address.
        #[schemars(example = "wss://agents.example.com/front-desk")]
        url: Option<At<String>>,
        /// The environments in which it is there. Without it, all.
        #[schemars(example = ["prod"])]
        only: Option<At<Vec<At<String>>>>,
        /// Headers of the upgrade request. A value is text, or a reference to a secret.
        headers: Option<At<BTreeMap<String, Keyed<TextOrSecret>>>>,
        /// What the upgrade request is signed with, in `X-Twilio-Signature` and `X-Strowger-Signature`.
        signing_secret: Option<At<SecretSource>>,
        /// How long it may take to connect, in milliseconds, all tries together. Without it, 5000.
        deadline_ms: Option<At<u16>>,
        /// How often a failed try is repeated. Without it, 2.
        retries: Option<At<u16>>,
        /// What becomes of a call when the agent closes: `hangup`, or `leave` for a call that goes on without it.
        /// Without it, `hangup`.
        on_close: Option<At<OnClose>>,
        /// What to do when the agent cannot be reached, in order. After the last, the call is refused with 480.
        fallback: Option<At<Vec<At<FallbackTable>>>>,
        /// Whether `ws:`, which anybody on the way can read, may be used to other machines. Without it, false.
        allow_plain: Option<At<bool>>,
    }
);

table!(
    /// One thing to do instead: exactly one of its keys.
    FallbackTable {
        /// Another agent, by the name of its table. It needs a `url`.
        agent: Option<At<String>>,
        /// A static room, by the name of its table.
        room: Option<At<String>>,
        /// A SIP status from 400 to 699.
        status: Option<At<u16>>,
    }
);
