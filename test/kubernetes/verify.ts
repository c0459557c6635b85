import * as z from 'zod'
import { kmsfleet } from '../converge/cli.ts'
import { rollout } from '../converge/drive.ts'
import type { Lab } from '../lab/lab.ts'

const Proof = z.object({
  hosts: z.tuple([
    z.object({
      actors: z.array(z.object({ name: z.string(), from: z.string() })),
      verdicts: z
        .array(
          z.object({
            actor: z.string(),
            must: z.boolean(),
            action: z.string(),
            object: z.string(),
            verdict: z.string(),
            finding: z.string().default(''),
          }),
        )
        .min(1),
      checks: z.array(
        z.object({ subject: z.string(), expected: z.string(), verdict: z.string(), finding: z.string() }),
      ),
    }),
  ]),
})

/** What `kmsfleet verify` said of the only host of a lab. */
export interface Verified {
  readonly code: number
  /** Whom each actor was found as, such as `kube-apiserver.service, process 448`. */
  readonly found: Readonly<Record<string, string>>
  /** A line for each rule and check that did not pass, with numbers of groups as N and without the words of a bridge. */
  readonly notProved: readonly string[]
}

/** Runs the command on what the rollout that is shipped asks for. */
export async function verify(lab: Lab, stateFolder: string): Promise<Verified> {
  const { code, stdout, stderr } = await kmsfleet(
    stateFolder,
    'verify',
    rollout,
    `--inventory=${lab.inventoryFile}`,
    '--format=json',
  )
  if (stdout === '') throw new Error(`expected a proof, found exit code ${String(code)}: ${stderr}`)
  const [host] = Proof.parse(JSON.parse(stdout)).hosts
  const rules = host.verdicts.map(({ actor, must, action, object, verdict, finding }) => ({
    verdict,
    line: `${actor} ${must ? 'must' : 'must not'} ${action} ${object}: ${finding}`,
  }))
  const checks = host.checks.map(({ subject, expected, verdict, finding }) => ({
    verdict,
    line: `${subject}: ${expected}: ${finding}`,
  }))
  return {
    code,
    found: Object.fromEntries(host.actors.map(({ name, from }) => [name, from])),
    notProved: [...rules, ...checks]
      .filter(({ verdict }) => verdict !== 'pass')
      .map(({ verdict, line }) =>
        `${verdict}: ${line}`
          .replace(/\(gid \d+\)/g, '(gid N)')
          .replace(/gid is \d+ (\(\S+\)) instead of \d+/g, 'gid is N $1 instead of N')
          .replace(/; the host says: [^]*/, ''),
      ),
  }
}
