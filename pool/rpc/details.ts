import type { ServiceError } from '@grpc/grpc-js';

/** What a failed call says, without the words that grpc-js puts around a refused connection. */
export function detailsOf(error: ServiceError): string {
  const text = error.details === '' ? error.message : error.details;
  const refused =
    /^No connection established\. Last error: (?:Error: )?(.*?)\.?\s*(?:Resolution note:.*)?$/s;
  return refused.exec(text)?.[1] ?? text;
}
