import type { ReadAtom, WireChange } from '../../model/wire.ts'
import { compileRead } from '../read/compile.ts'
import { quote } from '../quote.ts'
import type { Frame } from '../session.ts'
import { opPreparation, opScript } from './ops.ts'
import type { OpContext } from './ops.ts'
import { writePrelude } from './prelude.ts'
import type { PreludePart } from './prelude.ts'
import { surveyScript, syncScript } from './directories.ts'
import type { Captured } from './directories.ts'
import { neighbours } from './together.ts'
import { freshMode, inlineText, isFirm, join, umaskWord, planStaging, stagedWord } from './staging.ts'
import type { Staged, Staging } from './staging.ts'
import { printable, stopLine } from './stop.ts'
import type { LockHolder } from './stop.ts'

export { compileStop } from './stop.ts'
export type { LockHolder } from './stop.ts'

export interface WriteRequest {
  readonly changes: readonly WireChange[]
  /** Asked after the changes, whatever came of them: the proof, and what the next stage needs. */
  readonly probe: readonly ReadAtom[]
  readonly lock: LockHolder
}

/** The frame's shell ends with it where what is left on standard input is not known any more. */
const poisoned = 97

/** Paths whose device and inode later operations of this frame rely on, to the variable that gets them. */
function captures(changes: readonly WireChange[], staging: Staging): ReadonlyMap<string, string> {
  const wanted = new Set<string>()
  for (const { op } of changes.flatMap((change) => change.ops.map((op) => ({ op })))) {
    if ('parent' in op && op.parent.inode === undefined && !isFirm(op.parent)) wanted.add(op.parent.path)
    if ('expect' in op && 'madeHere' in op.expect) {
      wanted.add('path' in op ? op.path : join(op.parent.path, op.name))
    }
  }
  const made = staging.staged.filter(({ path, kind }) => kind !== 'link' && wanted.has(path))
  return new Map(made.map(({ path }, index) => [path, `kf_m${String(index + 1)}`]))
}

function stageVariables(staging: Staging): readonly string[] {
  return staging.anchors.map((_, index) => `"$kf_s${String(index + 1)}"`)
}

/** Stages and the folders in them; reads nothing from standard input. */
function groundScript(staging: Staging): readonly string[] {
  const stages = stageVariables(staging)
  if (stages.length === 0) return [':']
  const names = staging.anchors
    .map((anchor, index) => `kf_s${String(index + 1)}=${quote(join(anchor, ''))}$kf_stem`)
    .join(' ')
  const folders = new Map([['0077', [...staging.buckets]]])
  for (const item of staging.staged.filter(({ kind, inside }) => kind === 'directory' && !inside)) {
    const umask = umaskWord(freshMode(item))
    folders.set(umask, [...(folders.get(umask) ?? []), stagedWord(item)])
  }
  return [
    // named whatever came of it: the sweep removes those that were made
    `{ kf_stage ${staging.anchors.map(quote).join(' ')}; kf_x=$?; ${names}; [ "$kf_x" = 0 ]; }`,
    `kf_sane ${stages.join(' ')}`,
    ...[...folders].flatMap(([umask, paths]) =>
      paths.length === 0 ? [] : [`kf_folders ${umask} ${paths.join(' ')}`],
    ),
  ]
}

/** All payloads, exact; each checked, all by one program a check. */
function receiveScript(files: readonly Staged[]): readonly string[] {
  if (files.length === 0) return [':']
  const words = files.map(stagedWord).join(' ')
  const payloads = files.map(({ change, payload }) => ({ change, payload }))
  return [
    ...files.map((file) => {
      const text = inlineText(file)
      const take =
        text === undefined
          ? `kf_take_in ${String(file.payload?.bytes.length ?? 0)} ${stagedWord(file)}`
          : `kf_text ${quote(text)} 2>/dev/null >${stagedWord(file)}`
      return `{ kf_id=${String(file.change)}; umask ${umaskWord(freshMode(file))}; ${take} || kf_fail stage 'expected room for the payload, found that it cannot be written'; }`
    }),
    'umask 077',
    `kf_sizes=$(stat -c %s -- ${words})$NL`,
    `kf_sums=$(sha256sum -- ${words})$NL`,
    `kf_verify ${payloads
      .flatMap(({ change, payload }) =>
        payload === undefined
          ? []
          : [quote(`${String(change)} ${String(payload.bytes.length)} ${payload.digest.reveal()}`)],
      )
      .join(' ')}`,
    `kf_try sync sync ${words}`,
  ]
}

/** Staged things whose device and inode are wanted, as shell words, with the variables that get them. */
function capturedWords(staging: Staging, captured: ReadonlyMap<string, string>): readonly Captured[] {
  return staging.staged.flatMap((item) => {
    const variable = item.inside ? undefined : captured.get(item.path)
    return variable === undefined ? [] : [{ variable, word: stagedWord(item) }]
  })
}

