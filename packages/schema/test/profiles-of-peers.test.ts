import { describe, expect, it } from '@jest/globals'
import {
  aliases,
  complex,
  email,
  issSub,
  jwtId,
  opaque,
  samlAssertionId,
  type Profile,
  type SetClaims,
} from '@drawbridge/schema'
import { CredentialChange, SessionRevoked } from '@drawbridge/schema/caep'
import {
  apple,
  caepInterop,
  everyProfile,
  google,
  googleWorkspace,
  keycloak,
  okta,
  sgnl,
  sseId1,
  strict,
  tolerant,
} from '@drawbridge/schema/profiles'
import { AccountDisabled, SessionsRevoked } from '@drawbridge/schema/risc'
import { ScimDeactivate } from '@drawbridge/schema/scim'
import { StreamUpdated, Verification } from '@drawbridge/schema/ssf'
import { claims, setErrorOf } from './support.ts'

const alice = issSub('https://idp.example', 'alice')
const address = email('alice@idp.example')
const draft = 'https://schemas.openid.net/secevent'
const reason = { reason_admin: { en: 'Account closed' } }

/** The claims of an event that every profile lets pass, with some of them changed. */
const writable = (changes: Readonly<Record<string, unknown>> = {}): SetClaims =>
  claims({
    sub_id: address,
    events: { [SessionRevoked.uri]: reason },
    ...changes,
  }) as unknown as SetClaims

const written = (profile: Profile, changes: Readonly<Record<string, unknown>> = {}): unknown =>
  profile.write(writable(changes))

const eventIn = (profile: Profile, changes: Readonly<Record<string, unknown>> = {}): unknown =>
  Object.values((written(profile, changes) as SetClaims).events)[0]

describe('every profile there is', () => {
  it('has a name of its own', () => {
    expect(everyProfile.map(({ name }) => name)).toEqual([
      'strict',
      'caep-interop',
      'okta',
      'apple',
      'google',
      'google-workspace',
      'keycloak',
      'sgnl',
      'sse-id1',
      'tolerant',
    ])
  })

  it.each(everyProfile)('$name reads a SET of 1.0 without a notice', (profile) => {
    const all = claims()
    expect(profile.read(all)).toMatchObject({ notices: [], claims: all })
  })

  it.each(everyProfile)(
    'SSF-3.1.1-2 RISC-3.1-1: $name writes "sub_id", and no "subject_type"',
    (profile) => {
      const set = written(profile)
      expect(set).toMatchObject({ sub_id: address })
      expect(JSON.stringify(set)).not.toContain('subject_type')
    },
  )

  it.each(everyProfile)(
    'SSF-3.1.2-1: $name writes no "subject" where CAEP and RISC define nothing',
    (profile) => {
      const ofScim = { events: { [ScimDeactivate.uri]: {} } }
      if (profile !== googleWorkspace) expect(eventIn(profile, ofScim)).toEqual({})
      const ofStream = { sub_id: opaque('s'), events: { [Verification.uri]: { state: 'x' } } }
      expect(eventIn(profile, ofStream)).toEqual({ state: 'x' })
    },
  )

  it.each(everyProfile)(
    '$name says whether it rewrites: what it does not, it returns as it is',
    (profile) => {
      const given = writable()
      expect(profile.write(given) === given).toBe(!profile.rewrites)
    },
  )

  it.each([strict, caepInterop])(
    'RISC-2.11-2: $name sends no sessions-revoked, and names its successor',
    (profile) => {
      const events = { [SessionsRevoked.uri]: {} }
      const error = setErrorOf(() => written(profile, { events }))
      expect(error).toMatchObject({ code: 'ERR_SET_PAYLOAD' })
      expect(error.message).toContain('"session-revoked" of CAEP')
    },
  )
})

