-- Requests of traces that nobody else has, each with one of some keys or without one, and with what the end of the chain is to compare.
-- Arguments: SEED NONE KEY...; of as many requests as there are keys, half as many have none.
local keys, none = {}, ""

function init(arguments)
  math.randomseed(tonumber(arguments[1]))
  none = arguments[2]
  for i = 3, #arguments do keys[#keys + 1] = arguments[i] end
end

local function half()
  return string.format("%08x%08x", math.random(1, 4294967295), math.random(1, 4294967295))
end

function request()
  local key = keys[math.random(1, #keys + #keys / 2)]
  local wanted = key and "x-routing-key: " .. key .. "\r\nx-wanted: " .. key or "x-wanted: " .. none
  return string.format(
    "GET / HTTP/1.1\r\nHost: shop\r\n%s\r\ntraceparent: 00-%s%s-00f067aa0ba902b7-01\r\nb3: %s%s-00f067aa0ba902b7-1\r\n\r\n",
    wanted, half(), half(), half(), half()
  )
end

function done(summary)
  local errors = summary.errors
  io.write(string.format("RESULT %d %d\n", summary.requests, errors.connect + errors.read + errors.write + errors.timeout))
end
