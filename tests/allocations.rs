//! Deciding a call allocates nothing. A test binary of its own, for there is one allocator a program.

use allocation_counter::measure;
use jiff::Timestamp;
use strowger::diagnostic::{File, Files};
use strowger::route::{Offer, Outcome, Table};
use strowger::{check, syntax};

const FILES: &str = r#"
[stack]
name = "count"
[gateway.g]
address = "sip.example.com"
[number."+14155550100"]
gateway = "g"
[room.r]
mode = "static"
id = "r"
[agent.a]
id = "a"
[rule.office]
direction = "inbound"
numbers = ["+14155550100"]
room = "r"
priority = 2
schedule = { zone = "America/New_York", hours = ["mon-fri 09:00-17:00"], closed = ["2026-12-25"] }
allow = { callers = ["+1*", "+4930901800..+4930901899"], ips = ["192.0.2.0/24", "2001:db8::/32"] }
block = { callers = ["+1900*"], ips = "192.0.2.66" }
split = { "agent.a" = 1, "room.r" = 9 }
[rule.night]
direction = "inbound"
numbers = ["+14155550100"]
room = { mode = "dynamic" }
allow = { callers = ["+1*"] }
[rule.out]
direction = "outbound"
numbers = ["+14155550100"]
"#;

#[test]
fn deciding_allocates_nothing() {
    let mut files = Files::default();
    files.add(File::new("strowger.toml", FILES.to_owned()));
    let checked = check::check(syntax::parse(&files));
    let exchange = checked.exchange.unwrap_or_else(|| panic!("{:?}", checked.report.findings));
    let table = Table::build(&exchange.book());
    let source = |text: &str| text.parse().expect("an address");
    let offers = [
        Offer::inbound("+14155550100", "+12125550123", source("192.0.2.7")),
        Offer::inbound("+14155550100", "+4930901820", source("2001:db8::7")),
        Offer::inbound("+14155550100", "+19005550123", source("192.0.2.7")),
        Offer::inbound("+14155550100", "anonymous", source("203.0.113.7")),
        Offer::inbound("+14155550199", "+12125550123", source("192.0.2.7")),
        Offer::outbound("out".parse().expect("an id"), "+14155550100", "+12125550123"),
    ];
    let mut taken = 0;
    // From one Monday to the next, hour by hour: open and closed.
    for hour in 0..168 {
        let now = Timestamp::from_second(1_780_272_000 + hour * 3600).expect("a moment");
        for offer in &offers {
            let mut decision = None;
            let counted = measure(|| decision = Some(table.decide(offer, now)));
            let decision = decision.expect("every call is decided");
            assert_eq!(counted.count_total, 0, "{offer:?} at {now}");
            taken += u32::from(!matches!(decision.outcome, Outcome::Refuse(_)));
        }
    }
    assert!(taken > 168, "{taken}");
    let counted = measure(|| drop(std::hint::black_box(vec![1_u8; 64])));
    assert_eq!(counted.count_total, 1, "the allocator counts");
}
