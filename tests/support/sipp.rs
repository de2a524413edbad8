//! The signalling side of a caller: `sipp`, with the scenarios of `tests/e2e/scenarios/`.
//!
//! A scenario that has to wait for the test talks to it over the "third party" connection that `sipp` has for
//! this: `sendCmd` tells what happened, `recvCmd` waits for leave to go on.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::ops::RangeInclusive;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::{DEADLINE, Daemon, Phone, look_until};

/// How SIP travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    Udp,
    Tcp,
}

/// What ends a message of the "third party" connection.
const MESSAGE_END: u8 = 0x1b;

/// A call that is about to be made.
pub struct Dial<'a> {
    daemon: &'a Daemon,
    phone: &'a Phone,
    number: &'a str,
    caller: &'a str,
    wire: Wire,
    formats: String,
}

impl<'a> Dial<'a> {
    /// A call to a number, over UDP, from somewhere in Germany.
    pub fn new(daemon: &'a Daemon, phone: &'a Phone, number: &'a str) -> Self {
        Self { daemon, phone, number, caller: "+4930901820", wire: Wire::Udp, formats: phone.formats() }
    }

    pub fn over(mut self, wire: Wire) -> Self {
        self.wire = wire;
        self
    }

    pub fn from(mut self, caller: &'a str) -> Self {
        self.caller = caller;
        self
    }

    /// Offers these formats in place of those that the phone has.
    pub fn offering(mut self, formats: &str) -> Self {
        formats.clone_into(&mut self.formats);
        self
    }

    /// Calls, is answered, and stays until told to hang up.
    #[track_caller]
    pub fn answered(self) -> Call {
        self.begin("call")
    }

    /// Runs a scenario until it says that it was answered.
    #[track_caller]
    pub fn begin(self, scenario: &str) -> Call {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let twin = listener.local_addr().unwrap().to_string();
        let mut sipp = self.sipp(scenario, None, &["-3pcc", &twin]);
        listener.set_nonblocking(true).unwrap();
        let link = look_until(DEADLINE, || match listener.accept() {
            Ok((link, _)) => Some(Some(link)),
            Err(_) => sipp.child.try_wait().unwrap().map(|_| None),
        });
        let Some(Some(link)) = link else {
            panic!("sipp does not run ({:?}): {}", sipp.child.try_wait().unwrap(), sipp.story())
        };
        link.set_nonblocking(false).unwrap();
        link.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let mut call = Call { sipp, link, unread: Vec::new(), media: ([0, 0, 0, 0], 0).into(), formats: String::new() };
        let answer = call.event("answered");
        call.media = answer["Media"].parse().unwrap();
        call.formats = answer["Formats"].trim().to_owned();
        call
    }

    /// Calls, and is refused with this status.
    #[track_caller]
    pub fn refused(self, scenario: &str, status: u16) {
        let mut sipp = self.sipp(scenario, Some(status), &[]);
        sipp.succeeds();
    }

    fn sipp(&self, scenario: &str, status: Option<u16>, more: &[&str]) -> Sipp {
        static CALLS: AtomicU32 = AtomicU32::new(0);
        let directory = tempfile::tempdir().unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/scenarios").join(scenario);
        let mut story = fs::read_to_string(source.with_extension("xml")).unwrap();
        if let Some(status) = status {
            story = story.replace("STATUS", &status.to_string());
        }
        let file = directory.path().join("scenario.xml");
        fs::write(&file, story).unwrap();
        let (to, transport) = match self.wire {
            Wire::Udp => (self.daemon.udp, "u1"),
            Wire::Tcp => (self.daemon.tcp, "t1"),
        };
        let id = format!("e2e-{}-{}", std::process::id(), CALLS.fetch_add(1, Ordering::Relaxed));
        let mut command = Command::new("sipp");
        command.arg(to.to_string()).arg("-sf").arg(&file).args(["-t", transport, "-m", "1", "-nostdin"]);
        command.args([
            "-i",
            "127.0.0.1",
            "-p",
            &free_port().to_string(),
            "-s",
            self.number,
            "-cid_str",
            &id,
            "-key",
            "caller",
            self.caller,
        ]);
        command.args(["-key", "audio_port", &self.phone.port().to_string(), "-key", "audio_formats", &self.formats]);
        command.args(["-timeout", &(2 * DEADLINE).as_secs().to_string(), "-timeout_error"]).args(more);
        command.arg("-trace_msg").arg("-message_file").arg(directory.path().join("messages"));
        command.arg("-trace_err").arg("-error_file").arg(directory.path().join("errors"));
        // Its screen would fill a pipe that nobody reads.
        let screen = fs::File::create(directory.path().join("screen")).unwrap();
        command.current_dir(directory.path()).stdin(Stdio::null());
        command.stdout(screen.try_clone().unwrap()).stderr(screen);
        let child = match command.spawn() {
            Ok(child) => child,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                panic!("sipp is not installed, and places the calls of these tests: apt-get install sip-tester")
            }
            Err(error) => panic!("sipp cannot be started: {error}"),
        };
        Sipp { child, directory, id }
    }
}

