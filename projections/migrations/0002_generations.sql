-- How often other tables took the place of a projection's live ones. A process that knows rows of
-- the tables before loses its next compare-and-set, and reads anew.
ALTER TABLE projection_checkpoints
    ADD COLUMN generation bigint NOT NULL DEFAULT 1 CHECK (generation > 0);
