/** What happens to a converged host whose real API server runs, and what `verify` then says: that, and nothing else. */
export interface AccessDrift {
  readonly name: string
  /** Done on the host as root. */
  readonly make: string
  readonly says: readonly string[]
  /** What a person does before the next converge, where that alone does not mend it. */
  readonly first?: string
  /** What a person does after it. */
  readonly then?: string
}

const nextStart = 'violated: kube-apiserver: it will be the same when it is started next'
const runsAs = 'violated: kube-apiserver: it runs as kube-apiserver, in the groups of that account'
const connect = 'violated: kube-apiserver must connect /run/openbao-kms/kms.sock'
const cannot = 'kube-apiserver cannot connect to it'
const silent =
  'violated: /run/openbao-kms/kms.sock: it answers Status, Encrypt and Decrypt as kube-apiserver: expected an answer to Status, found the answer ended without a gRPC status'
const read = 'violated: kube-apiserver must not read'

export const drifts: readonly AccessDrift[] = [
  {
    name: 'its user was taken out of the group of the socket, and its process was not restarted',
    make: 'gpasswd --delete kube-apiserver openbao-kms-socket',
    says: [
      `${runsAs}: also in group openbao-kms-socket`,
      `${nextStart}: by kube-apiserver.service: lacks group openbao-kms-socket`,
    ],
  },
  {
    name: 'the socket is for its owner alone',
    make: 'chmod 0600 /run/openbao-kms/kms.sock',
    says: [
      `${connect}: ${cannot}: EACCES, since group openbao-kms-socket (gid N) has --- on /run/openbao-kms/kms.sock`,
      'violated: /run/openbao-kms/kms.sock: it is a socket of openbao-kms:openbao-kms-socket with mode 0660: found openbao-kms:openbao-kms-socket with mode 0600',
      silent,
    ],
    // The provider makes its socket when it starts.
    first: 'systemctl restart bao-kms-provider',
  },
  {
    name: 'the runtime directory has the group of the credentials',
    make: 'chown openbao-kms:openbao-kms /run/openbao-kms; chmod 00750 /run/openbao-kms',
    says: [
      `${connect}: ${cannot}: EACCES, since others have ---, and it is neither the owner nor in the group on /run/openbao-kms`,
      'violated: /run/openbao-kms: it is the provider’s, of the group of its socket, with mode 2750: its gid is N (openbao-kms) instead of N; its mode is 0750',
      silent,
    ],
  },
  {
    name: 'an ACL lets it read the token, and one lets it come there',
    make: 'setfacl -m u:kube-apiserver:r /var/lib/openbao-kms/identity.jwt; setfacl -m u:kube-apiserver:x /var/lib/openbao-kms',
    says: [
      `${read} /var/lib/openbao-kms/identity.jwt: kube-apiserver can read it, since its ACL, which goes before the mode, has the entry user:kube-apiserver:r-- on /var/lib/openbao-kms/identity.jwt`,
    ],
  },
  {
    name: 'its user is in the group of the credentials since its last start',
    make: 'gpasswd --add kube-apiserver openbao-kms; systemctl restart kube-apiserver',
    says: [
      `${read} /var/lib/openbao-kms/identity.jwt: kube-apiserver can read it, since group openbao-kms (gid N) has r-- on /var/lib/openbao-kms/identity.jwt`,
      `${read} /etc/openbao-kms/config.yaml: kube-apiserver can read it, since group openbao-kms (gid N) has r-- on /etc/openbao-kms/config.yaml`,
      'violated: openbao-kms: nobody but openbao-kms is in it: kube-apiserver is, and reads all credentials of the provider',
    ],
    // A process keeps its groups until it ends.
    then: 'systemctl restart kube-apiserver',
  },
]
