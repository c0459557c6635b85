import type { Resource, World } from '../../model/resource.ts'
import type { ReadAtom } from '../../model/wire.ts'
import { problem, refused } from '../common/result.ts'
import { splitWords } from '../common/words.ts'

/** A file of /etc whose name takes away what a package's file of that name says below /usr/lib. */
export interface VendorFile {
  /** Such as `tmpfiles.d`. */
  readonly kind: string
  /** With `.conf`. */
  readonly name: string
  /** What the file of /etc is to say. */
  readonly text: string
  /** Ending of the files that are read along with it, where others are asked for in one anyway. */
  readonly ending: string
  /** What a line is about, from its words: two lines about the same replace each other. */
  readonly subject: (words: readonly string[]) => string
  /** A word in the form in which equal ones are equal; `at` counts from 0. */
  readonly normal: (word: string, at: number) => string
}

interface Line {
  readonly place: string
  readonly text: string
  readonly subject: string
  readonly says: string
}

/** The first that has it counts. */
const folders = ['/run', '/usr/local/lib', '/usr/lib', '/lib'] as const

/**
 * The file where it is needed. A package's file that says all of it already is left to say it; where something of /etc
 * is needed beside it, it has to carry every line of the package's, which no longer counts then.
 */
export function besideVendor(resource: Resource, vendor: VendorFile): Resource {
  const atoms = folders.map((folder): ReadAtom => ({
    atom: 'folder',
    path: `${folder}/${vendor.kind}`,
    ending: vendor.ending,
  }))
  return {
    ...resource,
    atoms: [...resource.atoms, ...atoms],
    plan: (world) => {
      const found = vendorsText(vendor, world)
      if (found === undefined) return resource.plan(world)
      const [own, theirs] = [linesOf(vendor.text, '', vendor), linesOf(found.text, found.path, vendor)]
      const dropped = theirs.find((line) => !own.some(({ subject }) => subject === line.subject))
      const path = `/etc/${vendor.kind}/${vendor.name}`
      const enough = own.every((line) => theirs.some(({ says }) => says === line.says))
      if (enough && world.path(path).is === 'absent') return { is: 'same' }
      if (dropped === undefined) return resource.plan(world)
      return refused(
        problem(
          'resource.vendor',
          path,
          `expected ${path} to carry every line of ${found.path}, which it takes the place of, found none for \`${dropped.text}\` (${dropped.place})`,
          'Ask for that one too, or give the file another name.',
        ),
      )
    },
  }
}

function vendorsText(
  { kind, name, ending }: VendorFile,
  world: World,
): { readonly path: string; readonly text: string } | undefined {
  for (const folder of folders) {
    const fact = world.folder(`${folder}/${kind}`, ending)
    const text = fact.is === 'present' ? fact.state.get(name) : undefined
    if (text !== undefined) return { path: `${folder}/${kind}/${name}`, text }
  }
  return undefined
}

function linesOf(text: string, path: string, { subject, normal }: VendorFile): readonly Line[] {
  return text.split('\n').flatMap((raw, index): readonly Line[] => {
    const trimmed = raw.trim()
    if (trimmed === '' || trimmed.startsWith('#')) return []
    // A line with a backslash is taken as it is: nothing of ours has one, so that it counts as dropped.
    const words = splitWords(trimmed) ?? [trimmed]
    const said = words.map(normal)
    while (said.at(-1) === '-') said.pop()
    return [
      {
        place: `${path}:${String(index + 1)}`,
        text: trimmed,
        subject: subject(words),
        says: JSON.stringify(said),
      },
    ]
  })
}
