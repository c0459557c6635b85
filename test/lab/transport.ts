/** What `npm run test:lab:openssh` sets: the transport that the lab's tests reach their hosts by. */
const variable = 'KMSFLEET_TEST_TRANSPORT'

/** The part of a connection's settings that says so; empty where nothing is said. */
export function testTransport(): { readonly transport?: 'openssh' } {
  const said = process.env[variable]
  if (said === undefined) return {}
  if (said === 'openssh') return { transport: said }
  throw new Error(`expected ${variable} to be openssh, found ${said}`)
}
