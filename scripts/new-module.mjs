// Makes src/modules/NAME from the template: npm run new-module NAME
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const [name = '', folder = 'src/modules'] = process.argv.slice(2)
if (!/^[a-z][a-z0-9_]{0,63}$/.test(name)) {
  console.error('usage: npm run new-module NAME, with a name of small letters, digits and _')
  process.exit(1)
}
const target = join(folder, name)
if (existsSync(target)) {
  console.error(`expected a new name, found ${target}`)
  process.exit(1)
}
const constant = name.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase())
const template = readFileSync(resolve(import.meta.dirname, '../src/modules/_template/index.ts'), 'utf8')
mkdirSync(target)
writeFileSync(
  join(target, 'index.ts'),
  template.replace('export const NAME', `export const ${constant}`).replaceAll('NAME', name),
)
const line = constant === name ? name : `${name}: ${constant}`
console.log(`${target}/index.ts is made. Add to \`shipped\` in src/modules/registry.ts: ${line},`)
