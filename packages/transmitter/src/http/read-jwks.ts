import { jsonResponse } from '@drawbridge/core'
import type { PublicCall } from './call.ts'

/** @see RFC 7517, "JWK Set Format" */
export const readJwks = ({ keys }: PublicCall): Response => jsonResponse(200, keys.jwks)
