//! The program under test: a configuration with an agent, and a daemon that serves it.

use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::Notify;

use super::DEADLINE;

/// A daemon on ports of its own. It is killed when dropped.
pub struct Daemon {
    pub sip: SocketAddr,
    pub api: SocketAddr,
    pub log: Log,
    directory: TempDir,
    #[allow(dead_code, reason = "held so that it lives; the bench asks it who it is")]
    pub child: Child,
}

/// A configuration: one number, one rule to the agent `bot`, with more keys for both and more tables.
pub fn stack(url: &str, agent: &str, rule: &str, more: &str) -> String {
    format!(
        "[stack]\nname = \"agents\"\n[gateway.here]\naddress = \"127.0.0.1:5999\"\ntransport = \"udp\"\n\
         [number.\"+14155550100\"]\ngateway = \"here\"\n[agent.bot]\nid = \"bot\"\nurl = \"{url}\"\n{agent}\n\
         [rule.main]\ndirection = \"inbound\"\nnumbers = [\"+14155550100\"]\nagent = \"bot\"\n{rule}\n{more}\n"
    )
}

impl Daemon {
    pub async fn start(files: &str) -> Self {
        Self::with_ports(files, 100).await
    }

    /// A daemon with so many ports for media.
    pub async fn with_ports(files: &str, ports: u16) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("strowger.toml"), files).unwrap();
        // A hundred ports of this test's own; a daemon steps over what is taken.
        let block = 10_000 + u16::from(rand::random::<u8>()) * 100;
        let mut child = Command::new(env!("CARGO_BIN_EXE_strowger"))
            .args(["daemon", "strowger.toml", "--data-dir", "data", "--api", "127.0.0.1:0", "--sip", "udp:127.0.0.1:0"])
            .args(["--media-ports", &format!("{block}-{}", block + ports - 1)])
            .current_dir(directory.path())
            .env_clear()
            .env("BOT_SECRET", "12345")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let out = Log::of(child.stdout.take().unwrap());
        let log = Log::of(child.stderr.take().unwrap());
        if out.find(&["ready:"]).await.is_none() {
            panic!("the daemon is not ready:\n{}\n{}", out.text(), log.text());
        }
        let after =
            |words: &str, from: &str| -> SocketAddr { words.split_once(from).unwrap().1.trim().parse().unwrap() };
        let api = after(&out.expect(&["  api "]).await, "http://");
        let sip = after(&out.expect(&["  sip "]).await, "udp:");
        Self { sip, api, log, directory, child }
    }

    /// Runs the program in the daemon's directory, and gives what it prints.
    pub async fn run(&self, args: &[&str]) -> String {
        let ran = Command::new(env!("CARGO_BIN_EXE_strowger"))
            .args(args)
            .current_dir(self.directory.path())
            .env_clear()
            .output()
            .await;
        let ran = ran.unwrap();
        assert!(ran.status.success(), "{args:?}: {}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap()
    }

    pub async fn status(&self) -> Value {
        http().get(format!("http://{}/status", self.api)).send().await.unwrap().json().await.unwrap()
    }

    /// Waits until nothing is left of any call: no call, no room, no conversation with an agent.
    pub async fn is_idle(&self) -> Value {
        let end = tokio::time::Instant::now() + DEADLINE;
        loop {
            let status = self.status().await;
            let open = status["agents"].as_object().unwrap().values().any(|agent| agent["open"] != 0);
            if !open && status["calls"] == 0 && status["rooms"] == 0 {
                return status;
            }
            assert!(tokio::time::Instant::now() < end, "something is left: {status}\n{}", self.log.text());
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
}

pub fn http() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().timeout(DEADLINE).build().unwrap()
}

/// The lines that a process has written so far.
#[derive(Clone)]
pub struct Log(Arc<(Mutex<Vec<String>>, Notify)>);

impl Log {
    fn of(pipe: impl AsyncRead + Unpin + Send + 'static) -> Self {
        let log = Self(Arc::new((Mutex::default(), Notify::new())));
        let shared = Arc::clone(&log.0);
        tokio::spawn(async move {
            let mut lines = BufReader::new(pipe).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                shared.0.lock().unwrap().push(line);
                shared.1.notify_one();
            }
        });
        log
    }

    /// Waits for a line that holds all these words.
    pub async fn find(&self, words: &[&str]) -> Option<String> {
        let search = async {
            loop {
                let found = {
                    let lines = self.0.0.lock().unwrap();
                    lines.iter().find(|line| words.iter().all(|word| line.contains(word))).cloned()
                };
                match found {
                    Some(line) => return line,
                    None => self.0.1.notified().await,
                }
            }
        };
        tokio::time::timeout(DEADLINE, search).await.ok()
    }

    pub async fn expect(&self, words: &[&str]) -> String {
        self.find(words).await.unwrap_or_else(|| panic!("no line says {words:?}:\n{}", self.text()))
    }

    pub fn text(&self) -> String {
        self.0.0.lock().unwrap().join("\n")
    }
}
