import { KmsfleetError } from '../errors/error.ts'
import type { Host } from '../inventory/types.ts'
import { Secret } from '../model/secret.ts'
import type { Play, SecretReference } from '../playbook/types.ts'
import { readSecrets, secretPath, type SecretFile } from '../sources/read.ts'
import type { HostLookups } from '../template/engine.ts'
import type { ContextRequest, RunMemory } from './memory.ts'

/** Only a run that may write opens a secret source. */
export function mayWrite(request: Pick<ContextRequest, 'command'>): boolean {
  return request.command === 'converge'
}

/**
 * A play's secrets by host and name, each source read once for the run however many hosts and plays share it.
 * A reference whose path is empty for a host is not there for that host. Runs that open no source get
 * placeholders without bytes.
 */
export function playSecrets(
  request: ContextRequest,
  play: Play,
  hosts: readonly Host[],
  memory: RunMemory,
): ReadonlyMap<string, ReadonlyMap<string, Secret>> {
  const files = hosts.map((host): readonly [string, readonly SecretFile[]] => [
    host.name,
    play.secrets.map((reference) => secretFile(request, play, host, reference, memory)).filter(isGiven),
  ])
  if (mayWrite(request)) {
    const unread = files.flatMap(([, own]) => own).filter((file) => !memory.secrets.has(file.path))
    for (const [path, secret] of readSecrets(unread)) {
      memory.secrets.set(path, secret)
      request.onSecret?.(secret)
    }
  }
  const secretAt = ({ name, path }: SecretFile): Secret =>
    memory.secrets.get(path) ?? new Secret(name, new Uint8Array(0))
  return new Map(files.map(([host, own]) => [host, new Map(own.map((file) => [file.name, secretAt(file)]))]))
}

function isGiven(file: SecretFile | undefined): file is SecretFile {
  return file !== undefined
}

function secretFile(
  request: ContextRequest,
  play: Play,
  host: Host,
  reference: SecretReference,
  memory: RunMemory,
): SecretFile | undefined {
  const variables = new Map<string, unknown>()
  for (const [name, variable] of [...host.variables, ...play.vars]) variables.set(name, variable.value)
  for (const [name, value] of request.extraVars) variables.set(name, value)
  variables.set('inventory_hostname', host.name)
  variables.set('cluster', host.cluster)
  const path = memory.engine.text(reference.path, { variables, host: noHost }, reference.place)
  if (typeof path !== 'string') {
    throw new KmsfleetError(
      'playbook.source',
      `expected a path for the secret ${reference.name}, found a secret`,
      { place: reference.place },
    )
  }
  if (path === '') return undefined
  return { name: reference.name, path: secretPath(path, request.playbook.file), place: reference.place }
}

/** A host must not choose which secret it gets: references see the operator's own variables only. */
const noHost: HostLookups = { groupId: refuseHost, userId: refuseHost }

function refuseHost(name: string): never {
  throw new KmsfleetError(
    'playbook.source',
    `expected a secret's path made of the operator's own variables, found that it asks the host for ${name}`,
  )
}
