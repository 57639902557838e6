//! What a method answers: fields, or an error code with its details. Both travel as HTTP 200 with `ok`.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

/// The outcome of one method call.
pub(super) type Answer = Result<Map<String, Value>, ApiError>;

/// `{"ok": false, "error": code, ..details}`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ApiError {
    pub(super) code: Cow<'static, str>,
    pub(super) details: Map<String, Value>,
}

impl ApiError {
    pub(super) fn new(code: impl Into<Cow<'static, str>>) -> Self {
        Self { code: code.into(), details: Map::new() }
    }

    /// `invalid_arguments` with Slack's way of naming what was wrong.
    pub(super) fn missing_argument(name: &str) -> Self {
        Self::new("invalid_arguments").with_messages(&[format!("[ERROR] missing required field: {name}")])
    }

    pub(super) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.details.insert(key.to_owned(), value.into());
        self
    }

    pub(super) fn with_messages(self, messages: &[String]) -> Self {
        self.with("response_metadata", json!({ "messages": messages }))
    }
}

/// The fields of a JSON object; an empty map for any other value.
pub(super) fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
    }
}

/// The body of an answer.
pub(super) fn body(answer: Answer) -> Value {
    let (ok, mut body) = match answer {
        Ok(fields) => (true, fields),
        Err(error) => {
            let mut body = error.details;
            body.insert("error".to_owned(), Value::String(error.code.into_owned()));
            (false, body)
        }
    };
    body.insert("ok".to_owned(), Value::Bool(ok));
    Value::Object(body)
}
