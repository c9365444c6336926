//! Environment variables of the calling agent, each declared by the tool that reads it.

use std::fmt;

use crate::ToolError;

/// A value that must not be shown: it has no `Display`, and its `Debug` does not print it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for the place that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What a parameter with `#[env("NAME")]` can be: [`String`] or [`Secret`], or an `Option` of either for a variable
/// that the tool can do without.
pub trait FromEnvironment: Sized {
    /// Takes the value; empty counts as absent and arrives as `None`.
    ///
    /// # Errors
    /// When the tool cannot do without the variable and there is none.
    fn from_environment(name: &str, value: Option<String>) -> Result<Self, ToolError>;
}

impl FromEnvironment for Option<String> {
    fn from_environment(_: &str, value: Option<String>) -> Result<Self, ToolError> {
        Ok(value)
    }
}

impl FromEnvironment for Option<Secret> {
    fn from_environment(_: &str, value: Option<String>) -> Result<Self, ToolError> {
        Ok(value.map(Secret))
    }
}

impl FromEnvironment for String {
    fn from_environment(name: &str, value: Option<String>) -> Result<Self, ToolError> {
        value.ok_or_else(|| {
            ToolError::failed(format!(
                "the environment variable `{name}` is not set; set it in the agent's tool variables, or for the server"
            ))
        })
    }
}

impl FromEnvironment for Secret {
    fn from_environment(name: &str, value: Option<String>) -> Result<Self, ToolError> {
        String::from_environment(name, value).map(Self)
    }
}
