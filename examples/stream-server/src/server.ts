// A Transmitter on its own, to play with: prints what to paste, emits on request.
import { createServer } from 'node:http'
import path from 'node:path'
import { parseArgs } from 'node:util'
import {
  createTransmitter,
  permitAll,
  staticTokens,
  type Transmitter,
} from '@drawbridge/transmitter'
import { toNode } from '@drawbridge/transmitter/node'
import { sqliteStore } from '@drawbridge/transmitter/sqlite'
import { emit } from './emit.ts'
import { instructions } from './instructions.ts'
import { readSecrets } from './secrets.ts'

const usage = `usage: stream-server [--port 8080] [--data .drawbridge]

  --port  the port on 127.0.0.1 (default 8080)
  --data  the folder of the database and the secrets (default .drawbridge)
  --help  prints this`

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '8080' },
      data: { type: 'string', default: '.drawbridge' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return console.log(usage)
  const port = Number(values.port)
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new Error('"--port" must be a number from 1 to 65535')
  }
  const issuer = `http://127.0.0.1:${port}`
  const { secret, token } = await readSecrets(values.data)
  const receivers = staticTokens([{ token, id: 'you', audience: 'https://you.example' }])
  const transmitter = createTransmitter({
    issuer,
    secret,
    store: sqliteStore(path.join(values.data, 'signals.db')),
    authenticate: receivers,
    permitEvent: permitAll, // there is one Receiver, you
    allowInsecureHttp: true, // it listens on loopback only
  })
  const withEmit: Pick<Transmitter, 'fetch' | 'serves'> = {
    serves: () => true,
    async fetch(request) {
      if (new URL(request.url).pathname !== '/emit') return await transmitter.fetch(request)
      if (!(await receivers(request))) return new Response(null, { status: 401 })
      return await emit(transmitter, request)
    },
  }
  await transmitter.start()
  const server = createServer(toNode(withEmit))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  console.log(instructions(issuer, token))
  const stop = (): void => {
    server.close()
    server.closeAllConnections()
    void transmitter.stop()
  }
  process.once('SIGINT', stop).once('SIGTERM', stop)
}

main().catch((error: unknown) => {
  const { code, message } = error as NodeJS.ErrnoException
  const sentence =
    code === 'EADDRINUSE' ? 'the port is in use: choose another one with --port' : message
  console.error(`the stream server cannot start: ${sentence}`)
  process.exit(1)
})
