//! What do the files say once findings are mended?

use std::collections::BTreeMap;

use super::{Edit, FileId, Files, Fix, Report};

/// Texts with fixes applied.
#[derive(Debug, Default)]
pub struct Mended {
    /// The new text of each file that changes.
    pub texts: BTreeMap<FileId, String>,
    /// How many fixes were applied.
    pub fixes: usize,
}

/// Applies the wanted fixes. Of two that touch the same stretch only the first is applied: what the second would
/// do is known only once the result of the first is checked.
pub fn mend(report: &Report, wanted: impl Fn(&Fix) -> bool) -> Mended {
    let mut chosen: BTreeMap<(FileId, usize), &Edit> = BTreeMap::new();
    let mut fixes = 0;
    for fix in report.findings.iter().filter_map(|finding| finding.fix.as_ref()).filter(|fix| wanted(fix)) {
        if fix.edits.iter().all(|edit| lies_in(&report.files, edit) && is_free(&chosen, edit)) {
            chosen.extend(fix.edits.iter().map(|edit| ((edit.span.file, edit.span.range.start), edit)));
            fixes += 1;
        }
    }
    let mut texts: BTreeMap<FileId, String> = BTreeMap::new();
    // From the end, so that the places before an edit stay true.
    for ((file, _), edit) in chosen.into_iter().rev() {
        let text = texts.entry(file).or_insert_with(|| report.files.get(file).text().to_owned());
        text.replace_range(edit.span.range.clone(), &edit.text);
    }
    Mended { texts, fixes }
}

fn lies_in(files: &Files, edit: &Edit) -> bool {
    files.get(edit.span.file).text().get(edit.span.range.clone()).is_some()
}

/// Whether no chosen edit begins where this one does, or reaches into it.
fn is_free(chosen: &BTreeMap<(FileId, usize), &Edit>, edit: &Edit) -> bool {
    let (file, range) = (edit.span.file, &edit.span.range);
    let before = chosen.range(..=(file, range.start)).next_back();
    let reaches = before.is_some_and(|((other, start), edit)| {
        *other == file && (edit.span.range.end > range.start || *start == range.start)
    });
    let inside = range.start < range.end && chosen.range((file, range.start)..(file, range.end)).next().is_some();
    !reaches && !inside
}

#[cfg(test)]
mod tests {
    use super::super::{File, Finding, Rule, Severity, Span};
    use super::*;

    static RULE: Rule = Rule { name: "test", severity: Severity::Error, summary: "", explanation: "" };

    fn mended(text: &str, edits: &[(std::ops::Range<usize>, &str)]) -> (String, usize) {
        let mut files = Files::default();
        let file = files.add(File::new("a", text.to_owned()));
        let finding = |(range, with): &(std::ops::Range<usize>, &str)| {
            let span = Span { file, range: range.clone() };
            Finding::new(&RULE, "", span.clone(), "").fix("", true, span, *with)
        };
        let report = Report { files, findings: edits.iter().map(finding).collect() };
        let mended = mend(&report, |fix| fix.safe);
        (mended.texts.get(&file).cloned().unwrap_or_else(|| text.to_owned()), mended.fixes)
    }

    #[test]
    fn every_edit_lands_at_its_place() {
        assert_eq!(mended("abcdef", &[(4..5, "E!"), (0..1, ""), (2..2, "+")]), ("b+cdE!f".to_owned(), 3));
    }

    #[test]
    fn of_two_edits_of_one_stretch_the_first_is_applied() {
        assert_eq!(mended("abcdef", &[(1..4, "x"), (3..5, "y")]), ("axef".to_owned(), 1));
        assert_eq!(mended("abcdef", &[(3..5, "y"), (1..4, "x")]), ("abcyf".to_owned(), 1));
        assert_eq!(mended("abcdef", &[(1..1, "x"), (1..1, "y")]), ("axbcdef".to_owned(), 1));
        assert_eq!(mended("abcdef", &[(0..2, "x"), (2..4, "y")]), ("xyef".to_owned(), 2));
        assert_eq!(mended("aüb", &[(2..3, "x")]), ("aüb".to_owned(), 0));
    }
}
