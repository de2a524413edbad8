//! Which files belong to a configuration?

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::diagnostic::{File, Files, nearest};
use crate::syntax;

/// The root file of a configuration directory.
pub const ROOT_FILE: &str = "strowger.toml";

/// The directory of the environments' files, beside the root file.
pub const ENVIRONMENTS: &str = "env";

/// The largest file that is read, in bytes; the largest stacks measured have a twentieth of it.
const FILE_MAX: u64 = 64 << 20;

/// The texts of a configuration, as they were at one moment.
#[derive(Debug, Clone)]
pub struct SourceSet {
    /// The root file first, then what it includes, sorted, then the environment's.
    pub files: Files,
    /// The directory that relative paths start from.
    pub directory: PathBuf,
    /// The paths of the files, in the same order.
    pub paths: Vec<PathBuf>,
    /// A digest over names and texts: two equal digests are the same configuration.
    pub digest: String,
}

/// Why a configuration cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Nothing is at the path.
    #[error("{path} does not exist")]
    Missing {
        /// The path.
        path: String,
    },
    /// A directory without a root file.
    #[error("{path} holds no {ROOT_FILE}")]
    NoRoot {
        /// The directory.
        path: String,
    },
    /// A file that is there and cannot be read.
    #[error("{path} cannot be read: {cause}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
        cause: io::Error,
    },
    /// A file that is no text.
    #[error("{path} is not a text file: byte {byte} is not UTF-8")]
    NotText {
        /// The file.
        path: String,
        /// The first byte that is not UTF-8.
        byte: usize,
    },
    /// A file that is larger than any configuration.
    #[error("{path} has {size} bytes; a configuration file has at most {FILE_MAX}")]
    TooLarge {
        /// The file.
        path: String,
        /// Its size.
        size: u64,
    },
    /// The environment that was asked for has no file.
    #[error("there is no environment `{name}`: {path} does not exist")]
    NoEnvironment {
        /// The environment.
        name: String,
        /// The file that would be it.
        path: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// An `include` pattern that cannot be followed.
    #[error("include `{pattern}` in {path} cannot be followed: {cause}")]
    Include {
        /// The root file.
        path: String,
        /// The pattern.
        pattern: String,
        /// Why.
        cause: String,
    },
}

impl SourceError {
    /// The name of the failure.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "source-missing",
            Self::NoRoot { .. } => "source-no-root",
            Self::Unreadable { .. } => "source-unreadable",
            Self::NotText { .. } => "source-not-text",
            Self::TooLarge { .. } => "source-too-large",
            Self::NoEnvironment { .. } => "environment-unknown",
            Self::Include { .. } => "source-include",
        }
    }

    /// What to do.
    pub fn help(&self) -> String {
        match self {
            Self::Missing { .. } => "give the path of a directory or of a .toml file".to_owned(),
            Self::NoRoot { .. } => format!("create {ROOT_FILE} there, or give the path of the file itself"),
            Self::Unreadable { .. } => "check that the file is still there and that you may read it".to_owned(),
            Self::NotText { .. } => "save the file as UTF-8, or leave it out of `include`".to_owned(),
            Self::TooLarge { .. } => "split it with `include`, or check that it is a configuration at all".to_owned(),
            Self::NoEnvironment { name, path, known } => match nearest(name, known.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None if known.is_empty() => format!("create {path}; it may be empty"),
                None => format!("there are {}", known.join(", ")),
            },
            Self::Include { .. } => {
                "name a file that is there, or a glob inside the directory, such as `rules/*.toml`, which may match nothing"
                    .to_owned()
            }
        }
    }
}

/// Reads a configuration: a directory with its root file and what that includes, or one file alone; with
/// `env/NAME.toml` when an environment is asked for.
///
/// # Errors
/// When a file is missing, vanishes while it is read, is no text or too large.
pub fn read(path: &Path, environment: Option<&str>) -> Result<SourceSet, SourceError> {
    read_over(path, environment, &Unsaved::new())
}

/// Texts that are newer than the disk's, by absolute path: what an editor has and has not saved.
pub type Unsaved = BTreeMap<PathBuf, String>;

