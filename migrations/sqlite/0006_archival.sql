-- Archives: collections of passages that agents share.
CREATE TABLE archives (
    seq INTEGER NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    org_id TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    embedding_config TEXT,
    metadata TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    created_by_id TEXT,
    last_updated_by_id TEXT,
    UNIQUE (id),
    UNIQUE (org_id, id),
    FOREIGN KEY (org_id) REFERENCES organizations (id) ON DELETE CASCADE
) STRICT;
CREATE INDEX archives_org ON archives (org_id, seq);

-- Which archives an agent reads; it writes into the first.
CREATE TABLE agent_archives (
    org_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    archive_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (org_id, agent_id, archive_id),
    FOREIGN KEY (org_id, agent_id) REFERENCES agents (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, archive_id) REFERENCES archives (org_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX agent_archives_archive ON agent_archives (archive_id);

-- Texts with their vectors. `embedding` holds 32-bit floats, little-endian, `embedding_dim` of them; `embedding_model`
-- is the handle of the model that made it. All three are NULL until the text is embedded. The vector is the last
-- column: whoever does not want it need not read past it.
CREATE TABLE passages (
    seq INTEGER NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    org_id TEXT NOT NULL,
    archive_id TEXT,
    source_id TEXT,
    file_id TEXT,
    file_name TEXT,
    text TEXT NOT NULL,
    tags TEXT,
    metadata TEXT,
    embedding_config TEXT,
    embedding_model TEXT,
    embedding_dim INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    created_by_id TEXT,
    last_updated_by_id TEXT,
    embedding BLOB,
    UNIQUE (id),
    UNIQUE (org_id, id),
    FOREIGN KEY (org_id) REFERENCES organizations (id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, archive_id) REFERENCES archives (org_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX passages_archive ON passages (archive_id, created_at, seq) WHERE archive_id IS NOT NULL;
CREATE INDEX passages_bare ON passages (archive_id, seq) WHERE embedding IS NULL;

-- The tags of passages, for filters; `passages.tags` keeps their order.
CREATE TABLE passage_tags (
    org_id TEXT NOT NULL,
    archive_id TEXT NOT NULL,
    tag TEXT NOT NULL,
    passage_id TEXT NOT NULL,
    PRIMARY KEY (org_id, archive_id, tag, passage_id),
    FOREIGN KEY (org_id, passage_id) REFERENCES passages (org_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX passage_tags_passage ON passage_tags (org_id, passage_id);

-- Full text over `passages.text`. Triggers keep it in step, also when passages go with their archive.
CREATE VIRTUAL TABLE passages_fts USING fts5(text, content='passages', content_rowid='seq', tokenize="unicode61 remove_diacritics 0");
CREATE TRIGGER passages_fts_insert AFTER INSERT ON passages WHEN new.text <> '' BEGIN
    INSERT INTO passages_fts (rowid, text) VALUES (new.seq, new.text);
END;
CREATE TRIGGER passages_fts_delete AFTER DELETE ON passages WHEN old.text <> '' BEGIN
    INSERT INTO passages_fts (passages_fts, rowid, text) VALUES ('delete', old.seq, old.text);
END;
CREATE TRIGGER passages_fts_update AFTER UPDATE OF text ON passages WHEN old.text <> new.text BEGIN
    INSERT INTO passages_fts (passages_fts, rowid, text) SELECT 'delete', old.seq, old.text WHERE old.text <> '';
    INSERT INTO passages_fts (rowid, text) SELECT new.seq, new.text WHERE new.text <> '';
END;
