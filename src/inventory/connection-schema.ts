import { isIP } from 'node:net'
import * as z from 'zod'

const plainName = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/

/** Nothing that begins with a dash, or could, is handed on to `ssh`. Templates are not rendered here. */
const Address = z
  .string()
  .refine(
    (text) => isIP(text) !== 0 || (plainName.test(text) && !text.includes('..')),
    'expected a host name or address',
  )

const User = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9._@+\\-]*$/, 'expected an account name')

const Port = z.int().min(1).max(65_535)

const Path = z
  .string()
  .min(1)
  .refine(
    (text) => !text.includes('{{') && !text.includes('\0'),
    'expected a plain path (relative ones start at the file that sets them)',
  )

const jumpForm = /^(?:([^@]+)@)?(?:\[([^\]]+)\]|([^:@[\]]+))(?::(\d{1,5}))?$/

const Jump = z.string().transform((text, context) => {
  const [, user, bracketed, plain, port] = jumpForm.exec(text) ?? []
  const parsed = z
    .object({ user: User.optional(), address: Address, port: Port.optional() })
    .safeParse({ user, address: bracketed ?? plain, port: port === undefined ? undefined : Number(port) })
  if (parsed.success) return parsed.data
  context.addIssue({ code: 'custom', message: 'expected one jump host as user@host:port' })
  return z.NEVER
})

/** An OpenSSH public key line without host pattern. The blob repeats the type, so that a typing error shows. */
const HostKey = z.string().refine((line) => {
  const [type = '', blob = ''] = line.split(' ')
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(blob)) return false
  const bytes = Buffer.from(blob, 'base64')
  return bytes.length > 4 && bytes.subarray(4, 4 + bytes.readUInt32BE(0)).toString('latin1') === type
}, 'expected a public key line such as `ssh-ed25519 AAAA…`')

const settings = {
  ansible_host: Address,
  ansible_port: Port,
  ansible_user: User,
  ansible_ssh_private_key_file: Path,
  ansible_ssh_known_hosts_file: Path,
  ansible_ssh_host_keys: z.array(HostKey).min(1),
  ansible_ssh_proxy_jump: Jump,
  ansible_ssh_timeout: z.int().min(1).max(3600),
  ansible_become: z.boolean(),
  ansible_become_method: z.literal('sudo'),
  ansible_become_user: z.literal('root'),
}

/** The connection variables of an inventory. */
export const InventorySettings = z
  .object({
    ...settings,
    ansible_connection: z.literal('ssh', {
      error: 'expected ssh (local is chosen with --connection local on the command line only)',
    }),
  })
  .partial()

/** From `--extra-vars`: the operator's own words, so `local` may be among them. */
export const CommandLineSettings = z
  .object({ ...settings, ansible_connection: z.enum(['ssh', 'local']) })
  .partial()
export type CommandLineSettings = z.infer<typeof CommandLineSettings>
