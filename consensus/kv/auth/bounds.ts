/** The bounds of what is kept of rights. */
export const authBounds = {
  /** Users: the services of more hosts than a pool has, and people. */
  users: 10_000,
  roles: 1000,
  /** Permissions of one role: what putting a user's rights together may cost. */
  permissionsPerRole: 1000,
  /** Bytes of a user's or a role's name: X.509 bounds common names to 64 characters. */
  name: 256,
} as const;
