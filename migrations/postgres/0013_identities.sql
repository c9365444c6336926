-- Identities: the people and things that agents and blocks belong to, each known by a key of the developer's own.
CREATE TABLE identities (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL,
    org_id TEXT COLLATE "C" NOT NULL,
    identifier_key TEXT COLLATE "C" NOT NULL,
    name TEXT NOT NULL,
    identity_type TEXT NOT NULL,
    project_id TEXT,
    properties TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    created_by_id TEXT,
    last_updated_by_id TEXT,
    CONSTRAINT identities_id UNIQUE (id),
    CONSTRAINT identities_org_id_id UNIQUE (org_id, id),
    CONSTRAINT identities_org_id_identifier_key UNIQUE (org_id, identifier_key),
    FOREIGN KEY (org_id) REFERENCES organizations (id) ON DELETE CASCADE
);
CREATE INDEX identities_org ON identities (org_id, seq);

-- Which identities an agent belongs to.
CREATE TABLE agent_identities (
    org_id TEXT COLLATE "C" NOT NULL,
    agent_id TEXT COLLATE "C" NOT NULL,
    identity_id TEXT COLLATE "C" NOT NULL,
    position BIGINT NOT NULL,
    PRIMARY KEY (org_id, agent_id, identity_id),
    FOREIGN KEY (org_id, agent_id) REFERENCES agents (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, identity_id) REFERENCES identities (org_id, id) ON DELETE CASCADE
);
CREATE INDEX agent_identities_identity ON agent_identities (org_id, identity_id, agent_id);

-- Which identities a block belongs to.
CREATE TABLE block_identities (
    org_id TEXT COLLATE "C" NOT NULL,
    block_id TEXT COLLATE "C" NOT NULL,
    identity_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (org_id, block_id, identity_id),
    FOREIGN KEY (org_id, block_id) REFERENCES blocks (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, identity_id) REFERENCES identities (org_id, id) ON DELETE CASCADE
);
CREATE INDEX block_identities_identity ON block_identities (org_id, identity_id, block_id);
