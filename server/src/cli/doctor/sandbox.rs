//! The sandbox: a built-in tool is really called in it.

use std::sync::Arc;

use mneme_sandbox::{CallRequest, Grants, Limits};

use super::{Finding, rehearsal::Rehearsal};
use crate::{
    cli::{CommandError, services},
    config::Config,
};

/// The tool that is called.
const TOOL: &str = "memory_insert";

/// Calls a memory tool on an agent that exists for this call only, and looks whether its memory changed.
pub(super) async fn check(config: &Config) -> Finding {
    match rehearse(config).await {
        Ok(duration) => Finding::Good(format!("a built-in tool ran in {:.1} ms", duration.as_secs_f64() * 1e3)),
        Err(error) => Finding::bad(
            error,
            "Tools need memory that may hold machine code and about 4 GiB of address space for each; look at the \
             limits of this user (ulimit -v) and of the container.",
        ),
    }
}

async fn rehearse(config: &Config) -> Result<std::time::Duration, CommandError> {
    let failed = |reason: String| CommandError::new("a built-in tool could not be run", reason);
    let sandbox = services::sandbox(config, None)?;
    let builtins = sandbox.builtin().await.map_err(|error| failed(error.to_string()))?;
    let (guest, _) = builtins.find(TOOL).ok_or_else(|| failed(format!("{TOOL} is missing")))?;
    let agent = Arc::new(Rehearsal::default());
    let request = CallRequest {
        tool: TOOL.to_owned(),
        arguments: r#"{"label": "human", "new_str": "checked"}"#.to_owned(),
        host: Arc::clone(&agent) as _,
        limits: Limits::default(),
        grants: Grants::default(),
        env: Vec::new(),
    };
    let outcome = sandbox.call(guest, request).await;
    outcome.result.map_err(|failure| failed(failure.to_string()))?;
    if agent.memory().contains("checked") { Ok(outcome.duration) } else { Err(failed("it had no effect".into())) }
}
