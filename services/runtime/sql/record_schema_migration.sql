-- $1 name text, $2 sha256 bytea: the migration was applied.
INSERT INTO schema_migrations (name, sha256) VALUES ($1, $2)
