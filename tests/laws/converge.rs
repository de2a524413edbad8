//! After an apply the next plan is empty; an apply that is cut off anywhere is taken up by the next one; and
//! nothing of anybody else is touched.

use std::fmt::Write;
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;
use strowger::api::{ApiError, Call, Endpoint, Handle, Method, Patch, RulePatch, UpdateRule};
use strowger::diagnostic::{File, Files};
use strowger::model::{Exchange, RuleBook, Secret};
use strowger::plan::{Live, Memory, Options, Plan, diff};
use strowger::store::Store;
use strowger::sync::{self, Remote};
use strowger::{check, syntax};

const NUMBERS: usize = 6;
const RULES: usize = 4;

/// A configuration as choices, of which every combination is legal.
#[derive(Debug, Clone)]
struct Stack {
    /// For each number, its gateway, if it is declared.
    numbers: Vec<Option<u8>>,
    /// For each number, the inbound rule that takes it.
    taken: Vec<Option<u8>>,
    /// For each rule, whether it is outbound, and a number that varies what it does.
    rules: Vec<(bool, u8)>,
    /// Varies the gateways.
    gateways: [u8; 2],
}

fn stack() -> impl Strategy<Value = Stack> {
    (
        prop::collection::vec(prop::option::weighted(0.8, 0_u8..2), NUMBERS),
        prop::collection::vec(prop::option::weighted(0.7, 0..RULES as u8), NUMBERS),
        prop::collection::vec((prop::bool::weighted(0.2), 0_u8..8), RULES),
        [0_u8..4, 0_u8..4],
    )
        .prop_map(|(numbers, taken, rules, gateways)| Stack { numbers, taken, rules, gateways })
}

impl Stack {
    fn toml(&self) -> String {
        let mut out = String::from("[stack]\nname = \"law\"\n");
        for (at, variant) in self.gateways.iter().enumerate() {
            let sharing = if at == 0 { "shared" } else { "dedicated" };
            let _ = writeln!(out, "[gateway.g{at}]\naddress = \"sip{variant}.example.com\"\nsharing = \"{sharing}\"");
            let _ = writeln!(out, "transport = \"{}\"", if variant % 2 == 0 { "udp" } else { "tls" });
        }
        for (at, gateway) in self.numbers.iter().enumerate() {
            let Some(gateway) = gateway else { continue };
            let _ = writeln!(out, "[number.\"+1415555010{at}\"]\ngateway = \"g{gateway}\"");
        }
        for (key, (outbound, variant)) in self.rules.iter().enumerate() {
            let holds = |at: &usize| self.numbers[*at].is_some() && self.taken[*at] == Some(key as u8);
            let numbers: Vec<String> = (0..NUMBERS).filter(holds).map(|at| format!("\"+1415555010{at}\"")).collect();
            if numbers.is_empty() {
                continue;
            }
            let direction = if *outbound { "outbound" } else { "inbound" };
            let _ = writeln!(out, "[rule.r{key}]\ndirection = \"{direction}\"\nnumbers = [{}]", numbers.join(", "));
            match variant % 3 {
                0 => out.push_str("room = { mode = \"dynamic\", prefix = \"sip_number\" }\n"),
                1 => out.push_str("room = { mode = \"static\", id = \"hall\", pin = { file = \"pin\" } }\n"),
                _ => out.push_str("agent = \"a\"\nmetadata = { depth = { z = 1, a = [1, 2] } }\n"),
            }
            if variant % 2 == 0 {
                out.push_str("allow = { callers = [\"+1*\"], ips = \"192.0.2.0/24\" }\ntags = [\"t\", \"s\"]\n");
            }
            if *variant > 4 && !outbound {
                out.push_str("headers_to_attributes = { X-A = \"a\" }\nrecording = true\n");
            }
        }
        out.push_str("[agent.a]\nid = \"agent_a\"\n");
        out
    }

    fn exchange(&self) -> Exchange {
        let mut files = Files::default();
        files.add(File::new("strowger.toml", self.toml()));
        let checked = check::check(syntax::parse(&files));
        checked.exchange.unwrap_or_else(|| panic!("{:?}\n{}", checked.report.findings, self.toml()))
    }
}

