import test from 'ava';
import { type MemberId, memberId } from '../../core/ids.ts';
import { MemberCertificates } from './member-certificates.ts';

/** Members 1, 2 and 4 take part; 4 has told no name yet. */
function setting() {
  const names = new Map([1, 2].map((id) => [memberId(id), `host-${id}`]));
  const members: MemberId[] = [1, 2, 4].map(memberId);
  const certificates = new MemberCertificates({
    nameOf: (member) => names.get(member) ?? null,
    members: () => members,
  });
  const refusal = (id: number, host: string | null) =>
    certificates.refusal(memberId(id), host === null ? null : `${host}/consensus`);
  return { names, members, refusal };
}

test('a member is who its certificate says, and nobody else', (t) => {
  const { refusal } = setting();
  t.is(refusal(1, 'host-1'), null);
  t.regex(
    refusal(1, 'host-2') ?? '',
    /of host-2\/consensus is not that of member 1, which is host-1: check/,
  );
  t.regex(refusal(2, null) ?? '', /certificate of nobody is not that of member 2/);
});

test('a member that joins is who came first, and not another member', (t) => {
  const { names, refusal } = setting();
  t.regex(refusal(4, 'host-2') ?? '', /is that of member 2, and not of member 4: give each/);
  t.is(refusal(4, 'host-3'), null);
  t.is(refusal(4, 'host-3'), null, 'it may call again');
  t.regex(refusal(4, 'host-5') ?? '', /is not that of member 4, which is host-3/);
  names.set(memberId(4), 'host-3');
  t.is(refusal(4, 'host-3'), null);
});

test('once it is removed, another may join under its name', (t) => {
  const { members, refusal } = setting();
  t.is(refusal(4, 'host-3'), null);
  members.splice(2, 1, memberId(5));
  t.is(refusal(5, 'host-3'), null);
  t.regex(refusal(5, 'host-6') ?? '', /which is host-3/);
});

test('a log that is behind refuses no member that it does not know', (t) => {
  const { refusal } = setting();
  t.is(refusal(9, 'host-2'), null);
  t.is(refusal(9, 'host-9'), null);
});
