import { createHash } from 'node:crypto'
import type { PublicCall } from './call.ts'

/**
 * The keys of now. A cache may keep them as long as every key is published before it signs.
 *
 * @see RFC 7517, "JWK Set Format"
 * @see RFC 9111, "Freshness"
 */
export function readJwks({ keys, request }: PublicCall): Response {
  const body = JSON.stringify(keys.jwks())
  const etag = `"${createHash('sha256').update(body).digest('base64url')}"`
  const headers = { 'cache-control': `public, max-age=${keys.maxAgeSeconds}`, etag }
  const known = request.headers.get('if-none-match')?.split(',') ?? []
  // A cache on the way may have made the tag a weak one.
  if (known.some((tag) => tag.trim().replace(/^W\//, '') === etag)) {
    return new Response(null, { status: 304, headers })
  }
  return new Response(body, { headers: { ...headers, 'content-type': 'application/json' } })
}
