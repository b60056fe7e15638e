import test from 'ava';
import fc from 'fast-check';
import { fail, ok } from '../../../base/result.ts';
import {
  mergeFragments,
  optionsOn,
  parseFragment,
  renderOptions,
  unmetOptions,
} from './configuration.ts';

const value = fc.oneof(
  fc.constantFrom('y', 'm', 'n', '0x1000'),
  fc.nat().map(String),
  fc.stringMatching(/^[a-z ,]{0,9}$/).map((text) => `"${text}"`),
);
const option = fc.stringMatching(/^[A-Z][A-Z0-9_]{0,9}$/);
const options = fc.array(fc.tuple(option, value)).map((entries) => new Map(entries));

test('a fragment has options, switched off ones and comments', (t) => {
  const text = '# why\n\nCONFIG_NET=y\n# CONFIG_WLAN is not set\nCONFIG_HZ=100\nCONFIG_V="-a"\n';
  const read = parseFragment('net.config', text);
  const entries = read.ok ? [...read.value.options] : [];
  t.deepEqual(entries, [
    ['NET', 'y'],
    ['WLAN', 'n'],
    ['HZ', '100'],
    ['V', '"-a"'],
  ]);
});

test('a line that is no option is a failure that says where it is', (t) => {
  const failures = ['CONFIG_NET=yes', 'NET=y', 'CONFIG_NET', ' CONFIG_NET=y'].map((line) =>
    parseFragment('net.config', `# why\n${line}\n`),
  );
  for (const failure of failures)
    t.regex(failure.ok ? '' : failure.error, /^net\.config, line 2: .* neither an option/);
});

test('an option that is twice in a fragment is a failure', (t) => {
  t.deepEqual(
    parseFragment('a.config', 'CONFIG_A=y\n# CONFIG_A is not set\n'),
    fail('a.config, line 2: A is already set in this file'),
  );
});

test('what is written is read again', (t) => {
  fc.assert(
    fc.property(options, (given) => {
      const read = parseFragment('any', renderOptions(given));
      t.deepEqual(read, ok({ name: 'any', options: given }));
    }),
  );
});

test('fragments are merged to the same options in any order', (t) => {
  fc.assert(
    fc.property(options, options, (one, two) => {
      const a = { name: 'a', options: one };
      // What both have, they have with one value.
      const b = { name: 'b', options: new Map([...two, ...[...one].slice(0, 2)]) };
      const forth = mergeFragments([a, b]);
      const back = mergeFragments([b, a]);
      if (!forth.ok || !back.ok) return forth.ok === back.ok;
      return renderOptions(forth.value) === renderOptions(back.value);
    }),
  );
  t.pass();
});

test('an option that two fragments set differently is a failure that names both', (t) => {
  const a = { name: 'a.config', options: new Map([['SMP', 'y']]) };
  const b = { name: 'b.config', options: new Map([['SMP', 'n']]) };
  t.deepEqual(mergeFragments([a, b]), fail('SMP is y in a.config and n in b.config'));
});

test('an option that did not take is named, with what it has instead', (t) => {
  const wanted = new Map([
    ['XEN', 'y'],
    ['NET', 'y'],
    ['USB', 'n'],
    ['PCI', 'n'],
    ['HZ', '100'],
  ]);
  const finished = new Map([
    ['NET', 'm'],
    ['PCI', 'y'],
    ['HZ', '100'],
  ]);
  t.deepEqual(unmetOptions(wanted, finished), [
    { option: 'XEN', wanted: 'y', got: 'n' },
    { option: 'NET', wanted: 'y', got: 'm' },
    { option: 'PCI', wanted: 'n', got: 'y' },
  ]);
});

test('options that are on are counted, built in or modules, not numbers and texts', (t) => {
  t.is(optionsOn('# CONFIG_A is not set\nCONFIG_B=y\nCONFIG_C=m\nCONFIG_D=7\nCONFIG_E="y"\n'), 2);
});
