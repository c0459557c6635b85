import { stringify } from 'yaml'

/**
 * A value as YAML in block style, the same text for the same value: keys in their order, every text in double quotes
 * so that no reader of any version of YAML takes it for something else, no line broken, no anchors.
 */
export function yamlText(value: unknown): string {
  return stringify(value, {
    version: '1.2',
    lineWidth: 0,
    defaultStringType: 'QUOTE_DOUBLE',
    defaultKeyType: 'PLAIN',
    aliasDuplicateObjects: false,
  })
}
