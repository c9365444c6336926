//! Rules about which tools an agent may call when. The type names are the API's.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::JsonObject;

/// A child of a rule with arguments that its call must carry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ToolCallNode {
    /// The tool.
    pub name: String,
    /// Arguments filled in for the model.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub args: Option<JsonObject>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToolRule {
    /// Must be the first tool called in a turn.
    #[serde(alias = "InitToolRule", alias = "init")]
    RunFirst {
        tool_name: String,
        #[serde(default)]
        prompt_template: Option<String>,
        #[serde(default)]
        #[schema(value_type = Option<Object>)]
        args: Option<JsonObject>,
    },
    /// Ends the turn once it has run.
    #[serde(alias = "TerminalToolRule")]
    ExitLoop {
        tool_name: String,
        #[serde(default)]
        prompt_template: Option<String>,
    },
    /// Keeps the turn going once it has run.
    #[serde(alias = "ContinueToolRule")]
    ContinueLoop {
        tool_name: String,
        #[serde(default)]
        prompt_template: Option<String>,
    },
    /// Only these tools may follow it.
    #[serde(alias = "ToolRule")]
    ConstrainChildTools {
        tool_name: String,
        #[serde(default)]
        prompt_template: Option<String>,
        children: Vec<String>,
        #[serde(default)]
        child_arg_nodes: Option<Vec<ToolCallNode>>,
    },
    /// These tools may only be called right after it.
    #[serde(alias = "parent")]
    ParentLastTool {
        tool_name: String,
        #[serde(default)]
        prompt_template: Option<String>,
        children: Vec<String>,
    },
    /// What follows depends on what it returned.
    Conditional {
        tool_name: String,
        #[serde(default)]
        prompt_template: Option<String>,
        #[serde(default)]
        default_child: Option<String>,
        #[schema(value_type = Object)]
        child_output_mapping: serde_json::Map<String, Value>,
        #[serde(default)]
        require_output_mapping: bool,
    },
    /// May be called only so often in a turn.
    MaxCountPerStep {
        tool_name: String,
        #[serde(default)]
        prompt_template: Option<String>,
        max_count_limit: u32,
    },
    /// Must have been called before the turn may end.
    RequiredBeforeExit {
        tool_name: String,
        #[serde(default)]
        prompt_template: Option<String>,
    },
    /// A person must approve each call.
    RequiresApproval {
        tool_name: String,
        #[serde(default)]
        prompt_template: Option<String>,
    },
}

impl ToolRule {
    /// The tool that the rule is about.
    pub fn tool_name(&self) -> &str {
        match self {
            Self::RunFirst { tool_name, .. }
            | Self::ExitLoop { tool_name, .. }
            | Self::ContinueLoop { tool_name, .. }
            | Self::ConstrainChildTools { tool_name, .. }
            | Self::ParentLastTool { tool_name, .. }
            | Self::Conditional { tool_name, .. }
            | Self::MaxCountPerStep { tool_name, .. }
            | Self::RequiredBeforeExit { tool_name, .. }
            | Self::RequiresApproval { tool_name, .. } => tool_name,
        }
    }

    /// How the rule is to be told to the model, in its author's words.
    pub fn prompt_template(&self) -> Option<&str> {
        match self {
            Self::RunFirst { prompt_template, .. }
            | Self::ExitLoop { prompt_template, .. }
            | Self::ContinueLoop { prompt_template, .. }
            | Self::ConstrainChildTools { prompt_template, .. }
            | Self::ParentLastTool { prompt_template, .. }
            | Self::Conditional { prompt_template, .. }
            | Self::MaxCountPerStep { prompt_template, .. }
            | Self::RequiredBeforeExit { prompt_template, .. }
            | Self::RequiresApproval { prompt_template, .. } => prompt_template.as_deref(),
        }
    }
}
