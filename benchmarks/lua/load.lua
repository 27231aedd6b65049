-- Load for wrk: debits of wallets and looks at them, transfers, holds, batches.
--
--   wrk -s load.lua … URL -- KIND WALLETS_FILE REFERENCE_PREFIX REQUESTS_PER_SECOND FOLDER SIZE
--
-- KIND is `debit`, `get`, `transfer`, `hold` or `batch`. The wallets file has one id a line. A
-- rate of 0 is as fast as possible. SIZE is how many debits a batch has. Only `hold` has a
-- `response` function, since a capture needs the id that the hold was answered with: it makes
-- wrk build tables of every answer. wrk counts statuses above 399 by itself.

local WALLET = string.rep("@", 36)
local OTHER = string.rep("~", 36)
local DIGITS = string.rep("#", 9)

local ids, prefix
local sent, place = 0, 0
local threads = {}

-- Captures that were answered with 200. Of one thread: `done` adds the threads' up.
captured = 0

local function read_lines(path)
   local lines = {}
   for line in io.lines(path) do
      lines[#lines + 1] = line
   end
   return lines
end

local function next_id()
   place = place % #ids + 1
   return ids[place]
end

local function next_reference()
   sent = sent + 1
   return string.format("%09d", sent)
end

local function split(text, mark)
   local first, last = text:find(mark, 1, true)
   return text:sub(1, first - 1), text:sub(last + 1)
end

-- The whole request is made once, by wrk's own hand, and taken apart at its blanks. What stands
-- in a body is as long as what takes its place, as wrk has counted the body's length.
local function post(path, body)
   wrk.headers["Content-Type"] = "application/json"
   return wrk.format("POST", path, nil, body)
end

local function movement(more)
   return '{' .. more .. '"amount":1,"description":"bench","reference":"' .. prefix .. DIGITS .. '"}'
end

local kinds = {}

function kinds.get()
   local before, after = split(wrk.format("GET", "/v1/wallets/" .. WALLET), WALLET)
   return function()
      return before .. next_id() .. after
   end
end

local function of_one_wallet(call)
   local before, between, after
   before, between = split(post("/v1/wallets/" .. WALLET .. call, movement("")), WALLET)
   between, after = split(between, DIGITS)
   return function()
      return before .. next_id() .. between .. next_reference() .. after
   end
end

function kinds.debit()
   return of_one_wallet("/debit")
end

function kinds.transfer()
   local ends = string.format('"from":"%s","to":"%s",', WALLET, OTHER)
   local before, between, to_reference, after
   before, between = split(post("/v1/transfers", movement(ends)), WALLET)
   between, to_reference = split(between, OTHER)
   to_reference, after = split(to_reference, DIGITS)
   return function()
      local from = next_id()
      local to = ids[place % #ids + 1]
      return before .. from .. between .. to .. to_reference .. next_reference() .. after
   end
end

-- A hold is captured as soon as it has been placed; captures go before new holds.
function kinds.hold()
   local place_hold = of_one_wallet("/holds")
   local before, after = split(post("/v1/holds/" .. WALLET .. "/capture", "{}"), WALLET)
   local placed = {}
   response = function(status, _, body)
      if status == 201 then
         placed[#placed + 1] = body:match('"id":"(hol_%x+)"')
      elseif status == 200 then
         captured = captured + 1
      end
   end
   return function()
      if #placed > 0 then
         return before .. table.remove(placed) .. after
      end
      return place_hold()
   end
end

function kinds.batch(size)
   local command = '{"type":"debit","wallet_id":"' .. WALLET .. '",' .. movement(""):sub(2)
   local body = '{"commands":[' .. string.rep(command, size, ",") .. ']}'
   local head = split(post("/v1/batch", body), body)
   local before, between, after
   before, between = split(command, WALLET)
   between, after = split(between, DIGITS)
   local commands = {}
   return function()
      for index = 1, size do
         commands[index] = before .. next_id() .. between .. next_reference() .. after
      end
      return head .. '{"commands":[' .. table.concat(commands, ",") .. ']}'
   end
end

function setup(thread)
   threads[#threads + 1] = thread
end

function init(arguments)
   local kind, wallets_file, rate = arguments[1], arguments[2], tonumber(arguments[4])
   prefix = arguments[3]
   ids = read_lines(wallets_file)
   request = kinds[kind](tonumber(arguments[6]))
   if rate > 0 then
      package.path = arguments[5] .. "/?.lua;" .. package.path
      delay = require("pace").delay(rate)
   end
end

function done(summary, latency)
   local errors = summary.errors
   local captures = 0
   for _, thread in ipairs(threads) do
      captures = captures + thread:get("captured")
   end
   io.write(string.format(
      '\nresult {"answered":%d,"refused":%d,"broken":%d,"captured":%d,"seconds":%.6f,' ..
      '"p50_ms":%.3f,"p99_ms":%.3f,"max_ms":%.3f}\n',
      summary.requests, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
      captures, summary.duration / 1e6,
      latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3))
end
