/** The pause after the second action on one subject, in milliseconds. */
const first = 1_000;
/** The longest pause; a subject that was left alone for longer starts afresh. */
const most = 60_000;

/**
 * Keeps what corrects itself from doing so in a frenzy: the first action on a subject is at once,
 * and each one that follows soon waits twice as long as the one before. A guest that reboots as soon
 * as it has booted is built anew at most once a minute. Moments are in milliseconds of any clock
 * that does not go back.
 */
export class Pacing {
  readonly #last = new Map<string, { readonly at: number; readonly pause: number }>();

  /** How long an action on the subject must still wait; 0: it is to be done now. */
  waitFor(subject: string, now: number): number {
    const last = this.#last.get(subject);
    return last === undefined ? 0 : Math.max(0, last.at + last.pause - now);
  }

  /** Notes that an action on the subject was done. */
  note(subject: string, now: number): void {
    const last = this.#last.get(subject);
    const calm = last === undefined || now - last.at > last.pause + most;
    this.#last.set(subject, { at: now, pause: calm ? first : Math.min(most, last.pause * 2) });
    for (const [known, { at, pause }] of this.#last)
      if (now - at > pause + most) this.#last.delete(known);
  }
}
