/** Makes identifiers. */
export type MakeJti = () => string

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
const counterLimit = 2 ** 12
const bytesPerJti = 10

/**
 * Makes UUIDs of version 7 whose text order is the order in which they were made, also within one
 * millisecond and when the clock is set back. Receivers break ties of time by it.
 *
 * @param now Milliseconds since 1970
 * @see RFC 9562, "Monotonicity and Counters" (fixed bit-length dedicated counter)
 */
export function createJti(now: () => number): MakeJti {
  // Asking for randomness costs more than all the rest: a pool serves many.
  const pool = new Uint8Array(512 * bytesPerJti)
  let used = pool.length
  let time = 0
  let counter = 0

  return () => {
    if (used === pool.length) {
      crypto.getRandomValues(pool)
      used = 0
    }
    const random = pool.subarray(used, (used += bytesPerJti))
    const current = now()
    if (current > time) {
      time = current
      // Half of the range is left to count up.
      counter = ((at(random, 8) << 8) | at(random, 9)) % (counterLimit / 2)
    } else if (++counter === counterLimit) {
      // More than the counter holds in one millisecond: the time runs ahead.
      time++
      counter = 0
    }
    return format(time, counter, random)
  }
}

function format(time: number, counter: number, random: Uint8Array): string {
  const stamp = time.toString(16).padStart(12, '0')
  const variant = (at(random, 0) & 0x3f) | 0x80
  const count = counter.toString(16).padStart(3, '0')
  const byte = (index: number): string => hex[at(random, index)] ?? ''
  const tail = `${byte(2)}${byte(3)}${byte(4)}${byte(5)}${byte(6)}${byte(7)}`
  return `${stamp.slice(0, 8)}-${stamp.slice(8)}-7${count}-${hex[variant]}${byte(1)}-${tail}`
}

const at = (bytes: Uint8Array, index: number): number => bytes[index] ?? 0
