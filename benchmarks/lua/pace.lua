-- Pace: requests at a fixed rate. wrk itself only knows as fast as possible.
--
-- Every request takes the next place of one timetable, whichever connection sends it, so the
-- rate does not depend on how long answers take, as long as a connection is free.

local ffi = require("ffi")
ffi.cdef [[
   typedef struct { long seconds; long nanoseconds; } pace_time;
   int clock_gettime(int clock, pace_time *time);
]]

local MONOTONIC = 1
local LATEST_MS = 1000

local time = ffi.new("pace_time")

local function now_ms()
   ffi.C.clock_gettime(MONOTONIC, time)
   return tonumber(time.seconds) * 1000 + tonumber(time.nanoseconds) / 1e6
end

local pace = {}

-- A function for wrk's `delay`: milliseconds to wait before the next request.
function pace.delay(requests_per_second)
   local interval_ms = 1000 / requests_per_second
   local due_ms = now_ms()
   return function()
      local now = now_ms()
      due_ms = due_ms + interval_ms
      if due_ms < now - LATEST_MS then
         -- After so long a stall the missed requests are not made up for; the rate that was
         -- reached is measured, and shows it.
         due_ms = now
      end
      return math.max(0, math.floor(due_ms - now + 0.5))
   end
end

return pace
