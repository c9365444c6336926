-- Vectors have their own table by now.
ALTER TABLE passages DROP COLUMN embedding;
ALTER TABLE passages DROP COLUMN embedding_model;
ALTER TABLE passages DROP COLUMN embedding_dim;
