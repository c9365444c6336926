-- Batches: one message each for many agents, worked on without their client. `owner` is the server that looks after it.
CREATE TABLE batches (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL,
    org_id TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    status TEXT NOT NULL,
    total BIGINT NOT NULL,
    callback_url TEXT,
    callback_sent_at BIGINT,
    callback_status_code BIGINT,
    callback_error TEXT,
    owner TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    completed_at BIGINT,
    CONSTRAINT batches_id UNIQUE (id),
    CONSTRAINT batches_org_id UNIQUE (org_id, id),
    FOREIGN KEY (org_id) REFERENCES organizations (id) ON DELETE CASCADE
);
CREATE INDEX batches_org ON batches (org_id, seq);
CREATE INDEX batches_active ON batches (seq) WHERE status IN ('created', 'running');

-- A run of a batch waits between its steps for its provider, which may take a day; the batch looks after it.
ALTER TABLE runs ADD COLUMN batch_id TEXT COLLATE "C";
CREATE INDEX runs_batch ON runs (batch_id, seq) WHERE batch_id IS NOT NULL;

-- Model calls handed over to a provider together. `remote_id` is the provider's name for it, NULL until it is known.
CREATE TABLE batch_uploads (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    org_id TEXT COLLATE "C" NOT NULL,
    batch_id TEXT COLLATE "C" NOT NULL,
    llm_config TEXT NOT NULL,
    remote_id TEXT,
    created_at BIGINT NOT NULL,
    FOREIGN KEY (org_id, batch_id) REFERENCES batches (org_id, id) ON DELETE CASCADE
);
CREATE INDEX batch_uploads_batch ON batch_uploads (batch_id);

-- The call that a run waits for: of which step, for the how-manyth time, and what was asked.
CREATE TABLE batch_calls (
    run_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    org_id TEXT COLLATE "C" NOT NULL,
    upload_id TEXT COLLATE "C" NOT NULL,
    step BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    body TEXT NOT NULL,
    FOREIGN KEY (run_id) REFERENCES runs (id) ON DELETE CASCADE,
    FOREIGN KEY (upload_id) REFERENCES batch_uploads (id) ON DELETE CASCADE
);
CREATE INDEX batch_calls_upload ON batch_calls (upload_id);
