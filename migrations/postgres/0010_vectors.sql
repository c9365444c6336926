-- pgvector: the type of vectors, and the index that finds near ones.
CREATE EXTENSION IF NOT EXISTS vector;

-- Vectors of texts: of passages and of messages. `space` is the archive, folder or agent that a text belongs to, `model`
-- the handle of the model that made the vector. Those of a large space are in the index of near neighbours of their
-- dimension (`graph`), which the server makes when it needs it; the others are compared one by one.
CREATE TABLE vectors (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    org_id TEXT COLLATE "C" NOT NULL,
    space TEXT COLLATE "C" NOT NULL,
    passage_seq BIGINT,
    message_seq BIGINT,
    model TEXT COLLATE "C" NOT NULL,
    dim BIGINT NOT NULL,
    graph BOOLEAN NOT NULL DEFAULT FALSE,
    embedding VECTOR NOT NULL,
    FOREIGN KEY (org_id) REFERENCES organizations (id) ON DELETE CASCADE,
    FOREIGN KEY (passage_seq) REFERENCES passages (seq) ON DELETE CASCADE,
    FOREIGN KEY (message_seq) REFERENCES messages (seq) ON DELETE CASCADE
);
CREATE INDEX vectors_space ON vectors (space, model, dim, id);
CREATE INDEX vectors_loose ON vectors (space, model, dim, id) WHERE NOT graph;
CREATE INDEX vectors_org ON vectors (org_id);
CREATE UNIQUE INDEX vectors_passage ON vectors (passage_seq) WHERE passage_seq IS NOT NULL;
CREATE UNIQUE INDEX vectors_message ON vectors (message_seq) WHERE message_seq IS NOT NULL;

-- Only SQLite needs it: see there.
CREATE TABLE vector_blocks (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    org_id TEXT COLLATE "C" NOT NULL,
    space TEXT COLLATE "C" NOT NULL,
    model TEXT COLLATE "C" NOT NULL,
    dim BIGINT NOT NULL,
    last_id BIGINT NOT NULL,
    vectors BIGINT NOT NULL,
    codes BYTEA NOT NULL,
    UNIQUE (space, model, dim, last_id),
    FOREIGN KEY (org_id) REFERENCES organizations (id) ON DELETE CASCADE
);
CREATE INDEX vector_blocks_org ON vector_blocks (org_id);

DROP INDEX passages_bare;
CREATE INDEX passages_bare ON passages (archive_id, seq) WHERE embedding_config IS NULL;
CREATE INDEX passages_source_bare ON passages (source_id, seq) WHERE source_id IS NOT NULL AND embedding_config IS NULL;
-- What is new is in the index at once, not in a list that every search reads.
ALTER INDEX passages_search SET (fastupdate = off);
