import { isMaker, isOwner, makesDirectory, readLine, type Account, type TmpfilesLine } from './line.ts'
import { matchesAncestor, matchesPattern } from './pattern.ts'

/** A configuration file; its text is undefined where an earlier change of the plan decides it. */
export interface ConfigFile {
  readonly path: string
  readonly text: string | undefined
}

/** A directory with owner and group as they are written: a name, or a decimal number. */
export interface BootDirectory {
  readonly owner: string
  readonly group: string
  readonly mode: number
  /** Lines that decide it, as `path:line`; empty where none does. */
  readonly places: readonly string[]
  /** Lines that give it ACL entries. */
  readonly acl: readonly string[]
}

/** What stands at a path once systemd-tmpfiles has run at the next boot. */
export type AfterBoot =
  | { readonly is: 'nothing' }
  | { readonly is: 'directory'; readonly directory: BootDirectory }
  /** A line makes something else there. */
  | { readonly is: 'other'; readonly line: TmpfilesLine }
  /** A file whose text is not known yet would have a say. */
  | { readonly is: 'unknown'; readonly path: string }

/** Does the account exist at boot? */
type Exists = (kind: 'user' | 'group', name: string) => boolean

/**
 * The files that count, in the order in which they are read: of equal names the one in the first folder, and names in
 * the order of their bytes.
 */
export function filesInOrder(
  folders: readonly (readonly [folder: string, files: ReadonlyMap<string, string | undefined>])[],
): readonly ConfigFile[] {
  const byName = new Map<string, ConfigFile>()
  for (const [folder, files] of folders) {
    for (const [name, text] of files) {
      if (!byName.has(name)) byName.set(name, { path: `${folder}/${name}`, text })
    }
  }
  return [...byName]
    .sort(([left], [right]) => Buffer.compare(Buffer.from(left), Buffer.from(right)))
    .map(([, file]) => file)
}

/**
 * What tmpfiles.d(5) makes of a path at boot. Of the lines that make something at one path the first counts, whatever
 * later files say. Lines that adjust come when all is made, but one for a folder comes before what is made below that
 * folder. A line whose user or group does not exist is dropped by systemd, so that the next one counts.
 *
 * @param before what stands there when systemd-tmpfiles starts: undefined below /run, which every boot empties
 */
export function afterBoot(
  path: string,
  files: readonly ConfigFile[],
  before: Omit<BootDirectory, 'places' | 'acl'> | undefined,
  exists: Exists,
): AfterBoot {
  const open = files.find(({ text }) => text === undefined)
  if (open !== undefined) return { is: 'unknown', path: open.path }
  const lines = files.flatMap(readFile).filter((line) => isResolved(line, exists))
  const makers = byPath(lines.filter(({ type }) => isMaker(type)))
  const adjusters = byPath(lines.filter(({ type }) => !isMaker(type)))
  const foreign = makers.get(path)?.find(({ type }) => !makesDirectory(type))
  if (foreign !== undefined) return { is: 'other', line: foreign }

  let now: BootDirectory | undefined = before === undefined ? undefined : { ...before, places: [], acl: [] }
  for (const line of inOrder(makers, adjusters)) {
    now = isMaker(line.type) ? afterMaker(now, line, path) : afterAdjuster(now, line, path)
  }
  return now === undefined ? { is: 'nothing' } : { is: 'directory', directory: now }
}

function readFile({ path, text }: ConfigFile): readonly TmpfilesLine[] {
  return (text ?? '')
    .split('\n')
    .flatMap((line, index) => readLine(line, `${path}:${String(index + 1)}`) ?? [])
}

function isResolved({ user, group }: TmpfilesLine, exists: Exists): boolean {
  const known = (kind: 'user' | 'group', account: Account | undefined): boolean =>
    account === undefined || /^[0-9]+$/.test(account.name) || exists(kind, account.name)
  return known('user', user) && known('group', group)
}

type LinesByPath = ReadonlyMap<string, readonly TmpfilesLine[]>

/** Of lines of one path that own what stands there only the first is kept; it comes before those that adjust. */
function byPath(lines: readonly TmpfilesLine[]): LinesByPath {
  const kept = new Map<string, TmpfilesLine[]>()
  for (const line of lines) {
    const there = kept.get(line.path)
    if (there === undefined) kept.set(line.path, [line])
    else if (!isOwner(line.type) || !there.some(({ type }) => isOwner(type))) there.push(line)
  }
  const rank = ({ type }: TmpfilesLine): number => (isOwner(type) ? 0 : 256) + type.charCodeAt(0)
  for (const there of kept.values()) there.sort((left, right) => rank(left) - rank(right))
  return kept
}

/** Makers before adjusters; but before each line those of the nearest folder above it that any line is about. */
function inOrder(makers: LinesByPath, adjusters: LinesByPath): readonly TmpfilesLine[] {
  const ordered = new Set<TmpfilesLine>()
  const take = (path: string, lines: readonly TmpfilesLine[]): void => {
    for (let at = folderOf(path); at !== ''; at = folderOf(at)) {
      const above = makers.get(at) ?? adjusters.get(at)
      if (above === undefined) continue
      take(at, above)
      break
    }
    for (const line of lines) ordered.add(line)
  }
  for (const group of [makers, adjusters]) for (const [path, lines] of group) take(path, lines)
  return [...ordered]
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}

function afterMaker(
  now: BootDirectory | undefined,
  line: TmpfilesLine,
  path: string,
): BootDirectory | undefined {
  if (line.path === path) {
    const fresh: BootDirectory = { owner: 'root', group: 'root', mode: 0o755, places: [], acl: [] }
    return adjusted(now ?? fresh, line, now === undefined)
  }
  if (now !== undefined || !line.path.startsWith(`${path}/`)) return now
  return { owner: 'root', group: 'root', mode: 0o755, places: [line.place], acl: [] }
}

function afterAdjuster(
  now: BootDirectory | undefined,
  line: TmpfilesLine,
  path: string,
): BootDirectory | undefined {
  if (now === undefined) return undefined
  const { type, path: pattern, place } = line
  const matches = 'ZA'.includes(type)
    ? matchesAncestor(pattern, path)
    : 'zmea'.includes(type) && matchesPattern(pattern, path)
  if (!matches) return now
  return type === 'a' || type === 'A' ? { ...now, acl: [...now.acl, place] } : adjusted(now, line, false)
}

/** @param made the line itself makes the directory */
function adjusted(directory: BootDirectory, line: TmpfilesLine, made: boolean): BootDirectory {
  const { mode, user, group, place } = line
  const applies = (part: { readonly onlyNew: boolean } | undefined): boolean =>
    part !== undefined && (made || !part.onlyNew)
  if (!made && !applies(mode) && !applies(user) && !applies(group)) return directory
  return {
    owner: applies(user) ? (user?.name ?? directory.owner) : directory.owner,
    group: applies(group) ? (group?.name ?? directory.group) : directory.group,
    mode: applies(mode) ? masked(mode, made ? undefined : directory.mode) : directory.mode,
    places: [...directory.places, place],
    acl: directory.acl,
  }
}

/** `~`: takes away what nobody had before. */
function masked(mode: TmpfilesLine['mode'], before: number | undefined): number {
  if (mode === undefined) return before ?? 0o755
  if (!mode.masked || before === undefined) return mode.bits
  return [0o111, 0o222, 0o444].reduce(
    (bits, kind) => ((before & kind) === 0 ? bits & ~kind : bits),
    mode.bits,
  )
}