/// A port for `sipp`, never the same twice. Left to itself, it takes the first one that it can bind, and over TCP so
/// does another one at the same time, which is then not let listen.
fn free_port() -> u16 {
    const PORTS: RangeInclusive<u16> = 5_100..=9_900;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // The process decides where to begin, so that two runs at once seldom meet.
    let begin = (std::process::id() as u16).wrapping_mul(97);
    loop {
        let next = begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = PORTS.start() + next % PORTS.len() as u16;
        let address = (Ipv4Addr::UNSPECIFIED, port);
        if UdpSocket::bind(address).is_ok() && TcpListener::bind(address).is_ok() {
            return port;
        }
    }
}

/// A running `sipp` with one call. It is killed when dropped.
struct Sipp {
    child: Child,
    directory: TempDir,
    id: String,
}

impl Sipp {
    #[track_caller]
    fn succeeds(&mut self) {
        match self.ended() {
            Some(status) if status.success() => {}
            Some(status) => panic!("sipp's call failed ({status}): {}", self.story()),
            None => panic!("sipp's call does not end: {}", self.story()),
        }
    }

    fn ended(&mut self) -> Option<ExitStatus> {
        look_until(DEADLINE, || self.child.try_wait().unwrap())
    }

    /// What it did, for a test that fails.
    fn story(&self) -> String {
        let read = |name| fs::read_to_string(self.directory.path().join(name)).unwrap_or_default();
        let (errors, messages) = (read("errors"), read("messages"));
        match errors.is_empty() && messages.is_empty() {
            // What keeps it from running at all may be on its screen only.
            true => format!("\n{}", read("screen")),
            false => format!("\n{errors}\n{messages}"),
        }
    }
}

impl Drop for Sipp {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A call that was answered.
pub struct Call {
    sipp: Sipp,
    link: TcpStream,
    unread: Vec<u8>,
    /// Where the daemon's SDP wants the sound.
    pub media: SocketAddr,
    /// The formats of the daemon's SDP.
    pub formats: String,
}

impl Call {
    /// The Call-ID.
    pub fn id(&self) -> &str {
        &self.sipp.id
    }

    /// Waits until the scenario tells of this event, and gives what it says of it.
    #[track_caller]
    pub fn event(&mut self, name: &str) -> BTreeMap<String, String> {
        let text = self.read().unwrap_or_else(|why| panic!("{why} before {name:?}: {}", self.sipp.story()));
        let told: BTreeMap<String, String> = text
            .lines()
            .filter_map(|line| line.trim().split_once(": "))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        assert_eq!(told.get("Event").map(String::as_str), Some(name), "{text}");
        told
    }

    fn read(&mut self) -> Result<String, &'static str> {
        let end = Instant::now() + DEADLINE;
        loop {
            if let Some(length) = self.unread.iter().position(|byte| *byte == MESSAGE_END) {
                let message: Vec<u8> = self.unread.drain(..=length).collect();
                return Ok(String::from_utf8_lossy(&message[..length]).into_owned());
            }
            let mut buffer = [0; 4_096];
            match self.link.read(&mut buffer) {
                Ok(0) => return Err("sipp gave up"),
                Ok(length) => self.unread.extend(&buffer[..length]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(_) => return Err("sipp is gone"),
            }
            if Instant::now() > end {
                return Err("nothing happened");
            }
        }
    }

    /// Lets the scenario go on.
    #[track_caller]
    pub fn go_on(&mut self) {
        // sipp reads this with the same eyes as SIP, and wants to know which call is meant and who asks.
        let message = format!("Call-ID: {}\r\nFrom: test\r\n\r\n{}", self.id(), char::from(MESSAGE_END));
        let sent = self.link.write_all(message.as_bytes());
        sent.unwrap_or_else(|error| panic!("sipp is gone ({error}): {}", self.sipp.story()));
    }

    /// Hangs up, and is told that this is all right.
    #[track_caller]
    pub fn hang_up(mut self) {
        self.go_on();
        self.ends();
    }

    /// Waits until the scenario is through, and has seen all it wants to see.
    #[track_caller]
    pub fn ends(mut self) {
        self.sipp.succeeds();
    }
}
