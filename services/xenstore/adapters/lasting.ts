import { messageTypes, type Packet } from '../core/wire.ts';

/** Whether a request of the control domain leaves nothing behind: it need not be kept. */
export function changesNothing({ type, transactionId }: Packet): boolean {
  switch (type) {
    case messageTypes.READ:
    case messageTypes.DIRECTORY:
    case messageTypes.DIRECTORY_PART:
    case messageTypes.GET_PERMS:
      return transactionId === 0;
    default:
      return false;
  }
}

/**
 * Whether a request of the control domain leaves behind only what ends with its client, as after a kill
 * all of them do: watches, and what a transaction has seen and done that is not committed.
 */
export function goesWithItsClient({ type, transactionId }: Packet): boolean {
  switch (type) {
    case messageTypes.READ:
    case messageTypes.DIRECTORY:
    case messageTypes.DIRECTORY_PART:
    case messageTypes.GET_PERMS:
    case messageTypes.WRITE:
    case messageTypes.MKDIR:
    case messageTypes.RM:
    case messageTypes.SET_PERMS:
      return transactionId !== 0;
    case messageTypes.TRANSACTION_START:
    case messageTypes.WATCH:
    case messageTypes.UNWATCH:
    case messageTypes.RESET_WATCHES:
      return true;
    default:
      return false;
  }
}
