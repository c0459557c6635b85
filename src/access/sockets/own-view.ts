import * as z from 'zod'
import { createHash } from 'node:crypto'
import type { Check, KmsSocket, SocketProof } from '../../model/access.ts'
import type { Snapshot } from '../../model/facts.ts'
import type { SaidState } from '../../model/process.ts'
import type { ReadAtom } from '../../model/wire.ts'
import { contested } from '../../resources/common/trust.ts'

/* What the provider's own program says: `probe` as the one whom the socket is for, `config` and `doctor` as the provider. */

/** The document of `probe` and `doctor`. */
const Report = z.object({
  checks: z.array(
    z.object({
      id: z.string(),
      title: z.string(),
      status: z.enum(['pass', 'warn', 'fail', 'skip']),
      message: z.string().default(''),
    }),
  ),
})
type Report = z.infer<typeof Report>

/** Seconds: a login, and what it asks of OpenBao. */
const within = 45

/** Checks of `probe` that make up a proof. */
const probed = ['socket.connect', 'kms.status', 'kms.encrypt', 'kms.decrypt', 'kms.key_id'] as const

/** What is said on standard error would stand among the report. */
const quietly = ['/bin/sh', '-c', 'exec "$@" 2>/dev/null', 'sh'] as const

/** Is it a program that root alone could have put there? Else it is not run: it would run as whoever asks. */
export function trustedProgram(program: string, { paths }: Snapshot): boolean {
  const fact = paths.get(program)
  const open = contested(program, { path: (path) => paths.get(path) ?? { is: 'absent' } })
  if (open || fact?.is !== 'present') return false
  const { type, uid, mode } = fact.state
  return type === 'file' && uid.known && uid.value === 0 && (mode & 0o022) === 0
}

export function probeAtom({ path, usedBy }: KmsSocket, program: string): ReadAtom {
  const argv = [...quietly, program, 'probe', '--socket', path, '--timeout', '10s', '--output', 'json']
  return { atom: 'says', key: 'probe', process: usedBy, argv, within: 20 }
}

/** What `probe` proved in place of a connection from here. */
export function judgeProbe(
  socket: KmsSocket,
  said: SaidState | undefined,
): { readonly check: Check; readonly proof: Partial<SocketProof> } {
  const check = (verdict: Check['verdict'], finding: string): Check => ({
    ...{ subject: socket.path, actor: socket.usedBy, expected: answersAs(socket) },
    ...{ verdict, finding, source: socket.source },
  })
  const report = reportOf(said)
  if (typeof report === 'string') return { check: check('unknown', `probe: ${report}`), proof: {} }
  const statuses = new Map(report.checks.map((each) => [each.id, each]))
  const failed = report.checks.filter(({ status }) => status === 'fail')
  if (failed.length > 0) {
    const texts = failed.map(({ id, message }) => `${id}: ${message}`)
    return { check: check('violated', `probe says ${texts.join('; ')}`), proof: { through: 'probe' } }
  }
  const open = probed.filter((id) => statuses.get(id)?.status !== 'pass')
  if (open.length > 0) {
    return {
      check: check('unknown', `probe did not say that ${open.join(', ')} passed`),
      proof: { through: 'probe' },
    }
  }
  const keyId = statuses.get('kms.key_id')?.message ?? ''
  const keyIdHash = createHash('sha256').update(keyId).digest('base64url')
  return { check: check('pass', ''), proof: { through: 'probe', ...(keyId === '' ? {} : { keyIdHash }) } }
}

export function answersAs({ usedBy }: KmsSocket): string {
  return `it answers Status, Encrypt and Decrypt as ${usedBy}`
}

export function ownViewAtoms({ heldBy, program, configuration }: KmsSocket): readonly ReadAtom[] {
  if (program === undefined || configuration === undefined) return []
  const as = { atom: 'says', process: heldBy, within } as const
  return [
    { ...as, key: 'config', argv: [program, 'config', '--config', configuration] },
    {
      ...as,
      key: 'doctor',
      argv: [...quietly, program, 'doctor', '--config', configuration, '--output', 'json'],
    },
  ]
}

/** What `config` and `doctor` found. What must have passed is said by the matrix: absent or skipped is not passed. */
export function ownViewChecks(
  { program, configuration, heldBy, doctor, source }: KmsSocket,
  { said }: Snapshot,
): readonly Check[] {
  if (program === undefined || configuration === undefined) return []
  const check = (expected: string, verdict: Check['verdict'], finding: string): Check => ({
    ...{ subject: program, expected, verdict, finding, source },
  })
  return [
    configCheck((...rest) => check(`${heldBy} reads ${configuration}`, ...rest), said.get('config')),
    ...doctorChecks(
      (id, ...rest) => check(`doctor, as ${heldBy}: ${id}`, ...rest),
      doctor,
      said.get('doctor'),
    ),
  ]
}

function configCheck(
  check: (verdict: Check['verdict'], finding: string) => Check,
  said: SaidState | undefined,
): Check {
  if (said?.is !== 'said') return check('unknown', said?.detail ?? 'the host did not answer')
  if (said.status === 0) return check('pass', '')
  return check(said.status >= 124 ? 'unknown' : 'violated', endOf(said))
}

function doctorChecks(
  check: (id: string, verdict: Check['verdict'], finding: string) => Check,
  required: readonly string[],
  said: SaidState | undefined,
): readonly Check[] {
  const report = reportOf(said)
  if (typeof report === 'string') return [check('it reports', 'unknown', report)]
  const ids = new Set([
    ...required,
    ...report.checks.filter(({ status }) => status === 'fail' || status === 'warn').map(({ id }) => id),
  ])
  return [...ids].map((id) => {
    const found = report.checks.find((each) => each.id === id)
    switch (found?.status) {
      case undefined:
        return check(id, 'unknown', 'it says nothing of that')
      case 'skip':
        return check(id, 'unknown', `it was skipped${found.message === '' ? '' : `: ${found.message}`}`)
      case 'fail':
        return check(id, 'violated', found.message === '' ? found.title : found.message)
      case 'warn':
      case 'pass':
        return check(id, 'pass', found.status === 'warn' ? found.message : '')
    }
  })
}

/** The report; text where there is none. It is the whole output, and made of what the host chose. */
function reportOf(said: SaidState | undefined): Report | string {
  if (said === undefined) return 'the host did not answer'
  if (said.is === 'not-run') return said.detail
  try {
    const report = Report.safeParse(JSON.parse(said.output))
    return report.success ? report.data : `expected a report, found ${endOf(said)}`
  } catch (error) {
    if (error instanceof SyntaxError) return `expected a report, found ${endOf(said)}`
    throw error
  }
}

function endOf({ status, output }: Extract<SaidState, { readonly is: 'said' }>): string {
  const text = output.trim().split('\n').at(-1) ?? ''
  const how = status === 137 || status === 124 ? 'that it was killed' : `exit status ${String(status)}`
  return text === '' ? how : `${how}: ${text.slice(0, 300)}`
}