describe('what the API does', () => {
  const asSpecified = strict.serves

  it('is what SSF 1.0 says, by default', () => {
    expect(asSpecified).toEqual({
      onlyStreamMeant: false,
      unnamedStream: false,
      deliveryMethods: 'final',
      ignoredMembers: [],
      pollAliases: false,
      moreAvailable: true,
      statusFor: { createStream: 201, deleteStream: 204, removeSubject: 204, verification: 204 },
    })
  })

  it.each([
    { profile: caepInterop, differences: {} },
    { profile: okta, differences: {} },
    { profile: google, differences: {} },
    { profile: keycloak, differences: {} },
    {
      profile: apple,
      differences: {
        onlyStreamMeant: true,
        deliveryMethods: 'draft',
        ignoredMembers: ['aud', 'iss'],
      },
    },
    {
      profile: googleWorkspace,
      differences: {
        audience: 'https://sharedsignals.googleapis.com',
        eventTypes: [SessionRevoked.uri],
      },
    },
    {
      profile: sgnl,
      differences: {
        moreAvailable: false,
        pollAliases: true,
        statusFor: { ...asSpecified.statusFor, removeSubject: 200, verification: 200 },
      },
    },
    {
      profile: sseId1,
      differences: {
        onlyStreamMeant: true,
        unnamedStream: true,
        deliveryMethods: 'draft',
        statusFor: { ...asSpecified.statusFor, createStream: 200, deleteStream: 200 },
      },
    },
    {
      profile: tolerant,
      differences: { deliveryMethods: 'either', ignoredMembers: ['aud', 'iss'], pollAliases: true },
    },
  ] as const)('differs by a few switches: $profile.name', ({ profile, differences }) => {
    expect(profile.serves).toEqual({ ...asSpecified, ...differences })
  })
})

describe('okta', () => {
  it('COMPAT-1-5 COMPAT-1-7: reads a subject in the event, a complex one without "format"', () => {
    const subject = { user: alice, device: opaque('d') }
    const set = okta.read(
      claims({
        sub_id: undefined,
        events: { [SessionRevoked.uri]: { subject, event_timestamp: 1_750_000_000_000 } },
      }),
    )
    expect(set.events[0]).toMatchObject({
      subject: complex(subject),
      payload: { event_timestamp: 1_750_000_000 },
    })
    expect(set.notices.map(({ name }) => name)).toEqual([
      'event-time-milliseconds',
      'complex-without-format',
      'subject-in-event',
    ])
  })

  it('SSF-3.1.1-1: repeats the subject in the event', () => {
    expect(written(okta)).toEqual(
      writable({ events: { [SessionRevoked.uri]: { ...reason, subject: address } } }),
    )
    expect(eventIn(okta, { events: { [AccountDisabled.uri]: {} } })).toEqual({ subject: address })
  })

  it.each(['reason_admin', 'reason_user'])('needs a reason, such as "%s"', (member) => {
    const without = { events: { [SessionRevoked.uri]: {} } }
    const error = setErrorOf(() => written(okta, without))
    expect(error.code).toBe('ERR_SET_PAYLOAD')
    expect(error.message).toContain(`"${member}"`)
    expect(
      written(okta, { events: { [SessionRevoked.uri]: { [member]: { en: 'x' } } } }),
    ).toBeDefined()
  })
})

describe('apple', () => {
  it('takes no subject in the event', () => {
    const events = { [SessionRevoked.uri]: { ...reason, subject: address } }
    expect(written(apple, { events })).toEqual(writable())
  })
})

describe('google', () => {
  it.each([
    [{ subject_type: 'iss-sub', iss: 'i', sub: 's' }, issSub('i', 's')],
    [{ format: 'iss_sub', iss: 'i', sub: 's' }, issSub('i', 's')],
    [{ subject_type: 'id_token_claims', email: 'a@b.example' }, email('a@b.example')],
  ])('RISC-3.1-2 COMPAT-1-6: reads the subject %j in the event', (subject, final) => {
    const events = { [AccountDisabled.uri]: { subject } }
    expect(google.read(claims({ sub_id: undefined, events })).claims.sub_id).toEqual(final)
  })

  it('COMPAT-1-4: reads a verification without a subject as one of the stream it came over', () => {
    const events = { [`${draft}/risc/event-type/verification`]: { state: 's' } }
    const set = google.read(claims({ sub_id: undefined, events }), { streamId: 'stream' })
    expect(set.events[0]).toMatchObject({ type: Verification.uri, subject: opaque('stream') })
  })
})

describe('google-workspace', () => {
  it('SSF-3.1.1-1: writes the address of a user in both places', () => {
    const set = writable({ events: { [SessionRevoked.uri]: { ...reason, subject: address } } })
    expect(written(googleWorkspace)).toEqual(set)
    expect(written(googleWorkspace, { sub_id: aliases(alice, address) })).toEqual(set)
  })

  it('widens no session to its user, and sends nobody without an address', () => {
    for (const sub_id of [alice, complex({ user: address, session: opaque('x') })]) {
      const error = setErrorOf(() => written(googleWorkspace, { sub_id }))
      expect(error).toMatchObject({ code: 'ERR_SET_SUBJECT' })
      expect(error.message).toContain('"email"')
    }
  })

  it('takes no event but session-revoked', () => {
    const events = {
      [CredentialChange.uri]: { credential_type: 'password', change_type: 'update' },
    }
    expect(setErrorOf(() => written(googleWorkspace, { events })).code).toBe('ERR_SET_PAYLOAD')
  })
})

