/** Why a member did not start, or has ended. `isFinal`: not before somebody changes something. */
export interface StartFailure {
  readonly isFinal: boolean;
  readonly detail: string;
}

/** Starting again would not help. */
export function final(detail: string): StartFailure {
  return { isFinal: true, detail };
}

/** How a member whose former self is gone, or was removed, takes part again. */
export function joinAgain(name: string, address: string): string {
  return (
    `empty its data directory, add it as a new member (flotilla pool member add ${name} --peer ` +
    `${address}, or etcdctl member add) and start it with --initial-cluster-state existing`
  );
}
