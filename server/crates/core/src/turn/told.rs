//! What a request says about the model calls of its turn only: another system prompt, skills, reasoning, probabilities.
//! Nothing of it is kept with the agent: the prompt that is written there stays what memory makes of it.

use std::fmt::Write as _;

use mneme_domain::request::{ClientSkill, SendRequest};
use mneme_llm::ChatRequest;

/// What stands before the skills of a client.
const SKILLS: &str = "\
The one who wrote to you has these skills at hand. Read the instructions at a skill's location before you use it.";

/// Other tokens at a place that providers tell at most.
const OTHERS: u8 = 20;

/// How the model calls of one turn differ from the agent's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// What stands in the place of the system prompt.
    instead: Option<String>,
    /// What stands behind it.
    beside: String,
    /// Whether a model that reasons by choice is asked not to.
    plain: bool,
    /// Whether log probabilities are wanted, and how many others at each place.
    logprobs: Option<u8>,
}

impl Told {
    /// What a request says. An empty prompt is none.
    pub fn of(request: &SendRequest) -> Self {
        Self {
            instead: request.override_system.clone().filter(|text| !text.trim().is_empty()),
            beside: skills(request.client_skills.as_deref().unwrap_or_default()),
            // Clients send `true` by default, so that asks for nothing.
            plain: request.enable_thinking == Some(false),
            logprobs: (request.return_logprobs == Some(true)).then(|| request.top_logprobs.unwrap_or(0).min(OTHERS)),
        }
    }

    /// The prompt that the model gets where the agent's own is `written`.
    pub fn over(&self, written: String) -> String {
        match &self.instead {
            Some(text) => text.clone(),
            None if self.beside.is_empty() => written,
            None => format!("{written}\n\n{}", self.beside),
        }
    }

    /// Whether log probabilities are wanted.
    pub fn asks_for_logprobs(&self) -> bool {
        self.logprobs.is_some()
    }

    /// Writes what is no text into a request.
    pub fn apply(&self, request: &mut ChatRequest) {
        request.logprobs = self.logprobs;
        if self.plain {
            request.params.enable_reasoner = false;
        }
    }
}

/// The section with the client's skills; empty without any.
fn skills(given: &[ClientSkill]) -> String {
    if given.is_empty() {
        return String::new();
    }
    let mut text = format!("<available_skills>\n{SKILLS}\n");
    for ClientSkill { name, description, location } in given {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "- {} ({}): {}", line(name), line(location), line(description));
    }
    text.push_str("</available_skills>");
    text
}

/// A text in one line.
fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
