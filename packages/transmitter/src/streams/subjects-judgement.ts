import type { SubjectState } from '../store/transmitter-store.ts'

/** Which subjects a stream has where none was added or removed. */
export type DefaultSubjects = 'ALL' | 'NONE'

/** What is known about one subject of a stream that an event is about, or may be. */
export interface SubjectKnown {
  readonly state: SubjectState | 'part'
  /** How many members it has. */
  readonly width: number
}

/**
 * Tells whether a stream has the subject of an event: the narrowest subject that was added or
 * removed and speaks of it decides, of equally narrow ones the added; the default where none does.
 * A removed subject speaks only of what it covers, so that a removal never takes more than it
 * names.
 *
 * @see OpenID SSF 1.0, "Subject Matching"
 */
export function hasSubject(known: readonly SubjectKnown[], byDefault: DefaultSubjects): boolean {
  const narrowest = Math.max(...known.map(({ width }) => width))
  const deciding = known.filter(({ width }) => width === narrowest)
  if (deciding.length === 0) return byDefault === 'ALL'
  return deciding.some(({ state }) => state !== 'removed')
}

/**
 * What has to be kept of a subject so that a stream has it, or has it no more. Undefined where the
 * default or a broader subject says so already.
 *
 * @param broader Whether the stream has the subject by what is broader than it
 * @see OpenID SSF 1.0, "Transmitter Configuration Metadata" (`default_subjects`)
 */
export function stateToKeep(
  wanted: SubjectState,
  broader: boolean,
  byDefault: DefaultSubjects,
): SubjectState | undefined {
  // What was added by name stays when something broader is removed, where subjects are added by name.
  if (wanted === 'added') return byDefault === 'NONE' || !broader ? 'added' : undefined
  return byDefault === 'ALL' || broader ? 'removed' : undefined
}
