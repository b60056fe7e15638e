import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { productionPackages } from './npm-closure.ts';

test('what runs in production is found as Node finds it, nothing else', async (t) => {
  const checkout = await mkdtemp(join(tmpdir(), 'checkout-'));
  t.teardown(() => rm(checkout, { recursive: true }));
  const manifest = async (path: string, content: object): Promise<void> => {
    await mkdir(join(checkout, path), { recursive: true });
    await writeFile(join(checkout, path, 'package.json'), JSON.stringify(content));
  };
  await manifest('.', {
    dependencies: { a: '1', '@scope/b': '1' },
    optionalDependencies: { here: '1', 'for-another-machine': '1' },
    devDependencies: { tester: '1' },
  });
  await manifest('node_modules/a', {
    dependencies: { shared: '2' },
    devDependencies: { tester: '1' },
  });
  await manifest('node_modules/a/node_modules/shared', { dependencies: { a: '1' } });
  await manifest('node_modules/@scope/b', { dependencies: { shared: '1' } });
  await manifest('node_modules/shared', {});
  await manifest('node_modules/here', {});
  await manifest('node_modules/tester', { dependencies: { shared: '1' } });
  await manifest('node_modules/left-over', {});
  t.deepEqual(await productionPackages(checkout), [
    'node_modules/@scope/b',
    'node_modules/a',
    'node_modules/a/node_modules/shared',
    'node_modules/here',
    'node_modules/shared',
  ]);
});
