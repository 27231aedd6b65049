-- From when a callback's patience counts, and how many declines of a session were told.

ALTER TABLE callbacks ADD COLUMN first_attempt_at REAL;

UPDATE callbacks SET first_attempt_at = created_at WHERE attempts > 0;

ALTER TABLE sessions ADD COLUMN declines INTEGER NOT NULL DEFAULT 0;
