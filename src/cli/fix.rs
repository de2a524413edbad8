//! How are findings mended on disk?

use std::path::PathBuf;

use similar::TextDiff;

use crate::check::{Checked, check};
use crate::diagnostic::{FileId, Fix, Report, covered, mend};
use crate::source::{self, SourceSet};
use crate::syntax;

use super::exit::Failure;

/// Most rounds of mending: a mend can bring to light what another mistake hid, which is mended in the next round.
const ROUNDS_MAX: usize = 16;

/// What mending came to.
pub(super) struct Fixed {
    /// What is wrong with the mended texts.
    pub checked: Checked,
    /// How many fixes were applied.
    pub fixes: usize,
    /// The files that have a new text on disk.
    pub written: Vec<PathBuf>,
}

/// Applies the wanted fixes to the files of a configuration, round by round, and writes what changed.
pub(super) fn fix(set: &SourceSet, wanted: impl Fn(&Fix) -> bool) -> Result<Fixed, Failure> {
    let mut checked = check(syntax::parse(&set.files));
    let mut fixes = 0;
    for _ in 0..ROUNDS_MAX {
        let mended = mend(&checked.report, &wanted);
        if mended.fixes == 0 {
            break;
        }
        fixes += mended.fixes;
        checked = check(syntax::parse(&checked.report.files.with_texts(&mended.texts)));
    }
    let mut written = Vec::new();
    for (((_, was), (_, now)), path) in set.files.iter().zip(checked.report.files.iter()).zip(&set.paths) {
        if was.text() != now.text() {
            source::replace(path, was.text(), now.text()).map_err(|error| not_written(was.name(), &error))?;
            written.push(path.clone());
        }
    }
    Ok(Fixed { checked, fixes, written })
}

/// Why a file keeps its text.
pub(super) fn not_written(name: &str, error: &std::io::Error) -> Failure {
    Failure::new("write", format!("{name} cannot be written: {error}"))
        .help("the file is as it was; see that it and its directory may be written, and run again")
}

/// What the fixes that were left would change, as a diff of each file; empty when there is none.
pub(super) fn left(report: &Report) -> String {
    let mended = mend(report, |_| true);
    mended.texts.iter().map(|(id, text)| diff(report, *id, text)).collect()
}

fn diff(report: &Report, id: FileId, text: &str) -> String {
    let file = report.files.get(id);
    unified(file.name(), file.text(), text)
}

/// A unified diff of one file.
pub(super) fn unified(name: &str, was: &str, now: &str) -> String {
    let (was, now) = (covered(was), covered(now));
    TextDiff::from_lines(&was, &now).unified_diff().context_radius(1).header(name, name).to_string()
}
