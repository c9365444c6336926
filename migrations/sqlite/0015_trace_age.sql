-- Traces are deleted by their age.
CREATE INDEX provider_traces_created_at ON provider_traces (created_at);
