// What the issuers and the API's processes do alike: serve HTTP on loopback, and do what the driver
// asks of them over the channel between the processes, which no network reaches.
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What the driver tells a process when it starts. */
export interface Settings {
  /** Which scenario: `s3`. */
  readonly scenario: string
  /** The issuers by name, as far as they run. */
  readonly issuers: Readonly<Record<string, string>>
  readonly redis: string
  /** The URL of the decision point; empty where there is none. */
  readonly decisionPoint: string
  /** A folder for what is kept. */
  readonly folder: string
  /** Encrypts what a Transmitter keeps. */
  readonly secret: string
  /** The bearer token of the Receiver. */
  readonly signalsToken: string
  /** Whether this process of the API is the one that has the Receiver. */
  readonly receives: boolean
}

/** What the driver asks of a process. */
export interface Ask {
  readonly id: number
  readonly act: string
  readonly input: unknown
}

/** What a process tells the driver. */
export type Message =
  | { readonly ready: string }
  | { readonly id: number; readonly output?: unknown; readonly error?: string }
  | Told

/** Something that happened. */
export interface Told {
  readonly event: string
  readonly data: unknown
}

/** What a process is made of. */
export interface Parts {
  readonly listener: RequestListener
  /** What the driver can ask for, by name. */
  readonly acts: Readonly<Record<string, (input: never) => unknown>>
  start(): Promise<void>
  stop(): Promise<void>
}

const send = (message: Message): void => void process.send?.(message)

/** Tells the driver that something happened. */
export const tell = (event: string, data: unknown): void => send({ event, data })

/** Serves until the driver ends it or is gone. */
export async function serve(
  make: (origin: string, settings: Settings) => Promise<Parts>,
): Promise<void> {
  let parts: Parts | undefined
  const end = (): void => {
    void (parts?.stop() ?? Promise.resolve()).finally(() => process.exit(0))
  }
  process.once('SIGTERM', end).once('disconnect', end)
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  parts = await make(origin, JSON.parse(process.env['SETTINGS'] ?? '{}') as Settings)
  const { listener, acts, start } = parts
  server.on('request', listener)
  process.on('message', ({ id, act, input }: Ask) => {
    const done = async (): Promise<unknown> => acts[act]?.(input as never)
    done().then(
      (output) => send({ id, output }),
      (error: Error) => send({ id, error: error.message }),
    )
  })
  await start()
  send({ ready: origin })
  // Who started it may be gone already.
  if (!process.connected) end()
}