fn secret(_: &strowger::model::SecretRef) -> Result<Secret, String> {
    Ok(Secret::new("4711"))
}

async fn plan<R: Remote>(exchange: &Exchange, remote: &R) -> (Live, Plan) {
    let live = sync::fetch(remote).await.expect("the store can be read");
    let rules = exchange.bind_rules(secret).expect("every secret is there");
    let plan = diff(exchange, &rules, &live, &Memory::default(), Options::default());
    (live, plan)
}

/// Applies, and gives what went wrong.
async fn apply<R: Remote>(exchange: &Exchange, remote: &R) -> Result<(), String> {
    let (_, plan) = plan(exchange, remote).await;
    assert!(plan.blocked.is_empty(), "{:?}", plan.blocked);
    let applied = sync::apply(&plan, exchange, remote, secret, |_, _| {}).await;
    match applied.failed {
        None => Ok(()),
        Some((step, error)) => Err(format!("{}: {error}\n{}", step.object, strowger::plan::text(&plan))),
    }
}

/// A remote whose n-th write fails: before anything was done, or after it was done and the reply was lost.
struct Faulty {
    store: Store,
    writes: AtomicUsize,
    fails_at: usize,
    acts: bool,
}

impl<E: Endpoint> Handle<E> for Faulty
where
    Store: Handle<E, Error = ApiError>,
{
    type Error = ApiError;

    fn handle(&self, call: Call<E>) -> impl Future<Output = Result<E::Reply, ApiError>> + Send {
        let fails = E::METHOD != Method::Get && self.writes.fetch_add(1, Ordering::Relaxed) == self.fails_at;
        let acts = !fails || self.acts;
        async move {
            let reply = match acts {
                true => Some(self.store.handle(call).await),
                false => None,
            };
            match (fails, reply) {
                (false, Some(reply)) => reply,
                _ => Err(ApiError::internal("the reply was lost")),
            }
        }
    }
}

/// A rule of nobody and a rule of another stack, each on its own number.
async fn strangers(store: &Store) -> Vec<strowger::plan::LiveRule> {
    for (number, stack) in [("+442079460001", None), ("+442079460002", Some("other"))] {
        let gateway = "[gateway.x]\naddress = \"x.example.com\"\n";
        let toml = format!(
            "[stack]\nname = \"{}\"\n{gateway}[number.\"{number}\"]\ngateway = \"x\"\n[rule.main]\n\
             direction = \"inbound\"\nnumbers = [\"{number}\"]\nroom = {{ mode = \"dynamic\" }}\n",
            stack.unwrap_or("nobody")
        );
        let mut files = Files::default();
        files.add(File::new("strowger.toml", toml));
        let exchange = check::check(syntax::parse(&files)).exchange.expect("it is legal");
        apply(&exchange, store).await.expect("it can be applied");
    }
    sync::fetch(store).await.expect("the store can be read").rules
}

/// What calls meet, ids left out: they are minted anew.
fn meaning(book: RuleBook) -> Vec<String> {
    let mut rules: Vec<String> = book
        .rules
        .into_iter()
        .map(|mut booked| {
            booked.rule.tags.clear();
            format!("{:?}", booked.rule)
        })
        .collect();
    rules.sort();
    rules
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(test);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn after_an_apply_the_next_plan_is_empty(before in stack(), after in stack()) {
        run(async {
            let store = Store::in_memory().expect("a store");
            let foreign = strangers(&store).await;
            for stack in [&before, &after] {
                let exchange = stack.exchange();
                let (_, first) = plan(&exchange, &store).await;
                apply(&exchange, &store).await.expect("it can be applied");
                let (live, next) = plan(&exchange, &store).await;
                assert!(next.is_empty(), "{}\n{}", strowger::plan::text(&next), stack.toml());
                // What the plan promised is what calls meet.
                assert_eq!(meaning(first.after.clone()), meaning(live.book()));
                for rule in &foreign {
                    assert!(live.rules.contains(rule), "a foreign rule was touched");
                }
            }
        });
    }

    #[test]
    fn an_apply_cut_off_anywhere_is_taken_up_by_the_next(before in stack(), after in stack(), acts in any::<bool>()) {
        run(async {
            let goal = {
                let store = Store::in_memory().expect("a store");
                apply(&after.exchange(), &store).await.expect("it can be applied");
                meaning(store.book().expect("a book"))
            };
            for fails_at in 0.. {
                let store = Store::in_memory().expect("a store");
                apply(&before.exchange(), &store).await.expect("it can be applied");
                let faulty = Faulty { store: store.clone(), writes: AtomicUsize::new(0), fails_at, acts };
                let whole = apply(&after.exchange(), &faulty).await.is_ok();
                apply(&after.exchange(), &store).await.expect("the next run takes it up");
                let (_, next) = plan(&after.exchange(), &store).await;
                assert!(next.is_empty(), "{}", strowger::plan::text(&next));
                assert_eq!(&goal, &meaning(store.book().expect("a book")));
                if whole {
                    break;
                }
            }
        });
    }
}

