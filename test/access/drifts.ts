/** What one command tells of a drift; absent where it must tell nothing. */
export interface Told {
  /** Each of these stands in a line of its own. */
  readonly says: readonly RegExp[]
  /** What may be told beside it, since it follows from it. */
  readonly follows?: readonly RegExp[]
}

export interface Drift {
  /** Its number in the catalogue of drifts; one may be made in several ways. */
  readonly number: number
  readonly title: string
  readonly severity: 'critical' | 'high' | 'medium' | 'low'
  readonly shape: 'systemd' | 'static pod'
  /** Script that makes it, as root on a converged host. */
  readonly make: string
  /** What it is made with in place of the real thing. */
  readonly substitute?: string
  readonly plan?: Told
  readonly verify?: Told
  /** Converge mends it, or a person must: with this script. */
  readonly mends: 'converge' | { readonly person: string }
  /** What neither command can see of it. */
  readonly unseen?: string
}

const state = '/var/lib/openbao-kms'
const registry = `${state}/state/key-registry.json`
const jwt = `${state}/identity.jwt`
const etc = '/etc/openbao-kms'
const config = `${etc}/config.yaml`
const run = '/run/openbao-kms'
const socket = `${run}/kms.sock`
const unit = '/etc/systemd/system/bao-kms-provider.service'
const dropIn = `${unit}.d`
export const encryption = '/etc/kubernetes/openbao-kms/encryption-config.yaml'
const manifests = '/etc/kubernetes/manifests'
const providerPod = `${manifests}/bao-kms-provider.yaml`
const apiServerPod = `${manifests}/kube-apiserver.yaml`

const drop = (setting: string): string =>
  `install -d ${dropIn}; printf '[Service]\\n${setting}\\n' >${dropIn}/drift.conf; systemctl daemon-reload`
const undrop = `rm -r ${dropIn}; systemctl daemon-reload`
/** A token with these claims, in the place of the right one and not of its owner and mode. */
const token = (claims: string): string =>
  `part() { printf %s "$1" | base64 -w0 | tr '+/' '-_' | tr -d =; }
   printf %s "$(part '{"alg":"EdDSA"}').$(part '${claims}').forged" >/root/drift; cat /root/drift >${jwt}; rm /root/drift`
const edit = (manifest: string, script: string): string =>
  `cp -p ${manifest} /root/drift.yaml; sed ${script} -i ${manifest}`
const back = (manifest: string): string => `cp -p /root/drift.yaml ${manifest}; rm /root/drift.yaml`
const ids = (file: string): string => `cp -p ${file} /root/drift.ids`
const idsBack = (file: string): string => `cat /root/drift.ids >${file}; rm /root/drift.ids`

/** What others than root can write is not believed, and so not read. */
const notBelieved = [
  /it tells which files it names: it cannot be read/,
  /it is the configuration of the provider: /,
  /it is no token, or others than root can write it/,
  /the configuration of the provider is not known/,
]
/** The stand-in for kubelet starts no pod whose mounts have another path inside than outside. */
const podDown = [
  /its process runs: nothing runs/,
  /kube-apiserver connect .*: nothing is there/,
  /kms.sock, (a process of provider listens there|it is a socket of .*|it answers .*): /,
]
const otherIdentity = [/it runs as /, /will be the same when it is started next/]

