-- The first schema, SQLite. Keep it in step with the PostgreSQL file of the same name.
-- JSON is text, so that key order and the exact text survive; times are microseconds since 1970; booleans are 0 and 1.

-- Tenants. Everything below belongs to one.
CREATE TABLE organizations (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- People and programs of an organisation.
CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    org_id TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    FOREIGN KEY (org_id) REFERENCES organizations (id) ON DELETE CASCADE
) STRICT;
CREATE INDEX users_org ON users (org_id);

-- Memory blocks. `version` grows with each update.
CREATE TABLE blocks (
    seq INTEGER NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    org_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    value TEXT NOT NULL,
    char_limit INTEGER NOT NULL,
    label TEXT,
    description TEXT,
    read_only INTEGER NOT NULL,
    is_template INTEGER NOT NULL,
    template_name TEXT,
    template_id TEXT,
    base_template_id TEXT,
    deployment_id TEXT,
    entity_id TEXT,
    project_id TEXT,
    preserve_on_migration INTEGER,
    metadata TEXT,
    hidden INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    created_by_id TEXT,
    last_updated_by_id TEXT,
    UNIQUE (id),
    UNIQUE (org_id, id),
    FOREIGN KEY (org_id) REFERENCES organizations (id) ON DELETE CASCADE
) STRICT;
CREATE INDEX blocks_org ON blocks (org_id, seq);

-- Tools, by unique name within an organisation.
CREATE TABLE tools (
    seq INTEGER NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    org_id TEXT NOT NULL,
    name TEXT,
    tool_type TEXT NOT NULL,
    description TEXT,
    source_type TEXT,
    source_code TEXT,
    tags TEXT NOT NULL,
    json_schema TEXT,
    args_json_schema TEXT,
    return_char_limit INTEGER NOT NULL,
    pip_requirements TEXT,
    npm_requirements TEXT,
    default_requires_approval INTEGER,
    enable_parallel_execution INTEGER,
    metadata TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    created_by_id TEXT,
    last_updated_by_id TEXT,
    UNIQUE (id),
    UNIQUE (org_id, id),
    UNIQUE (org_id, name),
    FOREIGN KEY (org_id) REFERENCES organizations (id) ON DELETE CASCADE
) STRICT;
CREATE INDEX tools_org ON tools (org_id, seq);

-- Agents. `name_folded` is the name in lower case, for searches; `version` grows with each update.
CREATE TABLE agents (
    seq INTEGER NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    org_id TEXT NOT NULL,
    version INTEGER NOT NULL,
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
    message_buffer_autoclear INTEGER NOT NULL,
    enable_sleeptime INTEGER,
    last_run_completion INTEGER,
    last_run_duration_ms INTEGER,
    timezone TEXT,
    max_files_open INTEGER,
    per_file_view_window_char_limit INTEGER,
    hidden INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    created_by_id TEXT,
    last_updated_by_id TEXT,
    UNIQUE (id),
    UNIQUE (org_id, id),
    FOREIGN KEY (org_id) REFERENCES organizations (id) ON DELETE CASCADE
) STRICT;
CREATE INDEX agents_org ON agents (org_id, seq);

