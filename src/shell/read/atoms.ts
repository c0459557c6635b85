import { KmsfleetError } from '../../errors/error.ts'
import type { PublicPart } from '../../model/expiry.ts'
import { folderKey } from '../../model/facts.ts'
import type { PodProcess } from '../../model/process.ts'
import type { LabelledType, ReadAtom, TestAtom } from '../../model/wire.ts'

/** What is asked about one path, all atoms taken together. */
export interface PathQuestion {
  readonly path: string
  /** False for ancestors and for `exists`: only the stat row is wanted. */
  readonly asked: boolean
  readonly digestUpTo?: number
  readonly sealed: boolean
  readonly textUpTo?: number
  readonly bytesUpTo?: number
  readonly publicPart?: PublicPart
  readonly package: boolean
  readonly labelOf?: LabelledType
}

/** Files of a folder whose names end so. */
export type FolderQuestion = Omit<Extract<ReadAtom, { atom: 'folder' }>, 'atom'>

/** Two files of one folder that are read as one. */
export type PairQuestion = Extract<ReadAtom, { atom: 'pair' }>

/** Where a process is looked for. */
export type ProcessQuestion = Omit<Extract<ReadAtom, { atom: 'process' }>, 'atom'>

/** Who tries what. */
export type AttemptsQuestion = Omit<Extract<ReadAtom, { atom: 'attempts' }>, 'atom'>

/** Who listens under a name. */
export type HeldQuestion = Extract<ReadAtom, { atom: 'held' }>

/** What a program says. */
export type SaysQuestion = Extract<ReadAtom, { atom: 'says' }>

/** A directory whose names are asked for. */
export type EntriesQuestion = Omit<Extract<ReadAtom, { atom: 'entries' }>, 'atom'>

/** Atoms sorted by how they are asked, each thing once. */
export interface Questions {
  /** Ancestors stand before what is below them. */
  readonly paths: readonly PathQuestion[]
  readonly users: readonly string[]
  readonly groups: readonly string[]
  readonly units: readonly string[]
  readonly folders: readonly FolderQuestion[]
  readonly pairs: readonly PairQuestion[]
  readonly processes: readonly ProcessQuestion[]
  readonly attempts: readonly AttemptsQuestion[]
  readonly held: readonly HeldQuestion[]
  readonly says: readonly SaysQuestion[]
  readonly entries: readonly EntriesQuestion[]
  readonly tests: readonly TestAtom[]
}

function unsendable(what: string, found: string, hint: string): KmsfleetError {
  return new KmsfleetError('host.unsendable', `expected ${what}, found ${JSON.stringify(found)}`, { hint })
}

/** Absolute, without newline or NUL, and in its one canonical form, so that a row can be told by its name. */
export function checkPath(path: string): string {
  if (!path.startsWith('/') || /[\n\0]/.test(path)) {
    throw unsendable('an absolute path without newline', path, 'only such paths can be managed')
  }
  if (
    path !== '/' &&
    path
      .split('/')
      .slice(1)
      .some((part) => part === '' || part === '.' || part === '..')
  ) {
    throw unsendable('a path without "//", "." and ".." parts', path, 'write the path in its shortest form')
  }
  return path
}

function checkName(name: string): string {
  if (!/^[^\s:,/\0-]([^\s:,/\0])*$/.test(name)) {
    throw unsendable('an account name', name, 'no blanks, ":", ",", "/", and no "-" in front')
  }
  return name
}

function checkUnit(unit: string): string {
  if (!/^[A-Za-z0-9:_.\\@][A-Za-z0-9:_.\\@-]*$/.test(unit)) {
    throw unsendable('a systemd unit name', unit, 'see "man systemd.unit" for the characters it may have')
  }
  return unit
}

/** It stands in a pattern that the shell expands. */
function checkEnding(ending: string): string {
  if (!/^[A-Za-z0-9._-]*$/.test(ending)) {
    throw unsendable('an ending of file names', ending, 'letters, digits and ". _ -"')
  }
  return ending
}

/** They stand in a pattern that the shell expands. */
function checkPodPart(name: string): string {
  if (!/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(name)) {
    throw unsendable(
      'the name of a namespace, pod or container',
      name,
      'lower-case letters, digits, "-" and "."',
    )
  }
  return name
}

function checkPod({ namespace, name, container }: PodProcess): void {
  for (const part of [namespace, name, ...(container === undefined ? [] : [container])]) checkPodPart(part)
}

