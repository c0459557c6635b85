import type { Identity } from '../../model/identity.ts'
import type { Expect, FileCheck, Ownership, Parent, Readiness, WriteOp } from '../../model/wire.ts'
import { testScript } from '../read/compile.ts'
import { listeningAddresses } from '../read/listening.ts'
import { processPrelude } from '../read/prelude.ts'
import { quote } from '../quote.ts'
import type { PreludePart } from './prelude.ts'
import { freshMode, isFirm, join, modeWord, ownerWord, stagedWord } from './staging.ts'
import type { Staged, Staging } from './staging.ts'

/** What the words of an operation need to know of the frame that it is in. */
export interface OpContext {
  readonly staging: Staging
  /** Things of this frame whose device and inode are in a shell variable, by path. */
  readonly captured: ReadonlyMap<string, string>
  /** Dressings that an operation before this one has made. */
  readonly dressed: Set<string>
  /** Ids of changes whose thing may wait for its neighbours. */
  readonly waiting: Set<number>
}

/** Shell of one operation: commands to be joined by `&&`, and the prelude parts that they call. */
export interface OpScript {
  readonly commands: readonly string[]
  readonly parts: readonly PreludePart[]
}

function expectWord(expect: Expect, path: string, context: OpContext): string {
  if ('token' in expect) return quote(`token ${expect.token}`)
  if ('absent' in expect) return 'absent'
  const variable = context.captured.get(path)
  // nothing of this frame made it: no host matches that, and the caller probes again
  return variable === undefined ? quote('made elsewhere') : `"made $${variable}"`
}

function inodeWord(parent: Parent, context: OpContext): string {
  const variable = context.captured.get(parent.path)
  if (parent.inode !== undefined) return quote(parent.inode)
  return variable === undefined ? "''" : `"$${variable}"`
}

function enter(parent: Parent, stage: string, context: OpContext): string {
  const firm = isFirm(parent) ? 'firm' : "''"
  return `kf_enter ${quote(parent.path)} ${inodeWord(parent, context)} ${firm} ${stage}`
}

function identityCommand(identity: Identity): string {
  if (identity.by === 'account') {
    const words = quote(`expected an account ${identity.user} on the host, found none`)
    return `{ kf_identity ${quote(identity.user)} || kf_fail identity ${words}; }`
  }
  const groups = quote(identity.groups.map(String).join(','))
  return `{ kf_account= kf_uid=${String(identity.uid)} kf_gid=${String(identity.gid)} kf_groups=${groups}; }`
}

/** Last word of what sets owner and mode; none where no label is set. */
const labelWord = ({ label }: Ownership): string => (label === undefined ? '' : ` ${quote(label)}`)

const wordsOf = (argv: readonly string[]): string => argv.map(quote).join(' ')

function validation(item: Staged, anchor: string): readonly string[] {
  if (item.op.op !== 'file-put') return []
  return (item.op.validate ?? []).map((check) => validationBy(check, item, anchor))
}

/** One command, of several that depend on each other. */
function validationBy(check: FileCheck, item: Staged, anchor: string): string {
  const { argv, as, through, ifExist = [], excuse = [] } = check
  const words = argv.map((word) => word.split('{}').map(quote).join('"$kf_staged"')).join(' ')
  const judged = `${quote(excuse.join(' '))} ${words}`
  const name = quote(item.name)
  const commands =
    as === undefined
      ? [`kf_staged=${stagedWord(item)}`, `kf_valid ${judged}`]
      : [
          identityCommand(as),
          `kf_hand_over ${quote(anchor)} ${item.folder} ${name}`,
          through === undefined
            ? `kf_valid_as ${judged}`
            : `kf_through ${quote(through)} ${quote(item.path)} && { [ -z "$kf_staged" ] || kf_valid_as ${judged}; }`,
          `kf_hand_back ${item.folder} ${name}`,
        ]
  const needed = through === undefined ? ifExist : [...ifExist, through]
  const all = commands.join(' && ')
  return needed.length === 0 ? all : `{ ! kf_exist ${wordsOf(needed)} || { ${all}; }; }`
}

