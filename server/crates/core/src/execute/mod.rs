//! Runs a tool, whatever it is made of. Nothing that a tool does wrong is an error here: it becomes the answer, in
//! words for the model that called.

mod arguments;
mod code;
mod component;
mod direct;
mod javascript;
mod mcp;
mod nobody;
#[cfg(feature = "extism")]
mod plugin;
mod powers;
mod program;
mod source;
mod uploads;

use std::sync::Arc;

use mneme_domain::{
    Actor, AgentId, EntityId, RunId, StepId,
    message::ToolStatus,
    policy::Denial,
    tool::{Tool, ToolType},
};
use mneme_macros::boxed;
use mneme_memo::{Bounds, Memo};
use mneme_sandbox::ToolHost;
use mneme_store::denials;

pub use code::run_code_spec;
pub use nobody::Nobody;
#[cfg(feature = "extism")]
pub use plugin::{PluginNetwork, plugin_limits};
pub use source::SourceRun;
pub use uploads::Uploads;

use crate::Core;

/// The built-in tool that runs a model's own programs.
pub const RUN_CODE: &str = "run_code";

/// Files ready to run, by source.
pub type Scripts = Memo<String, Arc<javascript::Script>>;

/// An empty cache.
pub fn scripts() -> Scripts {
    const SCRIPTS: u64 = 256;
    Memo::new(Bounds::of(SCRIPTS))
}

/// One call of a tool.
pub struct Call<'a> {
    /// Whose it is.
    pub actor: &'a Actor,
    /// The agent that calls; none when a person tries the tool.
    pub agent: Option<&'a AgentId>,
    /// The run and its step that make the call.
    pub step: Option<(&'a RunId, &'a StepId)>,
    /// The tool.
    pub tool: &'a Tool,
    /// A JSON object as text.
    pub arguments: &'a str,
    /// Answers what the tool asks of the host.
    pub host: Arc<dyn ToolHost>,
    /// Environment variables given for this call alone; they go before those of the agent.
    pub variables: Vec<(String, String)>,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Whether it went well.
    pub status: ToolStatus,
    /// The value, or what went wrong.
    pub text: String,
    /// Standard output: empty, or one text.
    pub stdout: Vec<String>,
    /// Standard error, with the traceback of an exception.
    pub stderr: Vec<String>,
    /// What the tool tried without having the power to.
    pub denials: Vec<Denial>,
}

impl Answer {
    /// A call that was not made.
    pub fn refused(text: impl Into<String>) -> Self {
        Self {
            status: ToolStatus::Error,
            text: text.into(),
            stdout: Vec::new(),
            stderr: Vec::new(),
            denials: Vec::new(),
        }
    }
}

#[boxed]
impl Core {
    /// Runs one call.
    pub async fn execute(self: &Arc<Self>, call: Call<'_>) -> Answer {
        let answer = match call.tool.tool_type {
            ToolType::Custom if call.tool.is_uploaded() => self.run_upload(&call).await,
            ToolType::Custom => self.run_source_tool(&call).await,
            kind if kind.is_builtin() && call.tool.call_name() == RUN_CODE => self.run_code(&call).await,
            kind if kind.is_builtin() => self.run_builtin(&call).await,
            ToolType::ExternalMcp => self.run_mcp(&call).await,
            other => {
                let name = call.tool.call_name();
                Answer::refused(format!("The tool {name} is of type {}, which this server cannot run.", other.as_str()))
            }
        };
        for denial in &answer.denials {
            tracing::info!(
                tool = %call.tool.id, agent = call.agent.map(EntityId::as_str), capability = %denial.capability,
                "a tool was refused something"
            );
        }
        self.keep_denials(&call, &answer.denials).await;
        answer
    }

    /// Writes down what a call was refused. The call is over, whether or not that works.
    async fn keep_denials(&self, call: &Call<'_>, refused: &[Denial]) {
        if refused.is_empty() {
            return;
        }
        let place = denials::Place {
            tool: &call.tool.id,
            agent: call.agent,
            run: call.step.map(|(run, _)| run),
            step: call.step.map(|(_, step)| step),
        };
        let kept = async {
            let mut tx = self.store.write().await?;
            denials::add(&mut tx, call.actor, &place, refused).await?;
            tx.commit().await
        };
        if let Err(error) = kept.await {
            tracing::warn!(tool = %call.tool.id, %error, "a tool's refusals could not be kept");
        }
    }
}
