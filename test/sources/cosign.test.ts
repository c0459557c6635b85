import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { verifySignature } from '../../src/sources/cosign.ts'

const sigstore = Buffer.from('{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}')
const request = {
  blob: Buffer.from('rows'),
  name: 'checksums.txt',
  bundle: sigstore,
  identity: '--key=/etc/passwd',
  issuer: 'https://issuer',
}

/*
 * A substitute for cosign: it writes down what it was given and what stood there, and answers as its own files say.
 * Which options which versions have is as in their own `verify-blob --help`.
 */
let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kmsfleet-cosign-'))
  writeFileSync(
    join(folder, 'cosign'),
    `#!/bin/sh
if [ "$2" = --help ]; then cat ${folder}/help; exit; fi
{
  printf '%s\\n' "$@"
  for last do :; done
  echo "blob: $(cat "$last")"
  for each do case $each in --bundle=*) echo "bundle: $(cat "\${each#*=}")" ;; esac; done
  stat -c 'mode: %a' "\${last%/*}"
  env | sort
} >${folder}/given
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

const answer = (status: string, says = '', help = ''): void => {
  writeFileSync(join(folder, 'status'), status)
  writeFileSync(join(folder, 'says'), says)
  writeFileSync(join(folder, 'help'), help)
  vi.stubEnv('PATH', `:relative:${folder}:/usr/bin:/bin`)
}

const given = (): string => readFileSync(join(folder, 'given'), 'utf8')

test('gets the bytes that were read, constant arguments and no more of the environment than it needs', () => {
  answer('0')
  vi.stubEnv('BAO_TOKEN', 's.secret')
  vi.stubEnv('HTTPS_PROXY', 'http://proxy')
  verifySignature(request)
  const [, at = ''] = /--bundle=(.*)\/bundle\n/.exec(given()) ?? []
  expect(given().split('\n').slice(0, 8)).toEqual([
    'verify-blob',
    `--bundle=${at}/bundle`,
    '--certificate-identity=--key=/etc/passwd',
    '--certificate-oidc-issuer=https://issuer',
    `${at}/blob`,
    'blob: rows',
    `bundle: ${sigstore.toString()}`,
    'mode: 700',
  ])
  expect(given()).toContain('HTTPS_PROXY=http://proxy')
  expect(given()).not.toContain('s.secret')
  expect(existsSync(at)).toBe(false)
})

test.each<[version: string, help: string, bundle: Buffer, said: string | undefined]>([
  ['2.2', '--bundle string  path to bundle FILE', sigstore, undefined],
  ['2.4', '--new-bundle-format  expect a bundle', sigstore, '--new-bundle-format=true'],
  ['3.0', '--new-bundle-format  expect a bundle (default true)', sigstore, '--new-bundle-format=true'],
  [
    '3.0',
    '--new-bundle-format  expect a bundle (default true)',
    Buffer.from('{"base64Signature":"x"}'),
    '--new-bundle-format=false',
  ],
])('cosign %s is told the format of the bundle where it has an option for it', (_, help, bundle, said) => {
  answer('0', '', help)
  verifySignature({ ...request, bundle })
  expect(
    given()
      .split('\n')
      .find((line) => line.startsWith('--new-bundle-format')),
  ).toBe(said)
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
