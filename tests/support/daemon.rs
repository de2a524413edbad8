//! The program under test: its files, its data, and a daemon that serves them.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use serde_json::Value;
use tempfile::TempDir;

use super::log::Log;
use super::{DEADLINE, look_until};

/// For requests that need no token.
pub const TOKENLESS: &str = "";

/// The name of the file that the quickstart is written in.
const ROOT: &str = "strowger.toml";

/// A configuration and a data directory of a test's own.
pub struct Site {
    directory: TempDir,
}

impl Site {
    /// A copy of the quickstart.
    pub fn quickstart() -> Self {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/quickstart").join(ROOT);
        Self::of(&fs::read_to_string(from).unwrap())
    }

    /// A configuration of one file.
    pub fn of(root: &str) -> Self {
        let site = Self { directory: tempfile::tempdir().unwrap() };
        fs::create_dir(site.files()).unwrap();
        site.write(ROOT, root);
        site
    }

    /// The directory of the configuration.
    pub fn files(&self) -> PathBuf {
        self.directory.path().join("files")
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// Writes a file of the configuration, in place as an editor does.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.files().join(name), text).unwrap();
    }

    /// The text of the root file.
    pub fn root(&self) -> String {
        fs::read_to_string(self.files().join(ROOT)).unwrap()
    }

    /// Replaces one text of the root file by another, and gives what the file was.
    pub fn edit(&self, from: &str, to: &str) -> String {
        let before = self.root();
        assert_eq!(before.matches(from).count(), 1, "{from:?} is to stand once in:\n{before}");
        self.write(ROOT, &before.replace(from, to));
        before
    }

    /// Takes a table out of the root file: its head and what follows, up to the next empty line.
    pub fn take_out(&self, head: &str) {
        let before = self.root();
        let table = before.split("\n\n").find(|part| part.lines().any(|line| line == head));
        let table = table.unwrap_or_else(|| panic!("{head} is not in:\n{before}"));
        self.write(ROOT, &before.replace(table, ""));
    }

    /// Replaces the root file.
    pub fn rewrite(&self, root: &str) {
        self.write(ROOT, root);
    }

    /// The program with these arguments, and nothing of the environment that could change what it does.
    pub fn program<A: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_strowger"));
        command.args(args).env_clear().stdin(Stdio::null()).current_dir(self.directory.path());
        command
    }

    /// Runs the program to its end.
    pub fn run<A: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Ran {
        Ran(self.program(args).output().unwrap())
    }

    /// A token for the daemon of this site.
    pub fn token(&self) -> String {
        let ran = self.run(["token".as_ref(), "--data-dir".as_ref(), self.data().as_os_str()]);
        assert_eq!(ran.code(), 0, "{ran:?}");
        ran.stdout().trim().to_owned()
    }

    /// `strowger daemon` for this site, to listen at these addresses.
    pub fn daemon(&self, api: &str, sip: &[&str]) -> Command {
        let mut command = self.program(["daemon".as_ref(), self.files().as_os_str()]);
        command.arg("--data-dir").arg(self.data()).args(["--api", api, "--media-ports", &media_ports()]);
        for address in sip {
            command.args(["--sip", address]);
        }
        command
    }

    /// Starts a daemon on ports of its own, and waits until it serves.
    pub fn start(&self) -> Daemon {
        Daemon::start(self.daemon("127.0.0.1:0", &["127.0.0.1:0"]))
    }
}

/// A hundred ports for media, other ones each time, and below those that the system gives to everybody.
fn media_ports() -> String {
    const FIRST: u16 = 10_000;
    const BLOCK: u16 = 100;
    const BLOCKS: u16 = 220;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // The process decides where to begin, so that two runs at once seldom meet. A daemon steps over what is taken.
    let block = (std::process::id() as u16).wrapping_mul(31).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
    let first = FIRST + block % BLOCKS * BLOCK;
    format!("{first}-{}", first + BLOCK - 1)
}

/// A run of the program that has ended.
pub struct Ran(pub Output);

impl Ran {
    /// The exit code.
    pub fn code(&self) -> i32 {
        self.0.status.code().unwrap_or(-1)
    }

    /// What it wrote to standard output.
    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.0.stdout).into_owned()
    }

    /// What it wrote to standard error.
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.0.stderr).into_owned()
    }
}

impl std::fmt::Debug for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}\n-- stdout\n{}\n-- stderr\n{}", self.0.status, self.stdout(), self.stderr())
    }
}

