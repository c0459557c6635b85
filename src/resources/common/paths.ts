/** `/a/b` of `/a/b/c`, `/` of `/a`. */
export function directoryOf(path: string): string {
  const cut = path.lastIndexOf('/')
  return cut <= 0 ? '/' : path.slice(0, cut)
}

/** `c` of `/a/b/c`. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** Proper ancestors from the root down: `/`, `/a`, `/a/b` of `/a/b/c`; none of `/`. */
export function ancestorsOf(path: string): readonly string[] {
  if (path === '/') return []
  const parts = path.split('/').slice(1, -1)
  return ['/', ...parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`)]
}

/** Is it an absolute path in its shortest form, which can be asked about? */
export function isPlainPath(text: string): boolean {
  if (text === '/') return true
  const plain = text
    .split('/')
    .slice(1)
    .every((each) => each !== '' && each !== '.' && each !== '..')
  return text.startsWith('/') && plain && !/[\n\0\ufffd]/.test(text)
}

/** One spelling of a path that others wrote: without doubled and trailing slashes, and `/run` for `/var/run`. */
export function oneSpelling(path: string): string {
  const short = `/${path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')}`
  return /^\/var\/run(\/|$)/.test(short) ? short.slice('/var'.length) : short
}
