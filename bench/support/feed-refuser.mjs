// The other node, in a process of its own: refuses by what the feed brings, ours and the floor's.
import { createEnforcement, recommendedPolicy } from '@drawbridge/enforcement'
import { redisLedger } from '@drawbridge/enforcement/redis'
import { createClient } from 'redis'
import { feedRefuser } from '../floors/feed.mjs'
import { issuer } from './events.mjs'
import { now } from './processes.mjs'

const [url] = process.argv.slice(2)
const enforcement = createEnforcement({
  ledger: redisLedger(createClient({ url })),
  policy: recommendedPolicy(),
})
const sessions = new Map()
process.on('message', (who) => {
  const began = new Date(who.began)
  sessions.set(who.subject.session.id, { ...who, began, issuer })
  if (isRefused(who.subject.session.id)) throw new Error('refused before the signal')
  process.send('known')
})
const isRefused = (id) => enforcement.check(sessions.get(id)).outcome !== 'allow'

enforcement.events.on('signal:followed', ({ cause }) => {
  process.send({ ours: isRefused(cause.jti) ? now() : undefined })
})
await enforcement.start()
await feedRefuser(url, (at) => process.send({ floor: at }))
process.send('ready')
