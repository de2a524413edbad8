//! How good is an agent?
//!
//! One short call without a telephone network: it is listened to, spoken to, interrupted and left. What a bot must do
//! it fails for; what good bots do besides it is only told of.

use std::time::Duration;

use serde::Serialize;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::dial::Dialler;
use super::leg::{AgentLeg, Closed, Counter};
use super::session::Stream;
use crate::media::{FRAME_PERIOD, Frame, SILENCE, Voice};
use crate::model::{AgentEndpoint, Secret};

/// The tone that is spoken: in the middle of a voice's range, and loud.
const TONE_HERTZ: f64 = 440.0;

/// Peak of the tone.
const TONE_PEAK: f64 = 8_000.0;

/// How long it is spoken: longer than voice detectors need to believe it.
const TONE_TIME: Duration = Duration::from_secs(1);

/// How soon somebody who is interrupted falls silent. People take a fifth of a second.
const BARGE_IN_TIME: Duration = Duration::from_millis(1_500);

/// How long it has to be quiet before the agent has finished.
const QUIET: Duration = Duration::from_millis(600);

/// How long a speech is waited for to end.
const SPEECH_MAX: Duration = Duration::from_secs(15);

/// How soon a close is answered.
const CLOSE_TIME: Duration = Duration::from_millis(900);

/// The quietest sample that counts as speech: 36 dB below full scale, well above comfort noise.
const AUDIBLE: u16 = 500;

/// How one check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// As it should be.
    Pass,
    /// Callers will manage.
    Warn,
    /// Callers will not.
    Fail,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// How it went.
    pub grade: Grade,
    /// What was seen, in words.
    pub detail: String,
    /// How long it took, where that is the point.
    pub milliseconds: Option<u64>,
}

/// What was seen of an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Marks {
    /// Whether nothing failed.
    pub passed: bool,
    /// Everything that was looked at, in order.
    pub checks: Vec<Check>,
}

impl Marks {
    fn of(checks: Vec<Check>) -> Self {
        Self { passed: checks.iter().all(|check| check.grade != Grade::Fail), checks }
    }
}

/// Examines an agent. `within` is how soon it has to speak.
pub async fn examine(endpoint: &AgentEndpoint<Secret>, stream: Stream, within: Duration) -> Marks {
    let began = Instant::now();
    let socket = match Dialler::new().dial(endpoint).await {
        Ok(socket) => socket,
        Err(error) => return Marks::of(vec![check("connects", Grade::Fail, error.to_string(), None)]),
    };
    let mut checks = vec![check("connects", Grade::Pass, "it accepts the upgrade".into(), Some(began.elapsed()))];
    let (leg, counter, mut closed) = AgentLeg::begin(socket, stream);
    let mut line = Line::new(leg, counter);
    let early = tokio::select! {
        () = converse(&mut line, within, &mut checks) => None,
        ended = &mut closed => Some(ended.unwrap_or(Closed::ByUs)),
    };
    checks.push(speaks_the_dialect(&line.counter));
    if let Some(ended) = early {
        let detail = match ended {
            Closed::ByAgent(why) => why,
            Closed::ByUs => "the conversation ended".to_owned(),
        };
        checks.push(check("stays", Grade::Fail, format!("it left in the middle of the call: {detail}"), None));
        return Marks::of(checks);
    }
    let left = Instant::now();
    line.leg.stop();
    let _ = closed.await;
    let took = left.elapsed();
    checks.push(match took < CLOSE_TIME {
        true => check("ends cleanly", Grade::Pass, "it closes after `stop`".into(), Some(took)),
        false => {
            check("ends cleanly", Grade::Fail, "it does not close after `stop` and a close frame".into(), Some(took))
        }
    });
    Marks::of(checks)
}

