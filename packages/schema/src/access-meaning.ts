/**
 * What an event says about access that was granted earlier.
 *
 * - `cut`: what began at or before T ends or is challenged, what begins later is untouched;
 * - `condition`: from T on it holds for everything that matches, whenever that began;
 * - `lift`: the condition no longer holds from T on;
 * - `boundary`: what was said of the identifier before T is about somebody else than what is said
 *   after it;
 * - `nothing`: the event takes nothing.
 */
export type Decision = 'cut' | 'condition' | 'lift' | 'boundary' | 'nothing'

/** A decision that depends on the value of one member of the event object. */
export interface DecisionByMember {
  /** The member that decides. */
  readonly member: string
  /** The decision for each value that has one of its own. */
  readonly values: Readonly<Record<string, Decision>>
  /** The decision for every other value, and where the member is absent. */
  readonly otherwise: Decision
}

/** One row of {@link accessMeanings}. */
export interface AccessMeaningRow {
  readonly decision: Decision | DecisionByMember
  /** Names the condition; its lift has the same cause. `none` for a type that takes nothing. */
  readonly cause: string
  /** The member whose value tells conditions of one cause apart: `credential-compromise:password`. */
  readonly causeMember?: string
  /** Whether access ends outright, so that `onSessionTermination` hooks are called. */
  readonly endsSessions: boolean
  /**
   * True for a cut that ends what was granted as well: consents, refresh tokens, keys. Default: it
   * ends what rests on an authentication alone.
   */
  readonly endsGrants?: true
  /** True for a condition that no event lifts. Default: another event can, or a login does. */
  readonly isFinal?: true
  /**
   * The causes that the event lifts besides. `{member}` stands for the value of a member; the cause
   * is left out where that is no string.
   */
  readonly lifts?: readonly string[]
  /** Why, in a sentence. */
  readonly reason: string
}

/** What one event means for access. */
export interface AccessMeaning {
  readonly decision: Decision
  /** Whether access ends outright, so that `onSessionTermination` hooks are called. */
  readonly endsSessions: boolean
  /** Names the condition; its lift has the same cause. */
  readonly cause: string
  /** The causes of other events that this one lifts. */
  readonly lifts: readonly string[]
}

const cut = (cause: string, reason: string): AccessMeaningRow => ({
  decision: 'cut',
  cause,
  endsSessions: false,
  reason,
})
const condition = (cause: string, reason: string): AccessMeaningRow => ({
  ...cut(cause, reason),
  decision: 'condition',
})
const lift = (cause: string, reason: string): AccessMeaningRow => ({
  ...cut(cause, reason),
  decision: 'lift',
})
const nothing = (reason: string): AccessMeaningRow => ({
  ...cut('none', reason),
  decision: 'nothing',
})
const ending = (row: AccessMeaningRow): AccessMeaningRow => ({ ...row, endsSessions: true })
const final = (row: AccessMeaningRow): AccessMeaningRow => ({ ...ending(row), isFinal: true })

const caep: Readonly<Record<string, AccessMeaningRow>> = {
  'session-revoked': ending(
    cut('session-revoked', 'The issuer has ended the session; a new login is a new session.'),
  ),
  'token-claims-change': condition(
    'token-claims',
    'What was granted rests on claims that no longer hold.',
  ),
  'credential-change': {
    ...cut(
      'credential-change',
      'A login with the old credential proves no more; a credential that was added takes none away.',
    ),
    decision: { member: 'change_type', values: { create: 'nothing' }, otherwise: 'cut' },
    lifts: ['credential-compromise:{credential_type}', 'credential-change-required'],
  },
  'assurance-level-change': {
    ...condition('assurance-level', 'The user is known less surely than before, until it rises.'),
    decision: {
      member: 'change_direction',
      values: { decrease: 'condition', increase: 'lift' },
      otherwise: 'nothing',
    },
    causeMember: 'namespace',
  },
  'device-compliance-change': {
    ...condition('device-compliance', 'The device may be put right, and then access goes on.'),
    decision: {
      member: 'current_status',
      values: { compliant: 'lift' },
      otherwise: 'condition',
    },
  },
  'session-established': nothing('A session that begins is news, and takes nothing.'),
  'session-presented': nothing('A session that is in use is news, and takes nothing.'),
  'risk-level-change': {
    ...condition('risk-level', 'The risk holds for everything of the principal, until it is low.'),
    // A level that nobody knows is no reason to give back what a known one took.
    decision: { member: 'current_level', values: { LOW: 'lift' }, otherwise: 'condition' },
    causeMember: 'principal',
  },
}

