// The same by hand: verify, commit, remember, compare.
import path from 'node:path'
import { importJWK } from 'jose'
import { now } from '../support/processes.mjs'
import { sqliteClass } from '../support/sqlite-class.mjs'
import { groupCommit } from './group-commit.mjs'
import { pushEndpoint } from './push-endpoint.mjs'

const [jwk, issuer, folder] = process.argv.slice(2)
const key = await importJWK(JSON.parse(jwk))
const ledger = groupCommit(sqliteClass, path.join(folder, 'floor-ledger.db'))
const revoked = new Map()
const handle = async (_type, set) => {
  await ledger.append(set)
  revoked.set(set.sub_id.session.id, set.iat)
  const began = 0
  process.send({ jti: set.jti, at: began <= revoked.get(set.sub_id.session.id) ? now() : NaN })
}
const server = pushEndpoint({ key, issuer, audience: 'app', handle })
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => process.send(server.address().port))
