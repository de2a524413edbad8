//! `[guard]`

use crate::syntax::read::{At, table};

table!(
    /// What a plan may not do without being asked. It is checked and kept; no plan is held to it yet.
    GuardTable {
        /// How many objects a plan may take away.
        max_deletes: Option<At<u32>>,
        /// How many numbers a plan may lead elsewhere.
        max_rerouted_numbers: Option<At<u32>>,
        /// For how many seconds a number may be on no rule while a plan is carried out.
        max_unrouted_seconds: Option<At<u32>>,
        /// What a plan may not take away: a kind (`number`, `gateway`, `rule`), a dot, and a name or pattern.
        #[schemars(example = ["number.*", "rule.emergency"])]
        protect: Option<At<Vec<At<String>>>>,
    }
);
