//! Which names does a pattern stand for?

use std::fmt;

/// A pattern over names, in which `*` stands for any stretch, even an empty one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Glob(String);

impl Glob {
    /// A pattern; every text is one.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether a text holds a `*`, and so is more than a name.
    pub fn is_glob(text: &str) -> bool {
        text.contains('*')
    }

    /// What every name that matches begins with.
    pub fn prefix(&self) -> &str {
        self.0.split('*').next().unwrap_or_default()
    }

    /// Whether a name matches.
    pub fn matches(&self, name: &str) -> bool {
        let mut parts = self.0.split('*');
        let Some(mut rest) = name.strip_prefix(parts.next().unwrap_or_default()) else { return false };
        let Some(last) = parts.next_back() else { return rest.is_empty() };
        for part in parts {
            // The leftmost place is the best one: it leaves most for what follows.
            let Some(at) = rest.find(part) else { return false };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last)
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_stretch() {
        for (glob, name) in [("a-*", "a-1"), ("*", ""), ("a*b*c", "aXbYbc"), ("*-x", "y-x"), ("a", "a"), ("a**", "ab")]
        {
            assert!(Glob::new(glob).matches(name), "{glob} {name}");
        }
        for (glob, name) in [("a-*", "b-1"), ("a", "ab"), ("a*a", "a"), ("a*b*c", "acb"), ("", "x")] {
            assert!(!Glob::new(glob).matches(name), "{glob} {name}");
        }
        assert_eq!(Glob::new("br-*-x").prefix(), "br-");
    }
}
