//! Answers MCP clients. Who asks stands in the HTTP request; a client of one organisation sees no other's agents.

use std::sync::Arc;

use axum::http::request::Parts;
use mneme_core::{AgentFilter, Core, CoreError, FoundMessage, MemoryBounds, MessageSearch, PassageQuery, SearchMode};
use mneme_domain::{
    Actor, AgentId, EntityId, JsonObject, Order, Page, agent::Include, message::ToolStatus, request::SendRequest,
    tool::Tool as AgentTool,
};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation, ListToolsResult,
        PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
    },
    service::RequestContext,
};
use serde_json::{Value, json};

use super::offer;

/// The path of one agent's tools, before its identifier.
const ONE: &str = "/mcp/agents/";
/// What the handshake tells a model about this server.
const ABOUT: &str = "Agents that live on a Mneme server: they keep a memory and go on existing between messages.";

/// The handler.
#[derive(Clone)]
pub struct Desk {
    core: Arc<Core>,
}

/// Who asks, and for which agent when the path names one.
struct Asker {
    actor: Actor,
    agent: Option<AgentId>,
    /// The agent whose tool call this request comes from, if it says so.
    calling: Option<String>,
}

/// What a call came to: words, or the reason why not.
type Outcome = Result<String, String>;

fn refused(error: CoreError) -> String {
    match error {
        CoreError::Internal(text) => {
            tracing::error!(error = %text, "internal error");
            "An internal server error occurred".into()
        }
        other => other.to_string(),
    }
}

