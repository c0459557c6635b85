import { throwCollected } from '../../document/collect.ts'
import type { KeyLocated } from '../../document/issues.ts'
import type { KmsfleetError } from '../../errors/error.ts'
import type { Host } from '../../inventory/types.ts'
import { unknown } from '../../model/value.ts'
import type { AccessKeywords } from '../../playbook/access-keywords.ts'
import type { Play } from '../../playbook/types.ts'
import { taskVariables, type VariablesRequest } from '../../playbook/variables.ts'
import type { HostLookups, TemplateEngine } from '../../template/engine.ts'
import type { LeftBehind, Matrix } from '../../model/access.ts'
import { actorsOf } from './actors.ts'
import { inventoryMatrix } from './inventory.ts'
import { knownNames } from './names.ts'
import { classesOf } from './objects.ts'
import { decided, pathAt, type Part } from './part.ts'
import { rulesOf } from './rules.ts'
import { kmsSocketsOf } from './sockets.ts'

export interface MatrixRequest {
  readonly engine: TemplateEngine
  /** The plays that act on the host. */
  readonly plays: readonly Play[]
  /** All plays of the playbook, whose roles bring names that rules may speak of; absent: `plays`. */
  readonly everyPlay?: readonly Play[]
  readonly host: Host
  readonly extraVars: ReadonlyMap<string, unknown>
}

/** Nothing of a host is known yet: who acts and on what is the operator's to say. */
const nothingKnown: HostLookups = {
  groupId: (name) => unknown({ after: `group:${name}`, field: 'gid' }),
  userId: (name) => unknown({ after: `user:${name}`, field: 'uid' }),
}

/**
 * The access matrix of a host: what the roles that it has say (`access.yml`), and the inventory's `access_matrix`.
 * Throws KmsfleetErrors with the places of all that is wrong; contacts nothing.
 */
export function expandMatrix(request: MatrixRequest): Matrix {
  const own = inventoryMatrix(request.host)
  const parts = [...request.plays.flatMap((play) => partsOf(request, play)), ...ownPart(request, own)]
  const documents = [
    ...(request.everyPlay ?? request.plays).flatMap(({ access }) =>
      access.map(({ document }) => document.value),
    ),
    ...(own === undefined ? [] : [own.value]),
  ]
  const anywhere = knownNames(documents)
  const errors: KmsfleetError[] = []
  const actors = actorsOf(parts, errors)
  const names = { actors, classes: classesOf(parts), anywhere }
  const rules = parts.flatMap((part) => rulesOf(part, names, errors))
  // Who uses it may be what only another role brings, which this playbook does not use: then there is nobody to ask as.
  const kmsSockets = parts
    .flatMap((part) => kmsSocketsOf(part, anywhere, errors))
    .filter(({ heldBy, usedBy }) => actors.has(heldBy) && actors.has(usedBy))
  throwCollected(errors)
  return {
    actors,
    rules,
    kmsSockets,
    leftBehind: parts.flatMap(leftBehindOf),
    outside: parts.flatMap(({ document }) => document.value.outside),
  }
}

function leftBehindOf(part: Part): readonly LeftBehind[] {
  return part.document.value.left_behind.map((written, index) => ({
    ...written,
    folders: written.folders.map((folder, element) =>
      pathAt(part, folder, ['left_behind', index, 'folders', element]),
    ),
    place: part.document.place(['left_behind', index]),
  }))
}

function partsOf(request: MatrixRequest, play: Play): readonly Part[] {
  return play.access.flatMap((use): readonly Part[] => {
    const part = partFor(request, play, use, use.document)
    const applies = use.when.every(({ expression, place }) =>
      decided(part.engine.condition(expression, part.scope, place), place),
    )
    return applies ? [part] : []
  })
}

/** What the inventory says sees what the first play sees. */
function ownPart(request: MatrixRequest, document: KeyLocated<AccessKeywords> | undefined): readonly Part[] {
  const [play] = request.plays
  if (document === undefined || play === undefined) return []
  return [partFor(request, play, { vars: new Map() }, document)]
}

function partFor(
  { engine, host, extraVars }: MatrixRequest,
  play: Play,
  task: VariablesRequest['task'],
  document: KeyLocated<AccessKeywords>,
): Part {
  return {
    document,
    engine,
    scope: { variables: taskVariables({ play, task, host, extraVars }), host: nothingKnown },
  }
}
