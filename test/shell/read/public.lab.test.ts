import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Certificate } from '../../sources/certificates.ts'
import { makeAuthority, makeCertificate } from '../../sources/certificates.ts'
import { folderWith } from '../../document/problems.ts'
import { shells } from '../local-shell.ts'
import { compileRead } from '../../../src/shell/read/compile.ts'
import type { PublicPart } from '../../../src/model/expiry.ts'
import { ask, openHere, present, rootFolder } from './host.ts'

const exp = 1_900_000_000
const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const signature = 'plantedSignature'
const jwt = `${part({ alg: 'ES256' })}.${part({ exp })}.${signature}`

let leaf: string
let key: string
let authority: Certificate
beforeAll(() => {
  const made = folderWith({})
  authority = makeAuthority(made, 'ca')
  const certificate = makeCertificate(made, 'leaf', authority, 'DNS:x')
  leaf = readFileSync(certificate.certificate, 'utf8')
  key = readFileSync(certificate.key, 'utf8')
})

describe.each(shells)('$name', (shell) => {
  test('tells when credentials of root expire, in a directory of another account', async () => {
    using folder = rootFolder()
    const theirs = join(folder.path, 'theirs')
    mkdirSync(theirs)
    chownSync(theirs, 65534, 65534)
    const file = (name: string, text: string, mode = 0o640): string => {
      writeFileSync(join(theirs, name), text)
      chmodSync(join(theirs, name), mode)
      return join(theirs, name)
    }
    symlinkSync(file('target', jwt), join(theirs, 'link'))
    const stranger = file('stranger', jwt)
    chownSync(stranger, 65534, 65534)
    execFileSync('mkfifo', [join(theirs, 'pipe')])
    const asked: readonly (readonly [PublicPart, string, boolean])[] = [
      ['claims', file('good.jwt', jwt), true],
      ['claims', file('line.jwt', `${jwt}\n`), true],
      ['claims', file('secret', 'user.password.more'), false],
      ['claims', file('long', `${jwt}${'x'.repeat(70_000)}`), false],
      ['claims', file('empty', ''), false],
      ['claims', file('writable', jwt, 0o660), false],
      ['claims', stranger, false],
      ['claims', join(theirs, 'link'), false],
      ['claims', join(theirs, 'pipe'), false],
      ['claims', join(theirs, 'none'), false],
      ['certificates', file('leaf.pem', leaf), true],
      ['certificates', file('with-key.pem', leaf + key), true],
      ['certificates', file('key-first.pem', key + leaf), false],
    ]
    await using session = await openHere(shell)
    const { paths } = await ask(
      session,
      asked.map(([publicPart, path]) => ({
        atom: 'path',
        path,
        publicPart,
        sealed: true,
        digestUpTo: 65_536,
      })),
    )
    for (const [, path, told] of asked) {
      const fact = paths.get(path)
      if (fact?.is === 'absent') expect(told).toBe(false)
      else expect([path, present(fact).expires !== undefined]).toEqual([path, told])
    }
    expect(present(paths.get(join(theirs, 'good.jwt'))).expires).toBe(exp)
  })

  test('sends nothing else of them', async () => {
    using folder = rootFolder()
    const path = join(folder.path, 'x.jwt')
    const pem = join(folder.path, 'x.pem')
    writeFileSync(path, jwt, { mode: 0o600 })
    writeFileSync(pem, leaf + key, { mode: 0o600 })
    linkSync(path, `${path}.other`)
    const frame = compileRead([
      { atom: 'path', path, publicPart: 'claims' },
      { atom: 'path', path: pem, publicPart: 'certificates' },
    ])
    let seen = ''
    await using session = await openHere(shell)
    for await (const message of session.send(
      { ...frame, decode: (fields) => ((seen = fields.join('\n')), frame.decode(fields)) },
      new AbortController().signal,
    )) {
      if (message.is === 'snapshot') expect(present(message.snapshot.paths.get(path)).expires).toBe(exp)
    }
    rmSync(path)
    expect(seen).toContain(part({ exp }))
    expect(seen).not.toContain(signature)
    expect(seen).not.toContain('PRIVATE')
    expect(seen).toContain('BEGIN CERTIFICATE')
  })
})
