import * as z from 'zod'
import { showMode } from '../../resources/common/mode.ts'
import { directoryResource } from '../../resources/directory/directory.ts'
import { BaseName, Group, Mode, Owner, PlainPath } from '../arguments.ts'
import { defineModule } from '../define.ts'
import { vendorConfig } from '../vendor-config.ts'

const folder = '/etc/tmpfiles.d'

const Args = z.strictObject({
  name: BaseName.describe(
    'Name of the file below /etc/tmpfiles.d, without `.conf`; a vendor file of the same name no longer counts',
  ),
  directories: z
    .array(
      z.strictObject({
        path: PlainPath.refine((path) => path !== '/', 'expected a directory other than `/`'),
        owner: Owner,
        group: Group,
        mode: Mode,
      }),
    )
    .min(1),
})

export const tmpfiles = defineModule({
  name: 'tmpfiles',
  summary: 'Directories that every boot makes anew, and that exist now',
  description: `Writes \`/etc/tmpfiles.d/NAME.conf\` with a \`d\` line for each directory, and makes or mends the directories
themselves with the same owner, group and mode: what is there now and what the next boot makes are the same. Hosts
without systemd get the directories only. Where a package's file of that name below /usr/lib says all of it already,
none is written; where one has to be, it must have a line for everything that the package's has, which no longer counts
then: a line that it would drop is refused by name.`,
  args: Args,
  examples: [
    `- name: Runtime directory
  tmpfiles:
    name: openbao-kms
    directories:
      - path: /run/openbao-kms
        owner: root
        group: root
        mode: "2750"`,
  ],
  mayBeUnknown: [],
  resources: ({ name, directories }, context) => {
    const text = tmpfilesText(directories)
    return [
      ...vendorConfig(
        'systemd-tmpfiles',
        folder,
        {
          kind: 'tmpfiles.d',
          name: `${name}.conf`,
          text,
          // As `next_boot` asks for them: each file is read once.
          ending: '.conf',
          subject: ([type = '', path = '']) => `${type.slice(0, 1)} ${path}`,
          normal: (word, at) => (at === 2 && /^[0-7]+$/.test(word) ? word.replace(/^0+/, '') : word),
        },
        context,
      ),
      ...directories.map((directory) => directoryResource(directory)),
    ]
  },
})

/** The tmpfiles.d(5) file; the schemas leave nothing that would need quoting. */
function tmpfilesText(directories: z.output<typeof Args>['directories']): string {
  const lines = directories.map(
    ({ path, owner, group, mode }) => `d ${path} ${showMode(mode)} ${owner} ${group} -`,
  )
  return `${['# Managed by kmsfleet: changes made here are undone.', ...lines].join('\n')}\n`
}
