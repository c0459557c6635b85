import * as z from 'zod'
import { bootDirectoryResource } from '../../resources/next_boot/directory.ts'
import { bootUnitResource } from '../../resources/next_boot/unit.ts'
import { Group, Mode, Owner, PlainPath, UnitName } from '../arguments.ts'
import { defineModule } from '../define.ts'

const Value = z.union([z.string(), z.array(z.string())], 'expected a text, or a list of texts')

const Args = z
  .strictObject({
    directories: z
      .array(
        z.strictObject({
          path: PlainPath,
          owner: Owner,
          group: Group,
          mode: Mode,
          by_tmpfiles: z
            .boolean()
            .default(true)
            .describe(
              'Made by tmpfiles.d; `false`: by something later in the boot, which tmpfiles.d must not contradict',
            ),
        }),
      )
      .default([])
      .describe('Directories and what they shall be after the next boot'),
    units: z
      .array(
        z.strictObject({
          name: UnitName,
          settings: z
            .record(z.string().regex(/^[A-Za-z0-9-]+$/, 'expected the name of a setting'), Value)
            .describe(
              'Settings of `[Service]` with the value that shall hold, or the list of all values; empty: not set',
            ),
        }),
      )
      .default([])
      .describe('Units and what their files and drop-ins shall come to'),
  })
  .refine(
    ({ directories, units }) => directories.length + units.length > 0,
    'expected `directories` or `units`',
  )

export const nextBoot = defineModule({
  name: 'next_boot',
  summary: 'What the host will be like after its next boot',
  description: `A check, not a state: the whole of tmpfiles.d, and the files and drop-ins of units, are read and what the next
boot makes of them is computed, by the rules of systemd. A file of another name that sorts earlier, one of the same name
in a folder that goes first, a later line that adjusts, a drop-in: whatever would win is named with its line. The tool
does not fight over other people's files: where the check is not met converge fails, and says which line to remove.`,
  args: Args,
  examples: [
    `- name: The runtime directory comes back as it is
  next_boot:
    directories:
      - path: /run/openbao-kms
        owner: root
        group: root
        mode: "2750"
    units:
      - name: bao-kms-provider.service
        settings:
          User: openbao-kms
          SupplementaryGroups: [openbao-kms-socket]
          RuntimeDirectory: []`,
  ],
  mayBeUnknown: [],
  resources: ({ directories, units }) => [
    ...directories.map(({ by_tmpfiles, ...directory }) =>
      bootDirectoryResource({ ...directory, byTmpfiles: by_tmpfiles }),
    ),
    ...units.map(({ name, settings }) =>
      bootUnitResource({ unit: name, settings: new Map(Object.entries(settings)) }),
    ),
  ],
})
