-- What went over the wire, packed; the two text columns hold it in older rows and are empty in newer ones.
ALTER TABLE provider_traces ADD COLUMN packed BYTEA;
-- It is packed already.
ALTER TABLE provider_traces ALTER COLUMN packed SET STORAGE EXTERNAL;
