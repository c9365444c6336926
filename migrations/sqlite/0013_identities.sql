-- Identities: the people and things that agents and blocks belong to, each known by a key of the developer's own.
CREATE TABLE identities (
    seq INTEGER NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    org_id TEXT NOT NULL,
    identifier_key TEXT NOT NULL,
    name TEXT NOT NULL,
    identity_type TEXT NOT NULL,
    project_id TEXT,
    properties TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    created_by_id TEXT,
    last_updated_by_id TEXT,
    UNIQUE (id),
    UNIQUE (org_id, id),
    UNIQUE (org_id, identifier_key),
    FOREIGN KEY (org_id) REFERENCES organizations (id) ON DELETE CASCADE
) STRICT;
CREATE INDEX identities_org ON identities (org_id, seq);

-- Which identities an agent belongs to.
CREATE TABLE agent_identities (
    org_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    identity_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (org_id, agent_id, identity_id),
    FOREIGN KEY (org_id, agent_id) REFERENCES agents (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, identity_id) REFERENCES identities (org_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX agent_identities_identity ON agent_identities (org_id, identity_id, agent_id);

-- Which identities a block belongs to.
CREATE TABLE block_identities (
    org_id TEXT NOT NULL,
    block_id TEXT NOT NULL,
    identity_id TEXT NOT NULL,
    PRIMARY KEY (org_id, block_id, identity_id),
    FOREIGN KEY (org_id, block_id) REFERENCES blocks (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, identity_id) REFERENCES identities (org_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX block_identities_identity ON block_identities (org_id, identity_id, block_id);
