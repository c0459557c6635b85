import { expect, test } from 'vitest'
import { sysusers } from '../../src/modules/sysusers/index.ts'
import { tmpfiles } from '../../src/modules/tmpfiles/index.ts'
import { context } from '../modules/context.ts'
import { directory, opNames, planAll, summary, type WorldSpec } from './world.ts'

const vendor = (path: string, text: string): WorldSpec => ({ configuration: { [path]: text } })
const paths = { '/etc/tmpfiles.d': directory(), '/etc/sysusers.d': directory() }

const files = (spec: WorldSpec): readonly (string | readonly string[])[] => {
  const wanted = tmpfiles.args.parse({
    name: 'kms',
    directories: [{ path: '/run/kms', owner: 'root', group: 'root', mode: '0750' }],
  })
  const accounts = sysusers.args.parse({ name: 'kms', groups: [{ name: 'kms' }] })
  const all = [...tmpfiles.resources(wanted, context()), ...sysusers.resources(accounts, context())]
  return planAll({ ...spec, paths }, ...all.filter(({ id }) => id.endsWith('/kms.conf'))).map((planned) =>
    planned.is === 'change' ? opNames(planned) : summary(planned),
  )
}

test.each<[what: string, spec: WorldSpec, expected: readonly unknown[]]>([
  ['none of a package', {}, [['file-put'], ['file-put']]],
  [
    'one that says the same',
    vendor('/usr/lib/tmpfiles.d/kms.conf', '# x\nd /run/kms 750 root root -\n'),
    ['same', ['file-put']],
  ],
  [
    'one with another mode',
    vendor('/usr/lib/tmpfiles.d/kms.conf', 'd /run/kms 0770 root root -\n'),
    [['file-put'], ['file-put']],
  ],
  [
    'one with more',
    vendor('/usr/lib/tmpfiles.d/kms.conf', '\nd /run/kms 0750 root root\nd /srv/kms 0755 root root\n'),
    ['same', ['file-put']],
  ],
  [
    'one with more and another mode',
    vendor('/usr/lib/tmpfiles.d/kms.conf', 'd /run/kms 0770 root root\nd /srv/kms 0755 root root\n'),
    [
      'refused: expected /etc/tmpfiles.d/kms.conf to carry every line of /usr/lib/tmpfiles.d/kms.conf, which it takes the place of, found none for `d /srv/kms 0755 root root` (/usr/lib/tmpfiles.d/kms.conf:2)',
      ['file-put'],
    ],
  ],
  ['accounts that are the same', vendor('/usr/lib/sysusers.d/kms.conf', 'g kms -\n'), [['file-put'], 'same']],
  [
    'a membership that is not carried',
    vendor('/usr/lib/sysusers.d/kms.conf', 'g kms 5\nm a kms\n'),
    [
      ['file-put'],
      'refused: expected /etc/sysusers.d/kms.conf to carry every line of /usr/lib/sysusers.d/kms.conf, which it takes the place of, found none for `m a kms` (/usr/lib/sysusers.d/kms.conf:2)',
    ],
  ],
])('%s', (_, spec, expected) => {
  expect(files(spec)).toEqual(expected)
})