/// A daemon that serves. It is killed when dropped, and what it said is shown when the test fails.
pub struct Daemon {
    child: Child,
    /// Where the REST API listens.
    pub api: SocketAddr,
    /// Where SIP listens, over UDP.
    pub udp: SocketAddr,
    /// Where SIP listens, over TCP.
    pub tcp: SocketAddr,
    /// Its standard output.
    pub out: Log,
    /// Its standard error: findings and log.
    pub log: Log,
    http: reqwest::Client,
    runtime: tokio::runtime::Runtime,
}

impl Daemon {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out = Log::of(child.stdout.take().unwrap());
        let log = Log::of(child.stderr.take().unwrap());
        if out.find(&["ready:"]).is_none() {
            let _ = child.kill();
            panic!("the daemon is not ready:\n{}\n{}", out.text(), log.text());
        }
        let after = |line: &str, word: &str| -> SocketAddr {
            let rest = line.split_once(word).unwrap_or_else(|| panic!("{line:?} has no {word}")).1;
            rest.split(',').next().unwrap().trim().parse().unwrap()
        };
        let api = out.expect(&["  api "]);
        let sip = out.expect(&["  sip "]);
        // The process has one TLS provider; that another test installed it before is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            child,
            api: after(&api, "http://"),
            udp: after(&sip, "udp:"),
            tcp: after(&sip, "tcp:"),
            out,
            log,
            http: reqwest::Client::builder().no_proxy().timeout(DEADLINE).build().unwrap(),
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
        }
    }

    /// Sends a request, and gives the status and the body. Without a token none is sent.
    pub fn request(&self, method: &str, path: &str, token: &str, body: Option<&Value>) -> (u16, String) {
        self.try_request(method, path, token, body).unwrap_or_else(|error| panic!("{method} {path}: {error:?}"))
    }

    /// Sends a request that may find nobody.
    pub fn try_request(
        &self,
        method: &str,
        path: &str,
        token: &str,
        body: Option<&Value>,
    ) -> Result<(u16, String), reqwest::Error> {
        let mut request = self.http.request(method.parse().unwrap(), format!("http://{}{path}", self.api));
        if !token.is_empty() {
            request = request.header("authorization", token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        self.runtime.block_on(async {
            let response = request.send().await?;
            let status = response.status().as_u16();
            Ok((status, response.text().await?))
        })
    }

    /// Gets a body, and fails when the status is not 200.
    #[track_caller]
    pub fn get(&self, path: &str, token: &str) -> String {
        let (status, body) = self.request("GET", path, token, None);
        assert_eq!(status, 200, "GET {path}: {body}");
        body
    }

    /// What `/status` says.
    pub fn status(&self) -> Value {
        serde_json::from_str(&self.get("/status", TOKENLESS)).unwrap()
    }

    /// Waits until `/status` has this value under this key.
    #[track_caller]
    pub fn reaches(&self, key: &str, value: impl Into<Value>) -> Value {
        let value = value.into();
        self.becomes(&format!("{key} {value}"), |status| status[key] == value)
    }

    /// Waits until `/status` is as asked for.
    #[track_caller]
    pub fn becomes(&self, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let seen = look_until(DEADLINE, || {
            last = self.status();
            is(&last).then(|| last.clone())
        });
        seen.unwrap_or_else(|| panic!("the status does not become {what}: {last}"))
    }

    /// Sends a signal, by name.
    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success(), "{kill}");
    }

    /// Waits until it has ended.
    #[track_caller]
    pub fn ended(&mut self) -> ExitStatus {
        let ended = look_until(DEADLINE, || self.child.try_wait().unwrap());
        ended.unwrap_or_else(|| panic!("the daemon does not end"))
    }

    /// Kills it as `kill -9` does: nothing is flushed, nothing is said.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("-- the daemon's stdout\n{}\n-- the daemon's stderr\n{}", self.out.text(), self.log.text());
        }
    }
}

/// The output of a command, which has to end by itself in good time: one that serves instead fails the test.
#[track_caller]
pub fn ends(mut command: Command) -> Ran {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    if look_until(DEADLINE, || child.try_wait().unwrap()).is_none() {
        let _ = child.kill();
        let ran = Ran(child.wait_with_output().unwrap());
        panic!("it runs on after {DEADLINE:?}: {ran:?}");
    }
    Ran(child.wait_with_output().unwrap())
}
