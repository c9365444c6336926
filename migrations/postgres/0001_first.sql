-- The first schema, PostgreSQL. Keep it in step with the SQLite file of the same name.
-- JSON is text, so that key order and the exact text survive; times are microseconds since 1970.
-- Rules are named <table>_<columns>: callers tell conflicts apart by these names. Identifiers compare by bytes.

-- Tenants. Everything below belongs to one.
CREATE TABLE organizations (
    id TEXT COLLATE "C" PRIMARY KEY,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- People and programs of an organisation.
CREATE TABLE users (
    id TEXT COLLATE "C" PRIMARY KEY,
    org_id TEXT COLLATE "C" NOT NULL,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    FOREIGN KEY (org_id) REFERENCES organizations (id) ON DELETE CASCADE
);
CREATE INDEX users_org ON users (org_id);

-- Memory blocks. `version` grows with each update.
CREATE TABLE blocks (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL,
    org_id TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    value TEXT NOT NULL,
    char_limit BIGINT NOT NULL,
    label TEXT,
    description TEXT,
    read_only BOOLEAN NOT NULL,
    is_template BOOLEAN NOT NULL,
    template_name TEXT,
    template_id TEXT,
    base_template_id TEXT,
    deployment_id TEXT,
    entity_id TEXT,
    project_id TEXT,
    preserve_on_migration BOOLEAN,
    metadata TEXT,
    hidden BOOLEAN,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    created_by_id TEXT,
    last_updated_by_id TEXT,
    CONSTRAINT blocks_id UNIQUE (id),
    CONSTRAINT blocks_org_id_id UNIQUE (org_id, id),
    FOREIGN KEY (org_id) REFERENCES organizations (id) ON DELETE CASCADE
);
CREATE INDEX blocks_org ON blocks (org_id, seq);

-- Tools, by unique name within an organisation.
CREATE TABLE tools (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL,
    org_id TEXT COLLATE "C" NOT NULL,
    name TEXT,
    tool_type TEXT NOT NULL,
    description TEXT,
    source_type TEXT,
    source_code TEXT,
    tags TEXT NOT NULL,
    json_schema TEXT,
    args_json_schema TEXT,
    return_char_limit BIGINT NOT NULL,
    pip_requirements TEXT,
    npm_requirements TEXT,
    default_requires_approval BOOLEAN,
    enable_parallel_execution BOOLEAN,
    metadata TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    created_by_id TEXT,
    last_updated_by_id TEXT,
    CONSTRAINT tools_id UNIQUE (id),
    CONSTRAINT tools_org_id_id UNIQUE (org_id, id),
    CONSTRAINT tools_org_id_name UNIQUE (org_id, name),
    FOREIGN KEY (org_id) REFERENCES organizations (id) ON DELETE CASCADE
);
CREATE INDEX tools_org ON tools (org_id, seq);

-- Agents. `name_folded` is the name in lower case, for searches; `version` grows with each update.
CREATE TABLE agents (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL,
    org_id TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    name TEXT NOT NULL,
    name_folded TEXT NOT NULL,
    agent_type TEXT NOT NULL,
    system TEXT NOT NULL,
    llm_config TEXT NOT NULL,
    embedding_config TEXT,
    tool_rules TEXT NOT NULL,
    message_ids TEXT NOT NULL,
    response_format TEXT,
    description TEXT,
    metadata TEXT,
    memory_variables TEXT,
    project_id TEXT,
    template_id TEXT,
    base_template_id TEXT,
    deployment_id TEXT,
    entity_id TEXT,
    message_buffer_autoclear BOOLEAN NOT NULL,
    enable_sleeptime BOOLEAN,
    last_run_completion BIGINT,
    last_run_duration_ms BIGINT,
    timezone TEXT,
    max_files_open BIGINT,
    per_file_view_window_char_limit BIGINT,
    hidden BOOLEAN,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    created_by_id TEXT,
    last_updated_by_id TEXT,
    CONSTRAINT agents_id UNIQUE (id),
    CONSTRAINT agents_org_id_id UNIQUE (org_id, id),
    FOREIGN KEY (org_id) REFERENCES organizations (id) ON DELETE CASCADE
);
CREATE INDEX agents_org ON agents (org_id, seq);

-- Tags of agents, in the order they were given.
CREATE TABLE agent_tags (
    org_id TEXT COLLATE "C" NOT NULL,
    agent_id TEXT COLLATE "C" NOT NULL,
    tag TEXT COLLATE "C" NOT NULL,
    position BIGINT NOT NULL,
    CONSTRAINT agent_tags_org_id_agent_id_tag PRIMARY KEY (org_id, agent_id, tag),
    FOREIGN KEY (org_id, agent_id) REFERENCES agents (org_id, id) ON DELETE CASCADE
);
CREATE INDEX agent_tags_tag ON agent_tags (org_id, tag);

-- Which blocks are in which agent's context. The label is a copy, so that an agent has each label once.
CREATE TABLE agent_blocks (
    org_id TEXT COLLATE "C" NOT NULL,
    agent_id TEXT COLLATE "C" NOT NULL,
    block_id TEXT COLLATE "C" NOT NULL,
    label TEXT,
    position BIGINT NOT NULL,
    CONSTRAINT agent_blocks_org_id_agent_id_block_id PRIMARY KEY (org_id, agent_id, block_id),
    CONSTRAINT agent_blocks_org_id_agent_id_label UNIQUE (org_id, agent_id, label),
    FOREIGN KEY (org_id, agent_id) REFERENCES agents (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, block_id) REFERENCES blocks (org_id, id) ON DELETE CASCADE
);
CREATE INDEX agent_blocks_block ON agent_blocks (block_id);

-- Which tools an agent may call.
CREATE TABLE agent_tools (
    org_id TEXT COLLATE "C" NOT NULL,
    agent_id TEXT COLLATE "C" NOT NULL,
    tool_id TEXT COLLATE "C" NOT NULL,
    position BIGINT NOT NULL,
    CONSTRAINT agent_tools_org_id_agent_id_tool_id PRIMARY KEY (org_id, agent_id, tool_id),
    FOREIGN KEY (org_id, agent_id) REFERENCES agents (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, tool_id) REFERENCES tools (org_id, id) ON DELETE CASCADE
);
CREATE INDEX agent_tools_tool ON agent_tools (tool_id);

-- Variables that an agent's tools see, encrypted.
CREATE TABLE agent_variables (
    id TEXT COLLATE "C" NOT NULL,
    org_id TEXT COLLATE "C" NOT NULL,
    agent_id TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    value_enc TEXT NOT NULL,
    description TEXT,
    position BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    created_by_id TEXT,
    last_updated_by_id TEXT,
    CONSTRAINT agent_variables_org_id_agent_id_key PRIMARY KEY (org_id, agent_id, key),
    FOREIGN KEY (org_id, agent_id) REFERENCES agents (org_id, id) ON DELETE CASCADE
);

-- Messages. `seq` is their total order, `text` their words for searches.
CREATE TABLE messages (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL,
    org_id TEXT COLLATE "C" NOT NULL,
    agent_id TEXT COLLATE "C" NOT NULL,
    role TEXT NOT NULL,
    text TEXT NOT NULL,
    content TEXT NOT NULL,
    model TEXT,
    name TEXT,
    tool_calls TEXT,
    tool_call_id TEXT,
    tool_returns TEXT NOT NULL,
    step_id TEXT COLLATE "C",
    run_id TEXT COLLATE "C",
    otid TEXT,
    group_id TEXT,
    sender_id TEXT,
    batch_item_id TEXT,
    is_err BOOLEAN,
    approval_request_id TEXT,
    approve BOOLEAN,
    denial_reason TEXT,
    approvals TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT,
    created_by_id TEXT,
    last_updated_by_id TEXT,
    search TSVECTOR,
    CONSTRAINT messages_id UNIQUE (id),
    FOREIGN KEY (org_id, agent_id) REFERENCES agents (org_id, id) ON DELETE CASCADE
);
CREATE INDEX messages_agent ON messages (agent_id, seq);
CREATE INDEX messages_run ON messages (run_id, seq) WHERE run_id IS NOT NULL;
CREATE INDEX messages_step ON messages (step_id, seq) WHERE step_id IS NOT NULL;
-- `search` holds the words as the server split them, so that both databases agree on what a word is.
CREATE INDEX messages_search ON messages USING gin (search);

-- Turns of agents. `user_id` is who began it.
CREATE TABLE runs (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL,
    org_id TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    agent_id TEXT COLLATE "C" NOT NULL,
    status TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    completed_at BIGINT,
    base_template_id TEXT,
    background BOOLEAN,
    metadata TEXT,
    request_config TEXT,
    stop_reason TEXT,
    callback_url TEXT,
    callback_sent_at BIGINT,
    callback_status_code BIGINT,
    callback_error TEXT,
    ttft_ns BIGINT,
    total_duration_ns BIGINT,
    CONSTRAINT runs_id UNIQUE (id),
    FOREIGN KEY (org_id, agent_id) REFERENCES agents (org_id, id) ON DELETE CASCADE
);
CREATE INDEX runs_org ON runs (org_id, seq);
CREATE INDEX runs_agent ON runs (agent_id, seq);
CREATE INDEX runs_active ON runs (seq) WHERE status IN ('created', 'running');

-- Model calls with their measures.
CREATE TABLE steps (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL,
    org_id TEXT COLLATE "C" NOT NULL,
    agent_id TEXT COLLATE "C",
    run_id TEXT COLLATE "C",
    origin TEXT,
    provider_id TEXT,
    provider_name TEXT,
    provider_category TEXT,
    model TEXT,
    model_endpoint TEXT,
    context_window_limit BIGINT,
    completion_tokens BIGINT,
    prompt_tokens BIGINT,
    total_tokens BIGINT,
    completion_tokens_details TEXT,
    stop_reason TEXT,
    tags TEXT NOT NULL,
    tid TEXT,
    trace_id TEXT,
    feedback TEXT,
    project_id TEXT,
    error_type TEXT,
    error_data TEXT,
    status TEXT,
    created_at BIGINT NOT NULL,
    step_start_ns BIGINT,
    llm_request_start_ns BIGINT,
    llm_request_ns BIGINT,
    tool_execution_ns BIGINT,
    step_ns BIGINT,
    base_template_id TEXT,
    template_id TEXT,
    tools_used TEXT NOT NULL,
    CONSTRAINT steps_id UNIQUE (id),
    FOREIGN KEY (org_id, agent_id) REFERENCES agents (org_id, id) ON DELETE CASCADE
);
CREATE INDEX steps_org ON steps (org_id, seq);
CREATE INDEX steps_agent ON steps (agent_id, seq);
CREATE INDEX steps_run ON steps (run_id) WHERE run_id IS NOT NULL;

-- What was sent to a provider in a step, and what came back.
CREATE TABLE provider_traces (
    step_id TEXT COLLATE "C" PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL,
    org_id TEXT COLLATE "C" NOT NULL,
    request_json TEXT NOT NULL,
    response_json TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT,
    created_by_id TEXT,
    last_updated_by_id TEXT,
    FOREIGN KEY (step_id) REFERENCES steps (id) ON DELETE CASCADE
);

-- Model providers, by unique name within an organisation; their secrets are encrypted.
CREATE TABLE providers (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL,
    org_id TEXT COLLATE "C" NOT NULL,
    name TEXT NOT NULL,
    provider_type TEXT NOT NULL,
    category TEXT NOT NULL,
    base_url TEXT,
    api_key_enc TEXT,
    access_key_enc TEXT,
    region TEXT,
    api_version TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    created_by_id TEXT,
    last_updated_by_id TEXT,
    CONSTRAINT providers_id UNIQUE (id),
    CONSTRAINT providers_org_id_name UNIQUE (org_id, name),
    FOREIGN KEY (org_id) REFERENCES organizations (id) ON DELETE CASCADE
);
