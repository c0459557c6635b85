import * as z from 'zod'

/** Keywords of a task beside its module. */
export const taskKeywords: ReadonlySet<string> = new Set([
  'name',
  'when',
  'loop',
  'notify',
  'register',
  'tags',
])

function oneOrMore<T>(item: z.ZodType<T>): z.ZodType<readonly T[]> {
  return z.union([item, z.array(item)]).transform((value) => (Array.isArray(value) ? value : [value]))
}

/** `always` and `never` would silently mean nothing. */
const Tag = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.:-]*$/, 'expected a tag of letters, digits, dots, dashes and underscores')
  .refine(
    (tag) => tag !== 'always' && tag !== 'never',
    'expected a tag of your own (`always` and `never` have no meaning here)',
  )

export const Tags = oneOrMore(Tag)

const Condition = z
  .union([z.string().min(1), z.boolean().transform(String)])
  .refine((text) => !/\{\{|\{%/.test(text), 'expected a bare expression, which needs no {{ }},')

const Loop = z.union([
  z.array(z.unknown()),
  z.string().refine((text) => text.includes('{{'), 'expected a list, or a template that gives one'),
])

const RegisterName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected a variable name')

const Name = z.string().trim().min(1)

export const TaskKeywords = z.strictObject({
  name: Name.optional(),
  when: oneOrMore(Condition).optional(),
  loop: Loop.optional(),
  notify: oneOrMore(Name).optional(),
  register: RegisterName.optional(),
  tags: Tags.optional(),
})

/** A list of tasks or handlers; what stands in each is looked at one by one. */
export const TaskList = z.array(z.record(z.string(), z.unknown())).nullable()

export const Vars = z.record(z.string(), z.unknown()).nullable()

const percentForm = /^([1-9]|[1-9]\d|100)%$/

const Batch = z.union([
  z.int().min(1),
  z.custom<`${number}%`>((value) => typeof value === 'string' && percentForm.test(value), {
    error: 'expected a share such as "30%"',
  }),
])

const roleName = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/
const RoleName = z
  .string()
  .regex(roleName, 'expected the name of a role, not a path,')
  .refine((name) => !name.includes('..'), 'expected the name of a role')

const RoleEntry = z.union([
  RoleName.transform((role) => ({ role, vars: null, tags: undefined })),
  z.strictObject({ role: RoleName, vars: Vars.default(null), tags: Tags.optional() }),
])

const HostPattern = z
  .string()
  .min(1)
  .refine((text) => !text.includes('{{'), 'expected a plain host pattern (narrow it with --limit)')

const Secrets = z.record(z.string(), z.strictObject({ file: z.string().min(1) })).nullable()

export const PlayKeywords = z.strictObject({
  name: Name.optional(),
  hosts: oneOrMore(HostPattern),
  vars: Vars.default(null),
  secrets: Secrets.default(null),
  roles: z.array(RoleEntry).nullable().default(null),
  tasks: TaskList.default(null),
  handlers: TaskList.default(null),
  serial: oneOrMore(Batch).optional(),
  max_fail_percentage: z.number().min(0).max(100).optional(),
  any_errors_fatal: z.boolean().default(false),
  tags: Tags.optional(),
})
export type PlayKeywords = z.infer<typeof PlayKeywords>

export const PlayList = z.array(z.record(z.string(), z.unknown())).min(1)
