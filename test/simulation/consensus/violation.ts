/** Thrown when a property does not hold: the run has failed. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

/** What is told of a long text. */
const shown = 200;

/** A text for people, cut where it is long. */
export function briefly(text: string): string {
  return text.length <= shown ? text : `${text.slice(0, shown)}...`;
}
