//! Telephony as code: a config compiler and a SIP edge that share one model.
//!
//! # The spine
//!
//! Ten verbs, each giving one value. They are the program:
//!
//! ```
//! # let runtime = tokio::runtime::Runtime::new()?;
//! # runtime.block_on(async {
//! use strowger::{call, check, plan, route, source, store, sync, syntax};
//!
//! let set = source::read("examples/quickstart".as_ref(), None)?;          // texts as they are on disk
//! let draft = syntax::parse(&set.files);                             // what they say, with a span for everything
//! let checked = check::check(draft);                                 // what they mean, or findings
//! let exchange = checked.exchange.expect("the example has no findings");
//!
//! let remote = store::Store::in_memory()?;                           // or a client of an account
//! let live = sync::fetch(&remote).await?;                            // what the far side has now
//! let rules = exchange.bind_rules(|secret| source::resolve(secret, &set.directory))?;
//! let plan = plan::diff(&exchange, &rules, &live, &plan::Memory::default(), plan::Options::default());
//! let secret = |secret: &_| source::resolve(secret, &set.directory).map_err(|error| error.to_string());
//! let applied = sync::apply(&plan, &exchange, &remote, secret, |_, _| {}).await;
//! assert!(applied.failed.is_none());                                 // what was done, and the ids learned
//!
//! let table = route::Table::build(&remote.book()?);                  // rules ready to answer
//! let offer = route::Offer::inbound("+14155550100", "+12125550123", "192.0.2.7".parse()?);
//! let decision = table.decide(&offer, jiff::Timestamp::UNIX_EPOCH);  // a room, a PIN, or the reason for refusing
//!
//! let mut call = call::Call::new();
//! let outputs = call.handle(call::Input::Invited(decision), jiff::Timestamp::UNIX_EPOCH);
//! assert_eq!(outputs, [call::Output::OpenMedia]);                    // one call's next steps, for `switch`
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The map
//!
//! In flow order. *Pure* modules take text, values, time and randomness as arguments, and give values.
//!
//! | module | the question it settles | pure |
//! | --- | --- | --- |
//! | [`model`] | What do the words mean? | yes |
//! | [`diagnostic`] | What is wrong with the user's input, where, and how is it shown? | yes |
//! | | **compile** | |
//! | [`source`] | What do the files on disk say at this moment? | |
//! | [`syntax`] | What do the files say, with a place for every key and value? | yes |
//! | [`check`] | What do they mean, and do they fit together? | yes |
//! | [`editor`] | What does an editor ask of a configuration? | yes |
//! | | **synchronise** | |
//! | [`api`] | What do both sides of the REST contract say to each other? | yes |
//! | [`client`] | How is the contract spoken? | |
//! | [`plan`] | What would change, in which order, and why? | yes |
//! | [`sync`] | How does the far side become as the plan says? | |
//! | | **calls** | |
//! | [`route`] | Where does a call go? | yes |
//! | [`call`] | How does one call live? | yes |
//! | [`sip`] | How does SIP reach the wire? | |
//! | [`media`] | How does sound travel? | but for its sockets |
//! | [`room`] | Who is together? | but for its clock |
//! | [`agent`] | How does an agent hear and speak? | but for its sockets |
//! | [`switch`] | Who carries out what a call asks for? | |
//! | | **serve** | |
//! | [`store`] | What does the served API remember? | |
//! | [`server`] | Who answers the contract over HTTP? | |
//! | | **run** | |
//! | [`daemon`] | What keeps the service as the files say? | |
//! | [`cli`] | What does the user ask for? | |

pub mod agent;
pub mod api;
pub mod call;
pub mod check;
pub mod cli;
pub mod client;
pub mod daemon;
pub mod diagnostic;
pub mod editor;
pub mod media;
pub mod model;
pub mod plan;
pub mod room;
pub mod route;
pub mod server;
pub mod sip;
pub mod source;
pub mod store;
pub mod switch;
pub mod sync;
pub mod syntax;
