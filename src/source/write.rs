//! How does a file on disk get another text?

use std::io::{self, Write};
use std::path::Path;

/// Replaces the text of a file as a whole: at no moment is it half written. Its permissions stay, and a link to it
/// stays a link.
///
/// # Errors
/// When the file no longer says `was`, may not be written, or the system refuses.
pub fn replace(path: &Path, was: &str, text: &str) -> io::Result<()> {
    let path = std::fs::canonicalize(path)?;
    let permissions = std::fs::metadata(&path)?.permissions();
    if permissions.readonly() {
        // Renaming over it would succeed, and go behind the back of whoever protected it.
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is read-only"));
    }
    if std::fs::read(&path)? != was.as_bytes() {
        return Err(io::Error::other("it was changed by somebody else meanwhile"));
    }
    let directory = path.parent().unwrap_or(Path::new("."));
    let mut new = tempfile::Builder::new().prefix(".strowger-").tempfile_in(directory)?;
    new.write_all(text.as_bytes())?;
    new.as_file().set_permissions(permissions)?;
    new.as_file().sync_all()?;
    new.persist(&path)?;
    // The rename itself lasts once the directory is on disk; some systems cannot open one, and need not.
    if let Ok(directory) = std::fs::File::open(directory) {
        let _ = directory.sync_all();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_file_is_replaced_whole_and_stays_what_it_was() {
        use std::os::unix::fs::PermissionsExt;

        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("a.toml"), directory.path().join("link.toml"));
        std::fs::write(&file, "a = 1\n").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        replace(&link, "a = 1\n", "a = 2\n").unwrap();
        assert!(link.is_symlink());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "a = 2\n");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);

        assert!(replace(&file, "a = 1\n", "a = 3\n").is_err(), "somebody else wrote it");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o440)).unwrap();
        assert!(replace(&file, "a = 2\n", "a = 3\n").is_err(), "it is read-only");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "a = 2\n");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 2, "nothing is left beside it");
    }
}
