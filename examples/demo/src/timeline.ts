// What the driver prints, and how it looks whether something is as it should be.
import type { Apps } from './apps.ts'
import type { Answer } from './agent.ts'
import type { Page } from './browser.ts'

/** What the administrator does, and what ends because of it. */
export interface Signal {
  readonly name: string
  /** The path and the body of the request. */
  readonly does: readonly [pathname: string, body: object]
  /** Whose end belongs into the timeline. */
  readonly ends?: { readonly what: string; readonly ended: Promise<unknown> }
}

/**
 * Has the identity provider say something, and prints what happened to the SET, from the
 * administrator's click on.
 *
 * @returns The `jti` of the SET
 */
export async function signal(apps: Apps, { name, does, ends }: Signal): Promise<string> {
  const clicked = now()
  const [recorded, endedAt] = await Promise.all([apps.administer(...does), ends?.ended.then(now)])
  const jti = recorded.deliveries[0]?.jti
  if (jti === undefined) throw new Error(`no stream wants "${name}"`)
  const enforced = await apps.happened('signal:applied', jti)
  const steps: (readonly [step: string, at: number])[] = [
    ['transmitted', (await apps.happened('event:recorded', jti)).at],
    ['verified', (await apps.happened('set:verified', jti)).at],
    ['enforced', enforced.at],
    ['delivered', (await apps.happened('set:delivered', jti)).at],
  ]
  if (ends && endedAt !== undefined) steps.push([ends.what, endedAt])
  console.log(`  ${name}`)
  for (const [step, at] of steps.toSorted(([, one], [, other]) => one - other)) {
    const ms = Math.max(0, Math.round(at - clicked))
    console.log(`    ${step.padEnd(13)} ${String(ms).padStart(5)} ms`)
  }
  const dwell = (enforced.at - clicked).toFixed(0).padStart(5)
  console.log(`    dwell time    ${dwell} ms  from the click to the refusal`)
  return jti
}

const now = (): number => performance.timeOrigin + performance.now()

/** Prints what a browser got, or throws. */
export function expectStatus({ status, url }: Page, expected: number, what: string): void {
  if (status !== expected) {
    throw new Error(`${what}: ${url} was answered ${status}, not ${expected}`)
  }
  console.log(`  ${status}  ${what}`)
}

/** Prints that a browser was refused, or throws. */
export function expectRefused({ status, url }: Page, what: string): void {
  if (status !== 401 && status !== 403) throw new Error(`${what}: ${url} was answered ${status}`)
  console.log(`  ${status}  ${what}`)
}

/** Prints what a tool answered, or throws. */
export function expectAnswer(answer: Answer, expected: Answer['outcome'], what: string): void {
  const { outcome, text } = answer
  if (outcome !== expected) throw new Error(`${what}: the agent got ${outcome} "${text}"`)
  console.log(`  mcp  ${what}${outcome === 'unauthorized' ? '' : `: "${text}"`}`)
}

/** Prints what holds, or throws. */
export function expectThat(holds: boolean, what: string): void {
  if (!holds) throw new Error(`not so: ${what}`)
  console.log(`  mcp  ${what}`)
}
