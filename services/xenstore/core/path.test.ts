import test from 'ava';
import fc from 'fast-check';
import { absolutePathMax, parsePath } from './path.ts';
import type { DomainId } from './permissions.ts';

const domain = 7 as DomainId;

/** docs/misc/xenstore-paths.pandoc, and xenstore.txt: what a path is made of. */
const form = /^(?:\/[-A-Za-z0-9_@]+)+$/;

/** Text that is often a path, and often nearly one. */
const texts = fc.oneof(
  fc.string({ unit: fc.constantFrom('/', 'a', 'Z', '0', '-', '_', '@', '.', ' ', '\0', 'é', '€') }),
  fc.array(fc.stringMatching(/^[-\w@]{1,9}$/)).map((names) => `/${names.join('/')}`),
  fc.string({ unit: 'binary' }),
);

test('[X8] what is a path is taken apart at its slashes, and nothing else is one', (t) => {
  fc.assert(
    fc.property(texts, (text) => {
      const parsed = parsePath(text, domain);
      const full = text.startsWith('/') ? text : `/local/domain/${domain}/${text}`;
      if (text === '/') t.deepEqual(parsed, { ok: true, value: [''] });
      else if (form.test(full) && !text.startsWith('@'))
        t.deepEqual(parsed, { ok: true, value: full.split('/') });
      else t.deepEqual(parsed, { ok: false, error: 'EINVAL' });
    }),
    { numRuns: 2000 },
  );
});

test('[X8] a path may be as long as it is allowed to be, and no longer', (t) => {
  const longest = `/${'a'.repeat(absolutePathMax - 1)}`;
  t.true(parsePath(longest, domain).ok);
  t.false(parsePath(`${longest}a`, domain).ok);
});
