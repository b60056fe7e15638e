import test from 'ava';
import { type Configuration, configurationOf } from '../core/configuration.ts';
import { memberId } from '../core/ids.ts';
import { flagsProblem } from './flags-problem.ts';

const self = memberId(1);

function told(...addresses: readonly string[]): Configuration {
  const members = addresses.map((peer, at) => ({ member: memberId(at + 1), peers: [peer] }));
  return { ...configurationOf(members.map(({ member }) => member)), addresses: members };
}

function problem(cluster: Readonly<Record<string, string>>, configuration: Configuration) {
  const initialCluster = new Map(Object.entries(cluster));
  return flagsProblem({ name: 'a', initialCluster }, self, configuration) ?? 'none';
}

test('flags that say what the log says are no problem, and an empty log says nothing', (t) => {
  t.is(problem({ a: 'h:1', b: 'h:2' }, told('h:1', 'h:2')), 'none');
  t.is(problem({ a: 'h:1', b: 'h:2' }, configurationOf([])), 'none');
  t.is(problem({ a: 'h:1' }, configurationOf([self])), 'none', 'version 1 told no addresses');
});

test('another address of its own, or other members, are told of', (t) => {
  t.regex(problem({ a: 'h:9', b: 'h:2' }, told('h:1', 'h:2')), /says that a listens .* at h:9/);
  t.regex(problem({ a: 'h:1' }, told('h:1', 'h:2')), /out of date.*: the members are at h:1, h:2/);
  t.regex(problem({ a: 'h:1', c: 'h:3' }, told('h:1')), /out of date/);
});
