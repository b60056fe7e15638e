import { ChannelCredentials, experimental, ServerCredentials } from '@grpc/grpc-js';
import { ok, type Result } from '../base/result.ts';
import { CertificateFiles, type CertificateLog } from './adapters/tls/certificate-files.ts';
import { checkMember, servingMembersOnly } from './adapters/tls/members-only.ts';
import type { TlsFiles } from './settings.ts';

/** How a member serves, and calls the others. */
export interface Credentials {
  /** For clients: whoever has a certificate of the same CA; what they may do is the store's to say. */
  readonly server: ServerCredentials;
  /** For the other members: nobody else is served. */
  readonly peerServer: ServerCredentials;
  /** For calls to the other members: nobody else is taken for one. */
  readonly channel: ChannelCredentials;
  /** The common name of this member's own certificate; null in plain text, and where it has none. */
  readonly commonName: string | null;
}

/** Where nothing is written. */
const silent: CertificateLog = { info: () => {}, warn: () => {} };

/**
 * Mutual TLS: who calls must show a certificate of the same CA. The files are read again when they
 * change. Null: plain text.
 */
export function loadCredentials(
  files: TlsFiles | null,
  log: CertificateLog = silent,
): Result<Credentials, string> {
  if (files === null)
    return ok({
      server: ServerCredentials.createInsecure(),
      peerServer: ServerCredentials.createInsecure(),
      channel: ChannelCredentials.createInsecure(),
      commonName: null,
    });
  const opened = CertificateFiles.open(files, log);
  if (!opened.ok) return opened;
  const own = opened.value;
  const server = () => experimental.createCertificateProviderServerCredentials(own, own, true);
  const membersOnly = servingMembersOnly((caller, address) =>
    log.warn({ caller, address }, 'refused a caller who is not a member'),
  );
  return ok({
    server: server(),
    peerServer: experimental.createServerCredentialsWithInterceptors(server(), [membersOnly]),
    channel: experimental.createCertificateProviderChannelCredentials(own, own, {
      checkServerIdentity: checkMember,
    }),
    commonName: own.commonName,
  });
}
