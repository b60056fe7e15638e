/**
 * Versions of what members say to one another and write into the log.
 *
 *   1  the first
 *   2  changes of the membership; a configuration tells addresses; access rules in the store
 *
 * A member reads everything up to its own version. What a version has added is written only once
 * no member is known that could not read it: so members are upgraded one by one, in any order.
 */
export interface ProtocolVersions {
  readonly newest: number;
  readonly oldest: number;
}

/** What this program speaks. */
export const protocolVersions: ProtocolVersions = { newest: 2, oldest: 1 };

/** The version from which on the membership can be changed. */
export const membershipVersion = 2;
