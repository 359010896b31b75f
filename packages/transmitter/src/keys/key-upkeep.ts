import type { UpkeepTask } from '../upkeep/upkeep.ts'
import type { KeyRing } from './key-ring.ts'

/** The task that rotates keys by the schedule, and drops those that are published no more. */
export const keyUpkeep = ({ upkeep }: KeyRing): UpkeepTask => ({ name: 'keys', run: upkeep })
