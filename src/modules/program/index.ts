import * as z from 'zod'
import { installedProgram } from '../../resources/check/program.ts'
import { AbsolutePath, Argv, Sha256 } from '../arguments.ts'
import { architectures, ForArchitecture, perMachine } from '../architecture.ts'
import { defineModule } from '../define.ts'

export const program = defineModule({
  name: 'program',
  summary: 'A program that something else installed is the right one',
  description: `A check that changes nothing: where a package or an image brings the program, its version and digest are
compared, and another one is refused before anything is changed on the host. The version is a word that the program
prints; it is run for that as an account that owns nothing.`,
  args: z
    .strictObject({
      path: AbsolutePath,
      sha256: ForArchitecture(Sha256)
        .optional()
        .describe('SHA-256 of the program, or one for each architecture'),
      version: z
        .string()
        .regex(/^[^\s,:="]{1,100}$/, 'expected one word')
        .optional()
        .describe('Word that it prints'),
      argv: Argv.default(['version']).describe('Arguments that make it print its version'),
    })
    .refine(
      ({ sha256, version }) => sha256 !== undefined || version !== undefined,
      'expected `sha256` or `version` or both',
    ),
  examples: [
    `- name: Provider of the package
  program:
    path: /usr/bin/bao-kms-provider
    version: v0.2.0
    sha256:
      amd64: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08`,
  ],
  mayBeUnknown: [],
  resources: ({ path, sha256, version, argv }) => {
    const check = (digest: string | undefined): ReturnType<typeof installedProgram> =>
      installedProgram({ path, sha256: digest, version, argv: [path, ...argv] })
    if (sha256 === undefined || typeof sha256 === 'string') return [check(sha256)]
    const variants = architectures.flatMap((architecture) => {
      const digest = sha256[architecture]
      return digest === undefined ? [] : [[architecture, check(digest)] as const]
    })
    const one = perMachine('`sha256`', new Map(variants))
    return one === undefined ? [] : [one]
  },
})
