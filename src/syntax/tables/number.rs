//! `[number."+E164"]`

use crate::model::Removal;
use crate::syntax::read::{At, table};

table!(
    /// A phone number of the stack. Its key is the number in E.164 form.
    NumberTable {
        /// A short name for use in rules.
        #[schemars(example = &"main")]
        alias: Option<At<String>>,
        /// The label that the far side shows. It is set when the number is created and cannot be changed later.
        name: Option<At<String>>,
        /// The gateway that the number stands on.
        gateway: At<String>,
        /// What becomes of the number on the far side once this table is gone. Without it, `keep`.
        on_remove: Option<At<Removal>>,
        /// The environments in which it is there. Without it, all.
        #[schemars(example = ["prod"])]
        only: Option<At<Vec<At<String>>>>,
    }
);
