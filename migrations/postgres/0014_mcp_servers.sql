-- MCP servers, by unique name within an organisation. `config_enc` is how to reach one (address, token, headers, command,
-- arguments, environment), encrypted; `tools` is what it listed last.
CREATE TABLE mcp_servers (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL,
    org_id TEXT COLLATE "C" NOT NULL,
    name TEXT NOT NULL,
    config_enc TEXT NOT NULL,
    tools TEXT,
    synced_at BIGINT,
    last_error TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    created_by_id TEXT,
    last_updated_by_id TEXT,
    CONSTRAINT mcp_servers_id UNIQUE (id),
    CONSTRAINT mcp_servers_org_id_id UNIQUE (org_id, id),
    CONSTRAINT mcp_servers_org_id_name UNIQUE (org_id, name),
    FOREIGN KEY (org_id) REFERENCES organizations (id) ON DELETE CASCADE
);

-- Permissions that people gave for servers that ask for one (OAuth), by the servers' names: a permission may be there
-- before its server is. `state` is the digest of what the one under way is known by; `grant_enc` holds the client's
-- registration, what is under way, and the tokens, encrypted.
CREATE TABLE mcp_grants (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    org_id TEXT COLLATE "C" NOT NULL,
    server_name TEXT COLLATE "C" NOT NULL,
    user_id TEXT NOT NULL,
    state TEXT,
    status TEXT NOT NULL,
    error TEXT,
    grant_enc TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CONSTRAINT mcp_grants_org_id_server_name UNIQUE (org_id, server_name),
    CONSTRAINT mcp_grants_state UNIQUE (state),
    FOREIGN KEY (org_id) REFERENCES organizations (id) ON DELETE CASCADE
);

-- The tools of different servers may have the same name. Such a tool's `name` is made of both, so that it is unique among
-- all tools; `mcp_name` is what it is called.
ALTER TABLE tools ADD COLUMN mcp_server_id TEXT COLLATE "C" REFERENCES mcp_servers (id) ON DELETE CASCADE;
ALTER TABLE tools ADD COLUMN mcp_name TEXT;
CREATE INDEX tools_mcp_server ON tools (mcp_server_id) WHERE mcp_server_id IS NOT NULL;
CREATE INDEX tools_mcp_name ON tools (org_id, mcp_name) WHERE mcp_name IS NOT NULL;