async fn converse(line: &mut Line, within: Duration, checks: &mut Vec<Check>) {
    let waited = line.until(within, &SILENCE_ONLY, |line| line.speaks).await;
    checks.push(match waited {
        Some(took) => check("speaks first", Grade::Pass, "it greets the caller".into(), Some(took)),
        None => check("speaks first", Grade::Warn, format!("no greeting within {} ms", within.as_millis()), None),
    });
    if waited.is_some() {
        // It is in the middle of a word now.
        let clears = line.counter.counts().clears;
        let stopped = line
            .until(BARGE_IN_TIME, &TONE_ONLY, |line| line.counter.counts().clears > clears || line.quiet_for >= QUIET)
            .await;
        let cleared = line.counter.counts().clears > clears;
        checks.push(match stopped {
            Some(took) if cleared => check("honours barge-in", Grade::Pass, "it sends `clear`".into(), Some(took)),
            Some(_) => check("honours barge-in", Grade::Warn, "its speech ended, but not by `clear`".into(), None),
            None => check("honours barge-in", Grade::Warn, "it talks on when the caller speaks".into(), None),
        });
        line.until(SPEECH_MAX, &SILENCE_ONLY, |line| line.quiet_for >= QUIET).await;
    }
    let asked = Instant::now();
    let answered = line.until(TONE_TIME, &TONE_ONLY, |line| line.speaks).await;
    let answered = match answered {
        Some(took) => Some(took),
        None => line.until(within, &SILENCE_ONLY, |line| line.speaks).await.map(|_| asked.elapsed()),
    };
    checks.push(match answered {
        Some(took) => check("answers", Grade::Pass, "it says something to a tone of a second".into(), Some(took)),
        None => {
            let detail = format!("nothing is heard within {} ms of a tone of a second", within.as_millis());
            check("answers", Grade::Fail, detail, None)
        }
    });
    line.until(SPEECH_MAX, &SILENCE_ONLY, |line| line.quiet_for >= QUIET).await;
    let counts = line.counter.counts();
    checks.push(match (counts.marks, counts.notes_dropped) {
        (0, _) => check("uses marks", Grade::Warn, "it never asks what was played, so it cannot know".into(), None),
        (marks, 0) => check("uses marks", Grade::Pass, format!("{marks} marks, each told back"), None),
        (_, dropped) => {
            check("uses marks", Grade::Fail, format!("it did not read {dropped} that were told back"), None)
        }
    });
}

fn speaks_the_dialect(counter: &Counter) -> Check {
    let counts = counter.counts();
    let odd: Vec<String> = counts.oddities.iter().map(|(oddity, count)| format!("{oddity} ({count} times)")).collect();
    match (odd.is_empty(), counts.frames_dropped) {
        (true, 0) => check("speaks the dialect", Grade::Pass, "nothing odd came, and everything was read".into(), None),
        (true, dropped) => {
            check("speaks the dialect", Grade::Fail, format!("it reads too slowly: {dropped} frames were let go"), None)
        }
        (false, _) => check("speaks the dialect", Grade::Fail, odd.join("; "), None),
    }
}

fn check(name: &'static str, grade: Grade, detail: String, took: Option<Duration>) -> Check {
    let milliseconds = took.map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
    Check { name, grade, detail, milliseconds }
}

/// What a caller says, frame by frame.
type Says = dyn Fn(u32) -> Frame + Sync;

const SILENCE_ONLY: fn(u32) -> Frame = |_| SILENCE;

const TONE_ONLY: fn(u32) -> Frame = |frame| {
    std::array::from_fn(|place| {
        let time =
            (f64::from(frame) * SILENCE.len() as f64 + place as f64) / f64::from(crate::media::frame::SAMPLE_RATE);
        (TONE_PEAK * (std::f64::consts::TAU * TONE_HERTZ * time).sin()) as i16
    })
};

/// A caller on the line.
struct Line {
    leg: AgentLeg,
    counter: Counter,
    pace: tokio::time::Interval,
    frame: u32,
    /// Whether the agent spoke in the last frame.
    speaks: bool,
    /// How long it has not.
    quiet_for: Duration,
}

impl Line {
    fn new(leg: AgentLeg, counter: Counter) -> Self {
        let mut pace = interval(FRAME_PERIOD);
        pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
        Self { leg, counter, pace, frame: 0, speaks: false, quiet_for: Duration::ZERO }
    }

    /// Talks and listens until it is so, and gives how long that took; `None` when the time is over before.
    async fn until(&mut self, time: Duration, says: &Says, so: impl Fn(&Self) -> bool) -> Option<Duration> {
        let began = Instant::now();
        while began.elapsed() < time {
            self.pace.tick().await;
            self.leg.send(&says(self.frame));
            self.frame = self.frame.wrapping_add(1);
            let heard = self.leg.take();
            self.speaks = heard.is_some_and(|frame| frame.iter().any(|sample| sample.unsigned_abs() > AUDIBLE));
            self.quiet_for = if self.speaks { Duration::ZERO } else { self.quiet_for + FRAME_PERIOD };
            if so(self) {
                return Some(began.elapsed());
            }
        }
        None
    }
}
