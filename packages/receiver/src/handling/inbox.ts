/**
 * Remembers which SETs were handled, by (`iss`, `jti`), so that a repeated one is acknowledged
 * without being handled again. Written only after the signature was verified.
 */
export interface Inbox {
  /** Tells whether the SET was handled before. */
  has(iss: string, jti: string): boolean | Promise<boolean>
  /** Notes that it was. Resolved when the note is as durable as the inbox is. */
  add(iss: string, jti: string): void | Promise<void>
}

/**
 * An inbox in memory: forgets at the end of the process, and the oldest where it is full. What
 * comes again after that is handled again, which handlers allow for by their idempotency key.
 *
 * @param capacity How many SETs it remembers. Default 100,000 (about 20 MB).
 */
export function memoryInbox(capacity = 100_000): Inbox {
  const seen = new Set<string>()
  const keyOf = (iss: string, jti: string): string => JSON.stringify([iss, jti])
  return {
    has: (iss, jti) => seen.has(keyOf(iss, jti)),
    add: (iss, jti) => {
      seen.add(keyOf(iss, jti))
      if (seen.size <= capacity) return
      const [oldest] = seen
      if (oldest !== undefined) seen.delete(oldest)
    },
  }
}
