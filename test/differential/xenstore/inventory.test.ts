import test from 'ava';
import { withoutDomain, withoutStale } from './inventory.ts';

const node = (...permissions: string[]) => ({ permissions, value: '' });

test('without a domain there are no nodes of its own, nothing below them, and no entry for it', (t) => {
  const nodes = {
    '/': node('n7'),
    '/a': node('n7', 'r8'),
    '/a/b': node('n8'),
    '/e': node('n8', 'r7', 'w0'),
    '/f': 'EACCES',
  };
  t.deepEqual(withoutDomain(nodes, 7), {
    '/': node('n0'),
    '/e': node('n8', 'w0'),
    '/f': 'EACCES',
  });
});

test('a stale entry is one that the others have not and that names a domain which is gone', (t) => {
  const nodes = { '/a': node('n8', 'r7', 'b7', 'w8'), '/e': node('n7'), '/f': node('n0', 'r7') };
  const others = { '/a': node('n8', 'b7'), '/e': node('n7'), '/g': node('n0') };
  t.deepEqual(withoutStale(nodes, others, new Set([7])), {
    '/a': node('n8', 'b7', 'w8'),
    '/e': node('n7'),
    '/f': node('n0', 'r7'),
  });
});
