import type { Lab, LabHost } from '../test/lab/lab.ts'

/** Takes away all that bench/playbook.yml makes, and what kmsfleet leaves in /run. */
const undo = `
rm -rf /etc/kms-bench /var/lib/kms-bench /usr/share/kms-bench /run/kms-bench /run/kmsfleet
rm -f /etc/systemd/system/kms-bench.service /etc/systemd/system/*.wants/kms-bench.service
for user in kms-bench kms-bench-api kms-bench-audit; do
  ! grep -q "^$user:" /etc/passwd || userdel "$user"
done
for group in kms-bench kms-bench-socket kms-bench-api kms-bench-audit; do
  ! grep -q "^$group:" /etc/group || groupdel "$group"
done
systemctl daemon-reload
`

/** Makes all hosts bare again, by no way of kmsfleet's. */
export async function makeBare(lab: Lab): Promise<void> {
  const queue = lab.hosts.values()
  const worker = async (): Promise<void> => {
    for (const host of queue) await makeHostBare(lab, host)
  }
  await Promise.all(Array.from({ length: 4 }, worker))
}

async function makeHostBare(lab: Lab, host: LabHost): Promise<void> {
  await lab.exec(host, undo)
}
