import { spawnSync } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, isAbsolute, join, resolve } from 'node:path'
import { KmsfleetError } from '../errors/error.ts'
import type { SignatureRequest } from '../model/signature.ts'

/** What cosign may know of the operator's environment: how it reaches the network, and its own cache below HOME. */
const passed = [
  'PATH',
  'HOME',
  'HTTPS_PROXY',
  'https_proxy',
  'NO_PROXY',
  'no_proxy',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
] as const

const longestMs = 120_000

/**
 * Verifies a signature with the installed cosign. The blob goes over standard input: what is verified is what was
 * read, and not what stands at a path by then. Throws KmsfleetError `bundle.signature`.
 */
export function verifySignature(request: SignatureRequest): void {
  const { blob, name, identity, issuer } = request
  const bundle = request.bundle.startsWith('~/')
    ? join(homedir(), request.bundle.slice(2))
    : resolve(request.bundle)
  const program = findCosign()
  if (program === undefined) {
    throw new KmsfleetError(
      'bundle.signature',
      `expected cosign on PATH to verify the signature of ${name}, found none`,
      { hint: 'Install cosign, or say `signature: none`: the report then says that it was not verified.' },
    )
  }
  const end = spawnSync(
    program,
    [
      'verify-blob',
      `--bundle=${bundle}`,
      `--certificate-identity=${identity}`,
      `--certificate-oidc-issuer=${issuer}`,
      '-',
    ],
    {
      input: blob,
      env: Object.fromEntries(
        passed.flatMap((key) => (process.env[key] === undefined ? [] : [[key, process.env[key]]])),
      ),
      stdio: ['pipe', 'ignore', 'pipe'],
      timeout: longestMs,
      killSignal: 'SIGKILL',
      maxBuffer: 1024 * 1024,
    },
  )
  if (end.status === 0 && end.error === undefined) return
  const said = end.stderr.toString('utf8').trim().split('\n').slice(-3).join(' ')
  const how =
    end.status === null
      ? `it did not end within ${String(longestMs / 1000)} s`
      : `exit status ${String(end.status)}`
  throw new KmsfleetError(
    'bundle.signature',
    `expected ${name} to be signed by ${identity} (${issuer}), found that cosign refuses it: ${how}${said === '' ? '' : `: ${said.slice(0, 500)}`}`,
    { hint: 'Fetch the release and its signature again; where it is still refused, somebody exchanged it.' },
  )
}

/** The first on PATH. Entries that are relative or empty would run what lies in the current folder. */
function findCosign(): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => isAbsolute(folder))
    .map((folder) => join(folder, 'cosign'))
    .find(isProgram)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
