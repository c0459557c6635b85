import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What differs between the hosts of a lab. */
export const variants = ['plain', 'noisy', 'sudo', 'sudo-password', 'bash-sh', 'rousr', 'busybox'] as const
export type Variant = (typeof variants)[number]

/** The login user of a variant; every other than root becomes root by sudo. */
export const loginUser = (variant: Variant): 'root' | 'ops' =>
  variant === 'sudo' || variant === 'sudo-password' ? 'ops' : 'root'

/** A file or symbolic link that lies over the shared root filesystem; folders on the way are made 0755 and root's. */
export interface Overlaid {
  readonly path: string
  readonly mode?: number
  readonly uid?: number
  readonly gid?: number
  readonly text?: string
  readonly link?: string
}

/** uid and gid of `ops`. */
const ops = 1000
/** gid of `shadow` on Debian. */
const shadow = 42

/** What a variant lays over the base; `password` is the crypt(3) hash of the password of `ops`. */
export function variantFiles(
  variant: Variant,
  base: string,
  authorizedKey: string,
  password: string,
): Overlaid[] {
  switch (variant) {
    case 'plain':
    case 'rousr':
    case 'busybox':
      return [rootKey(authorizedKey)]
    case 'bash-sh':
      return [rootKey(authorizedKey), { path: 'usr/bin/sh', link: 'bash' }]
    case 'noisy':
      return [
        rootKey(authorizedKey),
        { path: 'root/.bashrc', text: noisyLogin },
        { path: 'root/.noise', text: 'printf "noise of BASH_ENV"\n' },
        { path: 'root/evil/stat', mode: 0o755, text: '#!/bin/sh\necho stat >>/root/hijacked\nexit 1\n' },
      ]
    case 'sudo':
      return [...opsFiles(base, authorizedKey, '!'), sudoRule('ops ALL=(ALL) NOPASSWD: ALL\n')]
    case 'sudo-password':
      return [...opsFiles(base, authorizedKey, password), sudoRule('ops ALL=(ALL) ALL\n')]
  }
}

/** nspawn's own arguments of a variant. */
export function variantArguments(variant: Variant): readonly string[] {
  return variant === 'rousr' ? ['--bind-ro=+/usr:/usr'] : []
}

const rootKey = (key: string): Overlaid => ({ path: 'root/.ssh/authorized_keys', mode: 0o600, text: key })
const sudoRule = (text: string): Overlaid => ({ path: 'etc/sudoers.d/ops', mode: 0o440, text })

function opsFiles(base: string, key: string, password: string): Overlaid[] {
  const extended = (name: string, line: string): string =>
    `${readFileSync(join(base, 'etc', name), 'utf8')}${line}\n`
  return [
    {
      path: 'etc/passwd',
      text: extended('passwd', `ops:x:${String(ops)}:${String(ops)}::/home/ops:/bin/bash`),
    },
    { path: 'etc/group', text: extended('group', `ops:x:${String(ops)}:`) },
    {
      path: 'etc/shadow',
      mode: 0o640,
      gid: shadow,
      text: extended('shadow', `ops:${password}:20000:0:99999:7:::`),
    },
    { path: 'home/ops/.ssh/authorized_keys', mode: 0o600, uid: ops, gid: ops, text: key },
  ]
}

/**
 * What bash reads before the command that sshd gives it. It stays within what login files really do; what it takes
 * from stdin within its short wait is lost to the command. Whoever lets it have its way finds /root/hijacked on the host.
 */
const noisyLogin = `printf 'welcome, no newline here'
export LC_ALL=tr_TR.UTF-8
export PATH=/root/evil:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export BASH_ENV=/root/.noise
export ENV=/root/.noise
chown() { echo chown >>/root/hijacked; }
export -f chown
read -r -t 0.2 swallowed
`