describe('keycloak', () => {
  const updated = (payload: object): SetClaims['events'] => ({ [StreamUpdated.uri]: payload })

  it('reads a "status" that is an object', () => {
    const status = { stream_id: 's', status: 'paused', reason: 'maintenance' }
    const set = keycloak.read(claims({ sub_id: opaque('s'), events: updated({ status }) }))
    expect(set.events[0].payload).toEqual({ status: 'paused', reason: 'maintenance' })
    expect(set.notices.map(({ name }) => name)).toEqual(['status-object'])
  })

  it('lets the reason beside "status" count, and a final one be', () => {
    const payload = { status: { status: 'paused', reason: 'inner' }, reason: 'outer' }
    const set = keycloak.read(claims({ sub_id: opaque('s'), events: updated(payload) }))
    expect(set.events[0].payload).toEqual({ status: 'paused', reason: 'outer' })
    const final = claims({ sub_id: opaque('s'), events: updated({ status: 'paused' }) })
    expect(keycloak.read(final)).toMatchObject({ claims: final, notices: [] })
  })

  it('reads the session "ALL" as every session of the user, and no other so', () => {
    const all = keycloak.read(claims({ sub_id: complex({ user: alice, session: opaque('ALL') }) }))
    expect(all.claims.sub_id).toEqual(complex({ user: alice }))
    expect(all.notices.map(({ name }) => name)).toEqual(['all-sessions'])
    const one = complex({ user: alice, session: opaque('all') })
    expect(keycloak.read(claims({ sub_id: one })).claims.sub_id).toEqual(one)
    const alone = complex({ session: opaque('ALL') })
    expect(keycloak.read(claims({ sub_id: alone })).claims.sub_id).toEqual(alone)
  })
})

describe('sse-id1', () => {
  it('COMPAT-1-13 SSF-3.1.1-1: writes the subject in the event, as the draft had it', () => {
    const subject = { user: jwtId('i', 'j'), session: samlAssertionId('i', 'a'), device: alice }
    expect(written(sseId1, { sub_id: complex(subject) })).toMatchObject({
      sub_id: complex(subject),
      events: {
        [SessionRevoked.uri]: {
          subject: {
            user: { format: 'jwt-id', iss: 'i', jti: 'j' },
            session: { format: 'saml-assertion-id', issuer: 'i', assertion_id: 'a' },
            device: alice,
          },
        },
      },
    })
    expect(eventIn(sseId1, { sub_id: complex(subject) })).not.toHaveProperty('subject.format')
    expect(eventIn(sseId1, { sub_id: jwtId('i', 'j') })).toHaveProperty('subject.format', 'jwt-id')
  })

  it.each([Verification, StreamUpdated])('calls $name as the draft did', ({ uri, name }) => {
    const payload = name === 'verification' ? { state: 's' } : { status: 'paused' }
    const set = written(sseId1, { sub_id: opaque('s'), events: { [uri]: payload } })
    expect(set).toMatchObject({ events: { [`${draft}/sse/event-type/${name}`]: payload } })
  })

  it('COMPAT-1-4 COMPAT-1-5 COMPAT-1-11: reads what it writes, and the levels of the draft', () => {
    const sub_id = complex({ user: jwtId('i', 'j') })
    const set = sseId1.read({ ...(written(sseId1, { sub_id }) as object), sub_id: undefined })
    expect(set.claims.sub_id).toEqual(sub_id)
    const ofStream = { sub_id: opaque('s'), events: { [Verification.uri]: { state: 'x' } } }
    const back = sseId1.read(written(sseId1, ofStream))
    expect(back.events[0]).toMatchObject({ type: Verification.uri, subject: opaque('s') })
    const uri = `${draft}/caep/event-type/assurance-level-change`
    const level = { [uri]: { current_level: 'nist-aal2' } }
    expect(sseId1.read(claims({ events: level })).events[0].payload).toHaveProperty('namespace')
  })
})
