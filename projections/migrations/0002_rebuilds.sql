-- How often rebuilt tables took the place of a projection's live ones. A process that knows rows of
-- the tables before loses its next compare-and-set, and reads anew.
ALTER TABLE projection_checkpoints
    ADD COLUMN rebuilds bigint NOT NULL DEFAULT 0 CHECK (rebuilds >= 0);
