/** Returns the first line of a record, which names the places where its id is filed. */
const firstLine = `
local function firstLine(key)
  local record = redis.call('GET', key)
  return record and string.match(record, '^[^\\n]*') or ''
end`

/**
 * Puts a record in the place of another, or of none, and files its id; with an empty record,
 * removes it. Does nothing unless the first line that stands is the one expected, and returns that
 * one, for a script may only touch keys that it was given.
 *
 * - `KEYS`: the record, the places of the new one, the other places of the one before;
 * - `ARGV`: the line expected, the new record, when it expires in milliseconds or nothing, its name,
 *   the number of new places.
 *
 * Each place lives as long as the longest session in it. A few that have expired leave with each
 * write, so that a place that is written to does not grow by the dead.
 */
export const writeScript: string = `${firstLine}
local standing = firstLine(KEYS[1])
if standing ~= ARGV[1] then return standing end
redis.call('DEL', KEYS[1])
if ARGV[2] ~= '' then redis.call('SET', KEYS[1], ARGV[2]) end
if ARGV[3] ~= '' then redis.call('PEXPIREAT', KEYS[1], ARGV[3]) end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for index = 2, #KEYS do
  local place = KEYS[index]
  redis.call('ZREM', place, ARGV[4])
  if index <= ARGV[5] + 1 then
    redis.call('ZADD', place, ARGV[3] == '' and '+inf' or ARGV[3], ARGV[4])
  end
  local dead = redis.call('ZRANGEBYSCORE', place, '-inf', now, 'LIMIT', 0, 100)
  if #dead > 0 then redis.call('ZREM', place, unpack(dead)) end
  local last = redis.call('ZREVRANGE', place, 0, 0, 'WITHSCORES')[2]
  if last == 'inf' then redis.call('PERSIST', place)
  elseif last then redis.call('PEXPIREAT', place, last) end
end
return false`

/**
 * Takes names out of a place that have no record there any more, and records that have expired by a
 * moment. Looks again at each, for it may have been written meanwhile.
 *
 * - `KEYS`: the place, the records;
 * - `ARGV`: the name of the place, the moment in milliseconds or `-inf`, the names of the records.
 */
export const sweepScript: string = `${firstLine}
local moment = ARGV[2] ~= '-inf' and tonumber(ARGV[2])
for index = 2, #KEYS do
  local name = ARGV[index + 1]
  local filed = string.find(firstLine(KEYS[index]), ARGV[1], 1, true)
  local expires = tonumber(redis.call('ZSCORE', KEYS[1], name) or '')
  if not filed then redis.call('ZREM', KEYS[1], name)
  elseif moment and expires and expires <= moment then
    redis.call('DEL', KEYS[index])
    redis.call('ZREM', KEYS[1], name)
  end
end
return false`

/**
 * Returns the names in a place that have expired by a moment.
 *
 * - `KEYS`: the place;
 * - `ARGV`: the moment in milliseconds, how many at most.
 */
export const expiredScript: string = `
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])`
