import type { Channel, RootCommand } from '../../src/transport/channel.ts'

/** A root command that runs a script; the script must not contain a single quote. */
export function shell(script: string): RootCommand {
  return { plain: `exec /bin/sh -c '${script}' kmsfleet`, elevated: `/bin/sh -c '${script}' kmsfleet` }
}

export async function readAll(channel: Channel): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of channel.stdout) chunks.push(chunk)
  return Buffer.concat(chunks)
}
