import { describe, expect, it } from 'vitest'
import type { HostLookups } from '../../src/template/engine.ts'
import { known } from '../../src/model/value.ts'
import { expandTask, type Instance } from '../../src/plan/expand.ts'
import { play, type PlannedPlay } from './drive.ts'

const gidIs = (gid: number): HostLookups => ({ groupId: () => known(gid), userId: () => known(0) })

const copy = (content: string): string =>
  `- copy: {dest: /etc/x, content: "${content}", owner: root, group: root, mode: "0644"}`

function expand(
  { context }: PlannedPlay,
  lookups: HostLookups,
  results: ReadonlyMap<string, unknown> = new Map(),
): readonly Instance[] {
  return context.tasks.flatMap((task) => [...expandTask(context, task, lookups, results)])
}

const samenessOf = (instances: readonly Instance[]): readonly string[] =>
  instances.flatMap((instance) =>
    instance.is === 'ready' ? instance.resources.map(({ sameness }) => sameness) : [instance.is],
  )

describe('expanding a task again', () => {
  it('gives what was made before where nothing was asked', () => {
    const played = play(copy('text'))
    const [first] = expand(played, gidIs(1))
    expect(expand(played, gidIs(2))).toEqual([first])
    expect(expand(played, gidIs(2))[0]).toBe(first)
  })

  it('asks the host again where it was asked before', () => {
    const played = play(copy("{{ host.group('g').gid }}"))
    expect(samenessOf(expand(played, gidIs(1)))).not.toEqual(samenessOf(expand(played, gidIs(2))))
  })

  it('sees results that were not there before', () => {
    const played = play(copy("{{ found | default('nothing') }}"))
    const before = samenessOf(expand(played, gidIs(1)))
    expect(samenessOf(expand(played, gidIs(1), new Map([['found', 'it']])))).not.toEqual(before)
  })
})
