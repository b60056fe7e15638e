import test from 'ava';
import { isLoopback } from './loopback.ts';

test('loopback is told from what others can listen in to', (t) => {
  for (const address of ['127.0.0.1:1', '127.1.2.3:80', 'localhost:2379', '[::1]:2379'])
    t.true(isLoopback(address), address);
  for (const address of ['10.0.0.1:1', '0.0.0.0:1', '127.0.0.1.example:1', '[::2]:1', 'host:1', ''])
    t.false(isLoopback(address), address);
});
