import { collect, throwCollected } from '../document/collect.ts'
import { KmsfleetError } from '../errors/error.ts'
import { selectHosts } from '../inventory/select.ts'
import type { Host, Inventory } from '../inventory/types.ts'
import type { HostProof, Matrix } from '../model/access.ts'
import type { Playbook } from '../playbook/types.ts'
import { createTemplateEngine } from '../template/create.ts'
import type { Connect } from '../transport/channel.ts'
import { createLimiter } from '../transport/limiter.ts'
import { expandMatrix } from './matrix/expand.ts'
import { openReader } from './reader.ts'
import { proveSockets, socketAtoms } from './sockets/prove.ts'
import { sharedKeyChecks } from './sockets/shared-key.ts'
import { verifyMatrix } from './verify.ts'

/** A host with what is to be proved of it. */
export interface HostMatrix {
  readonly host: Host
  readonly matrix: Matrix
}

export interface MatricesRequest {
  readonly playbook: Playbook
  readonly inventory: Inventory
  /** `--limit` pattern. */
  readonly limit?: string
  readonly extraVars: ReadonlyMap<string, unknown>
}

/**
 * The access matrices of all hosts that the playbook is for. Contacts nothing and runs no code of a project. Throws
 * KmsfleetErrors with all that is wrong, and `run.usage` where there is nothing to prove.
 */
export function prepareMatrices(request: MatricesRequest): readonly HostMatrix[] {
  const { playbook, inventory, limit } = request
  const made = expandMatrices(request, limit === undefined ? inventory.hosts : selectHosts(inventory, limit))
  if (made.length > 0) return made
  throw new KmsfleetError(
    'run.usage',
    `expected a role with an access.yml in ${playbook.file}, found none for these hosts`,
    { hint: 'the roles of playbooks/rollout.yml have one each' },
  )
}

/** The same for these hosts of the inventory; of those that no rule is for there is none. */
export function expandMatrices(
  { playbook, inventory, extraVars }: MatricesRequest,
  hosts: readonly Host[],
): readonly HostMatrix[] {
  const engine = createTemplateEngine()
  const plays = playbook.plays.map((play) => ({
    play,
    of: new Set(selectHosts(inventory, play.hosts, play.place)),
  }))
  const errors: KmsfleetError[] = []
  const made = hosts.flatMap((host): readonly HostMatrix[] => {
    const own = plays.filter(({ of }) => of.has(host)).map(({ play }) => play)
    const matrix = collect(errors, () =>
      expandMatrix({ engine, plays: own, everyPlay: playbook.plays, host, extraVars }),
    )
    return matrix === undefined || matrix.rules.length === 0 ? [] : [{ host, matrix }]
  })
  // The same mistake is met once for each host: it is told once.
  throwCollected(errors)
  return made
}

/** A host that was proved, or could not be asked. */
export type HostEnd =
  | { readonly is: 'proved'; readonly proof: HostProof }
  | { readonly is: 'not-asked'; readonly host: string; readonly error: unknown }

/** Proves many hosts, `forks` at once. What goes wrong with one is told and stops no other. */
export async function verifyFleet(
  hosts: readonly HostMatrix[],
  connect: Connect,
  forks: number,
  signal: AbortSignal,
): Promise<readonly HostEnd[]> {
  const limiter = createLimiter(forks)
  const ends = await Promise.all(
    hosts.map(({ host, matrix }) =>
      limiter
        .run('verify', signal, async (): Promise<HostEnd> => ({
          is: 'proved',
          proof: await verifyHost(host, matrix, connect, signal),
        }))
        .catch((error: unknown): HostEnd => ({ is: 'not-asked', host: host.name, error })),
    ),
  )
  const shared = sharedKeyChecks(ends.flatMap((end) => (end.is === 'proved' ? [end.proof] : [])))
  return ends.map((end) =>
    end.is === 'proved'
      ? {
          ...end,
          proof: { ...end.proof, checks: [...end.proof.checks, ...(shared.get(end.proof.host) ?? [])] },
        }
      : end,
  )
}

async function verifyHost(
  host: Host,
  matrix: Matrix,
  connect: Connect,
  signal: AbortSignal,
): Promise<HostProof> {
  const start = performance.now()
  await using reader = await openReader(host, connect, signal)
  const { first, ...found } = await verifyMatrix(matrix, (atoms) => reader.ask(atoms), socketAtoms(matrix))
  const { checks, sockets } = await proveSockets(matrix, first, reader, signal)
  return {
    host: host.name,
    ...found,
    checks: [...found.checks, ...checks],
    sockets,
    cost: { milliseconds: Math.round(performance.now() - start), roundTrips: reader.roundTrips },
  }
}
