import { accessMeanings } from '@drawbridge/schema'
import { Verification } from '@drawbridge/schema/ssf'

/**
 * Whether a SET must not be offered beside another such one about the same principal. The SETs of a
 * poll are members of a JSON object, which carries no order: of two conditions the later decides,
 * and the Receiver could not tell which that is. Cuts may come in any order, and so may
 * verifications, which are about nobody. What is not known is taken for a condition.
 *
 * @param claims As this Transmitter writes them, JSON
 * @see RFC 8936, "Polling HTTP Response"
 */
export function keepsOrder(claims: string): boolean {
  const type = typeOf(claims)
  return type !== Verification.uri && accessMeanings.get(type)?.decision !== 'cut'
}

const beforeType = '"events":{"'

/** A look at the text: to parse it would cost more than all else that is done to choose a row. */
function typeOf(claims: string): string {
  const at = claims.indexOf(beforeType)
  if (at < 0) return ''
  const begin = at + beforeType.length
  return claims.slice(begin, claims.indexOf('"', begin))
}
