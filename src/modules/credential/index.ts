import * as z from 'zod'
import type { Resource } from '../../model/resource.ts'
import { KmsfleetError } from '../../errors/error.ts'
import { credentialResource } from '../../resources/credential/credential.ts'
import { contentOf } from '../../resources/file/content.ts'
import { AbsolutePath, Content, Group, Mode, Owner, Validate } from '../arguments.ts'
import { defineModule, type ModuleContext } from '../define.ts'
import { checkCredential, kinds, publicPartOf } from './check.ts'

/** Empty, as a role's default may be, says nothing. */
const Claim = z.string().optional()

const args = z
  .strictObject({
    dest: AbsolutePath,
    kind: z.enum(kinds).describe('What it is: `pin` and `client_secret` are one line, `opaque` is anything'),
    policy: z
      .enum(['managed', 'seed', 'external'])
      .default('managed')
      .describe(
        '`managed`: the content is ours. `seed`: written only where there is none or it expires. `external`: it must exist, and only owner, group and mode are ours',
      ),
    content: Content.optional(),
    owner: Owner,
    group: Group,
    mode: Mode,
    renew_before: z
      .int()
      .min(0)
      .max(315_360_000)
      .optional()
      .describe('Seconds before its expiry from which a seed is written anew, 86400 if not said'),
    issuer: Claim.describe('The `iss` that a JWT must have'),
    audience: Claim.describe('One that must be in the `aud` of a JWT'),
    subject: Claim.describe('The `sub` that a JWT must have'),
    validate: Validate.optional(),
  })
  .refine(
    ({ policy, content }) => (policy === 'external') === (content === undefined),
    'expected `content`, and none where the policy is `external`',
  )
  .refine(
    ({ policy, renew_before }) => policy === 'seed' || renew_before === undefined,
    'expected `renew_before` for the policy `seed` only',
  )
  .refine(
    ({ policy, owner }) => policy !== 'seed' || owner === 'root' || owner === '0',
    'expected a seed to be owned by root (an owner could keep it from being renewed)',
  )
  .refine(
    ({ kind, issuer, audience, subject }) => kind === 'jwt' || ![issuer, audience, subject].some(Boolean),
    'expected `issuer`, `audience` and `subject` for a `jwt` only',
  )

export const credential = defineModule({
  name: 'credential',
  summary: 'A credential with exact owner, group and mode, never replaced by one that expires earlier',
  description: `Like \`copy\`, for a token, a chain of certificates, a PIN or another secret. It is checked on the
workstation before any host is contacted: its form, that it is valid now, and whom a JWT is for. What a host has tells
by the claims of its JWT or by its certificate when it expires, if the file is root's; nothing else of it leaves the host.
A credential that expires earlier than the one on the host is refused.`,
  args,
  examples: [
    `- name: Token of the provider
  credential:
    dest: /var/lib/openbao-kms/identity.jwt
    kind: jwt
    content: "{{ identity_jwt }}"
    issuer: https://issuer.example
    audience: openbao
    owner: root
    group: openbao-kms
    mode: "0640"`,
    `- name: Chain of the client, which an agent on the host renews after the first time
  credential:
    dest: /etc/openbao-kms/client/client-chain.pem
    kind: certificate_chain
    policy: seed
    content: "{{ client_chain }}"
    renew_before: 86400
    owner: root
    group: openbao-kms
    mode: "0640"`,
    `- name: PIN that somebody else puts there
  credential:
    dest: /etc/openbao-kms/pkcs11/pin
    kind: pin
    policy: external
    owner: root
    group: openbao-kms
    mode: "0640"`,
  ],
  mayBeUnknown: [],
  resources: (written, context) => [resourceOf(written, context)],
})

const usualRenewal = 86_400

function resourceOf(written: z.infer<typeof args>, context: ModuleContext): Resource {
  const { dest, kind, policy, content: text, owner, group, mode, validate } = written
  const content = text === undefined ? undefined : contentOf(text, context)
  if (content?.is === 'unknown') {
    throw new KmsfleetError('module.arguments', `expected a credential that is known beforehand for ${dest}`)
  }
  const now = Math.floor(Date.now() / 1000)
  const renewal = written.renew_before ?? usualRenewal
  const { issuer, audience, subject } = written
  const expires =
    content?.is === 'bytes'
      ? checkCredential(kind, {
          bytes: content.payload.bytes,
          label: `the ${kind} for ${dest}`,
          now,
          // A seed that is about to expire would be written again and again.
          remaining: policy === 'seed' ? renewal : 0,
          expected: { issuer, audience, subject },
        })
      : undefined
  return credentialResource({
    path: dest,
    owner,
    group,
    mode,
    validate,
    content,
    publicPart: publicPartOf[kind],
    expires,
    keptUntil: policy === 'seed' ? now + renewal : undefined,
  })
}
