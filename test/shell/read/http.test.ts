import { createServer } from 'node:net'
import { expect, it } from 'vitest'
import { openHere, run } from './host.ts'
import { shells } from '../local-shell.ts'

it.each(shells.filter(({ name }) => name === 'dash' || name === 'bash'))(
  '$name, with bash as the only client: a server that answers before it read all is heard',
  async (shell) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.once('data', () => {
        socket.end('HTTP/1.0 200 OK\r\n\r\n', () => socket.destroy())
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : 0
    await using session = await openHere(shell)
    const answers = await run(
      session,
      `kf_tools=' bash timeout '
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  kf_test_http http://127.0.0.1:${String(port)}/ready; echo "$kf_answer $kf_detail"
done`,
    )
    expect(
      new Set(
        answers
          .trim()
          .split('\n')
          .map((line) => line.trim()),
      ),
    ).toEqual(new Set(['yes']))
    await new Promise((resolve) => server.close(resolve))
  },
)
