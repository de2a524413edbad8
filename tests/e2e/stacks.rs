//! `plan` and `apply` of a second stack against a daemon that has a stack of its own.

use strowger::media::Codec;

use crate::support::daemon::Ran;
use crate::support::{Daemon, Dial, Phone, Site};

const FRONT: &str = "+14155550200";

const BRANCH: &str = r#"
[stack]
name = "branch"

[gateway.branch]
address = "sip.example.net"
transport = "tcp"

[number."+14155550200"]
alias = "front"
gateway = "branch"

[number."+14155550201"]
alias = "back"
gateway = "branch"

[room.front]
mode = "static"
id = "front"

[rule.front]
direction = "inbound"
numbers = ["front"]
room = "front"
allow = "everybody"
"#;

const BACK: &str = r#"
[rule.back]
direction = "inbound"
numbers = ["back"]
room = { mode = "dynamic" }
allow = "everybody"
"#;

/// A number of the daemon's own stack, as that one declares it.
const THEIRS: &str = r#"
[gateway.carrier]
address = "sip.example.com"
transport = "udp"

[number."+14155550100"]
gateway = "carrier"
"#;

const RULES: &str = "/v2/sip/routing-rule?page=1&perPage=100";

/// The daemon with its own stack, and the files of another one.
struct Two {
    daemon: Daemon,
    own: Site,
    branch: Site,
    token: String,
}

impl Two {
    fn new() -> Self {
        let own = Site::quickstart();
        let daemon = own.start();
        let token = own.token();
        Self { branch: Site::of(&format!("{BRANCH}{BACK}")), own, daemon, token }
    }

    fn run(&self, command: &str, more: &str) -> Ran {
        let (files, data) = (self.branch.files(), self.own.data());
        let words = [command.as_ref(), files.as_os_str(), "--data-dir".as_ref(), data.as_os_str(), more.as_ref()];
        self.own.run(words)
    }

    #[track_caller]
    fn plan(&self, code: i32) -> String {
        let ran = self.run("plan", "--detailed-exitcode");
        assert_eq!(ran.code(), code, "{ran:?}");
        ran.stdout()
    }

    #[track_caller]
    fn apply(&self, code: i32) -> String {
        let ran = self.run("apply", "--auto-approve");
        assert_eq!(ran.code(), code, "{ran:?}");
        ran.stdout()
    }

    /// The rules by name, each as the API gives it, but for the times.
    fn rules(&self) -> Vec<(String, String)> {
        let all: serde_json::Value = serde_json::from_str(&self.daemon.get(RULES, &self.token)).unwrap();
        let items = all["data"].as_array().unwrap_or_else(|| panic!("{all}"));
        let mut rules: Vec<_> =
            items.iter().map(|rule| (rule["name"].as_str().unwrap().to_owned(), rule.to_string())).collect();
        rules.sort();
        rules
    }
}

#[track_caller]
fn says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word:?} is not in:\n{text}");
    }
}

#[test]
fn a_second_stack_is_planned_applied_changed_and_taken_back() {
    let two = Two::new();
    let own = two.rules();
    assert_eq!(own.len(), 3);

    let plan = two.plan(2);
    let created = ["+ numbers of gateway.branch", "+ rule.front", "+ rule.back", "Plan: 4 to create, 0 to update, 0"];
    says(&plan, &created);
    says(&plan, &["+14155550200: unknown number (404) → room front (rule front)"]);
    assert_eq!(two.rules(), own, "a plan changes nothing");

    says(&two.apply(0), &["done: rule.front", "Applied: live state is as the files say."]);
    says(&two.plan(0), &["Nothing to do"]);
    says(&two.apply(0), &["Nothing to do"]);
    let phone = Phone::new(Codec::Pcmu);
    let call = Dial::new(&two.daemon, &phone, FRONT).answered();
    two.daemon.log.expect(&["joined a room", "room=\"front\""]);
    phone.rings();

    two.branch.edit("id = \"front\"", "id = \"desk\"");
    let changed = ["~ rule.front", "room front", "room desk", "Plan: 0 to create, 1 to update, 0 to delete."];
    says(&two.plan(2), &changed);
    two.apply(0);
    says(&two.plan(0), &["Nothing to do"]);

    let before = two.rules();
    two.branch.take_out("[rule.back]");
    says(&two.plan(2), &["- rule.back", "Plan: 0 to create, 0 to update, 1 to delete."]);
    two.apply(0);
    let after: Vec<_> = before.into_iter().filter(|(name, _)| name != "back").collect();
    assert_eq!(two.rules(), after, "one rule is gone, and the others are as they were");
    assert_eq!(after.iter().filter(|rule| own.contains(rule)).count(), 3, "the daemon's own rules are untouched");

    // The call has lived through all of it.
    phone.rings();
    call.hang_up();
    two.daemon.reaches("calls", 0);
}

#[test]
fn a_number_on_the_rule_of_another_stack_is_not_taken() {
    let two = Two::new();
    let before = two.rules();
    two.branch.edit("numbers = [\"front\"]", "numbers = [\"front\", \"+14155550100\"]");
    two.branch.rewrite(&format!("{}{THEIRS}", two.branch.root()));
    let ran = two.run("plan", "--detailed-exitcode");
    assert_eq!(ran.code(), 1, "{ran:?}");
    says(
        &ran.stdout(),
        &["! rule.front", "cannot be done: +14155550100 is held by the rule \"lobby\"", "1 cannot be done"],
    );
    let ran = two.run("apply", "--auto-approve");
    assert_eq!(ran.code(), 1, "{ran:?}");
    assert_eq!(two.rules(), before, "nothing of a plan that is blocked is done");
}

#[test]
fn an_apply_without_a_yes_changes_nothing() {
    let two = Two::new();
    let before = two.rules();
    let (files, data) = (two.branch.files(), two.own.data());
    let ran = two.own.run(["apply".as_ref(), files.as_os_str(), "--data-dir".as_ref(), data.as_os_str()]);
    assert_eq!(ran.code(), 1, "{ran:?}");
    says(&ran.stderr(), &["--auto-approve"]);
    assert_eq!(two.rules(), before);
}
