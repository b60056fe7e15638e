import {
  learnersMax,
  type MembershipChange,
  type MembershipRefusal,
  votersMax,
} from '../core/membership.ts';

/** What was refused, why, and what to do: one sentence for the operator. */
export function refusalSentence(
  reason: MembershipRefusal,
  { member }: Pick<MembershipChange, 'member'>,
): string {
  switch (reason) {
    case 'not-ready':
      return 'the leader has just taken office or is handing over; try again in a moment';
    case 'change-under-way':
      return 'another change of the membership is not committed yet; try again when it is';
    case 'member-exists':
      return `member ${member} exists already`;
    case 'address-taken':
      return `another member has an address that was given for member ${member}`;
    case 'member-not-found':
      return `no such member: ${member}`;
    case 'not-a-learner':
      return `member ${member} votes already`;
    case 'not-caught-up':
      return `member ${member} lacks too much of the log, or was not heard lately; see that it runs and try again`;
    case 'too-many-members':
      return `a pool has at most ${votersMax} voters, those who are joining included, and ${learnersMax} learners; remove one first`;
    case 'majority-needed':
      return `without member ${member} the voters that can be reached would be no majority; see that the others run first`;
  }
}
