//! What follows the calls of a step.

use mneme_domain::{
    MessageId,
    content::ContentPart,
    message::{Message, MessageRole, StoredToolCall, ToolStatus},
    run::StopReason,
    tool::Tool,
};
use serde_json::json;

use super::{
    super::{
        heartbeats,
        rules::{self, Trail},
        tools::ToolRun,
    },
    Next, State, Turn,
};

/// What the model did in a step.
pub(super) struct Said<'a> {
    /// The calls that did not wait, with what they came to.
    pub calls: &'a [StoredToolCall],
    pub runs: &'a [ToolRun],
    /// Whether it neither said nor called anything.
    pub empty: bool,
    /// Whether calls wait for approval.
    pub asks: bool,
    /// Whether the turn may take no further step.
    pub last: bool,
}

/// What follows.
pub(super) struct Followed {
    pub next: Next,
    /// The turn's trail with the step's calls.
    pub trail: Trail,
    /// What the model is told that wanted to end the turn too early.
    pub note: Option<String>,
}

impl Said<'_> {
    pub(super) fn followed(&self, state: &State) -> Followed {
        let rules = &state.agent.tool_rules;
        let mut trail = state.trail.clone();
        if !rules.is_empty() {
            for (call, run) in self.calls.iter().zip(self.runs) {
                trail.push(call, &run.tool_return);
            }
        }
        let go = |next| Followed { next, trail: trail.clone(), note: None };
        if self.asks {
            return go(Next::Stop(StopReason::RequiresApproval));
        }
        if self.empty {
            return go(Next::Stop(StopReason::InvalidLlmResponse));
        }
        let Some(reason) = self.end(state) else {
            return go(if self.last { Next::Stop(StopReason::MaxSteps) } else { Next::Step });
        };
        let names = state.tool_names();
        let missing = rules::missing(rules, &names, &trail);
        if missing.is_empty() {
            return go(Next::Stop(reason));
        }
        if self.last {
            return go(Next::Stop(StopReason::MaxSteps));
        }
        let note = format!("Your tool rules do not let you end your turn yet. First call: {}.", missing.join(", "));
        trail.hold_back();
        Followed { next: Next::Step, trail, note: Some(note) }
    }

    /// How the model ended the turn, if it did.
    fn end(&self, state: &State) -> Option<StopReason> {
        if self.calls.is_empty() {
            return Some(StopReason::EndTurn);
        }
        let went_well = |run: &ToolRun| run.tool_return.status == ToolStatus::Success;
        let mut done = self.calls.iter().zip(self.runs);
        if done.any(|(call, run)| went_well(run) && rules::ends(&state.agent.tool_rules, &call.function.name)) {
            // The answering tool of the older architectures is their way to say "done".
            let answered = self.calls.iter().any(|call| call.function.name == "send_message");
            return Some(if answered { StopReason::EndTurn } else { StopReason::ToolRule });
        }
        // Heartbeats: the model said that it wants no further step. An error always goes back to it.
        let resting = |(call, run): (&StoredToolCall, &ToolRun)| went_well(run) && heartbeats::ends(&state.agent, call);
        let all = self.calls.len() == self.runs.len() && self.calls.iter().zip(self.runs).all(resting);
        all.then_some(StopReason::EndTurn)
    }
}

impl State {
    /// The names that tools are called by.
    pub(super) fn tool_names(&self) -> Vec<&str> {
        self.specs.iter().map(|spec| spec.name.as_str()).collect()
    }

    /// The agent's tool of a name.
    pub(super) fn tool(&self, name: &str) -> Option<&Tool> {
        self.tools.iter().find(|tool| tool.call_name() == name).map(AsRef::as_ref)
    }
}

impl Turn {
    /// A word of the server's to the model, as a message of the step that `beside` belongs to.
    pub(super) fn note(&self, beside: &Message, text: String) -> Message {
        let id = MessageId::from_uuid(self.core.env.uuid());
        let mut note = Message::new(id, self.agent.clone(), MessageRole::User, self.core.env.now());
        note.content = vec![ContentPart::text(json!({"type": "system_alert", "message": text}).to_string())];
        note.step_id.clone_from(&beside.step_id);
        note.run_id.clone_from(&beside.run_id);
        note
    }
}
