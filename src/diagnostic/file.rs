//! Which texts were read, and where in them is a byte?

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use super::render::{clean, covered};

/// One of the files of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(usize);

/// A stretch of bytes in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// The bytes.
    pub range: Range<usize>,
}

/// A text as it is on disk, with its lines counted once.
#[derive(Debug)]
pub struct File {
    name: Arc<str>,
    text: String,
    /// The text as it may be shown, byte by byte at the same places, once it is; `None` when that is the text itself.
    shown: OnceLock<Option<String>>,
    /// The byte at which each line starts.
    lines: Vec<usize>,
}

impl File {
    /// A text and the path it came from, as the user would write it.
    pub fn new(name: impl Into<Arc<str>>, text: String) -> Self {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { name: name.into(), text, shown: OnceLock::new(), lines }
    }

    /// The path as the user would write it.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Line and column of a byte, both from 1, the column in characters.
    pub fn line_column(&self, byte: usize) -> (usize, usize) {
        let byte = byte.min(self.text.len());
        let line = self.lines.partition_point(|start| *start <= byte);
        let start = self.lines.get(line - 1).copied().unwrap_or(0);
        let column = self.text.get(start..byte).map_or(0, |before| before.chars().count());
        (line, column + 1)
    }

    /// The byte at a line and a column in UTF-16 units, both from 0, as editors count; the nearest when there is none.
    pub fn byte_at_utf16(&self, line: usize, column: usize) -> usize {
        let start = self.line_start(line);
        let text = self.line(line + 1);
        let mut units = 0;
        for (at, c) in text.char_indices() {
            if units >= column || matches!(c, '\r' | '\n') {
                return start + at;
            }
            units += c.len_utf16();
        }
        start + text.len()
    }

    /// Line and column of a byte as editors count: from 0, the column in UTF-16 units.
    pub fn line_utf16(&self, byte: usize) -> (usize, usize) {
        let (line, _) = self.line_column(byte);
        let start = self.line_start(line - 1);
        let before = self.text.get(start..byte.min(self.text.len())).unwrap_or_default();
        (line - 1, before.chars().map(char::len_utf16).sum())
    }

    /// A line, from 1, with its end; empty where there is none.
    pub fn line(&self, line: usize) -> &str {
        let Some(before) = line.checked_sub(1) else { return "" };
        self.text.get(self.line_start(before)..self.line_start(line)).unwrap_or_default()
    }

    fn line_start(&self, line: usize) -> usize {
        self.lines.get(line).copied().unwrap_or(self.text.len())
    }
}

/// Lets miette read a file by its line index; its own `SourceCode` for text scans from the top each time.
impl SourceCode for File {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let end = span.offset().checked_add(span.len()).filter(|end| *end <= self.text.len());
        let end = end.ok_or(MietteError::OutOfBounds)?;
        let line_of = |byte: usize| self.lines.partition_point(|start| *start <= byte) - 1;
        let first = line_of(span.offset()).saturating_sub(before);
        // A span that ends with its line's end does not reach into the next line.
        let last = line_of(end.saturating_sub(1).max(span.offset())) + after;
        // Without lines before it, a span begins at its own column; that is how miette asks for the place itself.
        let (start, column) = match before {
            0 => (span.offset(), self.line_column(span.offset()).1 - 1),
            _ => (self.line_start(first), 0),
        };
        let stop = self.line_start(last + 1);
        let shown = self.shown.get_or_init(|| match covered(&self.text) {
            Cow::Borrowed(_) => None,
            Cow::Owned(shown) => Some(shown),
        });
        let text = shown.as_deref().unwrap_or(&self.text);
        let data = text.as_bytes().get(start..stop).ok_or(MietteError::OutOfBounds)?;
        Ok(Box::new(MietteSpanContents::new_named(
            clean(&self.name).into_owned(),
            data,
            SourceSpan::from((start, stop - start)),
            first,
            column,
            self.lines.len(),
        )))
    }
}

/// All files of a run.
#[derive(Debug, Clone, Default)]
pub struct Files {
    files: Vec<Arc<File>>,
    /// The environment that was asked for, and its file.
    environment: Option<(Arc<str>, FileId)>,
    /// The environments that there are, where that is known.
    environments: Option<Vec<String>>,
}

impl Files {
    /// Adds a file.
    pub fn add(&mut self, file: File) -> FileId {
        self.files.push(Arc::new(file));
        FileId(self.files.len() - 1)
    }

    /// Adds the file of the environment that was asked for.
    pub fn add_environment(&mut self, name: &str, file: File) -> FileId {
        let id = self.add(file);
        self.environment = Some((name.into(), id));
        id
    }

    /// The environment that was asked for, and its file.
    pub fn environment(&self) -> Option<(&str, FileId)> {
        self.environment.as_ref().map(|(name, id)| (&**name, *id))
    }

    /// Says which environments there are.
    pub fn set_environments(&mut self, names: Vec<String>) {
        self.environments = Some(names);
    }

    /// The environments that there are; `None` where nobody looked.
    pub fn environments(&self) -> Option<&[String]> {
        self.environments.as_deref()
    }

    /// The same files with other texts for some of them.
    pub fn with_texts(&self, texts: &BTreeMap<FileId, String>) -> Self {
        let mut files = self.clone();
        for (id, text) in texts {
            let file = &mut files.files[id.0];
            *file = Arc::new(File::new(file.name().clone(), text.clone()));
        }
        files
    }

    /// A file by its id.
    ///
    /// # Panics
    /// When the id comes from another run.
    pub fn get(&self, id: FileId) -> &Arc<File> {
        &self.files[id.0]
    }

    /// Every file with its id, in the order in which they were read.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &Arc<File>)> {
        self.files.iter().enumerate().map(|(at, file)| (FileId(at), file))
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_are_counted_in_characters() {
        let file = File::new("a", "ä = 1\nb = 2\n".to_owned());
        assert_eq!(file.line_column(0), (1, 1));
        assert_eq!(file.line_column(2), (1, 2));
        assert_eq!(file.line_column(7), (2, 1));
        assert_eq!(file.line_column(999), (3, 1));
        assert_eq!(file.line(1), "ä = 1\n");
        assert_eq!((file.line(0), file.line(3), file.line(4)), ("", "", ""));
    }

    #[test]
    fn editors_count_in_utf16_units() {
        let text = "a\n\u{1f600}ü = 1\r\n";
        let file = File::new("a", text.to_owned());
        for (byte, _) in text.char_indices() {
            let (line, column) = file.line_utf16(byte);
            if text.as_bytes()[byte] != b'\n' || byte == 1 {
                assert_eq!(file.byte_at_utf16(line, column), byte);
            }
        }
        assert_eq!(file.line_utf16(text.find('ü').unwrap()), (1, 2));
        assert_eq!(file.byte_at_utf16(1, 99), text.find('\r').unwrap());
        assert_eq!(file.byte_at_utf16(99, 0), text.len());
    }
}
