-- Load for wrk: debits of wallets, or looks at them, over one connection after another.
--
--   wrk -s load.lua … URL -- KIND WALLETS_FILE REFERENCE_PREFIX REQUESTS_PER_SECOND FOLDER
--
-- KIND is `debit` or `get`. The wallets file has one id a line. A rate of 0 is as fast as
-- possible. There is no `response` function: it would make wrk build tables of every answer,
-- and wrk counts statuses above 399 by itself.

local debit_body = '{"amount":1,"description":"bench","reference":"%s"}'

local ids, before, between, after, prefix
local sent, place = 0, 0

local function read_lines(path)
   local lines = {}
   for line in io.lines(path) do
      lines[#lines + 1] = line
   end
   return lines
end

local function debit()
   sent = sent + 1
   place = place % #ids + 1
   return before .. ids[place] .. between .. string.format("%s%09d", prefix, sent) .. after
end

local function get()
   place = place % #ids + 1
   return before .. ids[place] .. after
end

local function split(text, mark)
   local first, last = text:find(mark, 1, true)
   return text:sub(1, first - 1), text:sub(last + 1)
end

function init(arguments)
   local kind, wallets_file, rate = arguments[1], arguments[2], tonumber(arguments[4])
   prefix = arguments[3]
   ids = read_lines(wallets_file)
   -- The whole request is made once, by wrk's own hand, and taken apart at its blanks.
   local wallet = "@wallet@"
   if kind == "debit" then
      local reference = prefix .. string.rep("@", 9)
      wrk.headers["Content-Type"] = "application/json"
      local whole = wrk.format(
         "POST", "/v1/wallets/" .. wallet .. "/debit", nil, debit_body:format(reference))
      before, between = split(whole, wallet)
      between, after = split(between, reference)
      request = debit
   else
      before, after = split(wrk.format("GET", "/v1/wallets/" .. wallet), wallet)
      request = get
   end
   if rate > 0 then
      package.path = arguments[5] .. "/?.lua;" .. package.path
      delay = require("pace").delay(rate)
   end
end

function done(summary, latency)
   local errors = summary.errors
   io.write(string.format(
      '\nresult {"answered":%d,"refused":%d,"broken":%d,"seconds":%.6f,' ..
      '"p50_ms":%.3f,"p99_ms":%.3f,"max_ms":%.3f}\n',
      summary.requests, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
      summary.duration / 1e6,
      latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3))
end
