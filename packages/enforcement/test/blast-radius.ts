import { issSub, opaque, type SubjectIdentifier } from '@drawbridge/schema'
import type { EnforcementEvents, EnforcementOptions, Who } from '@drawbridge/enforcement'
import { aliceSince, idp, startedNode, type TestNode } from './signals.ts'

/** What is told of operators' acts, budgets and protected accounts. */
const names = [
  'budget:exceeded',
  'budget:confirmed',
  'budget:released',
  'transmitter:quarantined',
  'transmitter:reinstated',
  'effects:undone',
  'subject:protected',
] as const

/** A node, and what it told of acts, in order: the name, and what belongs to it. */
export interface WatchedNode extends TestNode {
  readonly acts: readonly (readonly [name: string, event: object])[]
}

export async function watchedNode(options: Partial<EnforcementOptions> = {}): Promise<WatchedNode> {
  const node = await startedNode(options)
  const acts: (readonly [string, object])[] = []
  for (const name of names) {
    node.enforcement.events.on(name, (told: EnforcementEvents[typeof name]) => {
      // Which time it is, no test asks.
      acts.push([name, { ...told, at: undefined }])
    })
  }
  return { ...node, acts }
}

/** A user of the identity provider. */
export const user = (id: string): SubjectIdentifier => issSub(idp, id)

/** A user's session that began some seconds after noon. */
export const sessionOf = (id: string, seconds = -60): Who =>
  aliceSince(seconds, { subject: { user: user(id), session: opaque(`s-${id}`) } })

/** The hardest effect on each user's session; `none` where it goes on. */
export const effectsOn = (
  { enforcement }: Pick<TestNode, 'enforcement'>,
  ids: readonly string[],
): readonly string[] => ids.map((id) => enforcement.check(sessionOf(id)).effect ?? 'none')
