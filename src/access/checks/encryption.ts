import type { Check } from '../../model/access.ts'
import { readEncryption } from '../../modules/encryption_config/document.ts'
import { oneSpelling } from '../../resources/common/paths.ts'
import { hostDocument, valueAt } from '../host-document.ts'
import { checked, doubted, type Looked, objects, pathsOf } from './common.ts'

const source = 'kube-apiserver, EncryptionConfiguration'
const expected = 'the API server asks the provider of this host by its own name'

/** An endpoint with its path in one spelling: `/var/run` is `/run`. */
function spelt(endpoint: string): string {
  const scheme = 'unix://'
  return endpoint.startsWith(`${scheme}/`)
    ? `${scheme}${oneSpelling(endpoint.slice(scheme.length))}`
    : endpoint
}

/** Do the API server's configuration and the provider's speak of one name and one socket? */
export function encryptionChecks(looked: Looked): readonly Check[] {
  return pathsOf(looked.matrix, objects.encryption).map((file) => {
    const fact = looked.snapshot.paths.get(file)
    const bytes = fact?.is === 'present' ? fact.state.bytes : undefined
    if (fact?.is === 'absent') return checked(source, file, expected, ['it is not there'])
    if (bytes === undefined)
      return doubted(source, file, expected, 'it cannot be read, or others than root can write it')
    const read = readEncryption(file, Buffer.from(bytes.reveal()).toString('utf8'))
    if (typeof read === 'string') return checked(source, file, expected, [read])
    const [configuration] = pathsOf(looked.matrix, objects.configuration)
    const document = configuration === undefined ? undefined : hostDocument(configuration, looked.snapshot)
    if (document?.is !== 'found')
      return doubted(source, file, expected, 'the configuration of the provider is not known')
    const name = valueAt(document.value, 'transit.keyIdScope.providerName')
    const socket = valueAt(document.value, 'server.socketPath')
    const endpoint = spelt(`unix://${typeof socket === 'string' ? socket : ''}`)
    const services = read.resources.flatMap(({ providers }) => providers.flatMap(({ kms }) => kms ?? []))
    const own = services.filter((kms) => kms.name === name || spelt(kms.endpoint) === endpoint)
    return checked(source, file, expected, [
      ...(own.length === 0 ? [`no kms provider in it is ${String(name)} at ${endpoint}`] : []),
      ...own.flatMap((kms) => [
        ...(kms.name === name
          ? []
          : [`it calls the provider ${kms.name}, whose own name is ${String(name)}`]),
        ...(spelt(kms.endpoint) === endpoint
          ? []
          : [`its endpoint is ${kms.endpoint}, the socket is ${endpoint}`]),
        ...(kms.apiVersion === 'v2' ? [] : [`its version is ${kms.apiVersion ?? 'v1'} instead of v2`]),
      ]),
    ])
  })
}
