-- Templates: how agents are to begin. `working` is the state that is edited; versions are what agents are made from.
CREATE TABLE templates (
    seq INTEGER NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    org_id TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    working TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    created_by_id TEXT,
    UNIQUE (id),
    UNIQUE (org_id, id),
    UNIQUE (org_id, name),
    FOREIGN KEY (org_id) REFERENCES organizations (id) ON DELETE CASCADE
) STRICT;

-- The saved versions of a template, counted from 1. A version never changes.
CREATE TABLE template_versions (
    seq INTEGER NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    org_id TEXT NOT NULL,
    template_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    message TEXT,
    state TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (id),
    UNIQUE (org_id, template_id, number),
    FOREIGN KEY (org_id, template_id) REFERENCES templates (org_id, id) ON DELETE CASCADE
) STRICT;

CREATE INDEX agents_deployment ON agents (org_id, deployment_id) WHERE deployment_id IS NOT NULL;
CREATE INDEX agents_base_template ON agents (org_id, base_template_id) WHERE base_template_id IS NOT NULL;

-- Tokens for end users' programs: found by their SHA-256, encrypted for lists to show.
CREATE TABLE client_tokens (
    seq INTEGER NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    org_id TEXT NOT NULL,
    hash TEXT NOT NULL,
    token_enc TEXT NOT NULL,
    policy TEXT NOT NULL,
    hostname TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    created_by_id TEXT,
    UNIQUE (id),
    UNIQUE (hash),
    FOREIGN KEY (org_id) REFERENCES organizations (id) ON DELETE CASCADE
) STRICT;
CREATE INDEX client_tokens_org ON client_tokens (org_id, seq);

-- Which agents a token is for, to find tokens by agent. A token loses an agent that is deleted.
CREATE TABLE client_token_agents (
    org_id TEXT NOT NULL,
    token_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    PRIMARY KEY (org_id, token_id, agent_id),
    FOREIGN KEY (token_id) REFERENCES client_tokens (id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, agent_id) REFERENCES agents (org_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX client_token_agents_agent ON client_token_agents (org_id, agent_id);
CREATE INDEX client_token_agents_token ON client_token_agents (token_id);
