import type { Notice } from '../sets/notice.ts'
import { inEvents, type Claims, type Tolerance } from './tolerance.ts'

const numericTxn: Tolerance = {
  name: 'numeric-txn',
  message: '"txn" is a number and was read as text',
  apply: (claims) => {
    const { txn } = claims
    return typeof txn === 'number' && Number.isFinite(txn)
      ? { ...claims, txn: String(txn) }
      : undefined
  },
}

const plainReasonNotice: Notice = {
  name: 'plain-reason',
  message: 'a reason without a language was read as one of "und"',
}

/** A text without a language: BCP 47 calls it `und`. */
function withLanguage(payload: Claims): Claims | undefined {
  const plain = ['reason_admin', 'reason_user'].filter((name) => typeof payload[name] === 'string')
  if (plain.length === 0) return undefined
  const reasons = plain.map((name) => [name, { und: payload[name] }])
  return { ...payload, ...(Object.fromEntries(reasons) as object) }
}

const plainReason = inEvents(plainReasonNotice, withLanguage)

const credentialCompromise =
  'https://schemas.openid.net/secevent/risc/event-type/credential-compromise'

/** RISC 1.0 does not say what a reason is: a text is as right as a map (GAP-28). */
export const reasonsOfRisc: Tolerance = inEvents(plainReasonNotice, (payload, type) =>
  type === credentialCompromise ? withLanguage(payload) : undefined,
)

const singleAmr = inEvents(
  { name: 'single-amr', message: '"amr" is a text and was read as an array of one' },
  (payload) =>
    typeof payload['amr'] === 'string' ? { ...payload, amr: [payload['amr']] } : undefined,
)

const assuranceLevelChange =
  'https://schemas.openid.net/secevent/caep/event-type/assurance-level-change'

/** The first draft knew one vocabulary, and did not name it. */
export const assuranceNamespace: Tolerance = inEvents(
  { name: 'no-namespace', message: 'the assurance level was read as one of NIST-AAL' },
  (payload, type) => {
    const { namespace, current_level } = payload
    if (type !== assuranceLevelChange || namespace !== undefined) return undefined
    const isAal = typeof current_level === 'string' && /^nist-aal[1-3]$/i.test(current_level)
    return isAal ? { ...payload, namespace: 'NIST-AAL' } : undefined
  },
)

/** How drafts wrote claims and event objects. */
export const claimTolerances: readonly Tolerance[] = [
  numericTxn,
  plainReason,
  singleAmr,
  assuranceNamespace,
]