export const drifts: readonly Drift[] = [
  {
    ...{ number: 1, title: 'a person in the group of the provider', severity: 'critical', shape: 'systemd' },
    make: 'useradd alice; usermod -aG openbao-kms alice',
    plan: { says: [/^membership:openbao-kms members alice, openbao-kms -> openbao-kms/] },
    verify: { says: [/openbao-kms, nobody but openbao-kms is in it: alice is, and reads all credentials/] },
    mends: 'converge',
  },
  {
    ...{ number: 1, title: 'a person with it as the primary group', severity: 'critical', shape: 'systemd' },
    make: 'useradd -g openbao-kms bob',
    plan: { says: [/expected bob not to belong to the group openbao-kms/] },
    verify: { says: [/openbao-kms, nobody but openbao-kms is in it: bob is, by its primary group/] },
    mends: { person: 'userdel bob' },
  },
  {
    ...{ number: 2, title: "the API server's user in that group", severity: 'critical', shape: 'systemd' },
    make: 'usermod -aG openbao-kms kube-apiserver',
    plan: { says: [/^membership:openbao-kms members kube-apiserver, openbao-kms -> openbao-kms/] },
    verify: {
      says: [
        /kube-apiserver is, and reads all credentials/,
        /by kube-apiserver.service: also in group openbao-kms/,
      ],
      follows: otherIdentity,
    },
    mends: 'converge',
  },
  {
    ...{ number: 3, title: "it as the API server's primary group", severity: 'critical', shape: 'systemd' },
    make: 'usermod -g openbao-kms kube-apiserver',
    plan: {
      says: [/expected kube-apiserver, as which the API server runs, to have a primary group of its own/],
      follows: [/expected kube-apiserver not to belong to the group openbao-kms/],
    },
    verify: { says: [/kube-apiserver is, by its primary group, and reads all/], follows: otherIdentity },
    mends: { person: 'usermod -g kube-apiserver kube-apiserver' },
  },
  {
    ...{
      number: 3,
      title: 'the provider in the group of the API server',
      severity: 'critical',
      shape: 'systemd',
    },
    make: drop('Group=kube-apiserver'),
    plan: {
      says: [/^next-boot:bao-kms-provider.service Group kube-apiserver .*drift.conf:2\) -> openbao-kms/],
    },
    verify: { says: [/primary group kube-apiserver instead of openbao-kms/] },
    mends: { person: undrop },
  },
  {
    ...{ number: 4, title: 'an ACL that opens the token', severity: 'critical', shape: 'systemd' },
    make: `setfacl -m u:kube-apiserver:x ${state}; setfacl -m u:kube-apiserver:r ${jwt}`,
    plan: {
      says: [/^file:.*identity.jwt acl user:[0-9]+:r-- -> none/, /^directory:.* acl user:[0-9]+:--x -> none/],
    },
    verify: { says: [/kube-apiserver read .*identity.jwt: kube-apiserver can read it, since its ACL/] },
    mends: 'converge',
  },
  {
    ...{
      number: 5,
      title: 'a default ACL on the directory of credentials',
      severity: 'high',
      shape: 'systemd',
    },
    make: `setfacl -d -m u:kube-apiserver:r ${etc}/credentials`,
    plan: { says: [/^directory:\/etc\/openbao-kms\/credentials acl default:.*user:[0-9]+:r--.* -> none/] },
    mends: 'converge',
    unseen: 'verify proves what is there now; what a file made later would inherit is told by plan',
  },
  {
    ...{
      number: 6,
      title: 'the runtime directory writable by its group',
      severity: 'critical',
      shape: 'systemd',
    },
    make: `chmod 2770 ${run}`,
    plan: { says: [/^directory:\/run\/openbao-kms mode 2770 -> 2750/] },
    verify: {
      says: [
        /kube-apiserver can make files in it/,
        /kube-apiserver can replace it/,
        /openbao-kms, .*: its mode is 2770/,
      ],
    },
    mends: 'converge',
  },
  {
    ...{ number: 7, title: 'the runtime directory without setgid', severity: 'medium', shape: 'systemd' },
    make: `chmod 00750 ${run}`,
    plan: { says: [/^directory:\/run\/openbao-kms mode 0750 -> 2750/] },
    verify: { says: [/openbao-kms, .*: its mode is 0750/] },
    mends: 'converge',
  },
  {
    ...{ number: 8, title: 'the runtime directory open to all', severity: 'high', shape: 'systemd' },
    make: `chmod 2755 ${run}`,
    plan: { says: [/^directory:\/run\/openbao-kms mode 2755 -> 2750/] },
    verify: { says: [/openbao-kms, .*: its mode is 2755/] },
    mends: 'converge',
  },
  {
    ...{
      number: 9,
      title: "the runtime directory of the provider's group",
      severity: 'high',
      shape: 'systemd',
    },
    make: `chgrp openbao-kms ${run}; chmod 2750 ${run}`,
    plan: { says: [/^directory:\/run\/openbao-kms group openbao-kms -> openbao-kms-socket/] },
    verify: {
      says: [
        /kube-apiserver connect .*kms.sock: kube-apiserver cannot connect to it: EACCES/,
        /openbao-kms, .*: its gid is [0-9]+ \(openbao-kms\) instead of/,
      ],
    },
    mends: 'converge',
  },
  {
    ...{ number: 10, title: 'a socket for everybody', severity: 'critical', shape: 'systemd' },
    make: `chmod 0666 ${socket}`,
    verify: { says: [/kms.sock, it is a socket of .* with mode 0660: found .* with mode 0666/] },
    mends: { person: `chmod 0660 ${socket}` },
    unseen:
      'plan knows the directory of the socket and no mode of the socket, which the provider sets at its start',
  },
  {
    ...{ number: 11, title: 'a socket that its group cannot write to', severity: 'high', shape: 'systemd' },
    make: `chmod 0640 ${socket}`,
    plan: { says: [/^reach:.*kms.sock as kube-apiserver reachable as kube-apiserver no: permission denied/] },
    verify: {
      says: [
        /kube-apiserver cannot connect to it: EACCES/,
        /kms.sock, it is a socket of .* with mode 0660: found .* with mode 0640/,
      ],
    },
    mends: { person: `chmod 0660 ${socket}` },
  },
  {
    ...{ number: 12, title: 'a configuration that all can read', severity: 'high', shape: 'systemd' },
    make: `chmod 0644 ${config}`,
    plan: { says: [/^file:.*config.yaml mode 0644 -> 0640/] },
    verify: { says: [/config.yaml, root alone writes it, and not all read it: its mode is 0644/] },
    mends: 'converge',
  },
  {
    ...{ number: 12, title: 'a configuration that the provider owns', severity: 'medium', shape: 'systemd' },
    make: `chown openbao-kms ${config}`,
    plan: { says: [/^file:.*config.yaml owner openbao-kms -> root/] },
    verify: {
      says: [/config.yaml, root alone writes it.*: its uid is [0-9]+ \(openbao-kms\) instead of 0/],
      follows: notBelieved,
    },
    mends: 'converge',
  },
  {
    ...{ number: 13, title: 'a token that the provider owns', severity: 'medium', shape: 'systemd' },
    make: `chown openbao-kms:openbao-kms ${jwt}; chmod 0600 ${jwt}`,
    plan: {
      says: [/^file:.*identity.jwt owner openbao-kms -> root/, /^file:.*identity.jwt mode 0600 -> 0640/],
    },
    verify: {
      says: [/identity.jwt, root alone writes it.*: its uid is [0-9]+ \(openbao-kms\) instead of 0/],
      follows: notBelieved,
    },
    mends: 'converge',
  },
  {
    ...{
      number: 14,
      title: 'a token that its group can write and all can read',
      severity: 'critical',
      shape: 'systemd',
    },
    make: `chmod 0664 ${jwt}`,
    plan: { says: [/^file:.*identity.jwt mode 0664 -> 0640/] },
    verify: { says: [/identity.jwt, root alone writes it.*: its mode is 0664/], follows: notBelieved },
    mends: 'converge',
  },
  {
    ...{ number: 15, title: 'an authority that all can write', severity: 'high', shape: 'systemd' },
    make: `chmod 0666 ${etc}/tls/ca.crt`,
    plan: { says: [/^file:.*ca.crt mode 0666 -> 0644/] },
    verify: { says: [/ca.crt, root alone writes it: its mode is 0666/], follows: notBelieved },
    mends: 'converge',
  },
  {
    ...{ number: 15, title: 'an authority that the provider owns', severity: 'high', shape: 'systemd' },
    make: `chown openbao-kms ${etc}/tls/ca.crt`,
    plan: { says: [/^file:.*ca.crt owner openbao-kms -> root/] },
    verify: {
      says: [/ca.crt, root alone writes it: its uid is [0-9]+ \(openbao-kms\) instead of 0/],
      follows: notBelieved,
    },
    mends: 'converge',
  },
  {
    ...{
      number: 16,
      title: 'a configuration directory that the provider cannot enter',
      severity: 'high',
      shape: 'systemd',
    },
    make: `chgrp root ${etc}`,
    plan: { says: [/^directory:\/etc\/openbao-kms group root -> openbao-kms/] },
    verify: {
      says: [/provider read .*config.yaml: provider cannot read it: EACCES/, /provider read .*ca.crt/],
    },
    mends: 'converge',
  },
  {
    ...{ number: 17, title: 'a link in the place of the token', severity: 'high', shape: 'systemd' },
    make: `mv ${jwt} /root/drift.jwt; ln -s /root/drift.jwt ${jwt}`,
    plan: {
      says: [/expected .*identity.jwt to be a regular file, found a symbolic link to \/root\/drift.jwt/],
    },
    verify: {
      says: [
        /identity.jwt, no symbolic link is on the way to it: .* is a symbolic link to \/root\/drift.jwt/,
      ],
      follows: [
        /provider (read|write|replace) .*identity.jwt/,
        /kube-apiserver (read|write|replace) .*identity.jwt/,
      ],
    },
    mends: { person: `rm ${jwt}; mv /root/drift.jwt ${jwt}` },
  },
  {
    ...{
      number: 17,
      title: 'a link in the place of the state directory',
      severity: 'high',
      shape: 'systemd',
    },
    make: `mv ${state}/state /root/drift.state; ln -s /root/drift.state ${state}/state`,
    plan: { says: [/expected .*state to be a directory, found a symbolic link/], follows: [/./] },
    verify: {
      says: [/state, no symbolic link is on the way to it: /],
      follows: [/openbao-kms\/state/],
    },
    mends: { person: `rm ${state}/state; mv /root/drift.state ${state}/state` },
  },
  {
    ...{ number: 18, title: 'a hard link to the token elsewhere', severity: 'medium', shape: 'systemd' },
    make: `ln ${jwt} ${state}/state/drift`,
    verify: { says: [/identity.jwt, it has no other name on the host: it has another name \(hard links\)/] },
    mends: { person: `rm ${state}/state/drift` },
    unseen: 'plan compares owner, mode and content, and counts no names',
  },
  {
    ...{
      number: 19,
      title: 'a state directory that its group can write',
      severity: 'high',
      shape: 'systemd',
    },
    make: `chmod 0770 ${state}/state`,
    plan: { says: [/^directory:.*state mode 0770 -> 0750/] },
    mends: 'converge',
    unseen: 'verify: nobody but the provider is in that group, and if somebody were that would be told',
  },
  {
    ...{ number: 19, title: "a state directory of root's", severity: 'high', shape: 'systemd' },
    make: `chown root ${state}/state`,
    plan: { says: [/^directory:.*state owner root -> openbao-kms/] },
    verify: { says: [/provider create .*state: provider cannot make files in it: EACCES/] },
    mends: 'converge',
  },
  {
    ...{ number: 20, title: 'a registry without its checkpoint', severity: 'high', shape: 'systemd' },
    make: `mv ${registry}.checkpoint /root/drift.checkpoint`,
    verify: { says: [/checkpoint, .*: it is not there, and .*key-registry.json is: restore both/] },
    mends: { person: `mv /root/drift.checkpoint ${registry}.checkpoint` },
    unseen: 'plan never looks at what the provider writes',
  },
  {
    ...{
      number: 20,
      title: 'a registry that is older than its checkpoint',
      severity: 'high',
      shape: 'systemd',
    },
    make: `touch -d '1 day ago' ${registry}`,
    substitute: 'a time of change; what generation the two are of only the provider itself can tell',
    verify: {
      says: [/key-registry.json, .*: it was written [0-9]+ s before .*checkpoint: it is from a backup/],
    },
    mends: { person: `touch ${registry}` },
    unseen: 'plan never looks at what the provider writes',
  },
  {
    ...{
      number: 21,
      title: 'a registry with the numbers of another host',
      severity: 'high',
      shape: 'systemd',
    },
    make: `chown 4242:4243 ${registry}`,
    verify: {
      says: [
        /key-registry.json, .*: its uid is 4242 \(nobody of this host\).*its gid is 4243 \(nobody of this host\)/,
      ],
    },
    mends: { person: `chown openbao-kms:openbao-kms ${registry}` },
    unseen: 'plan never looks at what the provider writes',
  },
  {
    ...{ number: 22, title: 'a stale tmpfiles.d file', severity: 'high', shape: 'systemd' },
    make: `sed -i s/2750/2770/ /etc/tmpfiles.d/openbao-kms.conf`,
    plan: { says: [/^file:\/etc\/tmpfiles.d\/openbao-kms.conf content /] },
    mends: 'converge',
    unseen: 'verify proves this boot; plan tells what the next one would make of it',
  },
  {
    ...{
      number: 22,
      title: 'a tmpfiles.d file of another name that goes first',
      severity: 'high',
      shape: 'systemd',
    },
    make: `echo 'd /run/openbao-kms 2770 root root -' >/etc/tmpfiles.d/aaa.conf`,
    plan: {
      says: [/^next-boot:\/run\/openbao-kms mode after boot 2770 by .*aaa.conf:1 -> 2750/],
      follows: [/after boot/],
    },
    mends: { person: 'rm /etc/tmpfiles.d/aaa.conf' },
    unseen: 'verify proves this boot; plan tells what the next one would make of it',
  },
  {
    ...{
      number: 23,
      title: 'a tmpfiles.d file that the static pod left',
      severity: 'high',
      shape: 'systemd',
    },
    make: `echo 'd /run/openbao-kms 2750 65532 65532 -' >/etc/tmpfiles.d/openbao-kms-static-pod.conf`,
    plan: { says: [/^absent:.*openbao-kms-static-pod.conf state file -> absent/] },
    mends: 'converge',
    unseen: 'verify proves this boot; plan tells what the next one would make of it',
  },
  {
    ...{ number: 24, title: 'no tmpfiles.d file', severity: 'high', shape: 'systemd' },
    make: 'rm /etc/tmpfiles.d/openbao-kms.conf',
    plan: { says: [/^file:.*openbao-kms.conf state absent -> file/], follows: [/^file:.*openbao-kms.conf /] },
    mends: 'converge',
    unseen: 'verify proves this boot; plan tells what the next one would make of it',
  },
  {
    ...{
      number: 25,
      title: 'the provider as root at its next start',
      severity: 'critical',
      shape: 'systemd',
    },
    make: drop('User=root'),
    plan: { says: [/^next-boot:bao-kms-provider.service User root .*drift.conf:2\) -> openbao-kms/] },
    verify: { says: [/by bao-kms-provider.service: user root instead of openbao-kms/] },
    mends: { person: undrop },
  },
  {
    ...{
      number: 25,
      title: 'a unit without the group of the socket',
      severity: 'critical',
      shape: 'systemd',
    },
    make: drop('SupplementaryGroups='),
    plan: { says: [/^next-boot:bao-kms-provider.service SupplementaryGroups not set -> openbao-kms-socket/] },
    mends: { person: undrop },
    unseen: 'verify: the account is in the group, so the next process has it all the same',
  },
  {
    ...{ number: 26, title: 'a capability at the next start', severity: 'high', shape: 'systemd' },
    make: drop('AmbientCapabilities=CAP_CHOWN'),
    plan: { says: [/^next-boot:bao-kms-provider.service AmbientCapabilities CAP_CHOWN .* -> not set/] },
    verify: { says: [/by bao-kms-provider.service: gets capabilities CAP_CHOWN/] },
    mends: { person: undrop },
  },
  {
    ...{ number: 26, title: 'more that the service may write', severity: 'high', shape: 'systemd' },
    make: drop(`ReadWritePaths=${state}`),
    plan: { says: [/^next-boot:bao-kms-provider.service ReadWritePaths .*drift.conf:2\) -> /] },
    mends: { person: undrop },
    unseen: 'verify tells it once the service runs with it',
  },
  {
    ...{
      number: 26,
      title: 'settings of the provider by its environment',
      severity: 'high',
      shape: 'systemd',
    },
    make: drop('Environment=BAO_KMS_PROVIDER_CONFIG=/tmp/x'),
    plan: {
      says: [
        /^next-boot:bao-kms-provider.service Environment BAO_KMS_PROVIDER_CONFIG=\/tmp\/x .* -> not set/,
      ],
    },
    mends: { person: undrop },
    unseen: 'verify does not look at the environment',
  },
  {
    ...{ number: 27, title: 'a unit before that of the model', severity: 'medium', shape: 'systemd' },
    make: `install -d /etc/systemd/system.control; sed 's/^Restart=.*/Restart=no/' ${unit} >/etc/systemd/system.control/bao-kms-provider.service; systemctl daemon-reload`,
    verify: {
      says: [
        /it is the unit that was installed: \/etc\/systemd\/system.control\/.* goes before \/etc\/systemd/,
      ],
    },
    mends: { person: 'rm -r /etc/systemd/system.control; systemctl daemon-reload' },
    unseen: 'plan tells the settings that decide about identity and access, and no others of such a unit',
  },
  {
    ...{ number: 28, title: 'a unit that systemd has not read anew', severity: 'medium', shape: 'systemd' },
    make: `sleep 1.1; install -d ${dropIn}; printf '[Unit]\\n# drift\\n' >${dropIn}/drift.conf`,
    plan: {
      says: [/^unit:bao-kms-provider.service definition out of date/],
      follows: [/^unit:bao-kms-provider.service/],
    },
    mends: { person: `rm -r ${dropIn}; systemctl daemon-reload` },
    unseen: 'verify compares who the process is, not how old',
  },
  {
    ...{
      number: 29,
      title: 'an API server that has not been restarted since it got the group',
      severity: 'high',
      shape: 'systemd',
    },
    make: 'gpasswd -d kube-apiserver openbao-kms-socket; systemctl restart kube-apiserver; usermod -aG openbao-kms-socket kube-apiserver',
    plan: {
      says: [/^due unit:kube-apiserver.service restart .*its process lacks the group openbao-kms-socket/],
    },
    verify: {
      says: [/kube-apiserver cannot connect to it: EACCES/, /lacks group openbao-kms-socket/],
      follows: otherIdentity,
    },
    mends: { person: 'systemctl restart kube-apiserver' },
  },
  {
    ...{
      number: 30,
      title: 'another gid in the manifest of the provider',
      severity: 'high',
      shape: 'static pod',
    },
    make: edit(providerPod, `'/supplementalGroups/,/- /s/- [0-9]*/- 4711/'`),
    plan: { says: [/^static-pod:.*bao-kms-provider.yaml content /] },
    verify: {
      says: [
        /its supplementalGroups are the gid .*: supplementalGroups is 4711, the host has openbao-kms-socket with gid/,
      ],
      follows: otherIdentity,
    },
    mends: 'converge',
  },
  {
    ...{
      number: 31,
      title: 'the name of the group in the configuration of a pod',
      severity: 'high',
      shape: 'static pod',
    },
    make: `sed -i 's/socketGroup: .*/socketGroup: openbao-kms-socket/' ${config}`,
    plan: { says: [/^file:.*config.yaml content /], follows: [/^static-pod:/] },
    verify: { says: [/config.yaml, .*: it is the name openbao-kms-socket, .*it must be the gid/] },
    mends: 'converge',
  },
  {
    ...{
      number: 32,
      title: 'the socket itself mounted for the API server',
      severity: 'high',
      shape: 'static pod',
    },
    make: edit(apiServerPod, `'s|path: "/run/openbao-kms"$|path: "/run/openbao-kms/kms.sock"|'`),
    plan: { says: [/^due api-server-pod:.* mount \/run\/openbao-kms/], follows: [/^due /] },
    verify: {
      says: [/kube-apiserver.yaml, .*: \/run\/openbao-kms\/kms.sock is mounted as a file/],
      follows: podDown,
    },
    mends: { person: back(apiServerPod) },
  },
  {
    ...{
      number: 32,
      title: 'a runtime directory that kubelet would make',
      severity: 'high',
      shape: 'static pod',
    },
    make: edit(
      providerPod,
      `'/path: .*run.openbao-kms/,/type/s/type: "Directory"/type: "DirectoryOrCreate"/'`,
    ),
    plan: { says: [/^static-pod:.*bao-kms-provider.yaml content /] },
    verify: { says: [/\/run\/openbao-kms is DirectoryOrCreate: what kubelet makes is root's/] },
    mends: 'converge',
  },
  {
    ...{ number: 33, title: 'an API server that mounts /etc', severity: 'critical', shape: 'static pod' },
    make: edit(apiServerPod, `'s|path: /etc/ssl/certs|path: /etc|'`),
    // The stand-in for kubelet starts no such pod; that it does not run is all that plan sees of it.
    plan: { says: [/^due api-server-pod:.* kube-apiserver .*not running/] },
    verify: {
      says: [/kube-apiserver sees no directory of the host that leads to auth material: it mounts \/etc$/],
      follows: podDown,
    },
    mends: { person: back(apiServerPod) },
    unseen: 'plan looks at what the API server lacks, and at nothing that it has too much',
  },
  {
    ...{ number: 34, title: 'a token that is mounted as a file', severity: 'medium', shape: 'static pod' },
    make: edit(
      providerPod,
      `'s|path: "\\?${state}/credentials"\\?$|path: ${state}/credentials/identity.jwt|'`,
    ),
    plan: { says: [/^static-pod:.*bao-kms-provider.yaml content /] },
    verify: {
      says: [/credentials are mounted by their directory: .*identity.jwt is mounted as a file/],
      follows: podDown,
    },
    mends: 'converge',
  },
  {
    ...{
      number: 35,
      title: 'an account with the numbers of the pod',
      severity: 'critical',
      shape: 'static pod',
    },
    make: 'useradd -u 65532 -g users nonroot; groupadd -g 65532 nonrootgroup',
    plan: {
      says: [/expected no account of the host to have the uid 65532, found nonroot/],
      follows: [/expected no account of the host to have the gid 65532/],
    },
    verify: { says: [/the user nonroot has uid 65532; the group nonrootgroup has gid 65532/] },
    mends: { person: 'sed -i /^nonroot/d /etc/passwd /etc/shadow /etc/group /etc/gshadow' },
  },
  {
    ...{ number: 35, title: 'two groups of one number', severity: 'critical', shape: 'systemd' },
    make: `${ids('/etc/group')}; groupadd -o -g "$(getent group openbao-kms | cut -d: -f3)" twin`,
    plan: { says: [/expected gid [0-9]+ to belong to openbao-kms alone, found that twin has it/] },
    verify: { says: [/openbao-kms, its gid is no other group’s: twin has gid [0-9]+ too/] },
    mends: { person: `${idsBack('/etc/group')}; sed -i /^twin:/d /etc/gshadow` },
  },
  {
    ...{ number: 35, title: 'two users of one number', severity: 'critical', shape: 'systemd' },
    make: `${ids('/etc/passwd')}; useradd -o -u "$(id -u openbao-kms)" -g users twin`,
    plan: { says: [/expected uid [0-9]+ to belong to openbao-kms alone, found that twin has it/] },
    verify: { says: [/openbao-kms, its uid is no other user’s: twin has uid [0-9]+ too/] },
    mends: { person: `${idsBack('/etc/passwd')}; sed -i /^twin:/d /etc/shadow` },
  },
  {
    ...{ number: 36, title: 'one number for both groups', severity: 'critical', shape: 'systemd' },
    make: `${ids('/etc/group')}; sed -i "s/^openbao-kms-socket:x:[0-9]*/openbao-kms-socket:x:$(getent group openbao-kms | cut -d: -f3)/" /etc/group`,
    plan: {
      says: [/expected openbao-kms and openbao-kms-socket to be two groups, found the gid [0-9]+ for both/],
      follows: [/to belong to openbao-kms(-socket)? alone/, /^directory:\/run\/openbao-kms group/, /^due /],
    },
    verify: { says: [/openbao-kms-socket has gid [0-9]+ too: to the kernel they are one/], follows: [/./] },
    mends: { person: idsBack('/etc/group') },
  },
  {
    ...{ number: 37, title: 'a login shell and a password', severity: 'high', shape: 'systemd' },
    make: 'usermod -s /bin/bash openbao-kms; echo openbao-kms:drift | chpasswd',
    plan: { says: [/^user:openbao-kms shell \/bin\/bash -> /, /^user:openbao-kms password set -> locked/] },
    verify: { says: [/nobody can log in as it.*: its shell is \/bin\/bash; it has a password/] },
    mends: 'converge',
  },
  {
    ...{ number: 37, title: 'a rule of sudo', severity: 'high', shape: 'systemd' },
    make: `install -d /etc/sudoers.d; echo 'openbao-kms ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/drift`,
    verify: { says: [/sudo has a rule for it at \/etc\/sudoers.d\/drift:1/] },
    mends: { person: 'rm /etc/sudoers.d/drift' },
    unseen:
      'plan does not look at sudo; verify sees /etc/sudoers and /etc/sudoers.d, no rules of LDAP and no aliases of aliases',
  },
  {
    ...{ number: 37, title: 'keys to log in with', severity: 'high', shape: 'systemd' },
    make: `install -d ${state}/.ssh; echo drift >${state}/.ssh/authorized_keys`,
    verify: {
      says: [/\.ssh is there: a key in it may let somebody in/],
      follows: [/\.ssh: a copy/, /openbao-kms\/\.ssh/],
    },
    mends: { person: `rm -r ${state}/.ssh` },
    unseen: 'plan does not look at it; verify does not where sshd takes keys from elsewhere',
  },
  {
    ...{ number: 38, title: 'a token that has expired', severity: 'high', shape: 'systemd' },
    make: token(
      '{"iss":"https://issuer.lab.invalid","aud":["openbao"],"sub":"kmsfleet-lab","exp":1000000000}',
    ),
    verify: { says: [/identity.jwt, .*: it expired 2001-09-09T01:46:40Z/] },
    mends: 'converge',
    unseen: 'plan opens no source of secrets, and so compares no content of a credential',
  },
  {
    ...{
      number: 38,
      title: 'a token of another issuer, audience and subject',
      severity: 'high',
      shape: 'systemd',
    },
    make: token('{"iss":"https://other.lab.invalid","aud":["other"],"sub":"other","exp":1000000000}'),
    verify: {
      says: [
        /its issuer is https:\/\/other.lab.invalid, .*; its subject is other, .*; its audience is other, the provider expects openbao/,
      ],
    },
    mends: 'converge',
    unseen: 'plan opens no source of secrets, and so compares no content of a credential',
  },
  {
    ...{ number: 39, title: 'another bundle of authorities', severity: 'high', shape: 'systemd' },
    make: `echo '# drift' >>${etc}/tls/ca.crt`,
    substitute:
      'a comment in it; that the certificate of OpenBao fits it is for the doctor of the provider to tell',
    plan: { says: [/^file:.*ca.crt content /], follows: [/^unit:bao-kms-provider.service restart/] },
    mends: 'converge',
    unseen:
      'verify does not compare hosts of one cluster with each other: plan compares each with what all shall have',
  },
  {
    ...{ number: 40, title: 'another identity in the configuration', severity: 'critical', shape: 'systemd' },
    make: `sed -i s/bao-lab/bao-other/ ${config}`,
    plan: {
      says: [/expected .*config.yaml to keep the identity cfg1.*openbao.instanceId bao-other -> bao-lab/],
      follows: [/^unit:bao-kms-provider.service restart/],
    },
    mends: { person: `sed -i s/bao-other/bao-lab/ ${config}` },
    unseen:
      'verify does not compare hosts of one cluster with each other: plan compares each with what all shall have',
  },
  {
    ...{
      number: 41,
      title: 'another name of the provider in the EncryptionConfiguration',
      severity: 'critical',
      shape: 'systemd',
    },
    make: `sed -i s/openbao-kms-lab/other/ ${encryption}`,
    verify: {
      says: [/encryption-config.yaml, .*: it calls the provider other, whose own name is openbao-kms-lab/],
    },
    mends: { person: `sed -i 's/name: other/name: openbao-kms-lab/' ${encryption}` },
    unseen: 'the rollout leaves this file alone: the plan of a play with `encryption_config` tells it',
  },
  {
    ...{ number: 41, title: 'no KMS in the EncryptionConfiguration', severity: 'critical', shape: 'systemd' },
    make: `cp -p ${encryption} /root/drift.enc; sed -i '/- kms/,/endpoint/d' ${encryption}`,
    verify: {
      says: [/encryption-config.yaml, .*: no kms provider in it is openbao-kms-lab at unix:\/\/\/run/],
    },
    mends: { person: `cp -p /root/drift.enc ${encryption}; rm /root/drift.enc` },
    unseen:
      'that identity is first again after the writers: verify does not know the stage, the play with `encryption_config` does',
  },
  {
    ...{ number: 42, title: 'a copy of the token beside it', severity: 'medium', shape: 'systemd' },
    make: `cp -p ${jwt} ${jwt}.bak`,
    verify: {
      says: [/nothing stands in it that the model does not have: identity.jwt.bak: a copy is as good/],
    },
    mends: { person: `rm ${jwt}.bak` },
    unseen: 'plan knows the files that it places, and no others',
  },
  {
    ...{ number: 43, title: 'another program', severity: 'high', shape: 'systemd' },
    make: `cp -p /usr/bin/bao-kms-provider /root/drift.bin; echo >>/root/drift.bin; mv /root/drift.bin /usr/bin/bao-kms-provider`,
    plan: {
      says: [/^file:\/usr\/bin\/bao-kms-provider content /],
      follows: [/^unit:bao-kms-provider.service restart/],
    },
    mends: 'converge',
    unseen: 'verify hashes no program',
  },
  {
    ...{ number: 43, title: 'an image by its tag', severity: 'high', shape: 'static pod' },
    make: edit(providerPod, `'s|image: .*|image: ghcr.io/dc-tec/bao-kms-provider:v0.2.0|'`),
    plan: { says: [/^static-pod:.*bao-kms-provider.yaml content /] },
    verify: {
      says: [/its image is named by digest: ghcr.io\/dc-tec\/bao-kms-provider:v0.2.0 can be another image/],
    },
    mends: 'converge',
  },
  {
    ...{ number: 44, title: 'metrics for everybody', severity: 'medium', shape: 'systemd' },
    make: `sed -i 's/metricsAddress: .*/metricsAddress: 0.0.0.0:8081/' ${config}`,
    plan: { says: [/^file:.*config.yaml content /], follows: [/^unit:bao-kms-provider.service restart/] },
    verify: {
      says: [/it opens no port on every address of the host: server.metricsAddress is 0.0.0.0:8081/],
    },
    mends: 'converge',
  },
  {
    ...{ number: 45, title: 'the provider in a privileged group', severity: 'high', shape: 'systemd' },
    make: 'usermod -aG adm openbao-kms',
    verify: { says: [/provider, .*by bao-kms-provider.service: also in group adm/] },
    mends: { person: 'gpasswd -d openbao-kms adm' },
    unseen: 'plan knows who belongs to the two groups of the model, and not what else somebody belongs to',
  },
]
