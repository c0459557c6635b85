import * as z from 'zod'
import { orders } from './order.ts'
import { Secrets } from './secrets.ts'

export function oneOrMore<T, Input>(item: z.ZodType<T, Input>): z.ZodType<readonly T[], Input | Input[]> {
  return z.union([item, z.array(item)]).transform((value) => (Array.isArray(value) ? value : [value]))
}

const Tag = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.:-]*$/, 'expected a tag of letters, digits, dots, dashes and underscores')
  .refine(
    (tag) => !reservedTags.has(tag),
    'expected a tag of your own (`all`, `tagged` and `untagged` are words of --tags)',
  )

/** Words of `--tags` and `--skip-tags` that no task may have for its own; `always` and `never` are for tasks. */
export const reservedTags: ReadonlySet<string> = new Set(['all', 'tagged', 'untagged'])

const Tags = oneOrMore(Tag)

const Condition = z
  .union([z.string().min(1), z.boolean().transform(String)])
  .refine((text) => !/\{\{|\{%/.test(text), 'expected a bare expression, which needs no {{ }},')

const Loop = z.union([
  z.array(z.unknown()),
  z.string().refine((text) => text.includes('{{'), 'expected a list, or a template that gives one'),
])

const RegisterName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected a variable name')

const Name = z.string().trim().min(1)

export const Vars = z.record(z.string(), z.unknown()).nullable()

/** Keywords that a block or an import hands down to what stands in it. */
const shared = {
  name: Name.optional(),
  when: oneOrMore(Condition).optional(),
  notify: oneOrMore(Name).optional(),
  tags: Tags.optional(),
  vars: Vars.default(null),
  run_once: z.boolean().optional(),
  throttle: z.int().min(1).optional(),
}

/** Keywords of a task beside its module. */
export const TaskKeywords = z.strictObject({
  ...shared,
  loop: Loop.optional(),
  register: RegisterName.optional(),
  until: oneOrMore(Condition).optional(),
  retries: z.int().min(1).max(1000).optional(),
  delay: z.number().min(0).max(3600).optional(),
  due: z.string().optional(),
})
export const taskKeywords: ReadonlySet<string> = new Set(Object.keys(TaskKeywords.shape))

export const HandlerKeywords = TaskKeywords.extend({ listen: oneOrMore(Name).optional() })
export type TaskWords = z.infer<typeof HandlerKeywords>
export const handlerKeywords: ReadonlySet<string> = new Set(Object.keys(HandlerKeywords.shape))

/** A list of tasks or handlers; what stands in each is looked at one by one. */
export const TaskList = z.array(z.record(z.string(), z.unknown())).nullable()

export const BlockKeywords = z.strictObject({
  ...shared,
  block: z.array(z.record(z.string(), z.unknown())).min(1),
})

const TaskFile = z
  .string()
  .min(1)
  .refine(
    (file) => !file.includes('{{'),
    'expected a plain file name (imports are read before any host is known)',
  )

export const ImportTasksKeywords = z.strictObject({
  ...shared,
  import_tasks: z.union([TaskFile, z.strictObject({ file: TaskFile }).transform(({ file }) => file)]),
})

const roleName = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/
const RoleName = z
  .string()
  .regex(roleName, 'expected the name of a role, not a path,')
  .refine((name) => !name.includes('..'), 'expected the name of a role')

export const ImportRoleKeywords = z.strictObject({
  ...shared,
  import_role: z.strictObject({ name: RoleName, tasks_from: TaskFile.optional() }),
})

/** What an entry of a list is that is no task. */
export const blockWords: ReadonlySet<string> = new Set([
  'block',
  'rescue',
  'always',
  'import_tasks',
  'import_role',
  'meta',
])

export const MetaKeywords = z.strictObject({ name: Name.optional(), meta: z.literal('flush_handlers') })

/** An entry under `roles` of a play, or under `dependencies` of a role. */
const RoleEntry = z.union([
  RoleName.transform((role) => ({ role, vars: null, tags: undefined, when: undefined })),
  z.strictObject({ role: RoleName, vars: shared.vars, tags: shared.tags, when: shared.when }),
])
export type RoleEntry = z.infer<typeof RoleEntry>

/** `meta/main.yml` of a role. What Galaxy reads is left to Galaxy. */
export const RoleMetaKeywords = z
  .strictObject({
    dependencies: z.array(RoleEntry).nullable().default(null),
    allow_duplicates: z.boolean().default(false),
    galaxy_info: z.unknown().optional(),
  })
  .nullable()

const percentForm = /^([1-9]|[1-9]\d|100)%$/

const Batch = z.union([
  z.int().min(1),
  z.custom<`${number}%`>((value) => typeof value === 'string' && percentForm.test(value), {
    error: 'expected a share such as "30%"',
  }),
])

const HostPattern = z
  .string()
  .min(1)
  .refine((text) => !text.includes('{{'), 'expected a plain host pattern (narrow it with --limit)')

const VarsFile = z
  .string()
  .min(1)
  .refine(
    (file) => !file.includes('{{'),
    'expected a plain file name (what differs between hosts belongs into group_vars)',
  )

const secondsOf: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 }

/** A length of time such as `30s`, `5m` or `1h`; as a number it is in seconds. */
const Duration = z.union([
  z.int().min(0).max(86_400),
  z
    .string()
    .regex(/^\d{1,5}[smh]$/, 'expected a time such as "30s", "5m" or "1h"')
    .transform((text) => Number(text.slice(0, -1)) * (secondsOf[text.slice(-1)] ?? 1)),
])

export const PlayKeywords = z.strictObject({
  name: Name.optional(),
  hosts: oneOrMore(HostPattern),
  // Nothing is ever gathered, so this one value says what is so.
  gather_facts: z.literal(false).optional(),
  vars: Vars.default(null),
  vars_files: oneOrMore(VarsFile).nullable().default(null),
  secrets: Secrets.default(null),
  seed_from: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Host of the same cluster that gives a new host what only a peer has; --limit does not hold for it',
    ),
  pre_tasks: TaskList.default(null),
  roles: z.array(RoleEntry).nullable().default(null),
  tasks: TaskList.default(null),
  post_tasks: TaskList.default(null),
  handlers: TaskList.default(null),
  serial: oneOrMore(Batch).optional(),
  max_fail_percentage: z.number().min(0).max(100).optional(),
  any_errors_fatal: z.boolean().default(false),
  order: z.enum(orders).default('inventory'),
  pause: Duration.default(0),
  tags: Tags.optional(),
})
export type PlayKeywords = z.infer<typeof PlayKeywords>

export const PlayList = z.array(z.record(z.string(), z.unknown())).min(1)
