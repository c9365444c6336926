//! Errors of a chore: a sentence for whoever ran it. And running programs, which is what mostly fails.

use std::fmt;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

/// Why a chore was not done.
#[derive(Debug)]
pub struct Failure(String);

/// The result of a step.
pub type Done<T = ()> = Result<T, Failure>;

impl Failure {
    /// A failure with a sentence.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }

    /// For `map_err`: a failed file operation, with the file.
    pub fn at(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |error| Self(format!("{}: {error}", path.display()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Runs a program that talks to the user itself.
pub fn run(command: &mut Command) -> Done {
    let status = command.status().map_err(|error| unstartable(command, &error))?;
    match status.success() {
        true => Ok(()),
        false => Err(Failure(format!("{} ended with {status}", shown(command)))),
    }
}

/// Runs a program for its output; what it says on standard error is part of a failure.
pub fn output(command: &mut Command) -> Done<String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| unstartable(command, &error))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    Err(Failure(format!(
        "{} ended with {}: {}",
        shown(command),
        output.status,
        String::from_utf8_lossy(&output.stderr).trim()
    )))
}

fn unstartable(command: &Command, error: &io::Error) -> Failure {
    Failure(format!("cannot run {}: {error}", shown(command)))
}

fn shown(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    format!("`{}`", words.join(" "))
}
