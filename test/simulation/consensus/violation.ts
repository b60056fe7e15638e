/** Thrown when a property does not hold: the run has failed. */
export class Violation extends Error {
  override readonly name = 'Violation';
}
