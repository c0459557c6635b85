import { yamlText } from '../../document/write.ts'
import { UnknownText } from '../../model/text.ts'
import type { Text } from '../../model/text.ts'
import type { ProviderConfig } from './schema.ts'

const head = '# Managed by kmsfleet: changes made here are undone.\n'

/**
 * The file's text: the same bytes for the same configuration, in the order of the schema, with nothing in it that
 * was not said. Unknown as a whole as long as the socket group's gid is.
 */
export function configText(config: ProviderConfig): Text {
  const { socketGroup } = config.server
  return socketGroup instanceof UnknownText ? socketGroup : `${head}${yamlText(said(config))}`
}

/** Without sections, lists and texts that say nothing: the provider takes them for what is left out. */
function said(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, part]): [string, unknown] => [key, said(part)])
      .filter(([, part]) => !saysNothing(part)),
  )
}

function saysNothing(value: unknown): boolean {
  if (value === undefined || value === '') return true
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}
