//! A whole file.

use super::{
    AccountTable, AdoptTable, AgentTable, DaemonTable, GatewayTable, GuardTable, NamedRoomTable, NumberRangeTable,
    NumberTable, ProviderTable, RuleTable, StackTable, TestTable,
};
use crate::syntax::read::{At, Tables, table};
use crate::syntax::value::Free;

table!(
    /// A strowger configuration: phone numbers, SIP gateways and the rules by which calls are routed.
    #[allow(dead_code, reason = "`draft` reads each key of a file on its own, so that one broken table costs no other")]
    RootTable {
        /// The version of this language. Always 1.
        schema: Option<At<u16>>,
        /// What this configuration is.
        stack: Option<At<StackTable>>,
        /// The account that `plan` and `apply` talk to; without it, the daemon on this machine.
        account: Option<At<AccountTable>>,
        /// Values by name, for use as `${var.NAME}` inside string values. A value that is one reference and nothing else
        /// takes the variable's type. An environment may give them other values.
        vars: Option<At<Free>>,
        /// What a plan may not do without being asked.
        guard: Option<At<GuardTable>>,
        /// How `strowger daemon` serves.
        daemon: Option<At<DaemonTable>>,
        /// Telephony providers, by name.
        provider: Tables<ProviderTable>,
        /// SIP gateways, by name.
        gateway: Tables<GatewayTable>,
        /// Phone numbers, by E.164 number: `[number."+14155550100"]`.
        number: Tables<NumberTable>,
        /// Phone numbers in a row, by name.
        number_range: Tables<NumberRangeTable>,
        /// AI agents that rules may dispatch, by name.
        agent: Tables<AgentTable>,
        /// Rooms that rules may name, by name.
        room: Tables<NamedRoomTable>,
        /// Routing rules, by name.
        rule: Tables<RuleTable>,
        /// Live rules that are to become this stack's.
        adopt: Option<At<Vec<At<AdoptTable>>>>,
        /// Calls that nobody makes, and the decisions that are expected of them: `[[test]]`.
        test: Option<At<Vec<At<TestTable>>>>,
    }
);
