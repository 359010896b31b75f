// Signatures and nothing else, many in flight: what a poll answer cannot be faster than.
import { CompactSign } from 'jose'
import { inFlight } from '../support/measure.mjs'

const encoder = new TextEncoder()

export async function sign({ count, width, key, alg, claimsOf }) {
  await inFlight(count, width, (index) =>
    new CompactSign(encoder.encode(JSON.stringify(claimsOf(index))))
      .setProtectedHeader({ alg, typ: 'secevent+jwt', kid: 'k' })
      .sign(key),
  )
}
