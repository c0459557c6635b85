// `npm run test:kubernetes`: the lab's tests with a real kube-apiserver before a real etcd. etcd is Debian's; kube-apiserver
// is built once with Go and kept in the lab's cache.
import { buildOnce, testWith } from './real-program.mjs'

const version = 'v1.34.1'
/** Modules that are developed in the same repository are published under versions of their own. */
const staging = 'v0.34.1'
const flags = ['-trimpath', '-ldflags', `-s -w -X k8s.io/component-base/version.gitVersion=${version}`]

testWith({
  project: 'kubernetes',
  variable: 'KMSFLEET_KUBE_APISERVER',
  absent:
    'kube-apiserver was not built, and Go 1.21 or newer is not installed: see https://go.dev/dl/, or golang-go of Debian bookworm-backports',
  notBuilt: 'kube-apiserver was not built: `npm run test:kubernetes` does that',
  find: (noBuild) =>
    buildOnce({
      name: 'kube-apiserver',
      recipe: [version, staging, flags],
      module: 'k8s.io/kubernetes',
      version,
      noBuild,
      goVersion: '1.24.0',
      // An older one cannot fetch the one that this version asks for.
      needsMinor: 21,
      // Its own go.mod replaces them by folders of its repository, which the published module lacks.
      goMod: (own) =>
        [...own.matchAll(/^\t(\S+) => \.\/staging\/\S+$/gm)].map(
          ([, path]) => `replace ${path} => ${path} ${staging}`,
        ),
      files: {},
      build: [...flags, 'k8s.io/kubernetes/cmd/kube-apiserver'],
      // Without C it runs on every host, whatever its libc.
      env: { CGO_ENABLED: '0' },
    }),
})
