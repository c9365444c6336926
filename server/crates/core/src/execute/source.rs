//! Tools that users wrote as source text.

use std::{collections::BTreeMap, sync::Arc};

use mneme_domain::{
    Actor, AgentId, JsonObject, ToolId,
    agent::Include,
    tool::{CreateTool, Requirement},
};
use mneme_macros::boxed;
use mneme_sandbox::{Action, Language, Mount, Program, Raised, ScriptFailure, ScriptRequest, ToolHost};
use mneme_toolsource::Language as Source;

use super::{
    Answer, Call, Nobody, arguments,
    powers::{Asks, Powers, mentions, withheld},
    program,
};
use crate::{Core, CoreError, Result, packages};

/// What a traceback calls a Python tool's file.
const PYTHON_FILE: &str = "tool.py";

/// A tool to be run without being kept.
#[derive(Debug, Clone)]
pub struct SourceRun {
    /// The tool.
    pub tool: CreateTool,
    /// Its name, when it is not to be derived.
    pub name: Option<String>,
    /// Its arguments.
    pub arguments: JsonObject,
    /// Its environment variables.
    pub variables: BTreeMap<String, String>,
}

#[boxed]
impl Core {
    /// Runs a tool from its source.
    ///
    /// # Errors
    /// 400 when the source does not say how to call it.
    pub async fn run_source(self: &Arc<Self>, actor: &Actor, run: SourceRun) -> Result<Answer> {
        let schema = self.schema_of(&run.tool, run.name.as_deref()).await?;
        let mut tool = crate::tools::fresh(ToolId::from_uuid(self.env.uuid()), actor);
        let named = schema.get("name").and_then(serde_json::Value::as_str).map(str::to_owned);
        tool.name = run.name.or(named);
        tool.json_schema = Some(schema);
        tool.pip_requirements = crate::tools::requirements(run.tool.pip_requirements.as_deref())?;
        tool.npm_requirements = crate::tools::requirements(run.tool.npm_requirements.as_deref())?;
        tool.source_type = run.tool.source_type;
        tool.source_code = Some(run.tool.source_code);
        let arguments = serde_json::Value::Object(run.arguments).to_string();
        let host: Arc<dyn ToolHost> = Arc::new(Nobody::new(self.clone(), actor.clone()));
        let variables = run.variables.into_iter().collect();
        Ok(self
            .execute(Call { actor, agent: None, step: None, tool: &tool, arguments: &arguments, host, variables })
            .await)
    }

    pub(super) async fn run_source_tool(self: &Arc<Self>, call: &Call<'_>) -> Answer {
        let name = call.tool.call_name();
        let Some(source) = &call.tool.source_code else {
            return Answer::refused(format!("The tool {name} has no source code, so it cannot be run."));
        };
        let ran = match crate::tools::language(call.tool.source_type.as_deref()) {
            Ok(Source::Python) => self.run_python(call, source).await,
            Ok(Source::TypeScript) => self.run_typescript(call, source).await,
            Err(_) => return Answer::refused(format!("The tool {name} is written in a language that cannot be run.")),
        };
        ran.unwrap_or_else(|error| {
            tracing::warn!(tool = %call.tool.id, %error, "a tool could not be run");
            Answer::refused(format!("The tool {name} could not be run: {error}"))
        })
    }

    async fn run_python(self: &Arc<Self>, call: &Call<'_>, source: &str) -> Result<Answer> {
        let name = call.tool.call_name();
        let Powers { limits, mut grants, env, withheld: missed, .. } = self.powers(call, Asks::Anything).await?;
        let mut wanted = requirements(call.tool.pip_requirements.as_deref());
        wanted.retain(|package| !packages::is_in_runtime(package));
        let mut fetched = None;
        if !wanted.is_empty() {
            let folder = self.packages.python(&wanted).await.map_err(CoreError::Unavailable)?;
            grants.folders.push(Mount::packages(folder.clone()));
            fetched = Some(folder);
        }
        // The function may be called otherwise than the tool: only its author's schema says so.
        let function = crate::tools::entry_point(Source::Python, source).await.unwrap_or_else(|| name.to_owned());
        let asks = source.contains("agent_state") || takes_self(source, &function);
        let program = Program {
            source: mneme_toolsource::dedented(source).into_owned(),
            filename: PYTHON_FILE.into(),
            action: Action::Call { function, arguments: call.arguments.to_owned() },
            env,
            agent_state: if asks { self.agent_state(call).await? } else { None },
        };
        let request = ScriptRequest { program, host: call.host.clone(), limits, grants };
        Ok(match self.sandbox.run_script(Language::Python, request).await {
            Ok(mut outcome) => {
                outcome.denials.extend(withheld(&missed, |variable| mentions(source, variable)));
                if let (Some(folder), Err(ScriptFailure::Raised(raised))) = (&fetched, &mut outcome.result)
                    && lacks_something(raised)
                    && let Some(versions) = packages::versions(folder, &wanted)
                {
                    raised.message.push_str(&versions);
                }
                program::answer(name, "None", outcome)
            }
            Err(error) => program::no_runtime(name, &error),
        })
    }

