/** What is wrong: there is no room left, or members differ in what they store. */
export type AlarmKind = 'no-space' | 'corrupt';

/** Who found it: the member's own look at its quota or its disk, or somebody who set the alarm. */
export type AlarmCause = 'quota' | 'disk' | 'asked';

/** One alarm. A member may have several of one kind, for different causes. */
export interface Alarm {
  readonly member: number;
  readonly kind: AlarmKind;
  readonly cause: AlarmCause;
}

/** Which alarms; null stands for any. */
export interface AlarmSelector {
  readonly member: number | null;
  readonly kind: AlarmKind | null;
  readonly cause: AlarmCause | null;
}
