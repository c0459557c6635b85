import { readFileSync } from 'node:fs'
import { stringify } from 'yaml'
import type { Bundle } from './release.ts'
import type { LabHost } from './lab.ts'
import type { LabSecrets } from './secrets.ts'

export interface InventoryParts {
  readonly hosts: readonly LabHost[]
  readonly keyFile: string
  readonly knownHostsFile: string
  readonly bundle: Bundle
  readonly secrets: LabSecrets
}

/** The lab's inventory as kmsfleet reads it. Hosts that become root by a password get it from `--become-password-file`. */
export function inventoryText(parts: InventoryParts): string {
  const vars = {
    ansible_ssh_private_key_file: parts.keyFile,
    ansible_ssh_known_hosts_file: parts.knownHostsFile,
    openbao_kms_bundle: parts.bundle.tarball,
    openbao_kms_bundle_checksums: parts.bundle.checksums,
    openbao_kms_bundle_sha256: parts.bundle.sha256,
    openbao_kms_ca_certificate: readFileSync(parts.secrets.caFile, 'utf8'),
    openbao_kms_identity_jwt_file: parts.secrets.jwtFile,
  }
  const hosts = Object.fromEntries(parts.hosts.map((host) => [host.name, hostVariables(host)]))
  return stringify({ all: { vars, hosts } }, { lineWidth: 0 })
}

function hostVariables(host: LabHost): Record<string, string | number | boolean> {
  return {
    ansible_host: host.address,
    ansible_port: host.port,
    ansible_user: host.user,
    ...(host.user === 'root' ? {} : { ansible_become: true }),
    cluster: host.cluster,
    openbao_kms_health_address: host.healthAddress,
    openbao_kms_metrics_address: host.metricsAddress,
  }
}