/// A stack of one rule, under a name, with more lines.
fn one_rule(name: &str, more: &str) -> Exchange {
    let toml = format!(
        "[stack]\nname = \"law\"\n[gateway.x]\naddress = \"x.example.com\"\n[number.\"+14155550100\"]\n\
         gateway = \"x\"\n[rule.{name}]\ndirection = \"inbound\"\nname = \"Main\"\nnumbers = [\"+14155550100\"]\n\
         room = {{ mode = \"dynamic\" }}\n{more}"
    );
    let mut files = Files::default();
    files.add(File::new("strowger.toml", toml));
    let checked = check::check(syntax::parse(&files));
    checked.exchange.unwrap_or_else(|| panic!("{:?}", checked.report.findings))
}

#[test]
fn a_renamed_rule_keeps_its_id() {
    run(async {
        let store = Store::in_memory().expect("a store");
        apply(&one_rule("old", ""), &store).await.expect("it can be applied");
        let id = sync::fetch(&store).await.expect("the store can be read").rules[0].id.clone();
        let renamed = one_rule("new", "was = [\"older\", \"old\"]\n");
        let (_, first) = plan(&renamed, &store).await;
        let text = strowger::plan::text(&first);
        assert!(first.steps.len() == 1 && text.contains("its table was called old"), "{text}");
        apply(&renamed, &store).await.expect("it can be applied");
        let (live, next) = plan(&renamed, &store).await;
        assert!(next.is_empty(), "{}", strowger::plan::text(&next));
        assert_eq!(live.rules.iter().map(|rule| &rule.id).collect::<Vec<_>>(), [&id]);
    });
}

#[test]
fn an_adopted_rule_keeps_its_id() {
    run(async {
        let store = Store::in_memory().expect("a store");
        apply(&one_rule("main", ""), &store).await.expect("it can be applied");
        let id = sync::fetch(&store).await.expect("the store can be read").rules[0].id.clone();
        // Now it is nobody's.
        let body = RulePatch { tags: Patch::Set(Vec::new()), ..RulePatch::default() };
        let call: Call<UpdateRule> = Call::of_with_body(id.to_string(), body);
        store.handle(call).await.expect("it can be changed");
        let (_, refused) = plan(&one_rule("main", ""), &store).await;
        assert!(!refused.blocked.is_empty(), "a rule of nobody holds the number");

        let adopting = one_rule("main", &format!("[[adopt]]\nrule = \"main\"\nid = \"{id}\"\n"));
        let (_, first) = plan(&adopting, &store).await;
        let text = strowger::plan::text(&first);
        assert!(first.steps.len() == 1 && text.contains("only this stack's mark is added"), "{text}");
        // For a day or for ever, the table may stay.
        for exchange in [&adopting, &adopting, &one_rule("main", "")] {
            apply(exchange, &store).await.expect("it can be applied");
            let (live, next) = plan(exchange, &store).await;
            assert!(next.is_empty(), "{}", strowger::plan::text(&next));
            assert_eq!(live.rules.iter().map(|rule| &rule.id).collect::<Vec<_>>(), [&id]);
        }
        let gone = one_rule("main", "[[adopt]]\nrule = \"main\"\nid = \"rr_gone\"\n");
        let (_, blocked) = plan(&gone, &store).await;
        assert!(blocked.blocked[0].reason.contains("there is no rule rr_gone"), "{:?}", blocked.blocked);
    });
}
