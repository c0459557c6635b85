/** Names in a template that are never variables: Jinja2's own words, its functions, and `host`. */
export const templateWords: ReadonlySet<string> = new Set(
  (
    'and or not in is if else elif for recursive true false True False none None ' +
    'loop self super caller range dict namespace cycler joiner host'
  ).split(' '),
)
