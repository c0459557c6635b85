import type { Fact, PathState } from '../../model/facts.ts'
import { directoryOf } from '../../resources/common/paths.ts'
import { trusted } from '../../resources/common/trust.ts'
import { rowOf, search } from './row.ts'
import type { Row } from './row.ts'
import { missing, permission, unknown } from './step.ts'
import type { Context, Finding } from './step.ts'
import { showType } from './words.ts'

/** What was observed at a path; undefined where nobody asked. Paths are physical: no part of them is a link. */
export type Rows = (path: string) => Fact<PathState> | undefined

export interface Inode {
  readonly path: string
  readonly state: PathState
  readonly row: Row
}

/** Where a path leads; without `inode` the last finding says why it ended early. */
export interface Walk {
  readonly findings: readonly Finding[]
  readonly inode?: Inode
  /** The directory that holds it; absent for the root directory. */
  readonly directory?: Inode
}

/** As many links as the kernel follows in one path. */
const mostLinks = 40

function look(rows: Rows, path: string): Inode | Finding {
  const fact = rows(path)
  if (fact === undefined) return unknown(path, 'to be known', `${path} was not looked at`)
  if (fact.is === 'absent') return missing(path, 'to exist', 'nothing is there')
  if (fact.is === 'unreadable') return unknown(path, 'to be known', fact.problem.message)
  const row = rowOf(fact.state)
  if (row) return { path, state: fact.state, row }
  return unknown(path, 'to be known', `the owner of ${path} is known only after a change of this run`)
}

/** Where a link leads, or why that cannot be told. */
function targetOf(rows: Rows, directory: string, link: Inode): string | Finding {
  const no = (because: string): Finding => unknown(link.path, 'to be followed', because)
  const { target } = link.state
  if (link.path.startsWith('/proc/')) {
    return no(`${link.path} is a link that only the kernel can follow`)
  }
  if (!trusted(directory, { path: (path) => rows(path) ?? { is: 'absent' } })) {
    return no(`${link.path} is a symbolic link in a directory where others than root can exchange it`)
  }
  if (target === undefined || target === '' || target.endsWith('/')) {
    return no(`it is not known where the symbolic link ${link.path} leads`)
  }
  return target
}

const partsOf = (path: string): readonly string[] => path.split('/').filter((part) => part !== '')

/**
 * From the root to what stands at the path, as the kernel walks: search on every directory on the way, links followed
 * where only root could have put them. A denial does not end the walk, so that everything in the way is told; the first
 * is what the kernel would stop at.
 */
export function walk(context: Context, rows: Rows, path: string, followLast: boolean): Walk {
  const findings: Finding[] = []
  const searched = new Set<string>()
  const ended = (finding: Finding): Walk => ({ findings: [...findings, finding] })
  let here = look(rows, '/')
  if ('is' in here) return ended(here)
  let directory: Inode | undefined
  let links = 0
  const ahead = [...partsOf(path)]
  for (let name = ahead.shift(); name !== undefined; name = ahead.shift()) {
    if (here.row.type !== 'directory') {
      return ended(missing(here.path, 'to be a directory', `it is ${showType(here.row.type)}`))
    }
    if (!searched.has(here.path)) findings.push(permission(context, here.path, here.row, search))
    searched.add(here.path)
    if (name === '.') continue
    const next = look(
      rows,
      name === '..' ? directoryOf(here.path) : `${here.path === '/' ? '' : here.path}/${name}`,
    )
    if ('is' in next) return ended(next)
    if (next.row.type !== 'link' || (ahead.length === 0 && !followLast)) {
      directory = name === '..' ? undefined : here
      here = next
      continue
    }
    const target = targetOf(rows, here.path, next)
    if (typeof target !== 'string') return ended(target)
    links += 1
    if (links > mostLinks) return ended(unknown(next.path, 'to be followed', 'too many symbolic links'))
    findings.push({
      is: 'allowed',
      step: {
        path: next.path,
        needs: 'to be followed',
        allowed: true,
        decidedBy: `it leads to ${target}`,
        row: 'symbolic link',
      },
    })
    ahead.unshift(...partsOf(target))
    if (target.startsWith('/')) {
      const root = look(rows, '/')
      if ('is' in root) return ended(root)
      here = root
    }
  }
  return { findings, inode: here, ...(directory === undefined ? {} : { directory }) }
}
