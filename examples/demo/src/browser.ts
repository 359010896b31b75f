// A browser's HTTP: a cookie jar per host, redirects followed, one form that can be filled in.

/** A page as a person sees it. */
export interface Page {
  readonly status: number
  readonly url: string
  readonly text: string
}

/** A browser with one cookie jar. */
export interface Browser {
  /** Opens a page, following redirects. */
  open(url: string): Promise<Page>
  /** Sends the form of a page. */
  submit(page: Page, fields: Readonly<Record<string, string>>): Promise<Page>
}

/** Makes a browser on a device. Cookies are kept by host and port. */
export function createBrowser(deviceCookie: {
  readonly host: string
  readonly value: string
}): Browser {
  const jar = new Map<string, Map<string, string>>([
    [deviceCookie.host, new Map([['device', deviceCookie.value]])],
  ])
  const request = async (url: string, init: RequestInit = {}): Promise<Page> => {
    const { host } = new URL(url)
    const cookies = jar.get(host) ?? new Map<string, string>()
    jar.set(host, cookies)
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url, {
      ...init,
      redirect: 'manual',
      headers: { accept: 'text/html', ...(cookie ? { cookie } : {}) },
    })
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (name !== undefined) cookies.set(name, value ?? '')
    }
    const location = response.headers.get('location')
    if (location && response.status >= 300 && response.status < 400) {
      return await request(new URL(location, url).href)
    }
    return { status: response.status, url, text: await response.text() }
  }
  return {
    open: (url) => request(url),
    async submit(page, fields) {
      const action = /<form[^>]* action="([^"]*)"/.exec(page.text)?.[1]
      if (action === undefined) throw new Error(`there is no form on ${page.url}`)
      const target = new URL(action.replaceAll('&amp;', '&'), page.url)
      return await request(target.href, { method: 'POST', body: new URLSearchParams(fields) })
    },
  }
}
