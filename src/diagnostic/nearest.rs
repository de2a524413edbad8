//! Which known word did the user mean?

/// The longest text that is taken for a misspelt word, in bytes.
const LENGTH_MAX: usize = 256;

/// The known word nearest to a text, if one is near enough to be meant.
pub fn nearest<'a>(text: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = text.len();
    known
        .into_iter()
        // Words whose lengths differ that much cannot be near. Texts from users have no end, and the comparison
        // takes the product of both lengths.
        .filter(|word| length <= LENGTH_MAX && length.min(word.len()) * 2 >= length.max(word.len()))
        .map(|word| (strsim::normalized_damerau_levenshtein(text, word), word))
        // Below about two thirds alike, a suggestion misleads more often than it helps.
        .filter(|(likeness, _)| *likeness >= 0.6)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_suggested_only_when_it_is_near() {
        assert_eq!(nearest("gatway", ["gateway", "number"]), Some("gateway"));
        assert_eq!(nearest("zzz", ["gateway", "number"]), None);
    }
}
