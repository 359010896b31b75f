import type { IncomingHttpHeaders } from 'node:http'

/** A SET as a test Receiver got it. Nothing is verified: a test says what it expects. */
export interface ReceivedSet {
  readonly jti: string
  /** The claims, decoded; empty where the body was no SET. */
  readonly claims: Readonly<Record<string, unknown>>
  /** The body as it came. */
  readonly set: string
  readonly headers: IncomingHttpHeaders
}

/** Reads a pushed body without verifying it. */
export function readReceived(set: string, headers: IncomingHttpHeaders): ReceivedSet {
  const claims = decode(set.split('.')[1] ?? '')
  const { jti } = claims
  return { jti: typeof jti === 'string' ? jti : '', claims, set, headers }
}

function decode(part: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString())
    return value !== null && typeof value === 'object' ? { ...value } : {}
  } catch {
    return {}
  }
}