/** Owner, mode and label of all that is staged with the same ones, at the first of them: accounts may be made just before. */
function dress(item: Staged, context: OpContext): readonly string[] {
  // a directory that is made inside its parent gets them there
  if (item.to === undefined || (item.inside && item.kind === 'directory')) return []
  if (context.dressed.has(item.dressing)) return []
  context.dressed.add(item.dressing)
  const alike = context.staging.staged.filter(
    ({ dressing, inside, kind }) => dressing === item.dressing && !(inside && kind === 'directory'),
  )
  const staged = alike.map(stagedWord).join(' ')
  const { label } = item.to
  return [
    `kf_dress ${quote(ownerWord(item.to))} ${modeWord(item.to.mode)} ${modeWord(freshMode(item))} ${staged}`,
    ...(label === undefined ? [] : [`kf_label ${quote(label)} ${staged}`]),
  ]
}

function place(item: Staged, parent: Parent, expect: Expect, context: OpContext): OpScript {
  const stage = context.staging.stageOf(parent)
  const anchor = context.staging.anchors[Number(stage.slice('$kf_s'.length)) - 1] ?? ''
  const what = expectWord(expect, item.path, context)
  const name = quote(item.name)
  const variable = context.captured.get(item.path)
  const before = [...dress(item, context), ...validation(item, anchor)]
  const parts: PreludePart[] = ['place', 'validate']
  if (!item.inside) {
    const link =
      item.op.op === 'link-put' ? [`kf_link ${item.folder} ${name} ${what} ${quote(item.op.target)}`] : []
    const keeper = item.op.op === 'file-put' ? item.op.keepFor : undefined
    const kept = keeper === undefined ? [] : [`kf_keep ${quote(keeper)} ${quote(item.path)} ${name} ${what}`]
    const file = context.waiting.has(item.change)
      ? `kf_wait ${item.folder} ${name}`
      : `kf_place ${item.folder} ${name} ${keeper === undefined ? what : '"$kf_what"'} .`
    const put = link.length > 0 ? link : [file]
    const within = context.staging.born.get(item.path)
    const born = within === undefined ? [] : [`kf_born ${quote(item.path)} "${within}"`]
    return {
      commands: [...before, enter(parent, `"${stage}"`, context), ...kept, ...put, ...born],
      parts: keeper === undefined ? parts : [...parts, 'keep'],
    }
  }
  const where = `${quote(parent.path)} ${inodeWord(parent, context)} ${name} ${what}`
  const put =
    item.op.op === 'link-put'
      ? `kf_inside_link ${where} ${quote(item.op.target)}`
      : item.to === undefined
        ? 'false'
        : `kf_inside_put ${where} ${quote(ownerWord(item.to))} ${modeWord(item.to.mode)} ${item.kind === 'file' ? stagedWord(item) : "''"}${labelWord(item.to)}`
  const capture = variable === undefined ? [] : [`${variable}=\${kf_placed%:*}`]
  return { commands: [...before, put, ...capture], parts: [...parts, 'inside'] }
}

function readinessWords(ready: Readiness): string {
  switch (ready.kind) {
    case 'active':
      return "active '' ''"
    case 'http':
      return `http ${quote(ready.url)} ${quote(listeningAddresses(ready.url).join(' '))}`
    case 'socket':
      return `socket ${quote(ready.path)} ''`
  }
}

function fileSet(op: Extract<WriteOp, { op: 'file-set' }>, context: OpContext): OpScript {
  const what = expectWord(op.expect, join(op.parent.path, op.name), context)
  const tail = `${what} ${quote(ownerWord(op.to))} ${modeWord(op.to.mode)} ${op.stripAcl ? 'strip' : "''"}`
  const label = labelWord(op.to)
  if (op.parent.anchor === undefined) {
    const where = `${quote(op.parent.path)} ${inodeWord(op.parent, context)}`
    return {
      commands: [`kf_inside_set ${where} ${quote(op.name)} ${tail}${label}`],
      parts: ['place', 'inside', 'attributes'],
    }
  }
  const stage = `"${context.staging.stageOf(op.parent)}"`
  return {
    commands: [enter(op.parent, stage, context), `kf_fileset ${stage} ${quote(op.name)} ${tail} .${label}`],
    parts: ['place', 'attributes'],
  }
}

const optional = (value: string | number | undefined): string =>
  value === undefined ? "''" : quote(String(value))
const marked = (value: string | undefined): string => (value === undefined ? "''" : quote(`-${value}`))
const flag = (value: boolean): string => (value ? 'yes' : "''")