impl Desk {
    /// A desk over the core.
    pub fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    fn asker(&self, context: &RequestContext<RoleServer>) -> Result<Asker, ErrorData> {
        let unknown = || ErrorData::invalid_request("the request does not say who asks", None);
        let parts = context.extensions.get::<Parts>().ok_or_else(unknown)?;
        let actor = parts.extensions.get::<Actor>().cloned().ok_or_else(unknown)?;
        let agent = match parts.uri.path().trim_end_matches('/').strip_prefix(ONE) {
            Some(id) => {
                let malformed = |_| ErrorData::invalid_params("the path names no agent: agent-<uuid4>", None);
                Some(AgentId::parse(id).map_err(malformed)?)
            }
            None => None,
        };
        let calling = parts.headers.get("x-agent-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
        Ok(Asker { actor, agent, calling })
    }

    async fn agent_tools(&self, actor: &Actor, agent: &AgentId) -> Result<Vec<AgentTool>, CoreError> {
        self.core.list_agent_tools(actor, agent, &Page::all()).await
    }

    async fn list_agents(&self, asker: &Asker, arguments: &JsonObject) -> Outcome {
        let filter = AgentFilter { query_text: text(arguments, "query"), ..AgentFilter::default() };
        let limit = limit(arguments, 50, 100);
        let page = Page { before: None, after: text(arguments, "after"), limit, order: Order::Asc };
        let include = Include::NONE;
        let found = self.core.list_agents(&asker.actor, filter, &page, include).await.map_err(refused)?;
        let shown: Vec<Value> = found
            .iter()
            .map(|state| json!({"id": state.id, "name": state.name, "description": state.description}))
            .collect();
        Ok(Value::Array(shown).to_string())
    }

    async fn send(&self, asker: &Asker, agent: &AgentId, arguments: &JsonObject) -> Outcome {
        let message = text(arguments, "message").ok_or("message: it is missing")?;
        if asker.calling.as_deref() == Some(agent.as_str()) {
            return Err("An agent cannot wait for itself: its message would be answered after this very call.".into());
        }
        let request = json!({"messages": [{"role": "user", "content": message}]});
        let request: SendRequest = serde_json::from_value(request).map_err(|error| error.to_string())?;
        let turn = self.core.send(&asker.actor, agent, request).await.map_err(refused)?;
        let messages = serde_json::to_value(&turn.messages).map_err(|error| error.to_string())?;
        let of = |kind: &str| -> Vec<&Value> {
            messages.as_array().into_iter().flatten().filter(|one| one["message_type"] == kind).collect()
        };
        let said: Vec<String> = of("assistant_message").into_iter().map(|one| words(&one["content"])).collect();
        if !of("approval_request_message").is_empty() {
            return Ok(format!("{}\n[The agent waits for a person to approve a tool call.]", said.join("\n")));
        }
        if said.is_empty() {
            return Ok(format!("[The agent ended its turn without words: {}.]", json!(turn.stop_reason)));
        }
        Ok(said.join("\n"))
    }

    async fn search_messages(&self, asker: &Asker, agent: &AgentId, arguments: &JsonObject) -> Outcome {
        self.core.get_agent(&asker.actor, agent, Include::NONE).await.map_err(refused)?;
        let search = MessageSearch {
            agent_id: Some(agent.clone()),
            project_id: None,
            template_id: None,
            query: text(arguments, "query").filter(|query| !query.trim().is_empty()),
            roles: Vec::new(),
            start: None,
            end: None,
            limit: limit(arguments, 10, 50),
            offset: 0,
        };
        let found = self.core.search_messages(&asker.actor, search, SearchMode::default()).await.map_err(refused)?;
        let shown: Vec<Value> = found
            .iter()
            .map(|FoundMessage { message, .. }| {
                json!({"date": message.created_at, "role": message.role, "text": message.text()})
            })
            .collect();
        Ok(Value::Array(shown).to_string())
    }

    async fn search_archive(&self, asker: &Asker, agent: &AgentId, arguments: &JsonObject) -> Outcome {
        let query = PassageQuery {
            text: text(arguments, "query").ok_or("query: it is missing")?,
            tags: Vec::new(),
            tag_match: Default::default(),
            bounds: MemoryBounds { start: None, end: None },
            limit: Some(limit(arguments, 10, 50)),
        };
        let (found, zone) = self.core.search_memories(&asker.actor, agent, query).await.map_err(refused)?;
        let shown: Vec<Value> = found
            .into_iter()
            .map(|found| {
                let date = found.passage.created_at.with_timezone(&zone).to_rfc3339();
                json!({"date": date, "text": found.passage.text, "tags": found.passage.tags})
            })
            .collect();
        Ok(Value::Array(shown).to_string())
    }

    async fn list_tools_of(&self, asker: &Asker, agent: &AgentId) -> Outcome {
        let found = self.agent_tools(&asker.actor, agent).await.map_err(refused)?;
        let shown: Vec<Value> = found
            .iter()
            .map(|tool| {
                json!({"name": tool.call_name(), "description": tool.description, "parameters": parameters(tool)})
            })
            .collect();
        Ok(Value::Array(shown).to_string())
    }

    async fn call_tool_of(&self, asker: &Asker, agent: &AgentId, name: &str, arguments: JsonObject) -> Outcome {
        let answer = self.core.call_agent_tool(&asker.actor, agent, name, arguments).await.map_err(refused)?;
        match answer.status {
            ToolStatus::Success => Ok(answer.text),
            ToolStatus::Error => Err(answer.text),
        }
    }

    async fn answer(&self, asker: &Asker, request: CallToolRequestParams) -> Outcome {
        let arguments = request.arguments.unwrap_or_default();
        let name = request.name.as_ref();
        if name == offer::LIST_AGENTS && asker.agent.is_none() {
            return self.list_agents(asker, &arguments).await;
        }
        let agent = match &asker.agent {
            Some(agent) => agent.clone(),
            None => {
                let id = text(&arguments, "agent_id").ok_or("agent_id: it is missing")?;
                AgentId::parse(&id).map_err(|error| format!("agent_id: {error}"))?
            }
        };
        match name {
            offer::SEND_MESSAGE => self.send(asker, &agent, &arguments).await,
            offer::SEARCH_MESSAGES => self.search_messages(asker, &agent, &arguments).await,
            offer::SEARCH_ARCHIVE => self.search_archive(asker, &agent, &arguments).await,
            offer::LIST_TOOLS if asker.agent.is_none() => self.list_tools_of(asker, &agent).await,
            offer::CALL_TOOL if asker.agent.is_none() => {
                let tool = text(&arguments, "name").ok_or("name: it is missing")?;
                let own = match arguments.get("arguments") {
                    Some(Value::Object(own)) => own.clone(),
                    None | Some(Value::Null) => JsonObject::new(),
                    Some(_) => return Err("arguments: it has to be an object".into()),
                };
                self.call_tool_of(asker, &agent, &tool, own).await
            }
            // Of one agent, its own tools are called by their names.
            own if asker.agent.is_some() => self.call_tool_of(asker, &agent, own, arguments).await,
            unknown => Err(format!("There is no tool named {unknown} here.")),
        }
    }
}

impl ServerHandler for Desk {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("mneme", crate::VERSION))
            .with_instructions(ABOUT)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let asker = self.asker(&context)?;
        let mut tools = offer::tools(asker.agent.is_some());
        if let Some(agent) = &asker.agent {
            let own = self.agent_tools(&asker.actor, agent).await;
            let own = own.map_err(|error| ErrorData::invalid_params(refused(error), None))?;
            let callable = own.iter().filter(|tool| Core::is_callable_directly(tool));
            tools.extend(callable.map(|tool| {
                let description = tool.description.clone().unwrap_or_default();
                Tool::new(tool.call_name().to_owned(), description, Arc::new(parameters(tool)))
            }));
        }
        Ok(ListToolsResult::with_all_items(tools))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let asker = self.asker(&context)?;
        let outcome = tokio::select! {
            outcome = self.answer(&asker, request) => outcome,
            // Nobody waits any more.
            () = context.ct.cancelled() => Err("The call was cancelled.".into()),
        };
        Ok(CallToolResponse::Complete(match outcome {
            Ok(words) => CallToolResult::success(vec![ContentBlock::text(words)]),
            Err(reason) => CallToolResult::error(vec![ContentBlock::text(reason)]),
        }))
    }
}

fn text(arguments: &JsonObject, key: &str) -> Option<String> {
    arguments.get(key).and_then(Value::as_str).map(str::to_owned)
}

fn limit(arguments: &JsonObject, usual: u32, most: u32) -> u32 {
    let given = arguments.get("limit").and_then(Value::as_u64);
    given.map_or(usual, |limit| u32::try_from(limit).unwrap_or(most)).clamp(1, most)
}

/// The parameters of a tool as a schema.
fn parameters(tool: &AgentTool) -> JsonObject {
    let schema = tool.json_schema.as_ref().and_then(|schema| schema.get("parameters"));
    let usual = || json!({"type": "object", "properties": {}}).as_object().cloned().unwrap_or_default();
    schema.and_then(Value::as_object).cloned().unwrap_or_else(usual)
}

/// The text of a message's content, whichever of its two forms it has.
fn words(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join("\n"),
        _ => String::new(),
    }
}
