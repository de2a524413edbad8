//! `[account]`

use crate::syntax::read::{At, table};
use crate::syntax::value::SecretSource;

table!(
    /// The account that `plan` and `apply` talk to. It needs all of its keys; an environment may set some of them.
    AccountTable {
        /// The base address of the API.
        #[schemars(example = "https://api.videosdk.live")]
        endpoint: Option<At<String>>,
        /// The API key.
        api_key: Option<At<SecretSource>>,
        /// The secret that tokens are signed with.
        secret: Option<At<SecretSource>>,
    }
);
