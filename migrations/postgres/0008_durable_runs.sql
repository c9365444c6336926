-- Servers of this database that are alive until a time, which they keep pushing on. Each start is a server of its own.
CREATE TABLE replicas (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    until BIGINT NOT NULL
);

-- Which server works on a run, what the run was asked for while it is not over, and how often a server took it over.
ALTER TABLE runs ADD COLUMN owner TEXT;
ALTER TABLE runs ADD COLUMN request TEXT;
ALTER TABLE runs ADD COLUMN takeovers BIGINT NOT NULL DEFAULT 0;
CREATE INDEX runs_callback ON runs (seq) WHERE callback_url IS NOT NULL AND callback_sent_at IS NULL;

-- Whose turn it is, and the number that a commit of a turn has to know: it grows when a turn changes hands.
ALTER TABLE agents ADD COLUMN lease_run TEXT;
ALTER TABLE agents ADD COLUMN lease_fence BIGINT NOT NULL DEFAULT 0;
