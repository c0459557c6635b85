import * as z from 'zod'
import { accessActions } from '../model/access.ts'
import { oneOrMore } from './keywords.ts'

/* `access.yml` of a role, and `access_matrix` of an inventory: who acts on a host, on what, and what each must and must not. */

const Text = z.string().trim().min(1)

const Condition = z
  .string()
  .min(1)
  .refine((text) => !/\{\{|\{%/.test(text), 'expected a bare expression, which needs no {{ }},')

const Name = z
  .string()
  .regex(/^[a-z][a-z0-9 _-]*$/, 'expected a name of small letters, digits, blanks, dashes and underscores')

/** An account name, a number or a template that gives one. */
const Account = z.union([Text, z.int().min(0)])

const Pod = z.strictObject({
  namespace: Text.default('kube-system'),
  name: Text,
  container: Text.optional(),
  manifest: Text.describe('Path of its manifest on the host'),
})

const Actor = z.strictObject({
  name: Name,
  description: Text,
  when: Condition.optional(),
  unit: Text.optional().describe('The unit whose main process it is'),
  pod: Pod.optional().describe('The static pod whose process it is'),
  user: Account.describe('The account that it runs as'),
  group: Account.optional().describe('Its primary group, where that is not the one of the account'),
  groups: z
    .array(Account)
    .optional()
    .describe('All groups that it may be in, the primary one too; absent: those of the account'),
  capabilities: z
    .enum(['none', 'any'])
    .default('none')
    .describe('`none`: a capability that its process has is a violation'),
})

const ObjectEntry = z.union([
  Text.transform((path) => ({ path, when: undefined })),
  z.strictObject({ path: Text, when: Condition.optional() }),
  z.strictObject({
    named_in: Text.describe('YAML file on the host that names them'),
    keys: z.array(Text).min(1).describe('Where in it, such as `auth.jwt.jwtFile`'),
    when: Condition.optional(),
  }),
  z.strictObject({
    others_in: Text.describe('All that stands in this directory and that nothing else in the matrix names'),
    when: Condition.optional(),
  }),
])

const Rule = z
  .strictObject({
    actor: oneOrMore(Name),
    must: oneOrMore(z.enum(accessActions)).optional(),
    must_not: oneOrMore(z.enum(accessActions)).optional(),
    objects: oneOrMore(Text).describe('Paths, or names under `objects`; for `signal`, actors'),
    when: Condition.optional(),
    not_enforceable: z
      .strictObject({ when: Condition, because: Text })
      .optional()
      .describe('Where the shape of a host cannot keep it, and why'),
    because: Text,
    source: Text.describe('Where the specification says so'),
  })
  .refine(
    ({ must, must_not: mustNot }) => (must === undefined) !== (mustNot === undefined),
    'expected either `must` or `must_not`',
  )

const KmsSocket = z.strictObject({
  path: Text,
  when: Condition.optional(),
  held_by: Name.describe('The actor whose process listens there'),
  used_by: Name.describe('The actor that it is for: Status, Encrypt and Decrypt are asked with its identity'),
  group: Account.describe('The group of the socket file; its owner is the account of `held_by`'),
  mode: z.string().regex(/^0?[0-7]{3}$/, 'expected a mode such as "0660"'),
  same_key_in: Text.optional().describe(
    'Hosts that say the same here are one cluster, and must report one key id',
  ),
  program: Text.optional().describe(
    'The program of `held_by` on the host, which can say what it finds itself',
  ),
  configuration: Text.optional().describe('The configuration that it is to read then'),
  doctor: z
    .array(
      z
        .strictObject({ id: Text, when: Condition.optional() })
        .or(Text.transform((id) => ({ id, when: undefined }))),
    )
    .default([])
    .describe('Checks of its `doctor` that must have passed; one that is absent or skipped has not'),
  because: Text,
  source: Text.describe('Where the specification says so'),
})

/** Who is judged by what it left: nothing of what kmsfleet puts somewhere on its way stays in these directories. */
const LeftBehind = z.strictObject({ actor: Text, folders: z.array(Text).min(1), because: Text, source: Text })

/** What no look at a host can prove, said with every report. */
const Outside = z.strictObject({ actor: Text, statement: Text, source: Text })

export const AccessKeywords = z.strictObject({
  actors: z.array(Actor).default([]),
  objects: z.record(Name, z.array(ObjectEntry).min(1)).default({}),
  rules: z.array(Rule).default([]),
  kms_sockets: z.array(KmsSocket).default([]),
  left_behind: z.array(LeftBehind).default([]),
  outside: z.array(Outside).default([]),
})
export type AccessKeywords = z.infer<typeof AccessKeywords>
export type AccessActor = AccessKeywords['actors'][number]
export type AccessObject = AccessKeywords['objects'][string][number]
export type AccessRule = AccessKeywords['rules'][number]