/** `/`, `/a`, `/a/b` for `/a/b/c`. */
export function ancestorsOf(path: string): readonly string[] {
  const parts = path.split('/').slice(1, -1)
  return path === '/' ? [] : ['/', ...parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`)]
}

function larger(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : Math.max(a, b)
}

function merge(a: PathQuestion | undefined, b: PathQuestion): PathQuestion {
  if (a === undefined) return b
  const digestUpTo = larger(a.digestUpTo, b.digestUpTo)
  const textUpTo = larger(a.textUpTo, b.textUpTo)
  const bytesUpTo = larger(a.bytesUpTo, b.bytesUpTo)
  const publicPart = a.publicPart ?? b.publicPart
  const labelOf = a.labelOf ?? b.labelOf
  return {
    path: a.path,
    asked: a.asked || b.asked,
    sealed: a.sealed || b.sealed,
    package: a.package || b.package,
    ...(digestUpTo === undefined ? {} : { digestUpTo }),
    ...(textUpTo === undefined ? {} : { textUpTo }),
    ...(bytesUpTo === undefined ? {} : { bytesUpTo }),
    ...(publicPart === undefined ? {} : { publicPart }),
    ...(labelOf === undefined ? {} : { labelOf }),
  }
}

const notTests: readonly ReadAtom['atom'][] = ['process', 'attempts', 'held', 'says']
const isTest = (atom: ReadAtom): atom is TestAtom => 'key' in atom && !notTests.includes(atom.atom)

/** Throws KmsfleetError `host.unsendable` for what no host could be asked. */
export function questionsOf(atoms: readonly ReadAtom[]): Questions {
  const paths = new Map<string, PathQuestion>()
  const add = (question: PathQuestion): void => {
    paths.set(question.path, merge(paths.get(question.path), question))
  }
  const plain = { asked: false, sealed: false, package: false }
  const users = new Set<string>()
  const groups = new Set<string>()
  const units = new Set<string>()
  const folders = new Map<string, FolderQuestion>()
  const pairs = new Map<string, PairQuestion>()
  const processes = new Map<string, ProcessQuestion>()
  const attempts = new Map<string, AttemptsQuestion>()
  const held = new Map<string, HeldQuestion>()
  const says = new Map<string, SaysQuestion>()
  const entries = new Map<string, EntriesQuestion>()
  const tests = new Map<string, TestAtom>()
  for (const atom of atoms) {
    if (isTest(atom)) {
      if (atom.atom === 'exists') add({ path: checkPath(atom.path), ...plain })
      if (atom.atom === 'reach') checkPath(atom.socket)
      if (atom.atom === 'renewed' || atom.atom === 'listens') checkPath(atom.path)
      if ('unit' in atom) checkUnit(atom.unit)
      if (atom.atom === 'started') checkPod(atom.of)
      tests.set(atom.key, atom)
    } else if (atom.atom === 'path') {
      for (const path of ancestorsOf(checkPath(atom.path))) add({ path, ...plain })
      add({
        path: atom.path,
        asked: true,
        sealed: atom.sealed ?? false,
        package: atom.package ?? false,
        ...(atom.digestUpTo === undefined ? {} : { digestUpTo: atom.digestUpTo }),
        ...(atom.textUpTo === undefined ? {} : { textUpTo: atom.textUpTo }),
        ...(atom.bytesUpTo === undefined ? {} : { bytesUpTo: atom.bytesUpTo }),
        ...(atom.publicPart === undefined ? {} : { publicPart: atom.publicPart }),
        ...(atom.labelOf === undefined ? {} : { labelOf: atom.labelOf }),
      })
    } else if (atom.atom === 'user') users.add(checkName(atom.name))
    else if (atom.atom === 'group') groups.add(checkName(atom.name))
    else if (atom.atom === 'folder') {
      const { path, ending } = atom
      folders.set(folderKey(checkPath(path), checkEnding(ending)), { path, ending })
    } else if (atom.atom === 'pair') {
      const [first, second] = atom.names.map((name) => checkPath(`${atom.folder}/${name}`))
      checkName(atom.owner)
      if (first !== undefined && first !== second) pairs.set(first, atom)
    } else if (atom.atom === 'process') {
      const { key, of, about } = atom
      processes.set(key, { key, of, ...(about === undefined ? {} : { about }) })
      if (about?.sees !== undefined) checkPath(about.sees)
      if (of.by === 'unit') units.add(checkUnit(of.unit))
      else checkPod(of)
    } else if (atom.atom === 'attempts') {
      for (const each of atom.tries) if (each.action !== 'signal') checkPath(each.path)
      attempts.set(atom.key, { key: atom.key, as: atom.as, tries: atom.tries })
    } else if (atom.atom === 'held') {
      checkPath(atom.path)
      held.set(atom.key, atom)
    } else if (atom.atom === 'says') says.set(atom.key, atom)
    else if (atom.atom === 'entries') {
      entries.set(checkPath(atom.path), { path: atom.path, limit: atom.limit })
    } else units.add(checkUnit(atom.unit))
  }
  const depth = (path: string): number => (path === '/' ? 0 : path.split('/').length)
  return {
    paths: [...paths.values()].sort((a, b) => depth(a.path) - depth(b.path)),
    users: [...users],
    groups: [...groups],
    units: [...units],
    folders: [...folders.values()],
    pairs: [...pairs.values()],
    processes: [...processes.values()],
    attempts: [...attempts.values()],
    held: [...held.values()],
    says: [...says.values()],
    entries: [...entries.values()],
    tests: [...tests.values()],
  }
}
