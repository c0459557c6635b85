// `npm run test:openbao`: the sources' tests against a real server. An installed `bao` or `vault` is used; else Vault
// 1.13.1, the last of the line that OpenBao came from and of the same API, is built once with Go and kept in the lab's
// cache.
import { buildOnce, installed, testWith } from './real-program.mjs'

const vault = 'github.com/hashicorp/vault'
const version = 'v1.13.1'

/** Vault's own go.mod replaces modules by folders and versions that are not published; these stand in for them. */
const replacements = [
  `${vault}/sdk => ${vault}/sdk v0.8.1`,
  `${vault}/api => ${vault}/api v1.9.0`,
  ...['client/pkg/v3', 'client/v3', 'api/v3'].map(
    (part) => `go.etcd.io/etcd/${part} => go.etcd.io/etcd/${part} v3.5.7`,
  ),
  'go.etcd.io/etcd/client/v2 => go.etcd.io/etcd/client/v2 v2.305.5',
]

const main = `package main

import (
	"os"

	"github.com/hashicorp/vault/command"
)

func main() { os.Exit(command.Run(os.Args[1:])) }
`

testWith({
  project: 'openbao',
  variable: 'KMSFLEET_OPENBAO',
  absent: 'neither bao nor vault nor go is installed',
  notBuilt: 'neither bao nor vault was built: `npm run test:openbao` does that',
  find: (noBuild) =>
    installed('bao') ??
    installed('vault') ??
    buildOnce({
      name: 'vault',
      recipe: [vault, version, replacements, main],
      module: vault,
      version,
      noBuild,
      goVersion: '1.19',
      needsMinor: 19,
      goMod: () => replacements.map((line) => `replace ${line}`),
      files: { 'main.go': main },
      build: ['.'],
    }),
})
