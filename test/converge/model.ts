import type { Lab, LabHost } from '../lab/lab.ts'

/** What the identity model asks of each path: type, owner, group and mode. Written by hand, not taken from the role. */
export const identityModel: Readonly<Record<string, string>> = {
  '/etc/openbao-kms': 'directory root openbao-kms 0750',
  '/etc/openbao-kms/tls': 'directory root root 0755',
  '/etc/openbao-kms/credentials': 'directory root openbao-kms 0750',
  '/etc/openbao-kms/client': 'directory root openbao-kms 0750',
  '/etc/openbao-kms/pkcs11': 'directory root openbao-kms 0750',
  '/etc/openbao-kms/config.yaml': 'file root openbao-kms 0640',
  '/etc/openbao-kms/tls/ca.crt': 'file root root 0644',
  '/etc/systemd/system/bao-kms-provider.service': 'file root root 0644',
  '/etc/sysusers.d/openbao-kms.conf': 'file root root 0644',
  '/etc/tmpfiles.d/openbao-kms.conf': 'file root root 0644',
  '/usr/bin/bao-kms-provider': 'file root root 0755',
  '/var/lib/openbao-kms': 'directory openbao-kms openbao-kms 0750',
  '/var/lib/openbao-kms/state': 'directory openbao-kms openbao-kms 0750',
  '/var/lib/openbao-kms/identity.jwt': 'file root openbao-kms 0640',
  '/run/openbao-kms': 'directory openbao-kms openbao-kms-socket 2750',
}

const typeNames: Readonly<Record<string, string>> = { 'regular file': 'file', 'regular empty file': 'file' }

/** What the paths of {@link identityModel} are like on a host; an ACL shows as `+`, a path that is not there as `absent`. */
export async function modelOn(lab: Lab, host: LabHost): Promise<Record<string, string>> {
  const text = await lab.exec(
    host,
    Object.keys(identityModel)
      .map(
        (path) =>
          `stat -c '${path}|%F|%U %G %a' ${path} 2>/dev/null || echo '${path}|absent|'
           [ -z "$(getfacl -cs ${path} 2>/dev/null)" ] || echo '${path}|+|'`,
      )
      .join('\n'),
  )
  const found: Record<string, string> = {}
  for (const line of text.trim().split('\n')) {
    const [path = '', type = '', rest = ''] = line.split('|')
    const shown = `${typeNames[type] ?? type} ${rest.replace(/ (\d{3})$/, ' 0$1')}`.trim()
    found[path] = type === '+' ? `${found[path] ?? ''}+` : shown
  }
  return found
}

/** The accounts of the identity model: `user:primary:others`, and members of the two groups. */
export async function accountsOn(lab: Lab, host: LabHost): Promise<readonly string[]> {
  const text = await lab.exec(
    host,
    `id -gn openbao-kms; id -Gn openbao-kms | tr ' ' '\\n' | sort | tr '\\n' ' '; echo
     getent group openbao-kms | cut -d: -f4; getent group openbao-kms-socket | cut -d: -f4 | tr , '\\n' | sort | tr '\\n' ' '; echo
     getent passwd openbao-kms | cut -d: -f5-7`,
  )
  return text.split('\n').map((line) => line.trim())
}

export const accountsModel: readonly string[] = [
  'openbao-kms',
  'openbao-kms openbao-kms-socket',
  '',
  'kube-apiserver openbao-kms',
  'OpenBao KMS provider:/var/lib/openbao-kms:/usr/sbin/nologin',
  '',
]

/** Where the role may leave traces: its own paths, accounts and their backups, and the folders that entries came into. */
const ours: readonly RegExp[] = [
  /^\/etc$/,
  /^\/etc\/(group|gshadow|passwd|shadow)-?$/,
  /^\/etc\/(sysusers\.d|tmpfiles\.d)(\/openbao-kms\.conf)?$/,
  /^\/etc\/systemd(\/system(\/bao-kms-provider\.service|\/multi-user\.target\.wants(\/bao-kms-provider\.service)?)?)?$/,
  /^\/(etc|var\/lib|run)\/openbao-kms(\/|$)/,
  /^\/run$/,
  /^\/run\/kmsfleet(\/|$)/,
  /^\/usr(\/bin(\/bao-kms-provider)?|\/share(\/doc(\/bao-kms-provider(\/.*)?)?)?)?$/,
  /^\/var(\/lib)?$/,
  // the service's own PrivateTmp
  /^\/var\/tmp(\/systemd-private-[^/]*-bao-kms-provider\.service-.*)?$/,
]

/** Paths among `touched` that are no business of the role. */
export function strangers(touched: readonly string[]): readonly string[] {
  return touched.filter((path) => !ours.some((pattern) => pattern.test(path)))
}
