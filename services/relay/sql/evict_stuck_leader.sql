-- End a session that holds the lock in the middle of a statement for too long. A leader that
-- is stopped while PostgreSQL sends it a page is not idle, so no idle timeout ends it.
-- $1 integer lock class  $2 integer topic generation  $3 interval too long
SELECT lock.pid, pg_terminate_backend(lock.pid) AS ended
FROM pg_locks AS lock
JOIN pg_stat_activity AS session USING (pid)
WHERE lock.locktype = 'advisory'
  AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND (lock.classid, lock.objid, lock.objsubid) = ($1::integer::oid, $2::integer::oid, 2)
  AND lock.granted
  AND session.state <> 'idle'
  AND clock_timestamp() - session.query_start > $3::interval
