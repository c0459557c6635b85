import { prepareMatrices, verifyFleet } from '../../src/access/fleet.ts'
import { loadInventory } from '../../src/inventory/load.ts'
import type { HostProof } from '../../src/model/access.ts'
import { modules } from '../../src/modules/registry.ts'
import { loadPlaybook } from '../../src/playbook/load.ts'
import { createConnector } from '../../src/transport/connect.ts'
import { rollout } from '../converge/drive.ts'
import type { LabDescription } from '../lab/lab.ts'
import { testTransport } from '../lab/transport.ts'

export interface VerifyDrive {
  readonly limit?: string
  /** File. The rollout that is shipped, where none is given. */
  readonly playbook?: string
  readonly extraVars?: Readonly<Record<string, unknown>>
}

/** Proves hosts of a lab as the command line does; throws what a host that could not be asked ended with. */
export async function verify(
  lab: LabDescription,
  { limit, playbook = rollout, extraVars: vars = {} }: VerifyDrive = {},
): Promise<ReadonlyMap<string, HostProof>> {
  const extraVars = new Map(Object.entries(vars))
  const inventory = loadInventory(lab.inventoryFile, {
    extraVars,
    ssh: { kind: 'ssh', ...testTransport(), connectTimeoutMs: 10_000 },
  })
  const hosts = prepareMatrices({
    playbook: loadPlaybook(playbook, { modules: new Set(modules.keys()) }),
    inventory,
    extraVars,
    ...(limit === undefined ? {} : { limit }),
  })
  await using connector = createConnector()
  const ends = await verifyFleet(hosts, connector.connect, 50, new AbortController().signal)
  return new Map(
    ends.map((end) => {
      if (end.is === 'not-asked') throw end.error
      return [end.proof.host, end.proof]
    }),
  )
}

/** A line for all that is not proved: `violated kube-apiserver read /x: kube-apiserver can read it, ...`. */
export function unproved({ verdicts, checks }: HostProof): readonly string[] {
  const open = ['violated', 'unknown']
  return [
    ...verdicts
      .filter(({ verdict }) => open.includes(verdict))
      .map(
        ({ rule, verdict, finding }) => `${verdict} ${rule.actor} ${rule.action} ${rule.object}: ${finding}`,
      ),
    ...checks
      .filter(({ verdict }) => open.includes(verdict))
      .map(({ subject, expected, verdict, finding }) => `${verdict} ${subject}, ${expected}: ${finding}`),
  ]
}
