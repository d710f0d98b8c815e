-- The requests of one load. Arguments after `--`: a file of lines "path TAB body", sent once each by one thread; or
-- "-", a path, and a body with %s for a number that no other request has. Then headers, "Name: value".
local threads = 0

function setup(thread)
   thread:set("number", threads)
   threads = threads + 1
end

function init(args)
   wrk.method = "POST"
   file, path, body = args[1], args[2], args[3]
   for i = 4, #args do
      local name, value = args[i]:match("^(.-): (.*)$")
      wrk.headers[name] = value
   end
   sent, lines = 0, {}
   if file ~= "-" then
      for line in io.lines(file) do lines[#lines + 1] = line end
   end
end

function request()
   sent = sent + 1
   if file == "-" then
      return wrk.format(nil, path, nil, body:gsub("%%s", number .. "-" .. sent))
   end
   if sent == #lines then
      wrk.thread:stop()
      -- wrk would sleep on until the time is over. Not at once: system(3) ignores the signal while it runs.
      os.execute("(sleep 0.02; kill -INT $PPID) &")
   end
   local at, content = lines[math.min(sent, #lines)]:match("^(.-)\t(.*)$")
   return wrk.format(nil, at, nil, content)
end

function done(summary, latency)
   local failed = summary.errors
   io.write(string.format('\nresult {"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "max": %d, ' ..
      '"refused": %d, "broken": %d, "late": %d}\n',
      summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max,
      failed.status, failed.connect + failed.read + failed.write, failed.timeout))
end
