import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import {
  checkPayload,
  readAddSubjectRequest,
  readJson,
  readPollRequest,
  readPollResponse,
  readRemoveSubjectRequest,
  readStatusRequest,
  readStreamConfiguration,
  readStreamRequest,
  readStreamUpdate,
  readSubject,
  readTransmitterConfiguration,
  readVerificationRequest,
  type EventType,
} from '@drawbridge/schema'
import { caepEventTypes } from '@drawbridge/schema/caep'
import { strict, tolerant } from '@drawbridge/schema/profiles'
import { riscEventTypes } from '@drawbridge/schema/risc'
import { scimEventTypes } from '@drawbridge/schema/scim'
import { ssfEventTypes } from '@drawbridge/schema/ssf'
import { thrownBy } from './support.ts'

/**
 * One message with values of our own. Those of SSF, CAEP and RISC have the shapes of the examples
 * printed there, which are not here themselves; those of the RFCs were not compared. `figure` names
 * the subject of the section, and what is special about the message.
 */
interface Example {
  readonly figure: string
  readonly kind: keyof typeof readers
  readonly value?: unknown
  /** In place of `value`, where it is not JSON. */
  readonly text?: string
}

const issuer = 'https://login.acorn.example'
const types: readonly EventType[] = [
  ...ssfEventTypes,
  ...caepEventTypes,
  ...riscEventTypes,
  ...scimEventTypes,
]

/** The names of the notices, after the type of every event was found and its payload checked. */
function readStrictly(value: unknown): readonly string[] {
  const { events, notices } = strict.read(value)
  for (const { type, payload } of events) {
    const known = types.find(({ uri }) => uri === type)
    if (known === undefined) throw new Error('an example has an event type that is not known')
    checkPayload(known, payload)
  }
  return notices.map(({ name }) => name)
}

const readers = {
  set: readStrictly,
  subject: (value: unknown) => readSubject(value),
  metadata: (value: unknown) => readTransmitterConfiguration(value, issuer),
  stream: (value: unknown) => readStreamConfiguration(value, issuer),
  streams: (value: unknown) =>
    (value as unknown[]).map((stream) => readStreamConfiguration(stream, issuer)),
  create: readStreamRequest,
  update: (value: unknown) => {
    const { stream_id, request } = readStreamUpdate(value)
    return { stream_id, ...request }
  },
  status: readStatusRequest,
  add: readAddSubjectRequest,
  remove: readRemoveSubjectRequest,
  verification: readVerificationRequest,
  pollRequest: readPollRequest,
  pollResponse: readPollResponse,
}

const specifications = ['ssf', 'caep', 'risc', 'rfc8936', 'rfc9493', 'rfc9967'] as const
const examplesOf = (name: string): Example[] =>
  JSON.parse(readFileSync(new URL(`examples/${name}.json`, import.meta.url), 'utf8')) as Example[]
const all = [...specifications, 'rfc8417'].flatMap((name) => examplesOf(name))
const exampleOf = (figure: string): Example => {
  const found = all.find((example) => example.figure === figure)
  if (found === undefined) throw new Error(`no example is called ${figure}`)
  return found
}

/** Mistakes that the printed examples have, made again here: what `strict` says of each. */
const knownSlips: Readonly<Record<string, string>> = {
  'Example SETs: a phone number printed with spaces':
    '"sub_id.phone_number" must be an E.164 number such as +12065550100: the format needs it',
}

/** What is a SET by RFC 8417 and none by SSF 1.0: what `strict` says of each. */
const refusedBySsf: Readonly<Record<string, string>> = {
  'SCIM Example: several events of types that are not known, and no subject':
    '"events" must have one member: one SET, one event',
  'Logout Example: the subject in "sub"': '"sub" must be absent: the subject is in "sub_id"',
  'Consent Example: the subject inside the event, in members of its own':
    '"sub_id" must be a Subject Identifier, an object',
  'RISC Example: the subject inside the event': '"sub_id" must be a Subject Identifier, an object',
}
const refused = { ...knownSlips, ...refusedBySsf }

/** What is read, and remarked upon. */
const knownNotices: Readonly<Record<string, readonly string[]>> = {
  'Example SETs: an event after its SET': ['event-time-in-future'],
  'Example SETs: an "iat" with a digit too many': ['event-time-long-ago'],
}

const slip = (figure: string): boolean => Object.hasOwn(knownSlips, figure)

describe.each(specifications)('messages as %s describes them', (name) => {
  const sound = examplesOf(name).filter(({ figure, text }) => text === undefined && !slip(figure))

  it('has examples, each under a title of its own', () => {
    const figures = examplesOf(name).map(({ figure }) => figure)
    expect(sound.length).toBeGreaterThan(0)
    expect(new Set(figures).size).toBe(figures.length)
  })

  it.each(sound)('reads: $figure', ({ figure, kind, value }) => {
    const read = readers[kind](value)
    if (kind === 'set') expect(read).toEqual(knownNotices[figure] ?? [])
    else expect(read).toMatchObject(Object(value))
  })
})

describe('slips of the printed examples, and what RFC 8417 alone allows', () => {
  it.each(Object.entries(refused))('strict refuses: %s', (figure, message) => {
    const { kind, value } = exampleOf(figure)
    expect(thrownBy(() => readers[kind](value))).toMatchObject({ message })
  })

  it('every slip and notice that is known names an example', () => {
    const figures = all.map(({ figure }) => figure)
    expect(figures).toEqual(
      expect.arrayContaining([...Object.keys(refused), ...Object.keys(knownNotices)]),
    )
    expect(examplesOf('rfc8417').map(({ figure }) => figure)).toEqual(Object.keys(refusedBySsf))
  })

  it('tolerant reads a phone number with spaces, with a notice', () => {
    const { value } = exampleOf('Example SETs: a phone number printed with spaces')
    expect(tolerant.read(value).notices.map(({ name }) => name)).toEqual(['phone-spaces'])
  })

  it('tolerant reads a subject inside the event, with notices', () => {
    const { value } = exampleOf('RISC Example: the subject inside the event')
    const { events, notices } = tolerant.read(value)
    expect(events[0]?.subject).toEqual({ format: 'iss_sub', iss: issuer, sub: 'u-204' })
    expect(notices.map(({ name }) => name)).toEqual([
      'subject-type',
      'draft-format',
      'subject-in-event',
    ])
  })

  it('a comma after the last member is no JSON, and nothing else is kept as text', () => {
    const texts = all.filter(({ text }) => text !== undefined)
    expect(texts.map(({ figure }) => figure)).toEqual([
      'Account Disabled: a comma after the last member',
    ])
    expect(thrownBy(() => readJson(texts[0]?.text ?? '{}'))).toMatchObject({
      code: 'ERR_SET_MALFORMED',
    })
  })
})
