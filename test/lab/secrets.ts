import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './process.ts'

/** Material that only a lab could love: made anew for each, recognisable wherever it turns up. */
export interface LabSecrets {
  readonly caFile: string
  readonly jwtFile: string
  /** The token itself; its signature part is `canary`. */
  readonly jwt: string
  /** Occurs in no place but the token: search for it in any output. */
  readonly canary: string
  /** Password of `ops` on hosts of the variant `sudo-password`. */
  readonly password: string
  readonly passwordFile: string
}

const dayS = 86_400

/** Writes the lab's certificate authority (0644) and secrets (0600) into a folder of mode 0700. */
export async function makeSecrets(folder: string): Promise<LabSecrets> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const secret = (name: string, text: string): string => {
    const file = join(folder, name)
    writeFileSync(file, text, { mode: 0o600 })
    return file
  }
  const caFile = join(folder, 'ca.crt')
  await run(
    `openssl req -x509 -newkey ed25519 -nodes -days 30 -subj /CN=kmsfleet-lab -keyout /dev/null -out ${caFile}`.split(
      ' ',
    ),
  )
  const canary = `labcanary${randomBytes(24).toString('hex')}`
  const nowS = Math.floor(Date.now() / 1000)
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = {
    iss: 'https://issuer.lab.invalid',
    aud: ['openbao'],
    sub: 'kmsfleet-lab',
    iat: nowS,
    exp: nowS + dayS,
  }
  const jwt = `${part({ alg: 'EdDSA', typ: 'JWT' })}.${part(claims)}.${canary}`
  const password = `lab-${randomBytes(9).toString('base64url')}`
  return {
    caFile,
    jwtFile: secret('identity.jwt', jwt),
    jwt,
    canary,
    password,
    passwordFile: secret('sudo-password', `${password}\n`),
  }
}

/** The crypt(3) form of a password. */
export async function passwordHash(password: string): Promise<string> {
  return (await run(['openssl', 'passwd', '-6', '-stdin'], { stdin: password })).trim()
}
