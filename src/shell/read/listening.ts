/**
 * How the kernel's tables (/proc/net/tcp, tcp6) name every local address that a connection to a loopback URL may reach:
 * that address itself, the one that means all, and both for a socket that takes IPv6 and IPv4. Numbers stand there in
 * the byte order of the host, so that each is given in both.
 */
export function listeningAddresses(url: string): readonly string[] {
  const { hostname, port } = new URL(url)
  const hexPort = hex(Number(port === '' ? '80' : port), 4)
  const any6 = '0'.repeat(32)
  const six = ['00000000000000000000000001000000', '00000000000000000000000000000001']
  const four = hostname === 'localhost' ? '127.0.0.1' : hostname
  const addresses = new Set([
    ...(hostname === '[::1]' ? [] : fourAddresses(four)),
    ...(hostname === '[::1]' || hostname === 'localhost' ? six : []),
    any6,
  ])
  return [...addresses].map((address) => `${address}:${hexPort}`)
}

function fourAddresses(address: string): readonly string[] {
  const bytes = address.split('.').map((part) => hex(Number(part), 2))
  const [big, little] = [bytes.join(''), bytes.toReversed().join('')]
  const mapped = '0'.repeat(16)
  return [little, big, '00000000', `${mapped}FFFF0000${little}`, `${mapped}0000FFFF${big}`]
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, '0')
}