/**
 * Shell of one operation, which `next` follows in the same change. Its operands are quoted; what they name is checked on
 * the host in the instant before.
 */
export function opScript(
  op: WriteOp,
  item: Staged | undefined,
  context: OpContext,
  next: WriteOp | undefined,
): OpScript {
  switch (op.op) {
    case 'group-add':
      return {
        commands: [`kf_group_add ${quote(op.name)} ${optional(op.gid)} ${flag(op.system)}`],
        parts: ['accounts'],
      }
    case 'group-members':
      return {
        commands: [
          `kf_members ${wordsOf([
            op.name,
            ...op.remove.flatMap((user) => ['remove', user]),
            ...op.add.flatMap((user) => ['add', user]),
          ])}`,
        ],
        parts: ['accounts'],
      }
    case 'user-add':
      return {
        commands: [
          `kf_user_add ${quote(op.name)} ${optional(op.uid)} ${wordsOf([op.group, op.gecos, op.home, op.shell])} ${flag(op.system)}`,
        ],
        parts: ['accounts'],
      }
    case 'user-set':
      return {
        commands: [
          `kf_user_set ${quote(op.name)} ${[op.gecos, op.home, op.shell, op.group].map(marked).join(' ')} ${flag(op.lock ?? false)}`,
        ],
        parts: ['accounts'],
      }
    case 'user-remove':
      return {
        commands: [`kf_user_remove ${quote(op.name)} ${String(op.uid)}`],
        parts: ['accounts'],
      }
    case 'group-remove':
      return {
        commands: [`kf_group_remove ${quote(op.name)} ${String(op.gid)}`],
        parts: ['accounts'],
      }
    case 'directory-make':
      return item === undefined
        ? { commands: [], parts: [] }
        : place(item, op.parent, { absent: true }, context)
    case 'file-put':
    case 'link-put':
      return item === undefined ? { commands: [], parts: [] } : place(item, op.parent, op.expect, context)
    case 'directory-set':
      return {
        commands: [
          `kf_dirset ${quote(op.path)} ${expectWord(op.expect, op.path, context)} ${quote(ownerWord(op.to))} ${modeWord(op.between)} ${modeWord(op.to.mode)} ${op.stripAcl ? 'strip' : "''"}${labelWord(op.to)}`,
        ],
        parts: ['place', 'attributes'],
      }
    case 'file-set':
      return fileSet(op, context)
    case 'remove':
      return {
        commands: [
          enter(op.parent, "''", context),
          `kf_remove ${quote(op.name)} ${expectWord(op.expect, join(op.parent.path, op.name), context)} ${op.directory ? 'rmdir' : 'rm -f'}`,
        ],
        parts: ['place'],
      }
    case 'daemon-reload':
      // `systemctl enable` and `disable` end with one: another would make systemd read all units twice, which takes it long
      return {
        commands: next?.op === 'unit-enable' ? [] : ['kf_systemctl daemon-reload'],
        parts: ['services'],
      }
    case 'unit-enable':
      return {
        commands: [`kf_systemctl ${op.enable ? 'enable' : 'disable'} -- ${quote(op.unit)}`],
        parts: ['services'],
      }
    case 'unit-run':
      return {
        commands: [
          `kf_unit ${quote(op.unit)} ${op.verb} ${String(op.within)} ${readinessWords(op.ready)} ${wordsOf(op.record)}`,
        ],
        parts: ['services', 'place', 'keep'],
      }
    case 'await':
      return {
        commands: [`kf_await ${String(op.within)} kf_tested`],
        parts: ['services'],
      }
    case 'command': {
      const status = op.anyStatus === true ? ['kf_any=yes'] : []
      return {
        commands:
          op.as === undefined
            ? [...status, `kf_command ${String(op.within)} ${wordsOf(op.argv)}`]
            : [...status, identityCommand(op.as), `kf_command_as ${String(op.within)} ${wordsOf(op.argv)}`],
        parts: ['services'],
      }
    }
  }
}

/** A function definition that has to stand before the commands of an operation, where one is needed. */
export function opPreparation(op: WriteOp): string | undefined {
  if (op.op !== 'await') return undefined
  const needs = op.test.atom === 'started' ? `${processPrelude}\n` : ''
  return `${needs}kf_tested() { ${testScript(op.test)}; }`
}
