-- One index for everything that asks for vectors by their place, as on SQLite.
CREATE INDEX vectors_place ON vectors (org_id, space, model, dim, id);
DROP INDEX vectors_org;
DROP INDEX vectors_space;
CREATE INDEX agents_name ON agents (org_id, name);
