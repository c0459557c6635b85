import { dirname, resolve } from 'node:path'
import { KmsfleetError } from '../errors/error.ts'
import type { Host } from '../inventory/types.ts'
import { Secret } from '../model/secret.ts'
import type { Play, SecretReference } from '../playbook/types.ts'
import { requireTrustedProject } from '../project/trust.ts'
import { readSecrets } from '../sources/read.ts'
import { sourceKey, type SourceOptions, type WantedSecret } from '../sources/types.ts'
import type { HostLookups, Scope } from '../template/engine.ts'
import type { ContextRequest, RunMemory } from './memory.ts'
import type { RunRequest } from './request.ts'
import { renderReference } from './secret-source.ts'
import { hostsOfPlay } from './selection.ts'

/** Only a run that may write opens a secret source. */
export function mayWrite(request: Pick<ContextRequest, 'command'>): boolean {
  return request.command === 'converge'
}

/**
 * Reads all secrets of all plays into the run's memory, each source once however many hosts and plays share it; does
 * nothing in runs that open no source. Throws KmsfleetErrors with all that cannot be read.
 */
export async function openSecrets(request: RunRequest, memory: RunMemory): Promise<void> {
  if (!mayWrite(request)) return
  const { playbook, onSecret } = request
  const wanted = playbook.plays.flatMap((play) =>
    play.secrets.length === 0
      ? []
      : hostsOfPlay(request, play).flatMap((host) => wantedSecrets(request, play, host, memory)),
  )
  const secrets = await readSecrets(wanted, {
    options: request.sources ?? nothingLent,
    folder: dirname(resolve(playbook.file)),
    onSecret: onSecret ?? ((): void => undefined),
    signal: request.stop,
  })
  for (const [key, secret] of secrets) memory.secrets.set(key, secret)
}

/** A program that embeds kmsfleet lends no environment unless it says so. */
const nothingLent: SourceOptions = {
  environment: {},
  requireTrust: (file) => {
    requireTrustedProject([file])
  },
}

/**
 * A play's secrets by host and name. A reference whose path is empty for a host is not there for that host. Runs that
 * open no source get placeholders without bytes.
 */
export function playSecrets(
  request: ContextRequest,
  play: Play,
  hosts: readonly Host[],
  memory: RunMemory,
): ReadonlyMap<string, ReadonlyMap<string, Secret>> {
  const secretAt = ({ name, source }: WantedSecret): Secret =>
    memory.secrets.get(sourceKey(source)) ?? new Secret(name, new Uint8Array(0))
  return new Map(
    hosts.map((host) => [
      host.name,
      new Map(wantedSecrets(request, play, host, memory).map((wanted) => [wanted.name, secretAt(wanted)])),
    ]),
  )
}

function wantedSecrets(
  request: ContextRequest,
  play: Play,
  host: Host,
  memory: RunMemory,
): readonly WantedSecret[] {
  if (play.secrets.length === 0) return []
  const scope = operatorScope(request, play, host)
  return play.secrets.flatMap((reference) => {
    const text = (template: string): string =>
      plainText(reference, memory.engine.text(template, scope, reference.place))
    const wanted = renderReference(reference, text, request.playbook.file)
    return wanted === undefined ? [] : [wanted]
  })
}

/** The operator's own variables of a host: nothing that a host says. */
export function operatorScope(request: ContextRequest, play: Play, host: Host): Scope {
  const variables = new Map<string, unknown>()
  for (const [name, variable] of [...host.variables, ...play.vars]) variables.set(name, variable.value)
  for (const [name, value] of request.extraVars) variables.set(name, value)
  variables.set('inventory_hostname', host.name)
  variables.set('cluster', host.cluster)
  return { variables, host: noHost }
}

function plainText(reference: SecretReference, rendered: unknown): string {
  if (typeof rendered === 'string') return rendered
  throw new KmsfleetError(
    'playbook.source',
    `expected plain text for the source of the secret ${reference.name}, found a secret`,
    {
      place: reference.place,
    },
  )
}

/** A host must not choose which secret it gets, or from whom. */
const noHost: HostLookups = { groupId: refuseHost, userId: refuseHost }

function refuseHost(name: string): never {
  throw new KmsfleetError(
    'playbook.source',
    `expected text made of the operator's own variables, found that it asks the host for ${name}`,
  )
}