/// Reads a configuration, with unsaved texts in the place of the disk's.
///
/// # Errors
/// As [`read`].
pub fn read_over(path: &Path, environment: Option<&str>, unsaved: &Unsaved) -> Result<SourceSet, SourceError> {
    let shown = |path: &Path| path.display().to_string();
    let (root, directory) = match std::fs::metadata(path) {
        Ok(meta) if meta.is_dir() => (path.join(ROOT_FILE), path.to_path_buf()),
        Ok(_) => (path.to_path_buf(), parent(path)),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
            return Err(SourceError::Missing { path: shown(path) });
        }
        Err(cause) => return Err(SourceError::Unreadable { path: shown(path), cause }),
    };
    let root = bare(root);
    let text = match read_text(&root, unsaved) {
        Err(SourceError::Unreadable { cause, .. }) if path.is_dir() && cause.kind() == io::ErrorKind::NotFound => {
            return Err(SourceError::NoRoot { path: shown(path) });
        }
        other => other?,
    };
    let mut paths = vec![root.clone()];
    for pattern in syntax::includes(&text) {
        for found in follow(&pattern, &directory, &root)? {
            let found = bare(found);
            if !paths.contains(&found) {
                paths.push(found);
            }
        }
    }
    paths[1..].sort();
    let known = environments(&directory);
    if let Some(name) = environment {
        let path = bare(directory.join(ENVIRONMENTS).join(format!("{name}.toml")));
        // Only names that were found are believed: a name is no path.
        if !known.iter().any(|known| known == name) {
            return Err(SourceError::NoEnvironment { name: name.to_owned(), path: shown(&path), known });
        }
        // It is read as the environment's, whoever includes it too.
        paths.retain(|included| *included != path);
        paths.push(path);
    }

    let mut files = Files::default();
    files.set_environments(known);
    let mut digest = Sha256::new();
    let mut root_text = Some(text);
    for path in &paths {
        let text = match root_text.take() {
            Some(text) => text,
            None => read_text(path, unsaved)?,
        };
        let name: Arc<str> = shown(path).into();
        digest.update((name.len() as u64).to_le_bytes());
        digest.update(name.as_bytes());
        digest.update((text.len() as u64).to_le_bytes());
        digest.update(text.as_bytes());
        match environment.filter(|_| files.len() + 1 == paths.len()) {
            Some(environment) => files.add_environment(environment, File::new(name, text)),
            None => files.add(File::new(name, text)),
        };
    }
    Ok(SourceSet { files, directory, paths, digest: format!("{:x}", digest.finalize()) })
}

/// The names of the environments beside a root file, sorted.
fn environments(directory: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(directory.join(ENVIRONMENTS)) else { return Vec::new() };
    let names = entries.filter_map(|entry| {
        let path = entry.ok()?.path();
        let name = path.file_stem()?.to_str()?.to_owned();
        (path.extension()? == "toml" && path.is_file()).then_some(name)
    });
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// A path without a leading `./`, so that a file has one name however it is come by.
fn bare(path: PathBuf) -> PathBuf {
    path.strip_prefix(".").map(Path::to_path_buf).unwrap_or(path)
}

fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

fn read_text(path: &Path, unsaved: &Unsaved) -> Result<String, SourceError> {
    if !unsaved.is_empty()
        && let Some(text) = std::path::absolute(path).ok().and_then(|path| unsaved.get(&path))
    {
        return Ok(text.clone());
    }
    let shown = path.display().to_string();
    let unreadable = |cause| SourceError::Unreadable { path: shown.clone(), cause };
    let meta = std::fs::metadata(path).map_err(unreadable)?;
    if !meta.is_file() {
        // A pipe or a device could be read for ever.
        return Err(unreadable(io::Error::other("it is not a regular file")));
    }
    let size = meta.len();
    if size > FILE_MAX {
        return Err(SourceError::TooLarge { path: shown, size });
    }
    let bytes = std::fs::read(path).map_err(unreadable)?;
    String::from_utf8(bytes)
        .map_err(|error| SourceError::NotText { path: shown.clone(), byte: error.utf8_error().valid_up_to() })
}

fn follow(pattern: &str, directory: &Path, root: &Path) -> Result<Vec<PathBuf>, SourceError> {
    let refuse =
        |cause: String| SourceError::Include { path: root.display().to_string(), pattern: pattern.to_owned(), cause };
    if Path::new(pattern).is_absolute() || pattern.split(['/', '\\']).any(|part| part == "..") {
        return Err(refuse("it leaves the directory".to_owned()));
    }
    let whole = format!("{}/{pattern}", glob::Pattern::escape(&directory.display().to_string()));
    let found = glob::glob(&whole).map_err(|error| refuse(error.to_string()))?;
    let mut found = found.collect::<Result<Vec<_>, _>>().map_err(|error| refuse(error.to_string()))?;
    found.retain(|path| path.is_file());
    let literal = !pattern.contains(['*', '?', '[']);
    if found.is_empty() && literal {
        return Err(refuse("no such file".to_owned()));
    }
    Ok(found)
}
