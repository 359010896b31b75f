// A Transmitter in a process of its own that does nothing but give SETs that were signed before: metadata,
// keys, and a poll endpoint that forgets what is acknowledged.
import { createServer } from 'node:http'

let given = { jwk: {}, sets: [] }
let waiting = new Map()

const server = createServer((request, response) => {
  const answer = (body) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(body))
  }
  if (request.url === '/jwks') return answer({ keys: [given.jwk] })
  if (request.method === 'GET') return answer({ issuer, jwks_uri: `${issuer}/jwks` })
  const chunks = []
  request.on('data', (chunk) => chunks.push(chunk))
  request.on('end', () => {
    const { ack = [], maxEvents = Infinity } = JSON.parse(Buffer.concat(chunks).toString())
    for (const jti of ack) waiting.delete(jti)
    const sets = {}
    let count = 0
    for (const [jti, set] of waiting) {
      if (count++ >= maxEvents) break
      sets[jti] = set
    }
    answer({ sets })
    if (ack.length > 0 && waiting.size === 0) process.send('acknowledged')
  })
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const issuer = `http://127.0.0.1:${server.address().port}`

process.on('message', (message) => {
  given = message
  waiting = new Map(message.sets)
  process.send('given')
})
process.send(issuer)
