//! `[[test]]`

use std::collections::BTreeMap;

use crate::syntax::read::{At, Keyed, table};
use crate::syntax::value::Moment;

table!(
    /// A call that nobody makes, and the decision that is expected of it. `validate`, `test` and `plan` decide it.
    TestTable {
        /// What the test shows.
        name: At<String>,
        /// The number dialled, as it would stand in the Request-URI.
        #[schemars(example = &"+14155550100")]
        dial: At<String>,
        /// The caller's number, as it would stand in From. Without it, a caller who shows no number.
        from: Option<At<String>>,
        /// The address that the call comes from. Without it, 127.0.0.1.
        source: Option<At<String>>,
        /// When the call comes: a date and a time with an offset or a zone. Without it, Wednesday, 3 June 2026,
        /// 12:00 UTC, so that a test which holds today holds tomorrow.
        #[schemars(example = &"2026-12-24T10:00[Europe/Berlin]")]
        at: Option<At<Moment>>,
        /// SIP headers of the call.
        headers: Option<At<BTreeMap<String, Keyed<String>>>>,
        /// What is expected; what is not said is not looked at.
        expect: At<ExpectTable>,
    }
);

table!(
    /// What is expected of a decision.
    ExpectTable {
        /// The rule that takes the call, by its key; with `status`, the rule that comes nearest to taking it.
        rule: Option<At<String>>,
        /// The room: the name of its table, its id, or `dynamic` for any room made for the call.
        room: Option<At<String>>,
        /// The agent: the name of its table, or its id.
        agent: Option<At<String>>,
        /// The status of the refusal, such as 403. Without it, the call is to be taken.
        status: Option<At<u16>>,
        /// Whether a PIN is asked for.
        pin: Option<At<bool>>,
    }
);
