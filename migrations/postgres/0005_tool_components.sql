-- Compiled code that users uploaded as tools, once for each organisation and content: a component, or an Extism plugin.
-- `hash` is SHA-256 of the code in hexadecimal, `size` its bytes; `code` is it, compressed with zstd.
CREATE TABLE tool_components (
    org_id TEXT NOT NULL,
    hash TEXT NOT NULL,
    size BIGINT NOT NULL,
    code BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (org_id, hash),
    FOREIGN KEY (org_id) REFERENCES organizations (id) ON DELETE CASCADE
);

-- Which of them a tool is in; NULL for tools of other kinds.
ALTER TABLE tools ADD COLUMN component TEXT;
CREATE INDEX tools_component ON tools (org_id, component) WHERE component IS NOT NULL;
