import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { verifySignature } from '../../src/sources/cosign.ts'

const request = {
  blob: Buffer.from('rows'),
  name: 'checksums.txt',
  bundle: '/dl/checksums.txt.bundle',
  identity: '--key=/etc/passwd',
  issuer: 'https://issuer',
}

/* A substitute for cosign: it writes down what it was given, and answers as its own file says. */
let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kmsfleet-cosign-'))
  writeFileSync(
    join(folder, 'cosign'),
    `#!/bin/sh
{ printf '%s\\n' "$@"; echo "in: $(cat)"; env | sort; } >${folder}/given
cat ${folder}/says >&2
exit "$(cat ${folder}/status)"
`,
  )
  chmodSync(join(folder, 'cosign'), 0o755)
})
afterAll(() => {
  rmSync(folder, { recursive: true })
})
afterEach(() => vi.unstubAllEnvs())

const answer = (status: string, says = ''): void => {
  writeFileSync(join(folder, 'status'), status)
  writeFileSync(join(folder, 'says'), says)
  vi.stubEnv('PATH', `:relative:${folder}:/usr/bin:/bin`)
}

test('gets the bytes themselves, constant arguments and no more of the environment than it needs', () => {
  answer('0')
  vi.stubEnv('BAO_TOKEN', 's.secret')
  vi.stubEnv('HTTPS_PROXY', 'http://proxy')
  verifySignature(request)
  const given = readFileSync(join(folder, 'given'), 'utf8')
  expect(given.split('\n').slice(0, 6)).toEqual([
    'verify-blob',
    '--bundle=/dl/checksums.txt.bundle',
    '--certificate-identity=--key=/etc/passwd',
    '--certificate-oidc-issuer=https://issuer',
    '-',
    'in: rows',
  ])
  expect(given).toContain('HTTPS_PROXY=http://proxy')
  expect(given).not.toContain('s.secret')
})

test('a refusal stops the run with what cosign says', () => {
  answer('1', 'Error: none of the expected identities matched')
  expect(() => {
    verifySignature(request)
  }).toThrow(/expected checksums.txt to be signed by .*exit status 1: Error: none of the expected identities/)
})

test('without cosign the run stops and says what to do', () => {
  vi.stubEnv('PATH', `:.:${folder}/none`)
  expect(() => {
    verifySignature(request)
  }).toThrow('expected cosign on PATH to verify the signature of checksums.txt, found none')
})
