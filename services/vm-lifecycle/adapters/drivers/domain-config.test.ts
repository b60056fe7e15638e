import test from 'ava';
import type { OperationStep } from '../../../../pool/records/operation.ts';
import { diskConfig } from './domain-config.ts';

const disk = { vdi: 'vdi-1', vdev: 'xvda', readOnly: false };

/** A recorded step that attached the disk, with the output that its release wrote. */
function attached(output: Record<string, unknown>): OperationStep {
  return {
    ...{ name: 'storage.attach', description: '', state: 'done', irreversible: false },
    ...{ input: { vdi: 'vdi-1', vdev: 'xvda' }, output },
  };
}

test('a disk is served by the domain that its attachment names', (t) => {
  const served = { path: '/dev/loop3', device: '7:3', backend: 5 };
  const config = diskConfig(disk, [attached(served)]);
  t.deepEqual(config, { ok: true, value: { vdev: 'xvda', readOnly: false, ...served } });
});

test('what an earlier release recorded, a path alone, is served by the control domain', (t) => {
  const config = diskConfig(disk, [attached({ path: '/dev/loop3' })]);
  t.like(config, { ok: true, value: { path: '/dev/loop3', device: null, backend: 0 } });
});

test('an output without a path, or with a backend that is none, fails and says of which step', (t) => {
  for (const output of [{}, { path: '' }, { path: '/dev/loop3', backend: -1 }]) {
    const config = diskConfig(disk, [attached(output)]);
    t.like(config, { ok: false, error: { reason: 'STORAGE' } });
    t.regex(config.ok ? '' : config.error.message, /storage\.attach.*vdi-1/);
  }
});
