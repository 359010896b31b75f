// What a scenario looks at: answers, cuts and dwell times. Each is printed, and what is not as it
// should be is thrown.
import type { EnforcementEvents } from '@drawbridge/enforcement'
import { nodes, type NodeName, type Stage } from './stage.ts'

/** A request that both processes get, and what they are to answer: `200`, `401 invalid_token`. */
export interface Asked {
  readonly token: string
  readonly route: string
  readonly answer: string
}

/** What an answer says: `200`, or `401 invalid_token`. */
export const answerOf = ({ status, headers }: Response): string =>
  [status, /error="(\w+)"/.exec(headers.get('www-authenticate') ?? '')?.[1] ?? []].flat().join(' ')

/** Prints a line of the timeline, with the time since the stage was set. */
export function say({ began }: Stage, text: string): void {
  console.log(`  ${(performance.now() - began).toFixed(0).padStart(5)} ms  ${text}`)
}

/** Sends a request to both processes, compares the answers, and resolves with that of `one`. */
export async function expectAnswer(
  stage: Stage,
  what: string,
  { token, route, answer: expected }: Asked,
): Promise<Response> {
  const answers = await Promise.all(nodes.map((node) => stage.request(node, token, route)))
  for (const [place, answer] of answers.entries()) {
    if (answerOf(answer) === expected) continue
    throw new Error(
      `${what}: process ${nodes[place]} answered ${answerOf(answer)}, not ${expected}`,
    )
  }
  say(stage, `${expected} in both processes: ${what}`)
  return answers[0] as Response
}

/** How what the processes answer is to change. */
export interface Turn {
  /** What is done to change it, for the timeline. */
  readonly what: string
  readonly from: string
  readonly to: string
  /** Default: both processes. */
  readonly only?: NodeName
  /** Asks a process, and resolves with what it answers. */
  ask(node: NodeName): Promise<string>
}

/** How the answer to one request is to change. */
export interface Change extends Omit<Turn, 'ask'>, Omit<Asked, 'answer'> {}

/**
 * Does something while a request is sent to the processes over and over, without a pause, and
 * prints how long after it each of them answers otherwise.
 *
 * @returns What `act` resolved with
 */
export const expectChange = <Result>(
  stage: Stage,
  { token, route, ...change }: Change,
  act: () => Promise<Result>,
): Promise<Result> => {
  const ask = async (node: NodeName): Promise<string> =>
    answerOf(await stage.request(node, token, route))
  return expectTurn(stage, { ...change, ask }, act)
}

/** Does what {@link expectChange} does, with whatever can be asked. */
export async function expectTurn<Result>(
  stage: Stage,
  { what, from, to, only, ask }: Turn,
  act: () => Promise<Result>,
): Promise<Result> {
  let deadline = Infinity
  const watch = async (node: NodeName): Promise<number> => {
    for (;;) {
      const answer = await ask(node)
      if (answer === to) return performance.now()
      if (answer === from && performance.now() < deadline) continue
      throw new Error(`${what}: process ${node} answered ${answer}, not ${to}`)
    }
  }
  const watched = nodes.filter((node) => only === undefined || node === only)
  for (const node of watched) {
    const before = await ask(node)
    if (before !== from) throw new Error(`${what}: process ${node} answered ${before} already`)
  }
  say(stage, what)
  const acted = performance.now()
  deadline = acted + 30_000
  const [result, ...changed] = await Promise.all([act(), ...watched.map(watch)])
  for (const [place, at] of changed.entries()) {
    say(stage, `+${(at - acted).toFixed(0)} ms  process ${watched[place]}: ${from} -> ${to}`)
  }
  return result
}

type Applied = EnforcementEvents['signal:applied'] | EnforcementEvents['signal:followed']

/**
 * Waits until both processes have told that they answer by a signal, and prints its dwell time: how
 * long after T that was, by each process itself.
 */
export async function expectDwell(stage: Stage, jti: string): Promise<void> {
  const isIt = ({ cause }: Applied): boolean => cause.jti === jti
  const [applied, followed] = (await Promise.all([
    stage.happened('one', 'signal:applied', isIt),
    stage.happened('two', 'signal:followed', isIt),
  ])) as [Applied, Applied]
  const ms = ({ dwell }: Applied): string => `${dwell.sinceEventMs.toFixed(0)} ms`
  say(
    stage,
    `dwell time: process one ${ms(applied)} (applied), process two ${ms(followed)} (followed)`,
  )
}

/** Throws where something does not hold, and prints what does. */
export function expectThat(stage: Stage, what: string, holds: boolean): void {
  if (!holds) throw new Error(`not so: ${what}`)
  say(stage, what)
}
