import { Composer, Lexer, LineCounter, Parser } from 'yaml'
import type { Document, ParsedNode } from 'yaml'
import type { Place } from '../errors/place.ts'
import { KmsfleetError, KmsfleetErrors } from '../errors/error.ts'

/** Collections may stand in one another this deep; every later walk of the tree is recursive. */
export const deepest = 64

/** Turns an offset of a text into a position. */
export type PlaceOf = (offset: number) => Place

export interface Syntax {
  readonly contents: ParsedNode | null
  readonly placeOf: PlaceOf
}

interface Trouble {
  readonly code: string
  readonly message: string
  readonly pos: [number, number]
}

/**
 * Text to syntax tree. Throws KmsfleetErrors where it is not one YAML 1.2 document of plain data. Keys are
 * always strings; duplicate keys are left to the reader of the tree, which finds them in linear time.
 */
export function parseSyntax(file: string, text: string): Syntax {
  const lines = new LineCounter()
  lines.addNewLine(0)
  const placeOf: PlaceOf = (offset) => {
    const { line, col } = lines.linePos(Math.min(offset, text.length))
    return { file, line, column: Math.max(1, col) }
  }
  const documents = compose(text, lines, placeOf)
  const first = documents[0]
  if (first === undefined) return { contents: null, placeOf }
  const errors = [...first.errors, ...first.warnings].map((trouble) => syntaxError(trouble, text, placeOf))
  // A `%YAML 1.1` line would bring back octal numbers and `yes` as a boolean.
  if (first.directives.yaml.explicit === true && first.directives.yaml.version !== '1.2') {
    errors.push(
      new KmsfleetError(
        'document.syntax',
        `expected YAML 1.2, found the directive %YAML ${first.directives.yaml.version}`,
        { place: placeOf(0), hint: 'remove the directive' },
      ),
    )
  }
  const second = documents[1]
  if (second !== undefined) {
    errors.push(
      new KmsfleetError('document.syntax', 'expected one YAML document, found a second one', {
        place: placeOf(second.range[0]),
        hint: 'put it in a file of its own',
      }),
    )
  }
  if (errors.length > 0) throw new KmsfleetErrors(errors)
  return { contents: first.contents, placeOf }
}

/**
 * The library's composer is recursive, and near the end of the stack V8's regular expressions abort the
 * whole process instead of throwing. So depth is watched while tokens come out of the lexer.
 */
function compose(text: string, lines: LineCounter, placeOf: PlaceOf): Document.Parsed[] {
  const parser = new Parser(lines.addNewLine)
  const tokens = []
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) tokens.push(token)
    if (parser.stack.length > deepest) {
      throw new KmsfleetErrors([
        new KmsfleetError('document.syntax', `expected at most ${String(deepest)} levels, found more`, {
          place: placeOf(parser.offset),
        }),
      ])
    }
  }
  for (const token of parser.end()) tokens.push(token)
  const composer = new Composer({
    version: '1.2',
    schema: 'core',
    stringKeys: true,
    uniqueKeys: false,
    resolveKnownTags: false,
    prettyErrors: false,
    logLevel: 'silent',
  })
  return [...composer.compose(tokens, true, text.length)]
}

function syntaxError(trouble: Trouble, text: string, placeOf: PlaceOf): KmsfleetError {
  const place = placeOf(trouble.pos[0])
  if (trouble.code === 'TAG_RESOLVE_FAILED') return tagError(text.slice(...trouble.pos), place)
  if (trouble.code === 'NON_STRING_KEY') {
    const template = text.startsWith('{', trouble.pos[0])
    return new KmsfleetError(
      'document.syntax',
      'expected a plain word as key, found a collection or an alias',
      {
        place,
        ...(template ? { hint: 'a template needs quotes: "{{ name }}"' } : {}),
      },
    )
  }
  return new KmsfleetError('document.syntax', `expected valid YAML 1.2: ${lowerFirst(trouble.message)}`, {
    place,
  })
}

function tagError(tag: string, place: Place): KmsfleetError {
  const hint = tag.startsWith('!vault')
    ? 'Ansible Vault is not read here: name the secret under `secrets` of the play and keep its bytes in a file of its own'
    : 'remove the tag, and quote the value where it shall be text'
  return new KmsfleetError('document.syntax', `expected a value without a tag, found ${tag}`, { place, hint })
}

function lowerFirst(message: string): string {
  const line = message.split('\n', 1)[0] ?? ''
  return line.charAt(0).toLowerCase() + line.slice(1)
}
