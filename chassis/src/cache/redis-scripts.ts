// What Redis does in one step. Each script runs alone, whoever else asks, and knows no clock but
// that of the server. Scripts of Redis 7: what they write is what is replicated, not the script.
//
// S1. Times are milliseconds by TIME, as strings that lose nothing (Lua's own have 14 digits).
// S2. A clock that jumps back keeps nobody out: what lies in the future counts as wrong.

const now = `
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local function text(ms) return string.format('%.17g', ms) end
`;

/**
 * Many buckets: KEYS are their names, ARGV the rate per second and the burst of each. Answers for
 * each the milliseconds until its next token, 0: it was taken. The same as memory-cache.ts does.
 */
const take = `${now}
local waits = {}
for i, key in ipairs(KEYS) do
  local tokenMs = 1000 / ARGV[2 * i - 1]
  local burst = tonumber(ARGV[2 * i])
  local fullAt = math.max(now, tonumber(redis.call('GET', key) or now))
  fullAt = math.min(fullAt, now + burst * tokenMs)
  local wait = fullAt - now - (burst - 1) * tokenMs
  if wait > 0.01 then
    waits[i] = math.ceil(wait)
  else
    fullAt = fullAt + tokenMs
    redis.call('SET', key, text(fullAt), 'PX', math.ceil(fullAt - now))
    waits[i] = 0
  end
end
return waits
`;

/** KEYS: the window; ARGV: its length and how many tries it has. Answers like \`take\`. */
const tryWithin = `${now}
local windowMs, countMax = tonumber(ARGV[1]), tonumber(ARGV[2])
local tries = redis.call('LRANGE', KEYS[1], 0, -1)
local oldest = nil
local count = 0
for _, try in ipairs(tries) do
  local at = tonumber(try)
  if now - at < windowMs and at <= now then
    oldest = oldest or at
    count = count + 1
  else
    redis.call('LREM', KEYS[1], 1, try)
  end
end
if count >= countMax then return math.max(1, math.ceil(oldest + windowMs - now)) end
redis.call('RPUSH', KEYS[1], text(now))
redis.call('PEXPIRE', KEYS[1], math.ceil(windowMs))
return 0
`;

/**
 * KEYS: the value, the claim; ARGV: an id, how long it is claimed, how long it is kept. Answers the
 * value and its age, or 1 for a claim that was made, or 0 where somebody else has one.
 */
const claim = `
local left = redis.call('PTTL', KEYS[1])
local age = tonumber(ARGV[3]) - left
if left > 0 and age >= 0 then return { redis.call('GET', KEYS[1]), age } end
if redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
return 0
`;

/** KEYS and the times as for \`claim\`, then the value. Answers whether it was kept. */
const fulfil = `
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
local age = tonumber(ARGV[2]) - redis.call('PTTL', KEYS[2])
redis.call('DEL', KEYS[2])
local left = tonumber(ARGV[3]) - age
if age < 0 or left < 1 then return 0 end
redis.call('SET', KEYS[1], ARGV[4], 'PX', math.floor(left))
return 1
`;

export const redisScripts = { take, tryWithin, claim, fulfil } as const;
export type RedisScript = keyof typeof redisScripts;
