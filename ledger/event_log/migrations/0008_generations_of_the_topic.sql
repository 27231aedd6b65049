-- A generation of the events topic that is being filled from the log is not yet the one that
-- relay, projectors and subscribers go by: that is the newest one that is not being filled.
ALTER TABLE relay_progress ADD COLUMN is_filling boolean NOT NULL DEFAULT false;
