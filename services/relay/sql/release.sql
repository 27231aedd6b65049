-- Give back every lock of this session, so that a standby need not wait for its end.
SELECT pg_advisory_unlock_all()
