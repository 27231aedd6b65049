-- The projections that have begun, in the order in which their checkpoints are to be locked.
SELECT DISTINCT projection FROM projection_checkpoints WHERE partition = -1 ORDER BY projection
