-- Templates: how agents are to begin. `working` is the state that is edited; versions are what agents are made from.
CREATE TABLE templates (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL,
    org_id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    description TEXT,
    working TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    created_by_id TEXT,
    CONSTRAINT templates_id UNIQUE (id),
    CONSTRAINT templates_org_id_id UNIQUE (org_id, id),
    CONSTRAINT templates_org_id_name UNIQUE (org_id, name),
    FOREIGN KEY (org_id) REFERENCES organizations (id) ON DELETE CASCADE
);

-- The saved versions of a template, counted from 1. A version never changes.
CREATE TABLE template_versions (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL,
    org_id TEXT COLLATE "C" NOT NULL,
    template_id TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL,
    message TEXT,
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT template_versions_id UNIQUE (id),
    CONSTRAINT template_versions_org_id_template_id_number UNIQUE (org_id, template_id, number),
    FOREIGN KEY (org_id, template_id) REFERENCES templates (org_id, id) ON DELETE CASCADE
);

CREATE INDEX agents_deployment ON agents (org_id, deployment_id) WHERE deployment_id IS NOT NULL;
CREATE INDEX agents_base_template ON agents (org_id, base_template_id) WHERE base_template_id IS NOT NULL;

-- Tokens for end users' programs: found by their SHA-256, encrypted for lists to show.
CREATE TABLE client_tokens (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL,
    org_id TEXT COLLATE "C" NOT NULL,
    hash TEXT COLLATE "C" NOT NULL,
    token_enc TEXT NOT NULL,
    policy TEXT NOT NULL,
    hostname TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by_id TEXT,
    CONSTRAINT client_tokens_id UNIQUE (id),
    CONSTRAINT client_tokens_hash UNIQUE (hash),
    FOREIGN KEY (org_id) REFERENCES organizations (id) ON DELETE CASCADE
);
CREATE INDEX client_tokens_org ON client_tokens (org_id, seq);

-- Which agents a token is for, to find tokens by agent. A token loses an agent that is deleted.
CREATE TABLE client_token_agents (
    org_id TEXT COLLATE "C" NOT NULL,
    token_id TEXT COLLATE "C" NOT NULL,
    agent_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (org_id, token_id, agent_id),
    FOREIGN KEY (token_id) REFERENCES client_tokens (id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, agent_id) REFERENCES agents (org_id, id) ON DELETE CASCADE
);
CREATE INDEX client_token_agents_agent ON client_token_agents (org_id, agent_id);
CREATE INDEX client_token_agents_token ON client_token_agents (token_id);
