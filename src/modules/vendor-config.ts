import type { Resource } from '../model/resource.ts'
import { whereTool } from '../resources/common/where-tool.ts'
import { directoryResource } from '../resources/directory/directory.ts'
import { contentOf } from '../resources/file/content.ts'
import { fileResource } from '../resources/file/file.ts'
import { besideVendor, type VendorFile } from '../resources/file/vendor.ts'
import type { ModuleContext } from './define.ts'

/** The file of a systemd tool's configuration, and its folder, on hosts that have the tool. */
export function vendorConfig(
  tool: string,
  folder: string,
  vendor: VendorFile,
  context: ModuleContext,
): readonly Resource[] {
  const root = { owner: 'root', group: 'root' }
  const file = fileResource({
    ...root,
    path: `${folder}/${vendor.name}`,
    mode: 0o644,
    content: contentOf(vendor.text, context),
  })
  return [
    whereTool(tool, directoryResource({ ...root, path: folder, mode: 0o755 })),
    whereTool(tool, besideVendor(file, vendor)),
  ]
}
