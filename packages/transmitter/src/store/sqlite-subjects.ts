import type { SqliteIssuer } from './sqlite-issuer.ts'
import type {
  IssuerStore,
  SubjectChange,
  SubjectFound,
  SubjectIndexEntry,
  SubjectState,
} from './transmitter-store.ts'

type SubjectMethods = Pick<
  IssuerStore,
  'readSubjectShapes' | 'changeSubjects' | 'applySubjectChanges' | 'findSubjects'
>

/** How many changes that are due are carried out in one commit: others wait for it. */
const dueAtOnce = 1000

/** The subjects of streams in the embedded store. */
export function subjectMethods(shared: SqliteIssuer): SubjectMethods {
  const { issuer, sql, places, read, commit } = shared
  return {
    readSubjectShapes: () =>
      read(() => sql.readShapes.all(issuer) as { stream_id: string; shape: string }[]),
    changeSubjects: (streamId, changes) =>
      commit(() => {
        const place = places.find(streamId)
        if (place) for (const change of changes) takeChange(shared, place.id, change)
        return place !== undefined
      }),
    applySubjectChanges: async (now) => {
      let due = dueAtOnce
      while (due === dueAtOnce) due = await commit(() => applyDue(shared, now))
    },
    findSubjects: (keys) => read(() => keys.flatMap((key) => findKey(shared, key))),
  }
}

type LaterChange = Pick<SubjectChange, 'entry' | 'state'>

function takeChange({ sql }: SqliteIssuer, stream: number, change: SubjectChange): void {
  const { entry, state, from } = change
  sql.addShape.run(stream, entry.shape)
  if (from === undefined) {
    sql.dropLater.run(stream, entry.whole)
    apply(sql, stream, { entry, state })
  } else {
    sql.setLater.run(stream, entry.whole, from, JSON.stringify({ entry, state }))
  }
}

function applyDue({ issuer, sql }: SqliteIssuer, now: number): number {
  const due = sql.readDue.all(now, issuer, dueAtOnce) as LaterRow[]
  for (const { stream, whole, change } of due) {
    apply(sql, stream, JSON.parse(change) as LaterChange)
    sql.dropLater.run(stream, whole)
  }
  return due.length
}

interface LaterRow {
  readonly stream: number
  readonly whole: string
  readonly change: string
}

const states = ['', 'added', 'removed'] as const

function apply(sql: SqliteIssuer['sql'], stream: number, { entry, state }: LaterChange): void {
  const [before] = sql.readState.all(entry.whole, stream) as { state: number }[]
  if (state || before) sql.setState.run(entry.whole, stream, states.indexOf(state ?? ''))
  const added = Number(state === 'added') - Number(states[before?.state ?? 0] === 'added')
  if (added !== 0) for (const part of entry.parts) sql.countPart.run(part, stream, added)
  if (state !== 'added') dropEmpty(sql, stream, entry)
}

function dropEmpty(sql: SqliteIssuer['sql'], stream: number, entry: SubjectIndexEntry): void {
  for (const key of [entry.whole, ...entry.parts]) sql.dropEmpty.run(key, stream)
}

interface FoundRow {
  readonly stream_id: string
  readonly state: number
  readonly parts: number
}

function findKey({ issuer, sql }: SqliteIssuer, key: string): SubjectFound[] {
  const found = sql.findSubjects.all(key, issuer) as FoundRow[]
  return found.flatMap(({ stream_id, state, parts }): SubjectFound[] => [
    ...(state > 0 ? [{ stream_id, key, state: states[state] as SubjectState }] : []),
    ...(parts > 0 ? [{ stream_id, key, state: 'part' as const }] : []),
  ])
}
