-- What went over the wire, packed; the two text columns hold it in older rows and are empty in newer ones.
ALTER TABLE provider_traces ADD COLUMN packed BLOB;
