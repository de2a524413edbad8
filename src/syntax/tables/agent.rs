//! `[agent.NAME]`

use crate::syntax::read::{At, table};

table!(
    /// An AI agent that rules may dispatch.
    AgentTable {
        /// The id under which the agent's worker is registered.
        id: At<String>,
        /// Where our own runtime reaches the agent: a `ws:` or `wss:` address.
        #[schemars(example = "wss://agents.example.com/front-desk")]
        url: Option<At<String>>,
        /// The environments in which it is there. Without it, all.
        #[schemars(example = ["prod"])]
        only: Option<At<Vec<At<String>>>>,
    }
);
