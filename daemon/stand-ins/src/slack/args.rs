//! The arguments of a method call, from a JSON body, a form body or the query.

use serde_json::{Map, Value};

use super::answer::ApiError;

/// Named arguments. Forms carry structures as JSON text; JSON bodies may do either.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Args(Map<String, Value>);

impl Args {
    pub(super) fn from_json(body: &[u8]) -> Result<Self, ApiError> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            Ok(_) => Err(ApiError::new("json_not_object")),
            Err(_) => Err(ApiError::new("invalid_json")),
        }
    }

    /// Reads `application/x-www-form-urlencoded`, which is also the query's form.
    pub(super) fn from_form(body: &[u8]) -> Self {
        let pairs = url::form_urlencoded::parse(body);
        Self(pairs.map(|(key, value)| (key.into_owned(), Value::String(value.into_owned()))).collect())
    }

    pub(super) fn or(mut self, others: Self) -> Self {
        for (key, value) in others.0 {
            self.0.entry(key).or_insert(value);
        }
        self
    }

    /// A text, number or boolean as text; an empty text counts as absent.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        match self.0.get(name)? {
            Value::String(text) if text.is_empty() => None,
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    pub(super) fn required(&self, name: &str) -> Result<String, ApiError> {
        self.text(name).ok_or_else(|| ApiError::missing_argument(name))
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        matches!(self.text(name).as_deref(), Some("true" | "1"))
    }

    /// A structure, given as such or as JSON text; `Err` with `unreadable` where the text is not JSON.
    pub(super) fn structure(&self, name: &str, unreadable: &'static str) -> Result<Option<Value>, ApiError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => serde_json::from_str(text).map(Some).map_err(|_| ApiError::new(unreadable)),
            Some(value) => Ok(Some(value.clone())),
        }
    }

    /// All of them, for `api.test`, which echoes.
    pub(super) fn echo(&self) -> Map<String, Value> {
        self.0.iter().filter(|(name, _)| *name != "token").map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}
