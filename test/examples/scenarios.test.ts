import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import { root } from '../support/snippets.ts'
import { startExample, type ExampleProcess } from './example-process.ts'

const scenarios = 'scenarios/dist/scenarios.js'
const title = 'examples/scenarios, two processes of the API with one Redis'
const hasRedis =
  spawnSync(process.env['REDIS_SERVER'] ?? 'redis-server', ['--version']).status === 0
if (!hasRedis) {
  console.warn(`SKIPPED: ${title}. There is no redis-server: apt-get install -y redis-server`)
}

let running: ExampleProcess | undefined
afterEach(async () => {
  const child = running?.child
  if (!child || child.exitCode !== null || child.signalCode !== null) return
  // Not SIGKILL: it ends what it has started itself.
  child.kill('SIGTERM')
  await once(child, 'exit')
})

const play = async (...args: readonly string[]): Promise<{ code: number | null; out: string }> => {
  running = startExample(scenarios, args)
  const { code, out, err } = await running.over
  // What it says when it fails belongs into the report.
  expect(err).toBe('')
  return { code, out }
}

/** What is printed, without what is another time in every run. */
const timeless = (text: string): string =>
  text
    .replaceAll(/ *\d+ ms/g, ' … ms')
    .replaceAll(/max_age="\d+"/g, 'max_age="…"')
    .trim()

const printedIn = async (page: string): Promise<readonly string[]> => {
  const text = await readFile(path.join(root, page), 'utf8')
  return [...text.matchAll(/```text\n(.*?)```/gs)].map(([, block = '']) => timeless(block))
}

/** Milliseconds from the act to the answer that changed, by process. */
const cutsIn = (out: string): readonly (readonly [string, number])[] =>
  [...out.matchAll(/\+(\d+) ms {2}process (one|two): 200 -> 4/g)].map(
    ([, ms, node]) => [node ?? '', Number(ms)] as const,
  )

;(hasRedis ? describe : describe.skip)(title, () => {
  it.each([
    ['S1', 'a request outside the change window takes the right to change, until a new window'],
    [
      'S2',
      'an agent loses its tools to write at a boundary, and ends with the account it acts for',
    ],
    ['S3', 'a device that is not compliant cuts off its sessions, and gives back what it took'],
    ['S4', 'an exposed secret ends every token that was obtained with it, before and after'],
    ['S5', 'a whole tenant has to authenticate again, more strongly, within a grace period'],
  ])('%s: %s', async (name) => {
    const { code, out } = await play(name.toLowerCase())
    expect(code).toBe(0)
    const shown = await printedIn('examples/scenarios/README.md')
    expect(shown).toContain(timeless(out.replace('All as it should be.', '')))
    // In S1 process one refuses the very request, which is no wait that could be measured.
    const cut = name === 'S1' ? ['two'] : ['one', 'two']
    expect(cutsIn(out).map(([node]) => node)).toEqual(cut)
    for (const [, ms] of cutsIn(out)) expect(ms).toBeLessThan(10_000)
  })

  it('ends everything that it has started when it is ended itself', async () => {
    const started = startExample(scenarios, ['s3'])
    running = started
    await started.printed('in both processes')
    started.child.kill('SIGTERM')
    // Not over before the last process that could print is over, the Redis included.
    expect(await started.over).toMatchObject({ code: 1 })
  })
})

describe('examples/scenarios', () => {
  it('says what is missing where there is no redis-server, and that it skipped', async () => {
    const started = startExample(scenarios, [], { REDIS_SERVER: 'no-such-redis-server' })
    running = started
    const { code, out, err } = await started.over
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toBe('SKIPPED: the scenarios need redis-server: apt-get install -y redis-server\n')
  })
  it('names the scenarios that there are, when another one is asked for', async () => {
    const started = startExample(scenarios, ['s9'])
    running = started
    expect(await started.over).toMatchObject({
      code: 1,
      err: '\nthe scenario failed: "s9" is no scenario: there are s1, s2, s3, s4, s5\n',
    })
  })
})
