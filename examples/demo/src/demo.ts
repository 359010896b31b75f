// Shows a live session end because the identity provider said so, and a device that falls out of
// compliance and comes back. `--keep` leaves both apps running for a browser.
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { startApps, type Apps } from './apps.ts'
import { createBrowser, type Browser, type Page } from './browser.ts'
import { serviceAccount } from './idp.ts'

const device = 'laptop-7'

async function main(): Promise<void> {
  if (process.argv.includes('--keep')) return await keep()
  for (const delivery of ['push', 'poll'] as const) {
    const apps = await startApps(delivery)
    try {
      console.log(`\nDelivery by ${delivery}   provider ${apps.idp}   application ${apps.saas}\n`)
      await endSession(apps)
      await loseDevice(apps)
      await doubtService(apps)
    } finally {
      await apps.stop()
    }
  }
  console.log(
    '\nA session ended, a device was cut off and came back, a service was held to reading. All as it should be.',
  )
}

/** Alice works; an administrator closes her session; the same cookie is refused. */
async function endSession(apps: Apps): Promise<void> {
  const browser = browserOn(apps)
  const page = await logIn(browser, apps)
  expectStatus(page, 200, 'the page opens after the login')
  const sid = /Session ([\w-]+)/.exec(page.text)?.[1] ?? ''

  const transmitted = performance.timeOrigin + performance.now()
  const { deliveries } = await apps.administer('revoke', { sid, reason: 'Account closed' })
  await timeline(apps, deliveries[0]?.jti ?? '', 'session-revoked', transmitted)
  expectStatus(await browser.open(apps.saas), 401, 'the same cookie is refused')
  expectStatus(await logIn(browser, apps), 200, 'a new login works')
}

/**
 * The device fails its check: whoever works on it is cut off, a new login too, until it passes
 * again.
 */
async function loseDevice(apps: Apps): Promise<void> {
  const browser = browserOn(apps)
  expectStatus(await logIn(browser, apps), 200, `the page opens on ${device}`)
  const report = async (compliant: boolean): Promise<void> => {
    const transmitted = performance.timeOrigin + performance.now()
    const { deliveries } = await apps.administer('devices', { device, compliant })
    const name = `device-compliance-change: ${compliant ? 'compliant' : 'not-compliant'}`
    await timeline(apps, deliveries[0]?.jti ?? '', name, transmitted)
  }
  await report(false)
  expectRefused(await browser.open(apps.saas), 'the session is suspended')
  expectRefused(await logIn(browserOn(apps), apps), 'a new login on the same device too')
  await report(true)
  expectStatus(await browser.open(apps.saas), 200, 'the same cookie works again')
}

/** A service account works with one token; its risk is high: it goes on reading, and writes no more. */
async function doubtService(apps: Apps): Promise<void> {
  const { idp, saas, serviceSecret: client_secret } = apps
  const answer = await fetch(`${idp}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: serviceAccount,
      client_secret,
    }),
  })
  const { access_token } = (await answer.json()) as { access_token: string }
  const call = async (method: 'GET' | 'POST'): Promise<Page> => {
    const url = `${saas}/api/reports`
    const headers = { authorization: `Bearer ${access_token}` }
    const response = await fetch(url, { method, headers })
    return { status: response.status, url, text: await response.text() }
  }
  expectStatus(await call('POST'), 201, `${serviceAccount} writes a report`)
  const report = async (level: 'HIGH' | 'LOW'): Promise<void> => {
    const transmitted = performance.timeOrigin + performance.now()
    const { deliveries } = await apps.administer('risk', { account: serviceAccount, level })
    await timeline(apps, deliveries[0]?.jti ?? '', `risk-level-change: ${level}`, transmitted)
  }
  await report('HIGH')
  expectStatus(await call('POST'), 403, 'the same token writes no more')
  expectStatus(await call('GET'), 200, 'and goes on reading')
  await report('LOW')
  expectStatus(await call('POST'), 201, 'it writes again')
}

const browserOn = ({ idp }: Apps): Browser =>
  createBrowser({ host: new URL(idp).host, value: device })

async function logIn(browser: Browser, { saas }: Apps): Promise<Page> {
  const form = await browser.open(`${saas}/login`)
  return await browser.submit(form, { username: 'alice', password: 'wonderland' })
}

/** Prints what happened to one SET, from the administrator's click on. */
async function timeline(apps: Apps, jti: string, name: string, clicked: number): Promise<void> {
  if (jti === '') throw new Error(`no stream wants "${name}"`)
  const enforced = await apps.happened('signal:applied', jti)
  const delivered = await apps.happened('set:delivered', jti)
  const steps = [
    ['transmitted', await apps.happened('event:recorded', jti)],
    ['verified', await apps.happened('set:verified', jti)],
    ['enforced', enforced],
    ['delivered', delivered],
  ] as const
  console.log(`  ${name}`)
  for (const [step, { at }] of steps) {
    console.log(
      `    ${step.padEnd(12)} ${String(Math.max(0, Math.round(at - clicked))).padStart(5)} ms`,
    )
  }
  const dwell = enforced.at - clicked
  console.log(`    dwell time   ${dwell.toFixed(0).padStart(5)} ms  from the click to the refusal`)
}

function expectStatus({ status, url }: Page, expected: number, what: string): void {
  if (status !== expected) {
    throw new Error(`${what}: ${url} was answered ${status}, not ${expected}`)
  }
  console.log(`  ${String(status)}  ${what}`)
}

function expectRefused({ status, url }: Page, what: string): void {
  if (status !== 401 && status !== 403) throw new Error(`${what}: ${url} was answered ${status}`)
  console.log(`  ${String(status)}  ${what}`)
}

/** Leaves both apps running until Ctrl-C, and does what is typed to the newest session. */
async function keep(): Promise<void> {
  const apps = await startApps('push')
  console.log(`
  application        ${apps.saas}   log in as alice, password wonderland
  identity provider  ${apps.idp}

  Then type here, and reload the page:
    revoke          the newest session is revoked
    not-compliant   its device falls out of compliance
    compliant       and is compliant again
  Ctrl-C ends both.
`)
  const lines = createInterface({ input: process.stdin })
  lines.on('line', (line) => {
    act(apps, line.trim()).catch((error: unknown) => console.log(`  ${(error as Error).message}`))
  })
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
  lines.close()
  await apps.stop()
}

async function act(apps: Apps, command: string): Promise<void> {
  if (!['revoke', 'not-compliant', 'compliant'].includes(command)) return
  const newest = (await apps.sessions()).at(-1)
  if (!newest) throw new Error('nobody has logged in yet')
  const started = performance.timeOrigin + performance.now()
  const { deliveries } =
    command === 'revoke'
      ? await apps.administer('revoke', { sid: newest.sid, reason: 'Account closed' })
      : await apps.administer('devices', {
          device: newest.device,
          compliant: command === 'compliant',
        })
  await timeline(apps, deliveries[0]?.jti ?? '', command, started)
}

main().catch((error: unknown) => {
  console.error(`\nthe demo failed: ${(error as Error).message}`)
  process.exitCode = 1
})
