//! Why a figure could not be had.

use std::fmt;

/// A measure's error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The server does not have what is to be measured.
    Unserved(String),
    /// Something went wrong, so that a figure would mean nothing.
    Broken(String),
}

/// The result of a step.
pub type Result<T = ()> = std::result::Result<T, Failure>;

impl Failure {
    /// For `map_err`: an error while something was done.
    pub fn while_doing<E: fmt::Display>(what: impl fmt::Display) -> impl FnOnce(E) -> Self {
        move |error| Self::Broken(format!("{what}: {error}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unserved(what) => write!(f, "not served: {what}"),
            Self::Broken(why) => f.write_str(why),
        }
    }
}
