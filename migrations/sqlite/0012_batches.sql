-- Batches: one message each for many agents, worked on without their client. `owner` is the server that looks after it.
CREATE TABLE batches (
    seq INTEGER NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    org_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    status TEXT NOT NULL,
    total INTEGER NOT NULL,
    callback_url TEXT,
    callback_sent_at INTEGER,
    callback_status_code INTEGER,
    callback_error TEXT,
    owner TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    completed_at INTEGER,
    UNIQUE (id),
    UNIQUE (org_id, id),
    FOREIGN KEY (org_id) REFERENCES organizations (id) ON DELETE CASCADE
) STRICT;
CREATE INDEX batches_org ON batches (org_id, seq);
CREATE INDEX batches_active ON batches (seq) WHERE status IN ('created', 'running');

-- A run of a batch waits between its steps for its provider, which may take a day; the batch looks after it.
ALTER TABLE runs ADD COLUMN batch_id TEXT;
CREATE INDEX runs_batch ON runs (batch_id, seq) WHERE batch_id IS NOT NULL;

-- Model calls handed over to a provider together. `remote_id` is the provider's name for it, NULL until it is known.
CREATE TABLE batch_uploads (
    id TEXT NOT NULL PRIMARY KEY,
    org_id TEXT NOT NULL,
    batch_id TEXT NOT NULL,
    llm_config TEXT NOT NULL,
    remote_id TEXT,
    created_at INTEGER NOT NULL,
    FOREIGN KEY (org_id, batch_id) REFERENCES batches (org_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX batch_uploads_batch ON batch_uploads (batch_id);

-- The call that a run waits for: of which step, for the how-manyth time, and what was asked.
CREATE TABLE batch_calls (
    run_id TEXT NOT NULL PRIMARY KEY,
    org_id TEXT NOT NULL,
    upload_id TEXT NOT NULL,
    step INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    body TEXT NOT NULL,
    FOREIGN KEY (run_id) REFERENCES runs (id) ON DELETE CASCADE,
    FOREIGN KEY (upload_id) REFERENCES batch_uploads (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX batch_calls_upload ON batch_calls (upload_id);