const risc: Readonly<Record<string, AccessMeaningRow>> = {
  'account-credential-change-required': condition(
    'credential-change-required',
    'The credential does not do any more, until it has been changed.',
  ),
  'account-purged': final(
    condition('account-purged', 'The account is gone for good; nothing gives it back.'),
  ),
  'account-disabled': ending(
    condition('account-disabled', 'Nobody may use the account until it is enabled.'),
  ),
  'account-enabled': lift('account-disabled', 'The account may be used again.'),
  'identifier-changed': nothing('The account is the same, under another address or number.'),
  'identifier-recycled': {
    ...cut(
      'identifier-recycled',
      'The address or number names another user now: what was said of the one does not touch the other.',
    ),
    decision: 'boundary',
  },
  'credential-compromise': {
    ...condition(
      'credential-compromise',
      'Whoever logs in with the credential may be somebody else, until it has been changed.',
    ),
    causeMember: 'credential_type',
  },
  'opt-in': nothing('It is about the exchange of events, and takes nothing.'),
  'opt-out-initiated': nothing('It is about the exchange of events, and takes nothing.'),
  'opt-out-cancelled': nothing('It is about the exchange of events, and takes nothing.'),
  'opt-out-effective': nothing('It is about the exchange of events, and takes nothing.'),
  'recovery-activated': cut(
    'recovery-activated',
    'Somebody takes hold of the account anew; who was in it before must show who they are.',
  ),
  'recovery-information-changed': cut(
    'recovery-information-changed',
    'Whoever changed how the account is recovered may be somebody else.',
  ),
  'sessions-revoked': ending(
    cut('sessions-revoked', 'The issuer has ended all sessions; a new login is a new session.'),
  ),
}

const copied = nothing('It copies data of a resource, and takes nothing.')
const scim: Readonly<Record<string, AccessMeaningRow>> = {
  'feed:add': nothing('It is about the content of the feed, and takes nothing.'),
  'feed:remove': nothing('It is about the content of the feed, and takes nothing.'),
  'prov:create:notice': copied,
  'prov:create:full': copied,
  'prov:patch:notice': copied,
  'prov:patch:full': copied,
  'prov:put:notice': copied,
  'prov:put:full': copied,
  'prov:delete': final(condition('scim-deleted', 'The resource is gone for good.')),
  'prov:activate': lift('scim-active', 'The account may be used again.'),
  'prov:deactivate': ending(
    condition('scim-active', 'Nobody may use the account until it is activated.'),
  ),
  'misc:asyncresp': nothing('It answers a request, and takes nothing.'),
}

const oauth: Readonly<Record<string, AccessMeaningRow>> = {
  'tokens-revoked': {
    ...ending(
      cut('tokens-revoked', 'Every token was revoked, and with them what they were granted by.'),
    ),
    endsGrants: true,
  },
}

const ssf: Readonly<Record<string, AccessMeaningRow>> = {
  'stream-updated': nothing('It is about the stream, and takes nothing.'),
  verification: nothing('It is about the stream, and takes nothing.'),
}

/** What each event type means for access, by its URI. */
export const accessMeanings: ReadonlyMap<string, AccessMeaningRow> = /* @__PURE__ */ new Map<
  string,
  AccessMeaningRow
>([
  ...under('https://schemas.openid.net/secevent/caep/event-type/', caep),
  ...under('https://schemas.openid.net/secevent/risc/event-type/', risc),
  ...under('urn:ietf:params:scim:event:', scim),
  ...under('https://schemas.openid.net/secevent/oauth/event-type/', oauth),
  ...under('https://schemas.openid.net/secevent/ssf/event-type/', ssf),
])

/**
 * Reads from {@link accessMeanings} what an event means for access. An event whose type is not in
 * the table means nothing.
 */
export function accessMeaning(event: {
  readonly type: string
  readonly payload: object
}): AccessMeaning {
  const row = accessMeanings.get(event.type)
  if (!row) return { decision: 'nothing', endsSessions: false, cause: 'none', lifts: [] }
  const { endsSessions, cause, causeMember, lifts = [] } = row
  const decision = decisionOf(row.decision, event.payload)
  const value = causeMember === undefined ? undefined : textOf(event.payload, causeMember)
  return {
    decision,
    endsSessions,
    cause: value === undefined ? cause : `${cause}:${value}`,
    lifts: decision === 'nothing' ? [] : lifts.flatMap((name) => filled(name, event.payload)),
  }
}

const causesWith = (member: 'endsGrants' | 'isFinal'): ReadonlySet<string> =>
  new Set(
    Array.from(accessMeanings.values()).flatMap((row) => (row[member] === true ? row.cause : [])),
  )
const grantEnding = /* @__PURE__ */ causesWith('endsGrants')
const finalCauses = /* @__PURE__ */ causesWith('isFinal')

/** Tells whether a cut with this cause ends what was granted, and not sessions alone. */
export const endsGrants = (cause: string): boolean => grantEnding.has(cause)

/** Tells whether nothing gives back what a condition with this cause took. */
export const isFinal = (cause: string): boolean => finalCauses.has(cause)

function decisionOf(decision: AccessMeaningRow['decision'], payload: object): Decision {
  if (typeof decision === 'string') return decision
  const { member, values, otherwise } = decision
  const value = textOf(payload, member)
  return value !== undefined && Object.hasOwn(values, value)
    ? (values[value] ?? otherwise)
    : otherwise
}

/** Puts the value of a member in its place in the name of a cause. */
function filled(name: string, payload: object): string[] {
  const [, before, member] = /^(.*)\{(.*)\}$/.exec(name) ?? []
  if (before === undefined || member === undefined) return [name]
  const value = textOf(payload, member)
  return value === undefined ? [] : [before + value]
}

function textOf(payload: object, member: string): string | undefined {
  if (!Object.hasOwn(payload, member)) return undefined
  const value = (payload as Readonly<Record<string, unknown>>)[member]
  return typeof value === 'string' ? value : undefined
}

function under(
  prefix: string,
  rows: Readonly<Record<string, AccessMeaningRow>>,
): [string, AccessMeaningRow][] {
  return Object.entries(rows).map(([name, row]) => [prefix + name, row])
}
