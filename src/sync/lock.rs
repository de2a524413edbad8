//! Where is the memory between two runs kept?

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::model::StackName;
use crate::plan::Memory;

/// Why the memory cannot be written. What was applied stays applied.
#[derive(Debug, thiserror::Error)]
#[error("{path} cannot be written: {cause}; what was applied stays applied, and the file may be deleted", path = path.display())]
pub struct LockError {
    path: PathBuf,
    cause: io::Error,
}

/// Reads the memory of a stack and far side. A file that is missing, broken or another's is no memory.
pub fn read_memory(path: &Path, stack: &StackName, endpoint: &str) -> Memory {
    std::fs::read_to_string(path).map_or_else(|_| Memory::default(), |text| Memory::read(&text, stack, endpoint))
}

/// Writes the memory: to a temporary file, synced, renamed, so that a kill leaves the old or the new.
///
/// # Errors
/// When the directory cannot be written.
pub fn write_memory(path: &Path, memory: &Memory) -> Result<(), LockError> {
    let text = memory.write();
    // A file that is as it should be is not touched: the daemon would see its own write as an edit.
    if std::fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    let temporary = PathBuf::from(temporary);
    let write = || -> io::Result<()> {
        let mut file = std::fs::File::create(&temporary)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)
    };
    write().map_err(|cause| LockError { path: path.to_path_buf(), cause })
}
