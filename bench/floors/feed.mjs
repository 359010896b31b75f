// The least feed: one XADD, and a read that waits for it in another process.
import { createClient } from 'redis'
import { now } from '../support/processes.mjs'

const key = 'floor'

/** The side that writes. */
export async function feedWriter(url) {
  const client = await createClient({ url }).connect()
  return {
    write: (entry) => client.sendCommand(['XADD', key, '*', 'entry', JSON.stringify(entry)]),
    stop: () => client.close(),
  }
}

/** The side that refuses: remembers what it reads, and tells when a session is refused by it. */
export async function feedRefuser(url, refused) {
  const client = await createClient({ url }).connect()
  const revoked = new Map()
  const began = 0
  let position = '0-0'
  const read = async () => {
    for (;;) {
      const answer = await client.sendCommand(['XREAD', 'BLOCK', '0', 'STREAMS', key, position])
      for (const [id, [, text]] of answer[0][1]) {
        const { sub_id: on, iat } = JSON.parse(text)
        revoked.set(on.session.id, iat)
        refused(began <= revoked.get(on.session.id) ? now() : undefined)
        position = id
      }
    }
  }
  read().catch(() => undefined)
}
