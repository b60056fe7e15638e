import { Metadata, type ServiceError, type StatusObject, status } from '@grpc/grpc-js';
import type { Input } from '../../proto/codec.ts';
import { codec } from '../../proto/codec.ts';
import { BadRequest, ErrorInfo, ResourceInfo, Status } from '../../proto/gen/google.rpc.ts';
import { type Failure, type FailureReason, failureReasons } from '../failure.ts';
import { detailsOf } from './details.ts';

/** The trailer that carries google.rpc.Status, as gRPC libraries of all languages agree. */
const detailsTrailer = 'grpc-status-details-bin';

/** google.rpc.ErrorInfo's domain of Flotilla's reasons. */
const domain = 'flotilla';

const typePrefix = 'type.googleapis.com/';

/** The gRPC status of each reason: the one table. See grpc.io/docs/guides/status-codes. */
const statusCodes: Readonly<Record<FailureReason, status>> = {
  INVALID_FIELD: status.INVALID_ARGUMENT,
  NOT_FOUND: status.NOT_FOUND,
  NAME_TAKEN: status.ALREADY_EXISTS,
  WRONG_STATE: status.FAILED_PRECONDITION,
  BUSY: status.FAILED_PRECONDITION,
  NO_HOST_FITS: status.RESOURCE_EXHAUSTED,
  HOST_UNREACHABLE: status.UNAVAILABLE,
  NO_SPACE: status.RESOURCE_EXHAUSTED,
  BOOT_FILE: status.FAILED_PRECONDITION,
  DATABASE_UNAVAILABLE: status.UNAVAILABLE,
  CONFLICT: status.ABORTED,
  REVISION_COMPACTED: status.OUT_OF_RANGE,
  WATCH_TOO_SLOW: status.RESOURCE_EXHAUSTED,
  STALE_EPOCH: status.FAILED_PRECONDITION,
  HYPERVISOR: status.INTERNAL,
  SERVICE_UNAVAILABLE: status.UNAVAILABLE,
  STORAGE: status.INTERNAL,
  NETWORK: status.INTERNAL,
  CANCELLED: status.CANCELLED,
  LIMIT: status.RESOURCE_EXHAUSTED,
  FORBIDDEN: status.PERMISSION_DENIED,
  XENSTORE: status.FAILED_PRECONDITION,
  NOT_IMPLEMENTED: status.UNIMPLEMENTED,
  IMAGE: status.FAILED_PRECONDITION,
};

/** What a status without details means: one that grpc itself made, or a foreign server. */
const reasonsOfCodes: Readonly<Partial<Record<status, FailureReason>>> = {
  [status.CANCELLED]: 'CANCELLED',
  [status.INVALID_ARGUMENT]: 'INVALID_FIELD',
  [status.NOT_FOUND]: 'NOT_FOUND',
  [status.ALREADY_EXISTS]: 'NAME_TAKEN',
  [status.PERMISSION_DENIED]: 'FORBIDDEN',
  [status.UNAUTHENTICATED]: 'FORBIDDEN',
  [status.RESOURCE_EXHAUSTED]: 'LIMIT',
  [status.FAILED_PRECONDITION]: 'WRONG_STATE',
  [status.ABORTED]: 'CONFLICT',
  [status.UNIMPLEMENTED]: 'NOT_IMPLEMENTED',
};

const codecs = {
  status: codec(Status),
  errorInfo: codec(ErrorInfo),
  resourceInfo: codec(ResourceInfo),
  badRequest: codec(BadRequest),
};

/** A failure as google.rpc.Status: in an Operation, or in a call's trailer. */
export function rpcStatus(failure: Failure): Input<Status> {
  const { reason, message, remedy, resource, field } = failure;
  const details = [
    any(ErrorInfo, codecs.errorInfo.encode({ reason, domain, metadata: { remedy } })),
  ];
  if (resource !== undefined) {
    const info = { resourceType: resource.type, resourceName: resource.name, description: message };
    details.push(any(ResourceInfo, codecs.resourceInfo.encode(info)));
  }
  if (field !== undefined) {
    const violation = { field, description: message };
    details.push(any(BadRequest, codecs.badRequest.encode({ fieldViolations: [violation] })));
  }
  return { code: statusCodes[reason], message, details };
}

/** A failure as the status that ends a call. */
export function callStatus(failure: Failure): Pick<StatusObject, 'code' | 'details' | 'metadata'> {
  const metadata = new Metadata();
  metadata.set(detailsTrailer, Buffer.from(codecs.status.encode(rpcStatus(failure))));
  return { code: statusCodes[failure.reason], details: failure.message, metadata };
}

/** What a stream of grpc-js throws when the other side ends it with a status. */
export function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && 'details' in error && 'metadata' in error;
}

/** The failure that a call of a Flotilla service ended with, or what grpc's own error means. */
export function failureOf(error: ServiceError): Failure {
  const [bytes] = error.metadata?.get(detailsTrailer) ?? [];
  const detailed = bytes instanceof Uint8Array ? decoded(bytes) : null;
  if (detailed !== null) return detailed;
  const reason = reasonsOfCodes[error.code];
  const why = detailsOf(error);
  if (reason !== undefined) return { reason, message: why, remedy: '' };
  return {
    reason: 'SERVICE_UNAVAILABLE',
    message: `the service does not answer: ${why}`,
    remedy: 'See whether it runs on its host: flotilla host list',
  };
}

/** The failure that a google.rpc.Status of an Operation carries. */
export function failureOfStatus(message: Status): Failure {
  const detail = <Message>(type: { name: string }, read: (bytes: Uint8Array) => Message) => {
    const found = message.details.find((item) => item.type_url === `${typePrefix}${type.name}`);
    return found === undefined ? undefined : read(found.value);
  };
  const info = detail(ErrorInfo, codecs.errorInfo.decode);
  const resource = detail(ResourceInfo, codecs.resourceInfo.decode);
  const [violation] = detail(BadRequest, codecs.badRequest.decode)?.fieldViolations ?? [];
  return {
    reason: reasonOf(info?.reason) ?? 'SERVICE_UNAVAILABLE',
    message: message.message,
    remedy: info?.metadata.remedy ?? '',
    resource:
      resource === undefined
        ? undefined
        : { type: resource.resourceType, name: resource.resourceName },
    field: violation?.field,
  };
}

function any(type: { name: string }, value: Uint8Array) {
  return { type_url: `${typePrefix}${type.name}`, value };
}

/** Null: bytes that are no such status, or one of somebody else. */
function decoded(bytes: Uint8Array): Failure | null {
  try {
    const message = codecs.status.decode(bytes);
    return message.details.length === 0 ? null : failureOfStatus(message);
  } catch {
    return null;
  }
}

function reasonOf(text: string | undefined): FailureReason | undefined {
  return failureReasons.find((reason) => reason === text);
}
