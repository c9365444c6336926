-- Archives: collections of passages that agents share.
CREATE TABLE archives (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL,
    org_id TEXT COLLATE "C" NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    embedding_config TEXT,
    metadata TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    created_by_id TEXT,
    last_updated_by_id TEXT,
    CONSTRAINT archives_id UNIQUE (id),
    CONSTRAINT archives_org_id_id UNIQUE (org_id, id),
    FOREIGN KEY (org_id) REFERENCES organizations (id) ON DELETE CASCADE
);
CREATE INDEX archives_org ON archives (org_id, seq);

-- Which archives an agent reads; it writes into the first.
CREATE TABLE agent_archives (
    org_id TEXT COLLATE "C" NOT NULL,
    agent_id TEXT COLLATE "C" NOT NULL,
    archive_id TEXT COLLATE "C" NOT NULL,
    position BIGINT NOT NULL,
    PRIMARY KEY (org_id, agent_id, archive_id),
    FOREIGN KEY (org_id, agent_id) REFERENCES agents (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, archive_id) REFERENCES archives (org_id, id) ON DELETE CASCADE
);
CREATE INDEX agent_archives_archive ON agent_archives (archive_id);

-- Texts with their vectors. `embedding` holds 32-bit floats, little-endian, `embedding_dim` of them; `embedding_model`
-- is the handle of the model that made it. All three are NULL until the text is embedded. The vector is the last
-- column: whoever does not want it need not read past it.
CREATE TABLE passages (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL,
    org_id TEXT COLLATE "C" NOT NULL,
    archive_id TEXT COLLATE "C",
    source_id TEXT,
    file_id TEXT,
    file_name TEXT,
    text TEXT NOT NULL,
    tags TEXT,
    metadata TEXT,
    embedding_config TEXT,
    embedding_model TEXT,
    embedding_dim BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    created_by_id TEXT,
    last_updated_by_id TEXT,
    search TSVECTOR,
    embedding BYTEA,
    CONSTRAINT passages_id UNIQUE (id),
    CONSTRAINT passages_org_id_id UNIQUE (org_id, id),
    FOREIGN KEY (org_id) REFERENCES organizations (id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, archive_id) REFERENCES archives (org_id, id) ON DELETE CASCADE
);
CREATE INDEX passages_archive ON passages (archive_id, created_at, seq) WHERE archive_id IS NOT NULL;
CREATE INDEX passages_bare ON passages (archive_id, seq) WHERE embedding IS NULL;

-- The tags of passages, for filters; `passages.tags` keeps their order.
CREATE TABLE passage_tags (
    org_id TEXT COLLATE "C" NOT NULL,
    archive_id TEXT COLLATE "C" NOT NULL,
    tag TEXT COLLATE "C" NOT NULL,
    passage_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (org_id, archive_id, tag, passage_id),
    FOREIGN KEY (org_id, passage_id) REFERENCES passages (org_id, id) ON DELETE CASCADE
);
CREATE INDEX passage_tags_passage ON passage_tags (org_id, passage_id);

-- `search` holds the words as the server split them, so that both databases agree on what a word is.
CREATE INDEX passages_search ON passages USING gin (search);
-- Floats hardly compress, and are read whole.
ALTER TABLE passages ALTER COLUMN embedding SET STORAGE EXTERNAL;
