import { SetError } from '../errors.ts'
import type { MatchRule } from './match-subject.ts'
import { subjectKey } from './subject-keys.ts'
import { isComplex, namesOf, subjectMembers, type Subject } from './subject.ts'

/** How subjects of streams are compared: the rules of {@link matches} that are about streams. */
export type StreamMatchRule = Exclude<MatchRule, 'session'>

/** A subject as an index files it. Aliases are filed once for each name. */
export interface FiledSubject {
  /** The names of its members: how many there are tells how narrow it is. */
  readonly shape: string
  /** The key of all its members. */
  readonly whole: string
  /** The keys of some of its members, so that what is broader finds it. */
  readonly parts: readonly string[]
}

/** A key to look for, so as to find what was filed under one shape. */
export interface SubjectLookup {
  readonly key: string
  /** How many members the shape has. */
  readonly width: number
  /** Whether the key names all of them: what it finds covers the subject that is looked up. */
  readonly isWhole: boolean
}

/** The longest subject that can be filed: each member doubles the number of keys. */
const maxMembers = 7
/** The most names that aliases may give to one subject, over all its members. */
const maxNames = 64

type NamedKeys = readonly (readonly [name: string, keys: readonly string[]])[]

/**
 * The keys under which a subject of a stream is filed, so that `lookupSubject` finds exactly those
 * that `matches` by the rule.
 *
 * @throws SetError `ERR_SET_SUBJECT` for more than 7 members, or more than 64 names in aliases
 * @see OpenID SSF 1.0, "Subject Matching"
 */
export function fileSubject(subject: Subject, rule: StreamMatchRule): readonly FiledSubject[] {
  const members = membersOf(subject, rule)
  if (members.length > maxMembers) {
    throw tooMuch(`a complex subject on a stream may have ${maxMembers} members`)
  }
  const shape = shapeOf(members)
  return combinations(members).map((pairs) => ({
    shape,
    whole: keyOf(shape, pairs),
    parts: partsOf(pairs)
      .filter((part) => part.length > 0 || rule === 'stream-literal')
      .map((part) => keyOf(shape, part)),
  }))
}

/**
 * The keys by which what was filed under some shapes and matches a subject is found.
 *
 * @throws SetError `ERR_SET_SUBJECT` for more than 64 names in aliases
 */
export function lookupSubject(
  subject: Subject,
  shapes: Iterable<string>,
  rule: StreamMatchRule,
): readonly SubjectLookup[] {
  const members = membersOf(subject, rule)
  const isSimple = members[0]?.[0] === simple
  return Array.from(shapes).flatMap((shape) => {
    const names = JSON.parse(shape) as readonly string[]
    const common = members.filter(([name]) => names.includes(name))
    // Without a common member, complex subjects match by the letter alone.
    const isNothing =
      common.length === 0 && (rule === 'stream' || isSimple || shape === simpleShape)
    if (isNothing) return []
    const isWhole = common.length === names.length
    return combinations(common).map((pairs) => ({
      key: keyOf(shape, pairs),
      width: names.length,
      isWhole,
    }))
  })
}

/** By the letter, a simple subject is no member of anything. */
const simple = ''
const simpleShape = JSON.stringify([simple])

function membersOf(subject: Subject, rule: StreamMatchRule): NamedKeys {
  const members = isComplex(subject)
    ? subjectMembers(subject)
    : ([[rule === 'stream' ? 'user' : simple, subject]] as const)
  return members
    .map(([name, identifier]) => [name, [...new Set(namesOf(identifier).map(subjectKey))]] as const)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
}

type Pairs = readonly (readonly [name: string, key: string])[]

const shapeOf = (members: NamedKeys): string => JSON.stringify(members.map(([name]) => name))

const keyOf = (shape: string, pairs: Pairs): string => `${shape} ${JSON.stringify(pairs)}`

/** One list of pairs for each way to choose one key of every member. */
function combinations(members: NamedKeys): readonly Pairs[] {
  let all: readonly Pairs[] = [[]]
  for (const [name, keys] of members) {
    if (all.length * keys.length > maxNames) {
      throw tooMuch(`aliases may give a subject ${maxNames} names in all`)
    }
    all = all.flatMap((pairs) => keys.map((key) => [...pairs, [name, key] as const]))
  }
  return all
}

/** Every choice of some of the pairs, none included, all left out. */
function partsOf(pairs: Pairs): readonly Pairs[] {
  const choices = Array.from({ length: 2 ** pairs.length - 1 }, (_, choice) => choice)
  return choices.map((choice) => pairs.filter((_pair, index) => (choice >> index) & 1))
}

const tooMuch = (message: string): SetError =>
  new SetError('ERR_SET_SUBJECT', 'invalid_request', message)
