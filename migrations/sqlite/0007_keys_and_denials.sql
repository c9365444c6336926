-- Which key the secrets are encrypted under: one row, of one key at a time.
CREATE TABLE master_keys (
    id TEXT NOT NULL PRIMARY KEY,
    since INTEGER NOT NULL
) STRICT;

-- Variables that the tools of all agents of an organisation see, encrypted.
CREATE TABLE organization_variables (
    id TEXT NOT NULL,
    org_id TEXT NOT NULL,
    key TEXT NOT NULL,
    value_enc TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    created_by_id TEXT,
    last_updated_by_id TEXT,
    PRIMARY KEY (org_id, key),
    FOREIGN KEY (org_id) REFERENCES organizations (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- What tools tried without having the power to. Equal refusals share a row.
CREATE TABLE tool_denials (
    seq INTEGER NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    org_id TEXT NOT NULL,
    tool_id TEXT NOT NULL,
    agent_id TEXT,
    run_id TEXT,
    step_id TEXT,
    capability TEXT NOT NULL,
    detail TEXT NOT NULL,
    -- A digest of tool, agent, capability and detail.
    likeness TEXT NOT NULL,
    count INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    UNIQUE (id),
    UNIQUE (org_id, likeness),
    FOREIGN KEY (org_id, tool_id) REFERENCES tools (org_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX tool_denials_newest ON tool_denials (org_id, last_at, seq);
CREATE INDEX tool_denials_tool ON tool_denials (org_id, tool_id, last_at, seq);
