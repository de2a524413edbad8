//! What does the contract look like as a document?
//!
//! OpenAPI 3.1, whose schemas are JSON Schema as schemars writes it from the very types that carry the calls.

use schemars::JsonSchema;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};

use crate::api::{ApiError, Endpoint, Method, PathParam};

/// The endpoints of which something is not there yet, and is answered with 501.
const PARTIAL: &[&str] = &[
    "CreateCall",
    "CreateInboundGateway",
    "CreateRoom",
    "DispatchAgent",
    "GetPublicKey",
    "SwitchRoom",
    "TransferCall",
    "UpdateInboundGateway",
];

/// The document, while endpoints are added.
pub(super) struct Document {
    generator: SchemaGenerator,
    paths: Map<String, Value>,
}

impl Document {
    pub fn new() -> Self {
        let settings =
            SchemaSettings::draft2020_12().with(|settings| settings.definitions_path = "/components/schemas".into());
        Self { generator: settings.into_generator(), paths: Map::new() }
    }

    /// Adds an endpoint under the name of its type.
    pub fn add<E: Endpoint>(&mut self, name: &str) {
        let mut operation = json!({
            "operationId": name,
            "parameters": self.parameters::<E>(),
            "responses": self.responses::<E>(name),
        });
        if E::HAS_BODY {
            let schema = self.generator.subschema_for::<E::Body>();
            operation["requestBody"] = json!({"required": true, "content": {"application/json": {"schema": schema}}});
        }
        if E::PATH.starts_with(super::PUBLIC) {
            operation["security"] = json!([]);
        }
        let method = match E::METHOD {
            Method::Get => "get",
            Method::Post => "post",
            Method::Patch => "patch",
            Method::Delete => "delete",
        };
        let path = self.paths.entry(E::PATH).or_insert_with(|| json!({}));
        path[method] = operation;
    }

    pub fn finish(mut self) -> Value {
        // Its schema is referred to by name, so it has to be among them.
        let _ = self.generator.subschema_for::<ApiError>();
        let schemas = self.generator.take_definitions(true);
        json!({
            "openapi": "3.1.0",
            "info": {
                "title": "strowger",
                "description": "VideoSDK's SIP REST API, as strowger serves it.",
                "version": env!("CARGO_PKG_VERSION"),
                "license": {"name": "MIT OR Apache-2.0"},
            },
            "security": [{"token": []}],
            "paths": self.paths,
            "components": {
                "schemas": schemas,
                "securitySchemes": {
                    "token": {
                        "type": "apiKey", "in": "header", "name": "Authorization",
                        "description": "A JWT signed with HS256 and the secret of an API key, bare or after `Bearer `.",
                    },
                },
            },
        })
    }

    fn parameters<E: Endpoint>(&mut self) -> Vec<Value> {
        let mut parameters = Vec::new();
        if <E::Path as PathParam>::PRESENT
            && let Some((_, rest)) = E::PATH.rsplit_once('{')
            && let Some((name, _)) = rest.split_once('}')
        {
            parameters.push(json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}));
        }
        // The query is an object only here; on the wire each of its properties is a parameter.
        let query = E::Query::json_schema(&mut self.generator).to_value();
        for (name, schema) in query["properties"].as_object().into_iter().flatten() {
            parameters.push(json!({"name": name, "in": "query", "schema": present(schema)}));
        }
        parameters
    }

    fn responses<E: Endpoint>(&mut self, name: &str) -> Value {
        let reply = self.generator.subschema_for::<E::Reply>();
        let mut responses = Map::new();
        let done = json!({"description": "Done.", "content": {"application/json": {"schema": reply}}});
        responses.insert(E::SUCCESS.to_string(), done);
        let open = E::PATH.starts_with(super::PUBLIC);
        let errors = [
            (400, true, "The request cannot be carried out as it stands."),
            (401, !open, "No valid token."),
            (403, !open, "A valid token without the right."),
            (404, true, "What is named is not there."),
            (409, E::METHOD != Method::Get, "Another request came first; read again and retry."),
            (413, E::HAS_BODY, "The body is too long."),
            (429, !open, "Too many requests with one API key; Retry-After says when to try again."),
            (500, true, "The fault is on this side."),
            (
                501,
                PARTIAL.contains(&name),
                "It is in the contract, and not in this program; the message says what is missing.",
            ),
            (503, true, "The store is locked by another process; try again."),
            (507, E::METHOD != Method::Get, "The store has no room left; nothing was changed."),
        ];
        for (status, _, description) in errors.into_iter().filter(|(_, documented, _)| *documented) {
            let schema = json!({"$ref": "#/components/schemas/ApiError"});
            let response = json!({"description": description, "content": {"application/json": {"schema": schema}}});
            responses.insert(status.to_string(), response);
        }
        Value::Object(responses)
    }
}

/// The schema of a value that may be absent, without the `null` that no query can hold.
fn present(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(types) = schema["type"].as_array_mut() {
        types.retain(|kind| kind != "null");
        if let [kind] = &types[..] {
            schema["type"] = kind.clone();
        }
    }
    if let Some(any) = schema["anyOf"].as_array()
        && let Some(one) = any.iter().find(|one| one["type"] != "null")
    {
        let (one, description) = (one.clone(), schema["description"].clone());
        schema = one;
        schema["description"] = description;
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_yet_is_named_by_its_type() {
        let document = super::super::openapi();
        let operations: Vec<&Value> = document["paths"]
            .as_object()
            .unwrap()
            .values()
            .flat_map(|path| path.as_object().unwrap().values())
            .collect();
        assert_eq!(operations.len(), super::super::ENDPOINTS.len());
        for name in PARTIAL {
            assert!(operations.iter().any(|operation| operation["operationId"] == *name), "{name}");
        }
    }
}
