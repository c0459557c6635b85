import { suggestion } from '../document/suggest.ts'
import { KmsfleetError } from '../errors/error.ts'
import { showPlace } from '../errors/place.ts'
import {
  accessActions,
  actionWords,
  type Action,
  type Attempt,
  type HostProof,
  type Matrix,
  type MatrixRule,
  type Verdict,
} from '../model/access.ts'
import { styled, type Line } from '../report/paint.ts'
import { explain, whatWouldChange } from './evaluate/explain.ts'

/** One access that is to be explained. */
export interface Question {
  readonly actor: string
  readonly action: Action
  /** Path, or for `signal` an actor. */
  readonly object: string
}

/** What a person wrote as a question. Throws `run.usage` with the nearest thing where it is none. */
export function questionOf(actor: string, action: string, object: string): Question {
  const known = accessActions.find((each) => each === action)
  if (known === undefined) {
    const hint = suggestion(action, accessActions) ?? `an action is one of ${accessActions.join(', ')}`
    throw new KmsfleetError('run.usage', `expected an action, found \`${action}\``, { hint })
  }
  if (known !== 'signal' && !object.startsWith('/')) {
    throw new KmsfleetError('run.usage', `expected an absolute path, found \`${object}\``)
  }
  const path = object.length > 1 ? object.replace(/\/+$/, '') : object
  return { actor, action: known, object: path }
}

/** The matrix of nothing but the question; what the host's own matrix says of it is kept. Throws `run.usage` for an actor that is none. */
export function narrowMatrix(matrix: Matrix, question: Question): Matrix {
  const { actor, action, object } = question
  const wanted = [actor, ...(action === 'signal' ? [object] : [])]
  for (const name of wanted) {
    if (matrix.actors.has(name)) continue
    const names = [...matrix.actors.keys()]
    const hint = suggestion(name, names) ?? `actors are ${names.join(', ')}`
    throw new KmsfleetError('run.usage', `expected an actor of the matrix, found \`${name}\``, { hint })
  }
  const rule: MatrixRule = {
    ...{ actor, action, must: true, because: '', source: '' },
    target: action === 'signal' ? { is: 'actor', name: object } : { is: 'path', path: object },
    place: { file: '', line: 1, column: 1 },
  }
  return {
    actors: new Map([...matrix.actors].filter(([name]) => wanted.includes(name))),
    rules: [rule],
    kmsSockets: [],
    leftBehind: [],
    outside: [],
  }
}

const answers: Readonly<Record<Attempt['is'], (attempt: Attempt) => string>> = {
  granted: () => 'yes, it can',
  denied: (attempt) => `no, it cannot (${attempt.is === 'denied' ? attempt.errno : ''})`,
  missing: () => 'nothing is there',
  unknown: (attempt) => `not known: ${attempt.is === 'unknown' ? attempt.detail : ''}`,
}

/** The answer of one host, step by step. `rules` are those of its whole matrix that are about the question. */
export function whyLines(
  proof: HostProof,
  question: Question,
  rules: readonly MatrixRule[],
): readonly Line[] {
  const { actor, action, object } = question
  const [verdict] = proof.verdicts
  const found = proof.actors.find(({ name }) => name === actor)
  const head: readonly Line[] = [
    [styled('strong', `${proof.host}: can ${actor} ${actionWords[action]} ${object}?`)],
    [],
    ...(found === undefined ? [] : whoLines(found)),
    [],
  ]
  if (verdict === undefined) return [...head, ['  nothing was found out']]
  return [
    ...head,
    ...explain(verdict.evaluation).map((line): Line => ['  ', line]),
    [],
    ['  the kernel, when it is tried: ', styled('strong', answers[verdict.attempt.is](verdict.attempt))],
    ...(verdict.selfReported
      ? [
          [
            '  ',
            styled(
              'warn',
              'this is its own word: other processes of its user could have answered in its place',
            ),
          ],
        ]
      : []),
    ...(verdict.ownGrant === undefined
      ? []
      : [['  ', styled('warn', `but it could give itself this: ${verdict.ownGrant}`)]]),
    ...(rules.length === 0 ? [['  no rule of the matrix says whether it should']] : rules.flatMap(ruleLines)),
    ...changeLines(verdict),
    [],
  ]
}

function whoLines({ name, description, from, identity }: HostProof['actors'][number]): readonly Line[] {
  if (identity === undefined) return [[`  ${name}: ${description} (${from}, which the host does not have)`]]
  const { uid, gid, groups, capabilities } = identity
  const more = groups.length === 0 ? '' : `, groups ${groups.join(' ')}`
  const caps = capabilities.size === 0 ? 'no capabilities' : `${String(capabilities.size)} capabilities`
  return [
    [`  ${name}: ${description} (${from})`],
    [`  uid ${String(uid)}, gid ${String(gid)}${more}; ${caps}`],
  ]
}

function ruleLines({ must, because, source, place, notEnforceable }: MatrixRule): readonly Line[] {
  return [
    [`  the matrix: it ${must ? 'must' : 'must not'} (${showPlace(place)})`],
    [`      ${because} (${source})`],
    ...(notEnforceable === undefined ? [] : [[`      not enforceable here: ${notEnforceable}`]]),
  ]
}

function changeLines({ evaluation, attempt }: Verdict): readonly Line[] {
  const text = whatWouldChange(evaluation, attempt.is === 'granted' ? 'denied' : 'granted')
  return text === '' ? [] : [['  what would change it: ', text]]
}

/** The rules of a matrix that are about a question: by its path, or by the class that its path is of. */
export function rulesAbout(matrix: Matrix, { actor, action, object }: Question): readonly MatrixRule[] {
  return matrix.rules.filter(
    ({ target, ...rule }) =>
      rule.actor === actor &&
      rule.action === action &&
      (target.is === 'path'
        ? target.path === object
        : target.is === 'others'
          ? object.startsWith(`${target.folder}/`) &&
            !object.slice(target.folder.length + 1).includes('/') &&
            !namedElsewhere(matrix, object)
          : target.is === 'actor' && target.name === object),
  )
}

function namedElsewhere({ rules }: Matrix, path: string): boolean {
  return rules.some(
    ({ target }) =>
      (target.is === 'path' && (target.path === path || target.path.startsWith(`${path}/`))) ||
      (target.is === 'others' && (target.folder === path || target.folder.startsWith(`${path}/`))),
  )
}
