-- Folders of files; the API's older name for them is sources.
CREATE TABLE sources (
    seq INTEGER NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    org_id TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    instructions TEXT,
    embedding_config TEXT,
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
CREATE INDEX sources_org ON sources (org_id, seq);

-- Which folders an agent reads.
CREATE TABLE agent_sources (
    org_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    source_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (org_id, agent_id, source_id),
    FOREIGN KEY (org_id, agent_id) REFERENCES agents (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, source_id) REFERENCES sources (org_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX agent_sources_source ON agent_sources (source_id);

-- Files. `file_name` is unique within the folder, `original_file_name` what the uploader called it. `owner` is the server
-- that works on a file which is not ready yet, one of `replicas`; `attempts` says how often one began to.
CREATE TABLE files (
    seq INTEGER NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    org_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    source_id TEXT NOT NULL,
    file_name TEXT NOT NULL,
    original_file_name TEXT NOT NULL,
    file_type TEXT,
    file_size INTEGER NOT NULL,
    status TEXT NOT NULL,
    error_message TEXT,
    total_chunks INTEGER,
    chunks_embedded INTEGER,
    lines INTEGER,
    owner TEXT,
    attempts INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    created_by_id TEXT,
    last_updated_by_id TEXT,
    UNIQUE (id),
    UNIQUE (org_id, id),
    UNIQUE (org_id, source_id, file_name),
    FOREIGN KEY (org_id, source_id) REFERENCES sources (org_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX files_source ON files (source_id, seq);
CREATE INDEX files_unready ON files (seq) WHERE status IN ('parsing', 'embedding');

-- The text of files.
CREATE TABLE file_contents (
    org_id TEXT NOT NULL,
    file_id TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (org_id, file_id),
    FOREIGN KEY (org_id, file_id) REFERENCES files (org_id, id) ON DELETE CASCADE
) STRICT;

-- What an agent did with a file. `view` is the part of it that the agent has in its context window while it is open;
-- the lines are counted from 1, and are null when the whole file was asked for.
CREATE TABLE agent_files (
    org_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    file_id TEXT NOT NULL,
    is_open INTEGER NOT NULL,
    view TEXT,
    start_line INTEGER,
    end_line INTEGER,
    last_accessed_at INTEGER NOT NULL,
    PRIMARY KEY (org_id, agent_id, file_id),
    FOREIGN KEY (org_id, agent_id) REFERENCES agents (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, file_id) REFERENCES files (org_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX agent_files_file ON agent_files (org_id, file_id);

-- The chunks of files are passages of their folder.
CREATE INDEX passages_of_source ON passages (source_id, created_at, seq) WHERE source_id IS NOT NULL;
CREATE INDEX passages_of_file ON passages (file_id, seq) WHERE file_id IS NOT NULL;
