//! Which keys and words fit a place, and what do they mean?

use serde_json::Value;

/// A key or word that may be written, and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// As it is written, without quotes.
    pub text: String,
    /// What it means.
    pub about: String,
    /// Whether it is written between quotes as a value.
    pub is_text: bool,
}

/// What the schema says, by path.
#[derive(Debug)]
pub struct Words(Value);

impl Words {
    /// The words of a schema.
    pub fn new(schema: Value) -> Self {
        Self(schema)
    }

    /// A node and everything that it may be instead.
    fn alternatives<'a>(&'a self, node: &'a Value, all: &mut Vec<&'a Value>) {
        all.push(node);
        if let Some(target) = node["$ref"].as_str().and_then(|target| self.0.pointer(target.trim_start_matches('#'))) {
            self.alternatives(target, all);
        }
        for key in ["anyOf", "oneOf", "allOf"] {
            for inner in node[key].as_array().into_iter().flatten() {
                self.alternatives(inner, all);
            }
        }
        if node["items"].is_object() {
            // A list takes what its elements take.
            self.alternatives(&node["items"], all);
        }
    }

    fn of<'a>(&'a self, path: &[String]) -> Vec<&'a Value> {
        let mut nodes = Vec::new();
        self.alternatives(&self.0, &mut nodes);
        for part in path {
            let mut next = Vec::new();
            for node in nodes {
                let named = node["properties"].get(part);
                let Some(inner) = named.or_else(|| node.get("additionalProperties").filter(|free| free.is_object()))
                else {
                    continue;
                };
                self.alternatives(inner, &mut next);
            }
            nodes = next;
        }
        nodes
    }

    /// The keys that the table at a path takes.
    pub fn keys(&self, path: &[String]) -> Vec<Word> {
        let properties = self.of(path).into_iter().filter_map(|node| node["properties"].as_object()).flatten();
        let word = |(key, node): (&String, &Value)| Word { text: key.clone(), about: about(node), is_text: false };
        let mut words: Vec<Word> = properties.map(word).collect();
        words.dedup_by(|one, other| one.text == other.text);
        words
    }

    /// The words that the value at a path is one of; none when it is free.
    pub fn values(&self, path: &[String]) -> Vec<Word> {
        let mut words = Vec::new();
        for node in self.of(path) {
            let listed = node["enum"].as_array().into_iter().flatten();
            for value in node.get("const").into_iter().chain(listed) {
                if let Some(text) = value.as_str() {
                    words.push(Word { text: text.to_owned(), about: about(node), is_text: true });
                }
            }
            let is_flag = |kind: &Value| kind == "boolean";
            if is_flag(&node["type"]) || node["type"].as_array().is_some_and(|kinds| kinds.iter().any(is_flag)) {
                words.extend(["true", "false"].map(|text| Word {
                    text: text.to_owned(),
                    about: String::new(),
                    is_text: false,
                }));
            }
        }
        words
    }

    /// What a key means, in Markdown.
    pub fn describe(&self, path: &[String]) -> Option<String> {
        let nodes = self.of(path);
        let mut text = nodes.iter().map(|node| about(node)).find(|text| !text.is_empty())?;
        for word in self.values(path).iter().filter(|word| word.is_text) {
            text += &format!("\n- `{}`: {}", word.text, word.about);
        }
        if let Some(examples) = nodes.iter().find_map(|node| node["examples"].as_array()) {
            let examples: Vec<String> = examples.iter().map(|example| format!("`{example}`")).collect();
            text += &format!("\n\nFor example {}.", examples.join(", "));
        }
        Some(text)
    }
}

fn about(node: &Value) -> String {
    node["description"].as_str().unwrap_or_default().replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(path: &str) -> Vec<String> {
        path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }

    fn texts(words: &[Word]) -> Vec<&str> {
        words.iter().map(|word| word.text.as_str()).collect()
    }

    #[test]
    fn the_schema_says_what_fits() {
        let words = Words::new(crate::syntax::schema());
        assert!(texts(&words.keys(&[])).contains(&"gateway"));
        assert!(texts(&words.keys(&path("rule/main"))).contains(&"numbers"));
        assert!(texts(&words.keys(&path("rule/main/room"))).contains(&"prefix"));
        assert!(texts(&words.keys(&path("nothing/like/it"))).is_empty());
        assert_eq!(texts(&words.values(&path("rule/main/direction"))), ["inbound", "outbound"]);
        assert_eq!(texts(&words.values(&path("rule/main/room/mode"))), ["static", "dynamic"]);
        assert_eq!(texts(&words.values(&path("rule/main/recording"))), ["true", "false"]);
        let about = words.describe(&path("gateway/us/transport")).unwrap();
        assert!(about.contains("`tls`") && about.starts_with("How outbound calls travel"), "{about}");
        assert!(words.describe(&path("gateway/us/address")).unwrap().contains("For example"));
    }

    #[test]
    fn every_key_is_described() {
        let words = Words::new(crate::syntax::schema());
        for table in words.keys(&[]) {
            assert!(!table.about.is_empty(), "{}", table.text);
            for key in words.keys(&[table.text.clone(), "x".to_owned()]) {
                assert!(!key.about.is_empty(), "{}.{}", table.text, key.text);
            }
        }
    }
}
