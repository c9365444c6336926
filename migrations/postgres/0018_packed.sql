-- Vectors of large spaces are packed into blocks here as well; `graph` says which are. The indexes of near neighbours are made anew
-- for spaces that are too large for memory.
UPDATE vectors SET graph = FALSE WHERE graph;
DO $$
DECLARE old RECORD;
BEGIN
    FOR old IN SELECT indexname FROM pg_indexes WHERE schemaname = current_schema() AND indexname LIKE 'vectors\_graph\_%' LOOP
        EXECUTE format('DROP INDEX %I', old.indexname);
    END LOOP;
END $$;
