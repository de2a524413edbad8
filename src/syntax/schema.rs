//! What may a configuration look like, for an editor?

use schemars::generate::SchemaSettings;

use super::tables::RootTable;

/// The JSON Schema (draft 2020-12) of a configuration file, from the same tables that read it.
pub fn schema() -> serde_json::Value {
    let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<RootTable>();
    let mut value = schema.to_value();
    if let Some(object) = value.as_object_mut() {
        object.insert("title".to_owned(), "strowger configuration".into());
        // Tables are defaults-free: `{}` is what an absent `[gateway.*]` means, and no table is required.
        object.remove("required");
    }
    value
}
