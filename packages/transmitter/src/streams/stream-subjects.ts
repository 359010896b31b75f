import { createLanes } from '@drawbridge/core'
import {
  fileSubject,
  lookupSubject,
  type StreamMatchRule,
  type Subject,
  type SubjectLookup,
} from '@drawbridge/schema'
import type { IssuerStore, SubjectFound, SubjectState } from '../store/transmitter-store.ts'
import type { Stream } from './stream.ts'
import { hasSubject, stateToKeep, type SubjectKnown } from './subjects-judgement.ts'

/** The subjects of the streams of a Transmitter. */
export interface StreamSubjects {
  /** Those of the streams that have a subject. It costs the same however many subjects there are. */
  streamsWith(subject: Subject, streams: readonly Stream[]): Promise<readonly Stream[]>
  /** Whether nothing was ever added to a stream or removed from it, and it has all. */
  isOpen(stream: Stream): boolean
  /**
   * Adds a subject to a stream, or removes it.
   *
   * @param from When it begins to hold, in milliseconds since 1970. Default: at once
   * @returns False when the stream was deleted meanwhile
   * @throws SetError `ERR_SET_SUBJECT` for a subject with too many members or names
   */
  change(stream: Stream, subject: Subject, wanted: SubjectState, from?: number): Promise<boolean>
  /** Forgets a stream that was deleted. */
  forget(streamId: string): void
}

/** What {@link openStreamSubjects} needs. */
export interface StreamSubjectsContext {
  readonly store: IssuerStore
  readonly rule: StreamMatchRule
  /** Makes a key opaque: the store never learns whom it is about. */
  readonly pseudonym: (key: string) => string
}

/** Opens the index of subjects that is in the store. */
export async function openStreamSubjects(context: StreamSubjectsContext): Promise<StreamSubjects> {
  const { store, rule, pseudonym } = context
  const shapesOf = new Map<string, Set<string>>()
  const learn = (streamId: string, shape: string): void =>
    void shapesOf.set(streamId, (shapesOf.get(streamId) ?? new Set()).add(shape))
  for (const { stream_id, shape } of await store.readSubjectShapes()) learn(stream_id, shape)
  // A change looks before it writes: those of one stream follow each other.
  const lanes = createLanes()

  const look = async (lookups: readonly SubjectLookup[]): Promise<Found> => {
    const byKey = new Map(lookups.map((lookup) => [pseudonym(lookup.key), lookup]))
    return byStream(byKey.size > 0 ? await store.findSubjects([...byKey.keys()]) : [], byKey)
  }
  /** What the stream has of a subject by those that are broader. */
  const hasByBroader = async (stream: Stream, subject: Subject): Promise<boolean> => {
    const shapes = shapesOf.get(stream.stream_id) ?? []
    const width = Math.max(...fileSubject(subject, rule).map(({ shape }) => widthOf(shape)))
    const broader = lookupSubject(subject, shapes, rule).filter(
      (lookup) => lookup.isWhole && lookup.width < width,
    )
    const found = await look(broader)
    return hasSubject(found.get(stream.stream_id) ?? [], defaultOf(stream))
  }

  return {
    isOpen: (stream) => !shapesOf.has(stream.stream_id) && defaultOf(stream) === 'ALL',
    streamsWith: async (subject, streams) => {
      const shapes = new Set(
        streams.flatMap(({ stream_id }) => [...(shapesOf.get(stream_id) ?? [])]),
      )
      const found: Found =
        shapes.size > 0 ? await look(lookupSubject(subject, shapes, rule)) : noneFound
      return streams.filter((stream) =>
        hasSubject(found.get(stream.stream_id) ?? [], defaultOf(stream)),
      )
    },
    change: async (stream, subject, wanted, from) => {
      const filed = fileSubject(subject, rule)
      return lanes.run(stream.stream_id, async () => {
        const state = stateToKeep(wanted, await hasByBroader(stream, subject), defaultOf(stream))
        const changes = filed.map(({ shape, whole, parts }) => ({
          entry: { shape, whole: pseudonym(whole), parts: parts.map(pseudonym) },
          state,
          ...(from === undefined ? {} : { from }),
        }))
        for (const { shape } of filed) learn(stream.stream_id, shape)
        return store.changeSubjects(stream.stream_id, changes)
      })
    },
    forget: (streamId) => void shapesOf.delete(streamId),
  }
}

const defaultOf = ({ default_subjects: byDefault = 'ALL' }: Stream): 'ALL' | 'NONE' => byDefault

const widthOf = (shape: string): number => (JSON.parse(shape) as readonly string[]).length

type Found = ReadonlyMap<string, readonly SubjectKnown[]>

const noneFound: Found = new Map()

/** What was found, by stream. A removed subject counts where it covers what is looked up. */
function byStream(
  found: readonly SubjectFound[],
  lookups: ReadonlyMap<string, SubjectLookup>,
): Found {
  const known = new Map<string, SubjectKnown[]>()
  for (const { stream_id, key, state } of found) {
    const { width } = lookups.get(key) ?? { width: 0 }
    known.set(stream_id, [...(known.get(stream_id) ?? []), { state, width }])
  }
  return known
}
