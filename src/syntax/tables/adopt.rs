//! `[[adopt]]`

use crate::syntax::read::{At, table};

table!(
    /// A live rule that is to become this stack's. Once it is applied, the rule carries this stack's mark, and the
    /// table may go.
    AdoptTable {
        /// The rule, by the name of its table here.
        rule: At<String>,
        /// The id of the live rule.
        #[schemars(example = &"rr_9f3a")]
        id: At<String>,
    }
);
