import { spawnSync, type SpawnSyncReturns } from 'node:child_process'
import { accessSync, constants, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, isAbsolute, join } from 'node:path'
import { isDictionary } from '../document/dictionary.ts'
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
 * Verifies a signature with the installed cosign, which gets copies in a folder that only the operator may enter: what
 * is verified is what was read, and not what stands at a path by then. (Over standard input it takes no blob with a
 * bundle of the newer format, up to 2.6.) Throws KmsfleetError `bundle.signature`.
 */
export function verifySignature(request: SignatureRequest): void {
  const program = findCosign()
  if (program === undefined) {
    throw new KmsfleetError(
      'bundle.signature',
      `expected cosign on PATH to verify the signature of ${request.name}, found none`,
      { hint: 'Install cosign, or say `signature: none`: the report then says that it was not verified.' },
    )
  }
  const folder = mkdtempSync(join(tmpdir(), 'kmsfleet-signature-'))
  try {
    verifyWith(program, folder, request)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function verifyWith(program: string, folder: string, request: SignatureRequest): void {
  const { blob, name, bundle, identity, issuer } = request
  const [blobFile, bundleFile] = [join(folder, 'blob'), join(folder, 'bundle')]
  writeFileSync(blobFile, blob)
  writeFileSync(bundleFile, bundle)
  const end = run(program, [
    'verify-blob',
    `--bundle=${bundleFile}`,
    ...formatArguments(program, bundle),
    `--certificate-identity=${identity}`,
    `--certificate-oidc-issuer=${issuer}`,
    blobFile,
  ])
  if (end.status === 0 && end.error === undefined) return
  const said = end.stderr.trim().split('\n').slice(-3).join(' ')
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

/**
 * cosign 2.4 to 2.6 takes a bundle for one of the older format where nothing is said, cosign 3 for one of the newer;
 * other versions know one format and not the option.
 */
function formatArguments(program: string, bundle: Uint8Array): readonly string[] {
  const option = '--new-bundle-format'
  const { stdout } = run(program, ['verify-blob', '--help'])
  return stdout.includes(option) ? [`${option}=${String(isSigstoreBundle(bundle))}`] : []
}

function isSigstoreBundle(bundle: Uint8Array): boolean {
  try {
    const value: unknown = JSON.parse(Buffer.from(bundle).toString('utf8'))
    return isDictionary(value) && String(value['mediaType']).startsWith('application/vnd.dev.sigstore.bundle')
  } catch {
    // cosign says what is wrong with it.
    return false
  }
}

function run(program: string, args: readonly string[]): SpawnSyncReturns<string> {
  return spawnSync(program, args, {
    env: Object.fromEntries(
      passed.flatMap((key) => (process.env[key] === undefined ? [] : [[key, process.env[key]]])),
    ),
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    timeout: longestMs,
    killSignal: 'SIGKILL',
    maxBuffer: 1024 * 1024,
  })
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
