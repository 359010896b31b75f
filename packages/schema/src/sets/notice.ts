/** Something about a SET that was put right, and reported instead of refused. */
export interface Notice {
  /** Names the tolerance, for counters: `event-time-milliseconds`. */
  readonly name: string
  /** Says what was read how. Holds no text of the peer. */
  readonly message: string
}
