//! What does a secret reference stand for?

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::model::{Secret, SecretRef};

/// Most that is read of a program's output, or of a file. A secret has a line, a key some thousand bytes.
const OUTPUT_MAX: u64 = 64 << 10;

/// How often a program that has said everything is asked whether it has ended.
const ASK_AGAIN: Duration = Duration::from_millis(2);

/// Why a secret cannot be had. Says where it was looked for, never what was found.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The environment variable is not set, or is empty.
    #[error("the secret {reference} is not set")]
    NotSet {
        /// The reference.
        reference: SecretRef,
    },
    /// The file cannot be read as text, or the program gives none.
    #[error("the secret {reference} cannot be read: {cause}")]
    Unreadable {
        /// The reference.
        reference: SecretRef,
        /// Why.
        cause: String,
    },
}

/// Reads a secret. Relative files and programs start from the configuration's directory.
///
/// # Errors
/// When the variable is not set or empty, the file cannot be read or is empty, or the program fails, says nothing or
/// takes longer than it may.
pub fn resolve(reference: &SecretRef, directory: &Path) -> Result<Secret, SecretError> {
    let unreadable = |cause: String| SecretError::Unreadable { reference: reference.clone(), cause };
    let text = match reference {
        SecretRef::Env(name) => std::env::var(name).unwrap_or_default(),
        SecretRef::File(path) => file(&directory.join(path)).map_err(unreadable)?,
        SecretRef::Exec { command, timeout } => exec(command, *timeout, directory).map_err(unreadable)?,
    };
    let text = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    if text.is_empty() {
        return Err(SecretError::NotSet { reference: reference.clone() });
    }
    Ok(Secret::new(text))
}

/// Reads a file as a secret. A pipe or device could be read for ever.
fn file(path: &Path) -> Result<String, String> {
    let meta = std::fs::metadata(path).map_err(|cause| cause.to_string())?;
    if !meta.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    if meta.len() > OUTPUT_MAX {
        return Err(format!("it has {} bytes, and a secret has at most {OUTPUT_MAX}", meta.len()));
    }
    std::fs::read_to_string(path).map_err(|cause| cause.to_string())
}

/// Whether everybody on this machine may read a file. A file that is not there is nobody's to read.
pub fn is_exposed(path: &Path, directory: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;

        std::fs::metadata(directory.join(path)).is_ok_and(|meta| meta.permissions().mode() & 0o004 != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = (path, directory);
        false
    }
}

/// Runs a program and takes what it says. What it writes to standard error goes where ours goes.
fn exec(command: &[String], timeout: Duration, directory: &Path) -> Result<String, String> {
    let deadline = Instant::now() + timeout;
    let (program, arguments) = command.split_first().ok_or("no program is named")?;
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|cause| format!("{program} cannot be started: {cause}"))?;
    let ended = output(&mut child, deadline);
    if ended.is_err() {
        // Without the wait it would stay behind as a zombie.
        let _ = child.kill();
        let _ = child.wait();
    }
    let (bytes, status) = ended.map_err(|late| late.unwrap_or_else(|| format!("it took longer than {timeout:?}")))?;
    if !status.success() {
        return Err(format!("the program ended with {status}"));
    }
    String::from_utf8(bytes).map_err(|_| "what the program says is not UTF-8".to_owned())
}

/// What a program says until it ends. An error of `None` is that it took too long.
fn output(child: &mut Child, deadline: Instant) -> Result<(Vec<u8>, ExitStatus), Option<String>> {
    let stdout = child.stdout.take().ok_or(None)?;
    let (sender, receiver) = mpsc::channel();
    // A thread of its own, because a pipe cannot be read with a deadline.
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = stdout.take(OUTPUT_MAX).read_to_end(&mut bytes);
        let _ = sender.send(read.map(|_| bytes));
    });
    let left = || deadline.saturating_duration_since(Instant::now());
    let bytes = receiver.recv_timeout(left()).map_err(|_| None)?.map_err(|cause| Some(cause.to_string()))?;
    loop {
        match child.try_wait().map_err(|cause| Some(cause.to_string()))? {
            Some(status) => return Ok((bytes, status)),
            None if left().is_zero() => return Err(None),
            None => std::thread::sleep(ASK_AGAIN),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(command: &[&str], timeout: Duration) -> Result<Secret, SecretError> {
        let command = command.iter().map(|part| (*part).to_owned()).collect();
        resolve(&SecretRef::Exec { command, timeout }, Path::new("."))
    }

    #[test]
    fn a_file_loses_only_its_last_line_end() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("pin"), "12\n34\r\n").unwrap();
        let secret = resolve(&SecretRef::File("pin".into()), directory.path()).unwrap();
        assert_eq!(secret.expose(), "12\n34");
        std::fs::write(directory.path().join("pin"), "\n").unwrap();
        assert!(resolve(&SecretRef::File("pin".into()), directory.path()).is_err());
    }

    #[test]
    fn a_program_is_run_without_a_shell() {
        let long = Duration::from_secs(30);
        assert_eq!(run(&["echo", "$HOME; `id`"], long).unwrap().expose(), "$HOME; `id`");
        assert!(run(&["false"], long).unwrap_err().to_string().contains("exit status: 1"));
        assert!(run(&["there-is-no-such-program"], long).unwrap_err().to_string().contains("cannot be started"));
        assert!(matches!(run(&["true"], long).unwrap_err(), SecretError::NotSet { .. }));
    }

    #[test]
    fn a_program_that_takes_too_long_is_ended() {
        let begun = Instant::now();
        let error = run(&["sleep", "600"], Duration::from_millis(50)).unwrap_err();
        assert!(error.to_string().contains("took longer than 50ms"), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(300));
        // One that says everything and does not end is no better.
        let error = run(&["sh", "-c", "echo x; exec >&-; sleep 600"], Duration::from_millis(200)).unwrap_err();
        assert!(error.to_string().contains("took longer"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_everybody_may_read_is_exposed() {
        use std::os::unix::fs::PermissionsExt;

        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pin");
        std::fs::write(&path, "1234").unwrap();
        for (mode, exposed) in [(0o600, false), (0o640, false), (0o644, true)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(is_exposed(Path::new("pin"), directory.path()), exposed, "{mode:o}");
        }
        assert!(!is_exposed(Path::new("nothing"), directory.path()));
    }
}
