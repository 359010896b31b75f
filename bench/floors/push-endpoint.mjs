// The least push endpoint that is right: bare node:http, jose, the checks written out, a Set for repetitions.
import { createServer } from 'node:http'
import { compactVerify } from 'jose'

const decoder = new TextDecoder()

export function pushEndpoint({ key, issuer, audience, handle }) {
  const seen = new Set()
  return createServer((request, response) => {
    const chunks = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', async () => {
      try {
        const token = Buffer.concat(chunks).toString()
        const { payload, protectedHeader } = await compactVerify(token, key)
        const set = JSON.parse(decoder.decode(payload))
        if (protectedHeader.typ !== 'secevent+jwt' || set.iss !== issuer || set.aud !== audience)
          throw 0
        if (set.sub !== undefined || set.exp !== undefined || typeof set.jti !== 'string') throw 0
        const [[type, event]] = Object.entries(set.events)
        if (event.reason_admin && typeof event.reason_admin.en !== 'string') throw 0
        if (!seen.has(set.jti)) {
          await handle(type, set)
          seen.add(set.jti)
        }
        response.writeHead(202).end()
      } catch {
        response.writeHead(400).end()
      }
    })
  })
}
