import type { Emitter } from '@drawbridge/core'
import type { Delivery } from '../delivery/delivery.ts'
import type { IssuerStore } from '../store/transmitter-store.ts'
import type { StreamManagement } from '../streams/stream-management.ts'
import type { TransmitterEvents } from '../transmitter-events.ts'
import { inactivityTask } from './inactivity.ts'
import { retentionTask } from './retention.ts'
import { verificationTask } from './scheduled-verification.ts'
import { subjectChangesTask } from './subject-changes.ts'
import type { UpkeepTask } from './upkeep.ts'

/** What {@link upkeepTasks} needs. */
export interface UpkeepTasksContext {
  readonly management: StreamManagement
  readonly store: IssuerStore
  readonly delivery: Delivery
  readonly emitter: Emitter<TransmitterEvents>
}

/** What has to be done now and then on the streams of one Transmitter, as its options say. */
export function upkeepTasks(context: UpkeepTasksContext): readonly UpkeepTask[] {
  const { management, store, delivery, emitter } = context
  const { inactivity, verification, subjects, clock } = management.settings
  const { everySeconds } = verification
  return [
    retentionTask({
      management,
      store,
      delivery,
      dropped: (dropped) => emitter.emit('events:dropped', { at: clock.now(), ...dropped }),
    }),
    subjectChangesTask(store, subjects.removalGraceSeconds),
    ...(inactivity ? [inactivityTask(management, inactivity)] : []),
    ...(everySeconds === undefined ? [] : [verificationTask(context, everySeconds)]),
  ]
}
