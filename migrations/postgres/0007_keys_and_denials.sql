-- Which key the secrets are encrypted under: one row, of one key at a time.
CREATE TABLE master_keys (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    since BIGINT NOT NULL
);

-- Variables that the tools of all agents of an organisation see, encrypted.
CREATE TABLE organization_variables (
    id TEXT COLLATE "C" NOT NULL,
    org_id TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    value_enc TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    created_by_id TEXT,
    last_updated_by_id TEXT,
    CONSTRAINT organization_variables_org_id_key PRIMARY KEY (org_id, key),
    FOREIGN KEY (org_id) REFERENCES organizations (id) ON DELETE CASCADE
);

-- What tools tried without having the power to. Equal refusals share a row.
CREATE TABLE tool_denials (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL,
    org_id TEXT COLLATE "C" NOT NULL,
    tool_id TEXT COLLATE "C" NOT NULL,
    agent_id TEXT,
    run_id TEXT,
    step_id TEXT,
    capability TEXT NOT NULL,
    detail TEXT NOT NULL,
    -- A digest of tool, agent, capability and detail.
    likeness TEXT COLLATE "C" NOT NULL,
    count BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    CONSTRAINT tool_denials_id UNIQUE (id),
    CONSTRAINT tool_denials_org_id_likeness UNIQUE (org_id, likeness),
    FOREIGN KEY (org_id, tool_id) REFERENCES tools (org_id, id) ON DELETE CASCADE
);
CREATE INDEX tool_denials_newest ON tool_denials (org_id, last_at, seq);
CREATE INDEX tool_denials_tool ON tool_denials (org_id, tool_id, last_at, seq);
