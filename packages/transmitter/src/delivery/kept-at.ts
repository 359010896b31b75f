import type { Settings } from '../settings.ts'

/** When a SET that is taken now was delivered, where it is kept for a replay; else undefined. */
export function keptAt({ retention }: Settings, now: number): number | undefined {
  return retention.deliveredSeconds > 0 ? now : undefined
}