    async fn run_typescript(self: &Arc<Self>, call: &Call<'_>, source: &str) -> Result<Answer> {
        let name = call.tool.call_name();
        let Powers { limits, grants, env, withheld: missed, .. } = self.powers(call, Asks::Anything).await?;
        let parameters = call.tool.json_schema.as_ref().and_then(|schema| schema.get("parameters"));
        let arguments = match parameters.map(|parameters| arguments::fitted(parameters, call.arguments)) {
            None => call.arguments.to_owned(),
            Some(Ok(arguments)) => arguments,
            Some(Err(problems)) => return Ok(Answer::refused(format!("Error executing function {name}: {problems}"))),
        };
        let function = crate::tools::entry_point(Source::TypeScript, source).await.unwrap_or_else(|| name.to_owned());
        let script = match self.compile_script(source).await {
            Ok(script) => script,
            Err(reason) => return Ok(Answer::refused(format!("Error executing function {name}: {reason}"))),
        };
        let wanted = requirements(call.tool.npm_requirements.as_deref());
        let bundle = match wanted.is_empty() {
            true => None,
            false => Some(self.packages.npm(&wanted, &script.imports()).await.map_err(CoreError::Unavailable)?),
        };
        let asks = source.contains("agent_state") || source.contains("agentState");
        let program = Program {
            source: script.with_packages(bundle.as_deref()),
            filename: script.file().into(),
            action: Action::Call { function, arguments },
            env,
            agent_state: if asks { self.agent_state(call).await? } else { None },
        };
        let request = ScriptRequest { program, host: call.host.clone(), limits, grants };
        Ok(match self.sandbox.run_script(Language::JavaScript, request).await {
            Ok(mut outcome) => {
                outcome.denials.extend(withheld(&missed, |variable| mentions(source, variable)));
                program::answer(name, "undefined", script.restored(outcome, source))
            }
            Err(error) => program::no_runtime(name, &error),
        })
    }

    /// The calling agent as JSON, for programs that ask for it.
    async fn agent_state(self: &Arc<Self>, call: &Call<'_>) -> Result<Option<String>> {
        let Some(agent) = call.agent else { return Ok(None) };
        let include = Include { secrets: false, ..Include::ALL };
        let state = self.get_agent(call.actor, agent, include).await?;
        let mut state = serde_json::to_value(&state).map_err(|error| CoreError::Internal(error.to_string()))?;
        self.put_working_memory(call, agent, &mut state).await;
        Ok(Some(state.to_string()))
    }

    /// Memory as this step of the agent sees it, which may not be written yet.
    async fn put_working_memory(&self, call: &Call<'_>, agent: &AgentId, state: &mut serde_json::Value) {
        let Ok(current) = call.host.blocks().await else { return };
        let blocks = state.pointer_mut("/memory/blocks").and_then(serde_json::Value::as_array_mut);
        let Some(blocks) = blocks else {
            tracing::error!(%agent, "an agent has no memory");
            return;
        };
        for block in blocks {
            let label = block.get("label").and_then(serde_json::Value::as_str);
            if let Some(now) = current.iter().find(|one| Some(one.label.as_str()) == label) {
                block["value"] = now.value.as_str().into();
            }
        }
    }
}

/// Whether a function of the source is written like a method of its agent.
fn takes_self(source: &str, function: &str) -> bool {
    let head = format!("def {function}(");
    source.split(head.as_str()).skip(1).any(|rest| {
        let rest = rest.trim_start().strip_prefix("self");
        rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
    })
}

/// Whether a program used what a module of its packages does not have.
fn lacks_something(raised: &Raised) -> bool {
    match raised.name.as_str() {
        "ImportError" => raised.message.contains(Mount::PACKAGES),
        "AttributeError" => raised.message.starts_with("module '"),
        _ => false,
    }
}

/// The packages of a tool. What cannot be read was never accepted.
fn requirements(stored: Option<&[serde_json::Value]>) -> Vec<Requirement> {
    stored.unwrap_or_default().iter().filter_map(|value| serde_json::from_value(value.clone()).ok()).collect()
}
