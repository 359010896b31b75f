// What an application writes, compiled against the packed packages.
import { createServer } from 'node:http'
import { createEmitter, Secret } from '@drawbridge/core'
import { toNode } from '@drawbridge/core/node'
import { openDatabase } from '@drawbridge/core/sqlite'
import { createEnforcement, memoryLedger, recommendedPolicy } from '@drawbridge/enforcement'
import { guard } from '@drawbridge/enforcement/express'
import { sqliteLedger } from '@drawbridge/enforcement/sqlite'
import { createReceiver, staticToken } from '@drawbridge/receiver'
import { toNode as receiverToNode } from '@drawbridge/receiver/node'
import { type PayloadOf } from '@drawbridge/schema'
import { CredentialChange, SessionRevoked } from '@drawbridge/schema/caep'
import { createTransmitter, memoryStore } from '@drawbridge/transmitter'
import { toNode as transmitterToNode } from '@drawbridge/transmitter/node'
import { sqliteStore } from '@drawbridge/transmitter/sqlite'

export const values: readonly unknown[] = [
  createEmitter,
  Secret,
  toNode,
  openDatabase,
  memoryLedger,
  recommendedPolicy,
  guard,
  sqliteLedger,
  createTransmitter,
  memoryStore,
  transmitterToNode,
  sqliteStore,
]

const payload: PayloadOf<typeof SessionRevoked> = { initiating_entity: 'admin' }
// @ts-expect-error the four values are closed
const wrong: PayloadOf<typeof SessionRevoked> = { initiating_entity: 'robot' }
const uri: 'https://schemas.openid.net/secevent/caep/event-type/session-revoked' =
  SessionRevoked.uri
export { payload, uri, wrong }

const receiver = createReceiver({
  issuer: 'https://idp.example',
  audience: 'https://app.example',
  authorize: staticToken('token'),
  push: { url: 'https://app.example/signals' },
})
const enforcement = createEnforcement({
  ledger: sqliteLedger('enforcement.db'),
  policy: recommendedPolicy(),
})
receiver.handle('*', enforcement.apply)
receiver.handle(CredentialChange, ({ payload: { change_type } }) => {
  const change: 'create' | 'revoke' | 'update' | 'delete' = change_type
  console.log(change)
})
receiver.onSessionTermination(({ subject, cause }) => console.log(subject, cause))
createServer(receiverToNode(receiver)).listen(443, () => void receiver.start())
