//! A fresh database with two tenants, and entities to fill it with.

use chrono::{TimeDelta, TimeZone, Utc};
use mneme_domain::{
    Actor, AgentId, BlockId, JsonObject, MessageId, Order, OrgId, Page, Role, RunId, StepId, Timestamp, ToolId,
    TraceId, UserId,
    agent::{Agent, AgentType},
    block::Block,
    content::ContentPart,
    llm_config::LlmConfig,
    message::{Message, MessageRole},
    run::{RequestConfig, Run, RunStatus},
    step::{ProviderTrace, Step, StepMetrics, StepStatus},
    tool::{Tool, ToolType},
};
use mneme_store::{Conn, MasterKey, Store, StoreConfig, tenants};
use mneme_tests::Postgres;
use serde_json::{Value, json};
use uuid::Uuid;

/// Texts that a database may spoil: emoji, scripts without case, right-to-left marks, combining characters, quotes
/// and what looks like wildcards or escapes.
pub const TRICKY: &str = "👩‍👩‍👧 東京 \u{202e}rtl\u{202c} e\u{301} é 'single' \"double\" 50%_\\ $1 ; -- \t\r\n\u{1}";

/// A migrated database, an actor with a home in it, and one of another organisation.
pub struct World {
    pub store: Store,
    pub actor: Actor,
    pub stranger: Actor,
}

pub fn config(url: &str) -> StoreConfig {
    StoreConfig::new(url, MasterKey::new([42; 32]))
}

impl World {
    pub async fn sqlite() -> Self {
        Self::at("sqlite::memory:").await
    }

    pub async fn postgres() -> Self {
        Self::at(&Postgres::shared().create_database()).await
    }

    async fn at(url: &str) -> Self {
        Self::of(config(url)).await
    }

    pub async fn of(mut config: StoreConfig) -> Self {
        // Many tests run at once against one server.
        config.max_connections = 4;
        let store = Store::open(&config).await.unwrap();
        store.migrate().await.unwrap();
        let stranger =
            Actor { org: OrgId::from_uuid(Uuid::new_v4()), user: UserId::from_uuid(Uuid::new_v4()), role: Role::Admin };
        let mut c = store.write().await.unwrap();
        tenants::ensure(&mut c, &stranger, at(0)).await.unwrap();
        c.commit().await.unwrap();
        Self { store, actor: Actor::default_admin(), stranger }
    }

    pub async fn write(&self) -> Conn {
        self.store.write().await.unwrap()
    }

    pub async fn read(&self) -> Conn {
        self.store.read().await.unwrap()
    }
}

/// A time so many seconds into the test's day.
pub fn at(seconds: i64) -> Timestamp {
    Utc.with_ymd_and_hms(2026, 1, 2, 3, 4, 5).unwrap() + TimeDelta::seconds(seconds) + TimeDelta::microseconds(678_901)
}

/// A page of the first so many items.
pub fn first(limit: u32, order: Order) -> Page {
    Page { before: None, after: None, limit, order }
}

pub fn object(value: Value) -> JsonObject {
    match value {
        Value::Object(object) => object,
        other => panic!("{other} is no object"),
    }
}

pub fn block(label: &str, value: &str) -> Block {
    Block {
        value: value.into(),
        limit: 20_000,
        project_id: None,
        template_name: None,
        is_template: false,
        template_id: None,
        base_template_id: None,
        deployment_id: None,
        entity_id: None,
        preserve_on_migration: None,
        label: Some(label.into()),
        read_only: false,
        description: None,
        metadata: None,
        hidden: None,
        id: BlockId::from_uuid(Uuid::new_v4()),
        created_by_id: None,
        last_updated_by_id: None,
    }
}

pub fn tool(name: &str) -> Tool {
    Tool {
        id: ToolId::from_uuid(Uuid::new_v4()),
        tool_type: ToolType::Custom,
        description: Some(TRICKY.into()),
        source_type: Some("python".into()),
        name: Some(name.into()),
        tags: vec!["z".into(), "a".into()],
        source_code: Some("def f():\n    return 'ü'".into()),
        json_schema: Some(object(json!({"name": name, "z": 1, "a": {"y": [1.5, null], "b": TRICKY}}))),
        args_json_schema: None,
        return_char_limit: 50_000,
        pip_requirements: Some(vec![json!({"name": "numpy", "version": "2.0"})]),
        npm_requirements: None,
        default_requires_approval: Some(false),
        enable_parallel_execution: None,
        created_by_id: Some("user-1".into()),
        last_updated_by_id: None,
        metadata_: Some(object(json!({}))),
    }
}

