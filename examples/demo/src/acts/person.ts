import { createBrowser, type Browser, type Page } from '../browser.ts'
import type { Apps } from '../apps.ts'

/** Alice's device. */
export const device = 'laptop-7'

/** Alice's browser, before she has logged in. */
export const browserOn = ({ idp }: Apps): Browser =>
  createBrowser({ host: new URL(idp).host, value: device })

/** Alice logs in and gets her page. */
export async function logIn(browser: Browser, { saas }: Apps): Promise<Page> {
  const form = await browser.open(`${saas}/login`)
  return await browser.submit(form, { username: 'alice', password: 'wonderland' })
}

/** The session that a page is of. */
export const sidOn = ({ text }: Page): string => /Session ([\w-]+)/.exec(text)?.[1] ?? ''
