import test from 'ava';
import { linkedProgram } from './linked-program.ts';

test('a module of the sources has no program to start again, a linked one has its own', (t) => {
  t.is(linkedProgram(import.meta.filename), null);
  t.is(linkedProgram('/opt/flotilla/lib/service/main.cjs'), '/opt/flotilla/lib/service/main.cjs');
});
