-- The time of day, which is this server's for every process.
SELECT clock_timestamp()
