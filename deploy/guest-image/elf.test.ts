import { readFileSync } from 'node:fs';
import test from 'ava';
import { elfFacts } from './elf.ts';

test("Node's binary says which program loads it, and what it needs", (t) => {
  const facts = elfFacts(readFileSync(process.execPath));
  t.is(facts?.machine, process.arch === 'arm64' ? 'aarch64' : 'x86_64');
  t.regex(facts?.interpreter ?? '', /^\/lib.*\/ld-linux-/);
  t.true(facts?.needs.includes('libc.so.6'));
  t.true(facts?.needs.includes('libstdc++.so.6'));
});

test('what is no program for Linux is none', (t) => {
  t.is(elfFacts(Buffer.from('#!/bin/sh\n')), null);
  t.is(elfFacts(Buffer.alloc(100)), null);
  t.is(elfFacts(readFileSync(import.meta.filename)), null);
});
