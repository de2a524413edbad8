//! How fast is a call decided, and a change compared? `cargo bench --bench route`

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use allocation_counter::measure;
use jiff::Timestamp;
use strowger::model::{
    AllowList, Beyond, BookedRule, E164, IncludeHeaders, RoomMode, RoomPrefix, RoomTarget, RoutingRule, RuleBook,
    RuleKind, Schedule,
};
use strowger::route::{Offer, Outcome, Table, impact};

/// Numbers on each rule.
const NUMBERS_PER_RULE: usize = 10;
/// Decisions that are timed, one by one.
const DECISIONS: usize = 200_000;

/// A generator with a fixed seed (Marsaglia's xorshift64), so that every run sees the same calls.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

fn number(at: usize) -> E164 {
    format!("+1{:010}", 2_000_000_000 + at).parse().expect("a number")
}

fn rule(at: usize, numbers: BTreeSet<E164>, callers: &str) -> BookedRule {
    let schedule = at.is_multiple_of(10).then(|| {
        let weekly = "mon-fri 09:00-17:00".parse().expect("hours");
        Schedule::new("America/New_York", Some(vec![weekly]), Vec::new(), Vec::new()).expect("a schedule")
    });
    BookedRule {
        id: format!("rr_{at:07}").parse().expect("an id"),
        rule: RoutingRule {
            name: format!("rule {at}"),
            kind: RuleKind::Inbound { headers_to_attributes: Default::default() },
            numbers,
            agent: None,
            room: Some(RoomTarget { mode: RoomMode::Dynamic(RoomPrefix::SipNumber), pin: None }),
            allowed_callers: AllowList::of(
                ["+44*", callers, "+14155550100..+14155550199"].map(|p| p.parse().expect("a pattern")),
            ),
            allowed_sources: AllowList::of([
                "192.0.2.0/24".parse().expect("a source"),
                "2001:db8::/32".parse().expect("a source"),
            ]),
            include_headers: IncludeHeaders::None,
            tags: BTreeSet::new(),
            api_key: None,
            recording: false,
            dtmf: false,
            noise_cancellation: false,
            hide_caller: false,
            beyond: Beyond { schedule, ..Beyond::default() },
        },
    }
}

fn book(numbers: usize, changed: usize) -> RuleBook {
    let rules = (0..numbers.div_ceil(NUMBERS_PER_RULE)).map(|at| {
        let first = at * NUMBERS_PER_RULE;
        let own = (first..(first + NUMBERS_PER_RULE).min(numbers)).map(number).collect();
        let callers =
            if changed > 0 && at.is_multiple_of(numbers / NUMBERS_PER_RULE / changed) { "+49*" } else { "+1*" };
        rule(at, own, callers)
    });
    RuleBook { numbers: (0..numbers).map(number).collect(), rules: rules.collect(), ..RuleBook::default() }
}

fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)]
}

fn decide(numbers: usize) {
    let book = book(numbers, 0);
    let mut built = None;
    let mut took = Duration::ZERO;
    let memory = measure(|| {
        let start = Instant::now();
        built = Some(Table::build(&book));
        took = start.elapsed();
    });
    let table = built.expect("the table is built");
    let mut random = Random(0x5eed);
    let source: IpAddr = "192.0.2.7".parse().expect("an address");
    let offers: Vec<Offer> = (0..DECISIONS)
        .map(|_| {
            let dialled = number(random.next() as usize % numbers).to_string();
            let calling = format!("+{}{:09}", [1, 44, 49][random.next() as usize % 3], random.next() % 1_000_000_000);
            Offer::inbound(&dialled, &calling, source)
        })
        .collect();
    let now: Timestamp = "2026-06-03T16:00:00Z".parse().expect("a moment");
    let mut times = Vec::with_capacity(DECISIONS);
    let mut taken = 0_usize;
    let counted = measure(|| {
        for offer in &offers {
            let start = Instant::now();
            let decision = std::hint::black_box(table.decide(offer, now));
            times.push(start.elapsed());
            taken += usize::from(!matches!(decision.outcome, Outcome::Refuse(_)));
        }
    });
    times.sort_unstable();
    println!(
        "{numbers:>9} numbers {:>7} rules  p50 {:>5} ns  p99 {:>5} ns  allocations {}  taken {} %  build {:>7.1} ms  {} B a number",
        table.rules(),
        percentile(&times, 50).as_nanos(),
        percentile(&times, 99).as_nanos(),
        counted.count_total,
        taken * 100 / DECISIONS,
        took.as_secs_f64() * 1000.0,
        memory.bytes_current / numbers as i64,
    );
}

fn main() {
    for numbers in [100, 10_000, 100_000, 1_000_000] {
        decide(numbers);
    }
    let (before, after) = (book(100_000, 0), book(100_000, 100));
    let start = Instant::now();
    let impact = impact(&before, &after, "2026-06-03T16:00:00Z".parse().expect("a moment"));
    println!(
        "impact of 100 rules of 10,000 on 100,000 numbers: {:.0} ms, {} lines, {} not proven",
        start.elapsed().as_secs_f64() * 1000.0,
        impact.moved.len(),
        impact.unproven.len()
    );
    let start = Instant::now();
    let found = strowger::route::prove(&before, "2026-06-03T16:00:00Z".parse().expect("a moment"));
    println!("proofs about that table: {:.0} ms, {} findings", start.elapsed().as_secs_f64() * 1000.0, found.len());
}