function changeScript(
  change: WireChange,
  context: OpContext,
  parts: Set<PreludePart>,
  end: 'kf_end' | 'kf_later',
): readonly string[] {
  const bodies = change.ops.map((op, index) => {
    const item = context.staging.staged.find((staged) => staged.op === op && staged.change === change.id)
    const { commands, parts: needed } = opScript(op, item, context, change.ops[index + 1])
    for (const part of needed) parts.add(part)
    return { commands, preparation: opPreparation(op) }
  })
  const commands = bodies.flatMap((body) =>
    body.preparation === undefined ? body.commands : [`{ ${body.preparation}; }`, ...body.commands],
  )
  const words = (ids: readonly string[]): string => ids.map((id) => ` ${quote(id)}`).join('')
  return [
    `kf_start ${String(change.id)}${words(change.owes)} || return 0`,
    commands.length === 0 ? ':' : commands.join(' &&\n'),
    `${end} "$?" ${quote(printable(change.label))}${words(change.settles)} || return 0`,
  ]
}

/** The changes in their order; what goes into one directory in a row goes there by one program. */
function changesScript(
  changes: readonly WireChange[],
  context: OpContext,
  parts: Set<PreludePart>,
): readonly string[] {
  return neighbours(changes, context.staging).flatMap((row) => {
    const [only] = row
    if (only !== undefined && row.length === 1) return changeScript(only, context, parts, 'kf_end')
    parts.add('together')
    for (const { id } of row) context.waiting.add(id)
    return [
      ...row.flatMap((change) => changeScript(change, context, parts, 'kf_later')),
      'kf_together || return 0',
    ]
  })
}

/**
 * One frame that makes changes and probes again. In a subshell that alone has the write functions: the lock; all
 * payloads staged and verified before the first change; the changes in order, up to the first that fails, conflicts
 * or finds the stop file; one line in syslog for each that is done. Then, in the resident shell, the probe section.
 * Where a payload did not arrive whole the shell exits after its report (`host.shell-ended`).
 */
export function compileWrite(request: WriteRequest): Frame {
  const { changes, probe, lock } = request
  const read = compileRead(probe)
  const staging = planStaging(changes)
  const files = staging.staged.filter(({ kind }) => kind === 'file')
  const captured = captures(changes, staging)
  const context: OpContext = { staging, captured, dressed: new Set(), waiting: new Set() }
  const parts = new Set<PreludePart>()
  const body = changesScript(changes, context, parts)
  const payloads = files.flatMap((file) =>
    file.payload === undefined || inlineText(file) !== undefined ? [] : [file.payload.bytes],
  )
  const total = payloads.reduce((sum, { length }) => sum + length, 0)
  const first = String(changes[0]?.id ?? 0)
  const stages = stageVariables(staging)
  const write = [
    '(',
    writePrelude(parts),
    `kf_stop=${stopLine(lock.run)} kf_id=${first}`,
    ...staging.anchors.map((_, index) => `kf_s${String(index + 1)}=`),
    'kf_failed() { kf_mark failed "$kf_id" "$kf_step" "$kf_detail"; }',
    `kf_sweep() { ${parts.has('inside') ? 'kf_outside; ' : ''}cd /; ${stages.length === 0 ? ':' : `rm -rf "$kf_s" "$kf_hand" ${stages.join(' ')}`}; }`,
    'trap kf_sweep 0',
    "trap 'exit 129' HUP INT TERM PIPE",
    `kf_lock ${quote(printable(`${lock.who} since ${lock.since}`))} || { kf_drain ${String(total)}; kf_failed; exit 0; }`,
    `kf_ground() { ${groundScript(staging).join(' &&\n')}; }`,
    `kf_receive() { ${receiveScript(files).join(' &&\n')}; }`,
    `kf_ground || { kf_drain ${String(total)}; kf_failed; exit 0; }`,
    `kf_receive || { kf_failed; exit ${String(poisoned)}; }`,
    'exec </dev/null',
    ...surveyScript(changes, staging, capturedWords(staging, captured)),
    'kf_changes() {',
    ...body,
    ':',
    '}',
    'kf_changes',
    // those that were begun when the last of them was stopped or failed
    ...(parts.has('together') ? ['kf_together'] : []),
    ...syncScript(changes, staging),
    'kf_syslog',
    'exit 0',
    ')',
    `[ "$?" = 0 ] || exit ${String(poisoned)}`,
  ].join('\n')
  const seconds = changes
    .flatMap(({ ops }) => ops)
    .reduce((sum, op) => sum + ('within' in op ? 3 * op.within + 60 : 10), 60)
  return {
    ...read,
    access: 'write',
    script: (nonce) => `kf_nonce=${quote(nonce)}\n${write}\n${read.script(nonce)}`,
    payloads,
    deadlineMs: read.deadlineMs + 1000 * seconds + total / 50,
    outputLimit: read.outputLimit + 262_144 * (changes.length + 1),
  }
}
