import test from 'ava';
import { configurationOf } from '../../core/configuration.ts';
import { logIndex, memberId } from '../../core/ids.ts';
import { AddressBook } from './address-book.ts';
import type { Greeted } from './greeting.ts';

const [a, b, c] = [1, 2, 3].map(memberId);

function told(...listed: readonly (readonly [typeof a, ...string[]])[]) {
  const addresses = listed.map(([member = memberId(0), ...peers]) => ({ member, peers }));
  return { ...configurationOf(addresses.map(({ member }) => member)), addresses };
}

function caller(member = memberId(0), address: string | null, index: number): Greeted {
  return { member, version: 2, address, configurationIndex: logIndex(index) };
}

const found = (book: AddressBook) => Object.fromEntries(book.addresses());

test('the configuration tells where others listen, and this member itself', (t) => {
  const book = new AddressBook(memberId(1));
  t.deepEqual(found(book), {});
  t.is(book.ownAddress, null);
  book.configure(told([a, 'h1:1'], [b, 'h2:1', 'h2:2']), logIndex(4));
  t.deepEqual(found(book), { 2: ['h2:1', 'h2:2'] });
  t.is(book.ownAddress, 'h1:1');
});

test('a member with an empty log answers who calls, for as long as it is connected', (t) => {
  const book = new AddressBook(memberId(1));
  const call = caller(b, 'h2:1', 9);
  book.met(call);
  t.deepEqual(found(book), { 2: ['h2:1'] });
  const again = caller(b, 'h2:7', 9);
  book.met(again);
  book.left(call);
  t.deepEqual(found(book), { 2: ['h2:7'] }, 'the former stream does not take the newer along');
  book.left(again);
  t.deepEqual(found(book), {});
});

test("a caller's word goes before a configuration that is older than its own", (t) => {
  const book = new AddressBook(memberId(1));
  book.configure(told([a, 'h1:1'], [b, 'h2:1'], [c, 'h3:1']), logIndex(4));
  book.met(caller(b, 'h2:new', 4));
  book.met(caller(c, 'h3:new', 5));
  t.deepEqual(found(book), { 2: ['h2:1'], 3: ['h3:new'] });
  book.configure(told([a, 'h1:1'], [b, 'h2:1'], [c, 'h3:x']), logIndex(5));
  t.deepEqual(found(book), { 2: ['h2:1'], 3: ['h3:x', 'h3:1'] });
});

test('callers who do not say where they listen, or are too many, are not noted', (t) => {
  const book = new AddressBook(memberId(1));
  book.met(caller(b, null, 1));
  t.deepEqual(found(book), {});
  for (let id = 10; id < 100; id += 1) book.met(caller(memberId(id), `h${id}:1`, 1));
  t.is(book.addresses().size, 32);
});

test('where no configuration tells, as in version 1, the first addresses count', (t) => {
  const first = [a, b, c].map((id, at) => [id ?? memberId(0), `f${at + 1}:1`] as const);
  const book = new AddressBook(memberId(1), new Map(first));
  t.deepEqual(found(book), {}, 'only members are called');
  book.configure(configurationOf([1, 2, 3].map(memberId)), logIndex(4));
  t.deepEqual(found(book), { 2: ['f2:1'], 3: ['f3:1'] });
  book.configure(told([a, 'h1:1'], [b, 'h2:1']), logIndex(5));
  t.deepEqual(found(book), { 2: ['h2:1', 'f2:1'] });
});

test('a member that is to move is still looked for where it was', (t) => {
  const book = new AddressBook(memberId(1));
  book.configure(told([a, 'h1:1'], [b, 'h2:1']), logIndex(1));
  book.configure(told([a, 'h1:1'], [b, 'h2:new']), logIndex(2));
  t.deepEqual(found(book), { 2: ['h2:new', 'h2:1'] });
  book.configure(told([a, 'h1:1'], [b, 'h2:new'], [c, 'h3:1']), logIndex(3));
  t.deepEqual(found(book), { 2: ['h2:new', 'h2:1'], 3: ['h3:1'] });
  book.configure(told([a, 'h1:1'], [c, 'h3:1']), logIndex(4));
  book.configure(told([a, 'h1:1'], [b, 'h2:1']), logIndex(5));
  t.deepEqual(found(book), { 2: ['h2:1'] });
});
