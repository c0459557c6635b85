import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, lstatSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ReadAtom } from '../../../src/model/wire.ts'
import { shells } from '../local-shell.ts'
import { ask, openHere, rootFolder } from './host.ts'

type Node =
  | { readonly type: 'file'; readonly content: string; readonly acl: boolean }
  | { readonly type: 'directory'; readonly children: ReadonlyMap<string, Entry> }
  | { readonly type: 'link'; readonly target: string }
  | { readonly type: 'fifo' }
  | { readonly type: 'missing' }
interface Entry {
  readonly node: Node
  readonly mode: number
  readonly owner: number
}

const name = fc.constantFrom('a', 'b', 'c d', 'e\\f', 'g*', '-h', "i'j", 'ü', '[k]', '$l')
const leaf = fc.oneof(
  fc.record({ type: fc.constant('file' as const), content: fc.string({ maxLength: 30 }), acl: fc.boolean() }),
  fc.record({
    type: fc.constant('link' as const),
    target: fc.constantFrom('a', '/etc/shadow', '..', 'two\nlines', 'end\n'),
  }),
  fc.constant({ type: 'fifo' as const }),
  fc.constant({ type: 'missing' as const }),
)
const entryOf = (node: fc.Arbitrary<Node>): fc.Arbitrary<Entry> =>
  fc.record({
    node,
    mode: fc.constantFrom(0o755, 0o644, 0o700, 0o775, 0o1777, 0o2750, 0o4711, 0o600),
    owner: fc.constantFrom(0, 0, 65534),
  })
const directory = (children: fc.Arbitrary<Entry>): fc.Arbitrary<Node> =>
  fc
    .array(fc.tuple(name, children), { maxLength: 4 })
    .map((pairs) => ({ type: 'directory' as const, children: new Map(pairs) }))
const tree = entryOf(directory(entryOf(fc.oneof(leaf, directory(entryOf(leaf))))))

/** Makes the tree, owners and modes from the leaves up; gives all its paths. */
function make(path: string, { node, mode, owner }: Entry): readonly string[] {
  const below: string[] = []
  if (node.type === 'missing') return [path]
  if (node.type === 'file') writeFileSync(path, node.content)
  else if (node.type === 'link') symlinkSync(node.target, path)
  else if (node.type === 'fifo') execFileSync('mkfifo', [path])
  else {
    mkdirSync(path)
    for (const [child, entry] of node.children) below.push(...make(join(path, child), entry))
  }
  if (node.type === 'link') return [path]
  chownSync(path, owner, owner)
  chmodSync(path, mode)
  if (node.type === 'file' && node.acl) execFileSync('setfacl', ['-m', 'u:6666:r', path])
  return [path, ...below]
}

describe.each(shells)('$name', (shell) => {
  it('sees the same in one fused question as in one question for each path', async () => {
    using folder = rootFolder()
    await using session = await openHere(shell)
    const root = join(folder.path, 'tree')
    await fc.assert(
      fc.asyncProperty(tree, async (entry) => {
        rmSync(root, { recursive: true, force: true })
        const paths = make(root, entry)
        const atoms = paths.map((path): ReadAtom => ({
          atom: 'path',
          path,
          digestUpTo: 20,
          textUpTo: 15,
          bytesUpTo: 10,
        }))
        const fused = await ask(session, atoms)
        for (const [index, path] of paths.entries()) {
          const alone = await ask(session, atoms.slice(index, index + 1))
          expect(fused.paths.get(path)).toEqual(alone.paths.get(path))
          const fact = fused.paths.get(path)
          const real = lstatSync(path, { throwIfNoEntry: false })
          expect(fact?.is).toBe(real === undefined ? 'absent' : 'present')
          if (fact?.is !== 'present' || real === undefined) continue
          expect(fact.state).toMatchObject({
            mode: real.mode & 0o7777,
            uid: { value: real.uid },
            gid: { value: real.gid },
            size: real.size,
            inode: String(real.ino),
            device: String(real.dev),
          })
        }
      }),
      { numRuns: shell.name === 'dash' ? 15 : 6 },
    )
  })
})
