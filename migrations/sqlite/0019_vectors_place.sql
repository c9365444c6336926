-- One index for everything that asks for vectors by their place.
CREATE INDEX vectors_place ON vectors (org_id, space, model, dim, id);
DROP INDEX vectors_org;
DROP INDEX vectors_space;
CREATE INDEX agents_name ON agents (org_id, name);

-- SQLite takes it that ten rows have the same value in the first column of an index. An organisation has most rows of a table, and
-- was gone through as a whole where other columns would have said which row is meant. So it is told. ANALYZE may tell it better.
ANALYZE sqlite_schema;
DELETE FROM sqlite_stat1;
INSERT INTO sqlite_stat1 (tbl, idx, stat)
SELECT t.name, i.name,
    '100000 100000' || CASE c.columns WHEN 1 THEN '' ELSE replace(hex(zeroblob(c.columns - 2)), '00', ' 100')
        || CASE i."unique" WHEN 1 THEN ' 1' ELSE ' 100' END END
FROM sqlite_schema t
JOIN pragma_index_list(t.name) i
JOIN (SELECT s.name AS idx, count(*) AS columns, max(CASE p.seqno WHEN 0 THEN p.name END) AS first
    FROM sqlite_schema s JOIN pragma_index_info(s.name) p WHERE s.type = 'index' GROUP BY s.name) c ON c.idx = i.name
WHERE t.type = 'table' AND c.first = 'org_id';
ANALYZE sqlite_schema;
