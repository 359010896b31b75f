import type {
  SubjectChange,
  SubjectFound,
  SubjectIndexEntry,
  SubjectState,
} from './transmitter-store.ts'

/** The subjects of the streams of one issuer, in memory. */
export interface MemorySubjects {
  shapes(): readonly { readonly stream_id: string; readonly shape: string }[]
  change(streamId: string, change: SubjectChange): void
  applyDue(now: number): void
  find(keys: readonly string[]): readonly SubjectFound[]
  forget(streamId: string): void
}

interface Filed {
  state: SubjectState | undefined
  /** How many narrower subjects that were added have these members. */
  parts: number
}

/** Makes an empty index of subjects. */
export function createMemorySubjects(): MemorySubjects {
  const shapes = new Map<string, Set<string>>()
  /** By key, then by stream. */
  const index = new Map<string, Map<string, Filed>>()
  /** What is still to come, by stream and subject. */
  const later = new Map<string, { streamId: string; change: SubjectChange }>()

  const filed = (key: string, streamId: string, change: (place: Filed) => void): void => {
    const streams = index.get(key) ?? new Map<string, Filed>()
    const place = streams.get(streamId) ?? { state: undefined, parts: 0 }
    change(place)
    if (place.state === undefined && place.parts === 0) streams.delete(streamId)
    else streams.set(streamId, place)
    if (streams.size === 0) index.delete(key)
    else index.set(key, streams)
  }
  const apply = (streamId: string, entry: SubjectIndexEntry, state?: SubjectState): void => {
    const before = index.get(entry.whole)?.get(streamId)?.state
    filed(entry.whole, streamId, (place) => void (place.state = state))
    const added = Number(state === 'added') - Number(before === 'added')
    if (added === 0) return
    for (const part of entry.parts) filed(part, streamId, (place) => void (place.parts += added))
  }

  return {
    shapes: () =>
      [...shapes].flatMap(([stream_id, known]) =>
        Array.from(known, (shape) => ({ stream_id, shape })),
      ),
    change: (streamId, change) => {
      const { entry, state, from } = change
      const known = shapes.get(streamId) ?? new Set()
      shapes.set(streamId, known.add(entry.shape))
      const name = JSON.stringify([streamId, entry.whole])
      if (from === undefined) {
        later.delete(name)
        apply(streamId, entry, state)
      } else {
        later.set(name, { streamId, change })
      }
    },
    applyDue: (now) => {
      for (const [name, { streamId, change }] of later) {
        if ((change.from ?? 0) > now) continue
        later.delete(name)
        apply(streamId, change.entry, change.state)
      }
    },
    find: (keys) =>
      keys.flatMap((key) =>
        [...(index.get(key) ?? [])].flatMap(([stream_id, { state, parts }]): SubjectFound[] => [
          ...(state ? [{ stream_id, key, state }] : []),
          ...(parts > 0 ? [{ stream_id, key, state: 'part' as const }] : []),
        ]),
      ),
    forget: (streamId) => {
      shapes.delete(streamId)
      for (const [key, streams] of index) {
        streams.delete(streamId)
        if (streams.size === 0) index.delete(key)
      }
      for (const [name, one] of later) if (one.streamId === streamId) later.delete(name)
    },
  }
}