-- Tags of agents, in the order they were given.
CREATE TABLE agent_tags (
    org_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    tag TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (org_id, agent_id, tag),
    FOREIGN KEY (org_id, agent_id) REFERENCES agents (org_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX agent_tags_tag ON agent_tags (org_id, tag);

-- Which blocks are in which agent's context. The label is a copy, so that an agent has each label once.
CREATE TABLE agent_blocks (
    org_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    block_id TEXT NOT NULL,
    label TEXT,
    position INTEGER NOT NULL,
    PRIMARY KEY (org_id, agent_id, block_id),
    UNIQUE (org_id, agent_id, label),
    FOREIGN KEY (org_id, agent_id) REFERENCES agents (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, block_id) REFERENCES blocks (org_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX agent_blocks_block ON agent_blocks (block_id);

-- Which tools an agent may call.
CREATE TABLE agent_tools (
    org_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    tool_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (org_id, agent_id, tool_id),
    FOREIGN KEY (org_id, agent_id) REFERENCES agents (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, tool_id) REFERENCES tools (org_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX agent_tools_tool ON agent_tools (tool_id);

-- Variables that an agent's tools see, encrypted.
CREATE TABLE agent_variables (
    id TEXT NOT NULL,
    org_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    key TEXT NOT NULL,
    value_enc TEXT NOT NULL,
    description TEXT,
    position INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    created_by_id TEXT,
    last_updated_by_id TEXT,
    PRIMARY KEY (org_id, agent_id, key),
    FOREIGN KEY (org_id, agent_id) REFERENCES agents (org_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Messages. `seq` is their total order, `text` their words for searches.
CREATE TABLE messages (
    seq INTEGER NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    org_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    role TEXT NOT NULL,
    text TEXT NOT NULL,
    content TEXT NOT NULL,
    model TEXT,
    name TEXT,
    tool_calls TEXT,
    tool_call_id TEXT,
    tool_returns TEXT NOT NULL,
    step_id TEXT,
    run_id TEXT,
    otid TEXT,
    group_id TEXT,
    sender_id TEXT,
    batch_item_id TEXT,
    is_err INTEGER,
    approval_request_id TEXT,
    approve INTEGER,
    denial_reason TEXT,
    approvals TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER,
    created_by_id TEXT,
    last_updated_by_id TEXT,
    UNIQUE (id),
    FOREIGN KEY (org_id, agent_id) REFERENCES agents (org_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX messages_agent ON messages (agent_id, seq);
CREATE INDEX messages_run ON messages (run_id, seq) WHERE run_id IS NOT NULL;
CREATE INDEX messages_step ON messages (step_id, seq) WHERE step_id IS NOT NULL;

-- Full text over `messages.text`. Triggers keep it in step, also when messages go with their agent.
CREATE VIRTUAL TABLE messages_fts USING fts5(text, content='messages', content_rowid='seq', tokenize="unicode61 remove_diacritics 0");
CREATE TRIGGER messages_fts_insert AFTER INSERT ON messages WHEN new.text <> '' BEGIN
    INSERT INTO messages_fts (rowid, text) VALUES (new.seq, new.text);
END;
CREATE TRIGGER messages_fts_delete AFTER DELETE ON messages WHEN old.text <> '' BEGIN
    INSERT INTO messages_fts (messages_fts, rowid, text) VALUES ('delete', old.seq, old.text);
END;
CREATE TRIGGER messages_fts_update AFTER UPDATE OF text ON messages WHEN old.text <> new.text BEGIN
    INSERT INTO messages_fts (messages_fts, rowid, text) SELECT 'delete', old.seq, old.text WHERE old.text <> '';
    INSERT INTO messages_fts (rowid, text) SELECT new.seq, new.text WHERE new.text <> '';
END;

-- Turns of agents. `user_id` is who began it.
CREATE TABLE runs (
    seq INTEGER NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    org_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    completed_at INTEGER,
    base_template_id TEXT,
    background INTEGER,
    metadata TEXT,
    request_config TEXT,
    stop_reason TEXT,
    callback_url TEXT,
    callback_sent_at INTEGER,
    callback_status_code INTEGER,
    callback_error TEXT,
    ttft_ns INTEGER,
    total_duration_ns INTEGER,
    UNIQUE (id),
    FOREIGN KEY (org_id, agent_id) REFERENCES agents (org_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX runs_org ON runs (org_id, seq);
CREATE INDEX runs_agent ON runs (agent_id, seq);
CREATE INDEX runs_active ON runs (seq) WHERE status IN ('created', 'running');

-- Model calls with their measures.
CREATE TABLE steps (
    seq INTEGER NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    org_id TEXT NOT NULL,
    agent_id TEXT,
    run_id TEXT,
    origin TEXT,
    provider_id TEXT,
    provider_name TEXT,
    provider_category TEXT,
    model TEXT,
    model_endpoint TEXT,
    context_window_limit INTEGER,
    completion_tokens INTEGER,
    prompt_tokens INTEGER,
    total_tokens INTEGER,
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
    created_at INTEGER NOT NULL,
    step_start_ns INTEGER,
    llm_request_start_ns INTEGER,
    llm_request_ns INTEGER,
    tool_execution_ns INTEGER,
    step_ns INTEGER,
    base_template_id TEXT,
    template_id TEXT,
    tools_used TEXT NOT NULL,
    UNIQUE (id),
    FOREIGN KEY (org_id, agent_id) REFERENCES agents (org_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX steps_org ON steps (org_id, seq);
CREATE INDEX steps_agent ON steps (agent_id, seq);
CREATE INDEX steps_run ON steps (run_id) WHERE run_id IS NOT NULL;

-- What was sent to a provider in a step, and what came back.
CREATE TABLE provider_traces (
    step_id TEXT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    org_id TEXT NOT NULL,
    request_json TEXT NOT NULL,
    response_json TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER,
    created_by_id TEXT,
    last_updated_by_id TEXT,
    FOREIGN KEY (step_id) REFERENCES steps (id) ON DELETE CASCADE
) STRICT;

-- Model providers, by unique name within an organisation; their secrets are encrypted.
CREATE TABLE providers (
    seq INTEGER NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    org_id TEXT NOT NULL,
    name TEXT NOT NULL,
    provider_type TEXT NOT NULL,
    category TEXT NOT NULL,
    base_url TEXT,
    api_key_enc TEXT,
    access_key_enc TEXT,
    region TEXT,
    api_version TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    created_by_id TEXT,
    last_updated_by_id TEXT,
    UNIQUE (id),
    UNIQUE (org_id, name),
    FOREIGN KEY (org_id) REFERENCES organizations (id) ON DELETE CASCADE
) STRICT;
