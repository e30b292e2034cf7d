-- The load of every subject: one header that ends in a number drawn from FIRST to LAST. A subject that is to see no key gets another
-- header's name of the same length, so that every request has the same size and costs the client the same.
-- Arguments: HEADER ("x-routing-key: pr-") FIRST LAST SEED
local head, first, last

function init(arguments)
  head = "GET / HTTP/1.1\r\nHost: reviews\r\n" .. arguments[1] .. "%06d\r\n\r\n"
  first, last = tonumber(arguments[2]), tonumber(arguments[3])
  math.randomseed(tonumber(arguments[4]))
end

function request()
  return string.format(head, math.random(first, last))
end

function done(summary)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format("RESULT %d %d\n", summary.requests, failed))
end
