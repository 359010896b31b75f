// A Transmitter on its own, to play with: prints what to paste, emits on request.
import { createServer, type Server } from 'node:http'
import path from 'node:path'
import {
  createTransmitter,
  permitAll,
  staticTokens,
  type Transmitter,
} from '@drawbridge/transmitter'
import { toNode } from '@drawbridge/transmitter/node'
import { sqliteStore } from '@drawbridge/transmitter/sqlite'
import { readArguments, usage } from './arguments.ts'
import { emit } from './emit.ts'
import { instructions } from './instructions.ts'
import { readSecrets } from './secrets.ts'

async function main(): Promise<void> {
  const { port, data, help } = readArguments(process.argv.slice(2))
  if (help) return console.log(usage)
  const issuer = `http://127.0.0.1:${port}`
  const { secret, token } = await readSecrets(data)
  const receivers = staticTokens([{ token, id: 'you', audience: 'https://you.example' }])
  const transmitter = createTransmitter({
    issuer,
    secret,
    store: sqliteStore(path.join(data, 'signals.db')),
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
  await listen(server, port).catch(async (error: unknown) => {
    await transmitter.stop()
    throw error
  })
  const stop = (): void => {
    server.close()
    server.closeAllConnections()
    void transmitter.stop()
  }
  process.once('SIGINT', stop).once('SIGTERM', stop)
  console.log(instructions(issuer, token))
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', ({ code }: NodeJS.ErrnoException) => {
      const why = code === 'EADDRINUSE' ? 'is in use' : `cannot be opened (${code})`
      reject(new Error(`port ${port} ${why}: choose another one with --port`))
    })
    server.listen(port, '127.0.0.1', resolve)
  })
}

main().catch((error: unknown) => {
  console.error(`the stream server cannot start: ${(error as Error).message}`)
  process.exit(1)
})