pub fn agent(name: &str) -> Agent {
    Agent {
        id: AgentId::from_uuid(Uuid::new_v4()),
        name: name.into(),
        agent_type: AgentType::LettaV1Agent,
        system: TRICKY.into(),
        llm_config: llm_config(),
        embedding_config: None,
        tool_rules: vec![],
        message_ids: vec![],
        response_format: None,
        description: None,
        metadata: None,
        memory_variables: None,
        project_id: None,
        template_id: None,
        base_template_id: None,
        deployment_id: None,
        entity_id: None,
        message_buffer_autoclear: false,
        enable_sleeptime: None,
        last_run_completion: None,
        last_run_duration_ms: None,
        timezone: Some("UTC".into()),
        max_files_open: Some(5),
        per_file_view_window_char_limit: None,
        hidden: None,
        created_at: at(0),
        updated_at: at(0),
        created_by_id: None,
        last_updated_by_id: None,
        version: 1,
        fence: 0,
    }
}

pub fn llm_config() -> LlmConfig {
    serde_json::from_value(json!({
        "model": "gpt-4o-mini", "model_endpoint_type": "openai", "context_window": 32_000, "temperature": 0.1,
        "handle": "openai/gpt-4o-mini",
    }))
    .unwrap()
}

/// A message said so many seconds into the test's day.
pub fn message(agent: &AgentId, role: MessageRole, text: &str, seconds: i64) -> Message {
    let mut message = Message::new(MessageId::from_uuid(Uuid::new_v4()), agent.clone(), role, at(seconds));
    message.content = vec![ContentPart::text(text)];
    message
}

pub fn run(agent: &AgentId) -> Run {
    Run {
        id: RunId::from_uuid(Uuid::new_v4()),
        status: RunStatus::Created,
        created_at: at(0),
        completed_at: None,
        agent_id: agent.clone(),
        base_template_id: None,
        background: Some(false),
        metadata: Some(object(json!({"run_type": "send_message", "b": 1, "a": 2}))),
        request_config: Some(RequestConfig::default()),
        stop_reason: None,
        callback_url: Some("http://localhost/done".into()),
        callback_sent_at: None,
        callback_status_code: None,
        callback_error: None,
        ttft_ns: None,
        total_duration_ns: None,
    }
}

/// A step of a run with its measures.
pub fn step(agent: &AgentId, run: Option<&RunId>, a: &Actor) -> (Step, StepMetrics) {
    let id = StepId::from_uuid(Uuid::new_v4());
    let step = Step {
        id: id.clone(),
        origin: Some("api".into()),
        organization_id: Some(a.org.to_string()),
        provider_id: Some("provider-1".into()),
        run_id: run.cloned(),
        agent_id: Some(agent.clone()),
        provider_name: Some("openai".into()),
        provider_category: Some("base".into()),
        model: Some("gpt-4o-mini".into()),
        model_endpoint: Some("http://localhost/v1".into()),
        context_window_limit: Some(32_000),
        completion_tokens: Some(5),
        prompt_tokens: Some(100),
        total_tokens: Some(105),
        completion_tokens_details: Some(object(json!({"reasoning_tokens": 2}))),
        stop_reason: None,
        tags: vec!["fast".into()],
        tid: None,
        trace_id: Some("trace-1".into()),
        messages: vec![],
        feedback: None,
        project_id: None,
        error_type: None,
        error_data: Some(object(json!({"message": TRICKY}))),
        status: Some(StepStatus::Success),
        created_at: at(0),
    };
    let metrics = StepMetrics {
        id,
        provider_id: step.provider_id.clone(),
        run_id: step.run_id.clone(),
        agent_id: step.agent_id.clone(),
        step_start_ns: Some(1),
        llm_request_start_ns: Some(2),
        llm_request_ns: Some(3),
        tool_execution_ns: None,
        step_ns: Some(i64::MAX),
        base_template_id: None,
        template_id: Some("template-1".into()),
        project_id: None,
    };
    (step, metrics)
}

pub fn trace(step: &StepId) -> ProviderTrace {
    ProviderTrace {
        created_by_id: None,
        last_updated_by_id: None,
        created_at: at(1),
        updated_at: None,
        id: TraceId::from_uuid(Uuid::new_v4()),
        request_json: json!({"z": 1, "messages": [{"role": "user", "content": TRICKY}], "a": 0.1}),
        response_json: json!({"choices": []}),
        step_id: Some(step.clone()),
    }
}
