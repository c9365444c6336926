//! The types of settings: read from environment variables, written as TOML.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};

/// A type that a setting may have.
pub(super) trait Setting: Sized {
    /// Reads the text of an environment variable; the error says what is wrong with it.
    fn parse(text: &str) -> Result<Self, String>;
    /// The value in TOML, `None` when there is none to show.
    fn toml(&self) -> Option<String>;
}

macro_rules! numbers {
    ($($kind:ty),*) => {$(
        impl Setting for $kind {
            fn parse(text: &str) -> Result<Self, String> {
                let digits = text.trim().replace('_', "");
                digits.parse().map_err(|_| format!("'{text}' is not a whole number from 0 to {}", <$kind>::MAX))
            }

            fn toml(&self) -> Option<String> {
                Some(self.to_string())
            }
        }
    )*};
}

numbers!(u16, u32, u64, usize);

impl Setting for String {
    fn parse(text: &str) -> Result<Self, String> {
        Ok(text.trim().to_owned())
    }

    fn toml(&self) -> Option<String> {
        Some(toml::Value::String(self.clone()).to_string())
    }
}

impl Setting for bool {
    fn parse(text: &str) -> Result<Self, String> {
        match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" => Ok(false),
            _ => Err(format!("'{text}' is neither true nor false")),
        }
    }

    fn toml(&self) -> Option<String> {
        Some(self.to_string())
    }
}

/// Separated by commas; a JSON list of strings works too.
impl Setting for Vec<String> {
    fn parse(text: &str) -> Result<Self, String> {
        if text.trim_start().starts_with('[') {
            return serde_json::from_str(text).map_err(|_| format!("'{text}' is not a list of strings"));
        }
        Ok(text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect())
    }

    fn toml(&self) -> Option<String> {
        Some(toml::Value::Array(self.iter().cloned().map(toml::Value::String).collect()).to_string())
    }
}

impl Setting for PathBuf {
    fn parse(text: &str) -> Result<Self, String> {
        Ok(expand(Path::new(text)))
    }

    fn toml(&self) -> Option<String> {
        let home = std::env::home_dir().filter(|home| !home.as_os_str().is_empty());
        match home.and_then(|home| self.strip_prefix(home).ok().map(|rest| Path::new("~").join(rest))) {
            Some(short) => short.display().to_string().toml(),
            None => self.display().to_string().toml(),
        }
    }
}

impl<T: Setting> Setting for Option<T> {
    fn parse(text: &str) -> Result<Self, String> {
        T::parse(text).map(Some)
    }

    fn toml(&self) -> Option<String> {
        self.as_ref().and_then(T::toml)
    }
}

/// Replaces a leading `~` by the home directory.
pub(super) fn expand(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), std::env::home_dir()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}

/// `~/.mneme`, or `.mneme` where there is no home.
pub(super) fn default_data_dir() -> PathBuf {
    std::env::home_dir().unwrap_or_default().join(".mneme")
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Setting for LogFormat {
    fn parse(text: &str) -> Result<Self, String> {
        match text.trim().to_ascii_lowercase().as_str() {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(format!("'{text}' is neither text nor json")),
        }
    }

    fn toml(&self) -> Option<String> {
        Some(match self {
            Self::Text => "\"text\"".to_owned(),
            Self::Json => "\"json\"".to_owned(),
        })
    }
}

/// What becomes of a message for an agent that is busy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Busy {
    /// It waits for its turn.
    Queue,
    /// It is refused.
    Reject,
}

impl Setting for Busy {
    fn parse(text: &str) -> Result<Self, String> {
        match text.trim().to_ascii_lowercase().as_str() {
            "queue" => Ok(Self::Queue),
            "reject" => Ok(Self::Reject),
            _ => Err(format!("'{text}' is neither queue nor reject")),
        }
    }

    fn toml(&self) -> Option<String> {
        Some(match self {
            Self::Queue => "\"queue\"".to_owned(),
            Self::Reject => "\"reject\"".to_owned(),
        })
    }
}

/// Whether something is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Permission {
    /// It depends on who can reach the server.
    Auto,
    /// It is.
    Yes,
    /// It is not.
    No,
}

impl Setting for Permission {
    fn parse(text: &str) -> Result<Self, String> {
        match text.trim().to_ascii_lowercase().as_str() {
            "auto" => Ok(Self::Auto),
            "yes" | "true" | "1" | "on" => Ok(Self::Yes),
            "no" | "false" | "0" | "off" => Ok(Self::No),
            _ => Err(format!("'{text}' is neither auto nor yes nor no")),
        }
    }

    fn toml(&self) -> Option<String> {
        Some(match self {
            Self::Auto => "\"auto\"".to_owned(),
            Self::Yes => "\"yes\"".to_owned(),
            Self::No => "\"no\"".to_owned(),
        })
    }
}

/// A value that is never shown.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The text itself. Keep it out of logs, errors and answers.
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }

    /// The secret for other crates.
    pub fn inner(&self) -> &SecretString {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

impl Setting for Secret {
    fn parse(text: &str) -> Result<Self, String> {
        Ok(Self::new(text))
    }

    fn toml(&self) -> Option<String> {
        None
    }
}

/// Where the data is. `Debug` and `Display` leave the credentials out.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// A SQLite file.
    pub fn sqlite(path: &Path) -> Self {
        Self(format!("sqlite://{}", path.display()))
    }

    /// The whole URL, credentials included.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether it is a SQLite file.
    pub fn is_sqlite(&self) -> bool {
        self.0.starts_with("sqlite:")
    }
}

impl TryFrom<String> for DatabaseUrl {
    type Error = String;

    /// Takes `sqlite:…` and `postgres…://…`; a driver as in `postgresql+asyncpg://` is dropped.
    fn try_from(text: String) -> Result<Self, String> {
        let text = text.trim();
        if text.starts_with("sqlite:") {
            return Ok(Self(text.to_owned()));
        }
        let (scheme, rest) = text.split_once("://").ok_or("a database URL starts with sqlite: or postgres://")?;
        match scheme.split('+').next() {
            Some("postgres" | "postgresql") => Ok(Self(format!("postgres://{rest}"))),
            _ => Err(format!("the database scheme '{scheme}' is neither sqlite nor postgres")),
        }
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match url::Url::parse(&self.0) {
            Ok(mut url) if !self.is_sqlite() => {
                // A URL that takes no credentials has none to hide.
                let _ = url.set_username("");
                let _ = url.set_password(None);
                url.set_query(None);
                write!(f, "{url}")
            }
            _ if self.is_sqlite() => f.write_str(&self.0),
            _ => f.write_str("postgres://…"),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Setting for DatabaseUrl {
    fn parse(text: &str) -> Result<Self, String> {
        Self::try_from(text.to_owned())
    }

    fn toml(&self) -> Option<String> {
        self.to_string().toml()
    }
}
