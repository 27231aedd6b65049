-- The migrations that were applied, each with the hash of what it was then. No parameters.
SELECT name, sha256 FROM schema_migrations
