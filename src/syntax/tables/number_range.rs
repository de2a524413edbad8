//! `[number_range.NAME]`

use crate::model::Removal;
use crate::syntax::read::{At, table};

table!(
    /// Phone numbers in a row, as if each had a table of its own. Their aliases are `NAME-00`, `NAME-01` and so on, with
    /// as many digits as the last one needs, two at least.
    NumberRangeTable {
        /// The first number, in E.164 form.
        #[schemars(example = &"+14155550200")]
        first: At<String>,
        /// The last number, in E.164 form.
        #[schemars(example = &"+14155550219")]
        last: At<String>,
        /// The gateway that the numbers stand on.
        gateway: At<String>,
        /// The label that the far side shows. It is set when a number is created and cannot be changed later.
        name: Option<At<String>>,
        /// What becomes of a number on the far side once nothing here describes it. Without it, `keep`.
        on_remove: Option<At<Removal>>,
        /// The environments in which the numbers are there. Without it, all.
        only: Option<At<Vec<At<String>>>>,
    }
);
