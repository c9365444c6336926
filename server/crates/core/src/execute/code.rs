//! `run_code`: a program that the model wrote, run once and forgotten.

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_STANDARD};
use mneme_domain::message::ToolStatus;
use mneme_sandbox::{
    Action, Display, Language, Program, Raised, ScriptFailure, ScriptOutcome, ScriptRequest, ToolSpec,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Answer, Call, RUN_CODE,
    powers::{Asks, Powers},
    program,
};
use crate::{Core, Result};

/// What a traceback calls the program.
const CELL: &str = "<cell>";
/// Modules that only the runtime for data science has, of those that models know best.
const LIBRARIES: [&str; 10] =
    ["matplotlib", "networkx", "numpy", "pandas", "PIL", "scipy", "seaborn", "sklearn", "statsmodels", "sympy"];

/// How a model calls the tool.
pub fn run_code_spec() -> ToolSpec {
    let language = json!({
        "type": "string",
        "enum": ["python", "js", "ts"],
        "description": "What the code is written in.",
    });
    let code = json!({ "type": "string", "description": "The code: a whole program." });
    ToolSpec {
        name: RUN_CODE.into(),
        description:
            "Runs a program in a fresh sandbox and shows what it printed and the value of its last expression. \
                      It can send requests to public web addresses. Nothing is kept from one call to the next."
                .into(),
        parameters: json!({
            "type": "object",
            "properties": { "code": code, "language": language },
            "required": ["code", "language"],
        }),
        capabilities: Vec::new(),
    }
}

#[derive(Deserialize)]
struct Arguments {
    code: String,
    language: String,
}

/// What the model gets to read.
#[derive(Serialize)]
struct Report {
    results: Vec<Value>,
    logs: Logs,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Value>,
}

#[derive(Serialize)]
struct Logs {
    stdout: Vec<String>,
    stderr: Vec<String>,
}

impl Core {
    pub(super) async fn run_code(self: &Arc<Self>, call: &Call<'_>) -> Answer {
        let Arguments { code, language } = match serde_json::from_str(call.arguments) {
            Ok(arguments) => arguments,
            Err(error) => return Answer::refused(format!("run_code needs `code` and `language`, both text: {error}")),
        };
        let ran = match language.to_ascii_lowercase().as_str() {
            "python" => {
                // The one with the libraries of data science, where the operator installed it.
                let has_data = self.sandbox.has_runtime(Language::PythonData);
                let language = if has_data { Language::PythonData } else { Language::Python };
                self.run_cell(call, language, &code).await
            }
            "js" | "javascript" | "ts" | "typescript" => self.run_cell(call, Language::JavaScript, &code).await,
            other => {
                let known = "python, js and ts";
                return Answer::refused(format!("run_code cannot run {other:?} here; it runs {known}."));
            }
        };
        ran.unwrap_or_else(|error| {
            tracing::warn!(%error, "a program could not be run");
            Answer::refused(format!("The program could not be run: {error}"))
        })
    }

    async fn run_cell(self: &Arc<Self>, call: &Call<'_>, language: Language, code: &str) -> Result<Answer> {
        let Powers { limits, grants, env, .. } = self.powers(call, Asks::Anything).await?;
        let script = match language {
            Language::Python | Language::PythonData => None,
            Language::JavaScript => match self.compile_script(code).await {
                Ok(script) => Some(script),
                Err(reason) => return Ok(report(syntax_error(&reason))),
            },
        };
        let program = Program {
            source: script.as_ref().map_or_else(|| code.to_owned(), |script| script.with_packages(None)),
            filename: script.as_ref().map_or(CELL, |script| script.file()).into(),
            action: Action::Evaluate,
            env,
            agent_state: None,
        };
        let request = ScriptRequest { program, host: call.host.clone(), limits, grants };
        Ok(match self.sandbox.run_script(language, request).await {
            Ok(outcome) => of_outcome(
                language,
                match &script {
                    Some(script) => script.restored(outcome, code),
                    None => outcome,
                },
            ),
            Err(error) => program::no_runtime(RUN_CODE, &error),
        })
    }
}

fn syntax_error(reason: &str) -> Report {
    let error = json!({ "name": "SyntaxError", "value": reason.trim_start_matches("SyntaxError: "), "traceback": "" });
    Report { results: Vec::new(), logs: Logs { stdout: Vec::new(), stderr: Vec::new() }, error: Some(error) }
}

/// What to do about a module that is not there but could be.
fn installable(language: Language, raised: &Raised) -> Option<String> {
    if language != Language::Python || raised.name != "ModuleNotFoundError" {
        return None;
    }
    let module = raised.message.strip_prefix("No module named '")?.split(['.', '\'']).next()?;
    let name = Language::PythonData.name();
    LIBRARIES.contains(&module).then(|| {
        format!(" (the {name} runtime has it and is not installed; run `mneme runtimes install {name}` on the server)")
    })
}

fn of_outcome(language: Language, outcome: ScriptOutcome) -> Answer {
    let ScriptOutcome { result, displays, stdout, stderr, denials, .. } = outcome;
    let mut results: Vec<Value> = displays.iter().map(shown).collect();
    let error = match result {
        Ok(None) => None,
        Ok(Some(value)) => {
            results.push(value.text.into());
            None
        }
        Err(ScriptFailure::Raised(raised)) => {
            let hint = program::denied(&denials).or_else(|| installable(language, &raised)).unwrap_or_default();
            let value = format!("{}{hint}", raised.message);
            Some(json!({ "name": raised.name, "value": value, "traceback": raised.traceback }))
        }
        Err(other) => Some(json!({ "name": "Stopped", "value": other.to_string(), "traceback": "" })),
    };
    let mut answer = report(Report { results, logs: Logs { stdout: stdout.clone(), stderr: stderr.clone() }, error });
    (answer.stdout, answer.stderr, answer.denials) = (stdout, stderr, denials);
    answer
}

fn shown(display: &Display) -> Value {
    let text =
        if display.media_type.starts_with("text/") { String::from_utf8(display.data.clone()).ok() } else { None };
    let data = text.unwrap_or_else(|| BASE64_STANDARD.encode(&display.data));
    json!({ display.media_type.as_str(): data })
}

fn report(report: Report) -> Answer {
    let status = if report.error.is_some() { ToolStatus::Error } else { ToolStatus::Success };
    match serde_json::to_string(&report) {
        Ok(text) => {
            Answer { status, text, stdout: report.logs.stdout, stderr: report.logs.stderr, denials: Vec::new() }
        }
        Err(error) => Answer::refused(error.to_string()),
    }
}
