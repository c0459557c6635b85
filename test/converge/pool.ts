import type { Lab, LabHost } from '../lab/lab.ts'

/** Hosts of a lab that cases borrow, so that many of them run at once and none meets another. */
export interface HostPool {
  /** Waits for a free host, does the work, and gives the host back bare. */
  use<T>(work: (host: LabHost) => Promise<T>): Promise<T>
}

export async function createPool(lab: Lab): Promise<HostPool> {
  await Promise.all(lab.hosts.map((host) => lab.exec(host, prepare)))
  const free = [...lab.hosts]
  const waiting: ((host: LabHost) => void)[] = []
  const giveBack = (host: LabHost): void => {
    const next = waiting.shift()
    if (next === undefined) free.push(host)
    else next(host)
  }
  return {
    async use(work) {
      const host = free.pop() ?? (await new Promise<LabHost>((resolve) => waiting.push(resolve)))
      try {
        return await work(host)
      } finally {
        await lab.exec(host, bare)
        giveBack(host)
      }
    },
  }
}

/** A login writes /run/motd.dynamic; without it nothing but kmsfleet writes there. What lies in /srv must never move. */
const prepare = `
  sed -i '/pam_motd/d' /etc/pam.d/sshd
  mkdir /root/accounts && cp -a /etc/passwd /etc/group /etc/shadow /etc/gshadow /root/accounts/
  mkdir -p /srv/outside/directory
  echo sentinel >/srv/outside/file
  chmod 0751 /srv/outside/directory
  chmod 0604 /srv/outside/file`

/** Undoes what the role and the cases do. */
const bare = `
  systemctl disable --now bao-kms-provider 2>/dev/null || :
  for place in /etc/openbao-kms /var/lib/openbao-kms /run/openbao-kms; do umount -l $place 2>/dev/null || :; done
  for tool in /usr/sbin/*.away /usr/bin/*.away; do [ ! -e $tool ] || mv $tool \${tool%.away}; done
  if [ -L /usr/share/doc ]; then rm /usr/share/doc; mv /srv/doc /usr/share/doc; fi
  rm -rf /etc/openbao-kms /var/lib/openbao-kms /run/openbao-kms /usr/share/doc/bao-kms-provider /usr/bin/bao-kms-provider \\
    /etc/sysusers.d /etc/tmpfiles.d/openbao-kms.conf /etc/systemd/system/bao-kms-provider.service* /run/kmsfleet \\
    /run/systemd/system/bao-kms-provider.service* /run/systemd/system/made-x.service /srv/made* /opt/made*
  cp -a /root/accounts/* /etc/
  systemctl daemon-reload
  systemctl reset-failed`
