-- How many seconds each projection is behind: the age of the event after the one that its
-- slowest partition has folded. That is one of the oldest that are missing, or older, so the
-- true lag is never above this; it holds only while events come to every partition.
SELECT slowest.projection,
       coalesce(extract(epoch FROM clock_timestamp() - next.recorded_at), 0)::double precision
           AS seconds
FROM (SELECT projection, min(position) AS position
      FROM projection_checkpoints
      WHERE partition >= 0
      GROUP BY projection) AS slowest
LEFT JOIN events AS next ON next.position = slowest.position + 1
