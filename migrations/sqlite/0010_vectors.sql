-- Vectors of texts: of passages and of messages. `space` is the archive, folder or agent that a text belongs to, `model`
-- the handle of the model that made the vector. `graph` is PostgreSQL's. `embedding` holds `dim` 32-bit floats, little-endian. Identifiers only
-- grow and are never used twice, so that what is new is what has a greater one.
CREATE TABLE vectors (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    org_id TEXT NOT NULL,
    space TEXT NOT NULL,
    passage_seq INTEGER,
    message_seq INTEGER,
    model TEXT NOT NULL,
    dim INTEGER NOT NULL,
    graph INTEGER NOT NULL DEFAULT 0,
    embedding BLOB NOT NULL,
    FOREIGN KEY (org_id) REFERENCES organizations (id) ON DELETE CASCADE,
    FOREIGN KEY (passage_seq) REFERENCES passages (seq) ON DELETE CASCADE,
    FOREIGN KEY (message_seq) REFERENCES messages (seq) ON DELETE CASCADE
) STRICT;
CREATE INDEX vectors_space ON vectors (space, model, dim, id);
CREATE INDEX vectors_org ON vectors (org_id);
CREATE UNIQUE INDEX vectors_passage ON vectors (passage_seq) WHERE passage_seq IS NOT NULL;
CREATE UNIQUE INDEX vectors_message ON vectors (message_seq) WHERE message_seq IS NOT NULL;

-- The same vectors once more, rounded and packed by the thousand, so that a large space is read quickly. A block holds
-- the vectors after the block before it, up to `last_id`; those after the last block are read one by one. A block is a
-- hint: what it holds counts only when `vectors` still has it.
CREATE TABLE vector_blocks (
    id INTEGER NOT NULL PRIMARY KEY,
    org_id TEXT NOT NULL,
    space TEXT NOT NULL,
    model TEXT NOT NULL,
    dim INTEGER NOT NULL,
    last_id INTEGER NOT NULL,
    vectors INTEGER NOT NULL,
    codes BLOB NOT NULL,
    UNIQUE (space, model, dim, last_id),
    FOREIGN KEY (org_id) REFERENCES organizations (id) ON DELETE CASCADE
) STRICT;
CREATE INDEX vector_blocks_org ON vector_blocks (org_id);
CREATE TRIGGER vector_blocks_of_archives AFTER DELETE ON archives BEGIN
    DELETE FROM vector_blocks WHERE space = old.id;
END;
CREATE TRIGGER vector_blocks_of_agents AFTER DELETE ON agents BEGIN
    DELETE FROM vector_blocks WHERE space = old.id;
END;

-- Full text: the words as the server splits them, and the space as one more word, so that the index itself finds what is
-- both in a space and has a word. The server adds what is new.
DROP TRIGGER passages_fts_insert;
DROP TRIGGER passages_fts_delete;
DROP TRIGGER passages_fts_update;
DROP TABLE passages_fts;
CREATE VIRTUAL TABLE passages_fts USING fts5(space, words, content='', contentless_delete=1, tokenize="unicode61 remove_diacritics 0 categories 'L* M* N* S* Co'");
INSERT INTO passages_fts (passages_fts, rank) VALUES ('rank', 'bm25(0.0, 1.0)');
CREATE TRIGGER passages_fts_delete AFTER DELETE ON passages BEGIN
    DELETE FROM passages_fts WHERE rowid = old.seq;
END;
-- In how many passages a word is.
CREATE VIRTUAL TABLE passages_vocabulary USING fts5vocab(passages_fts, row);

DROP INDEX passages_bare;
CREATE INDEX passages_bare ON passages (archive_id, seq) WHERE embedding_config IS NULL;
CREATE INDEX passages_source_bare ON passages (source_id, seq) WHERE source_id IS NOT NULL AND embedding_config IS NULL;
