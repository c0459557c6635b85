import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

/** Files of a certificate, PEM. */
export interface Certificate {
  readonly certificate: string
  readonly key: string
}

/** A certificate authority of a test. */
export function makeAuthority(folder: string, name: string): Certificate {
  return issue(folder, name, ['-addext', 'basicConstraints=critical,CA:TRUE'])
}

/** A certificate for these names, such as `IP:127.0.0.1`, signed by an authority. */
export function makeCertificate(
  folder: string,
  name: string,
  authority: Certificate,
  names: string,
  days = 2,
): Certificate {
  const signed = ['-CA', authority.certificate, '-CAkey', authority.key, '-addext', `subjectAltName=${names}`]
  return issue(folder, name, signed, days)
}

function issue(folder: string, name: string, more: readonly string[], days = 2): Certificate {
  const made = { certificate: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) }
  const words = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days ${String(days)} -subj /CN=${name}`
  const files = ['-keyout', made.key, '-out', made.certificate]
  execFileSync('openssl', [...words.split(' '), ...files, ...more], { stdio: 'pipe' })
  return made
}
