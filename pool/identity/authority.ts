import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';
import { type Milliseconds, milliseconds } from '../../base/units.ts';

/** ECDSA on P-256: what every TLS library has, and cheap enough for one handshake a connection. */
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

const day = 24 * 3600 * 1000;

/** An authority outlives its hosts' hardware; an identity is issued anew when `flotilla up` starts. */
const validity = {
  authority: milliseconds(3650 * day),
  identity: milliseconds(365 * day),
  /** Hosts' clocks may differ by so much. */
  skew: milliseconds(3600 * 1000),
};

/** A certificate with its private key, both as PEM; the key is PKCS #8 (RFC 5958). */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/** What a service or an operator proves who it is with. */
export interface Identity extends KeyPair {
  /** The certificate of the pool's authority. */
  readonly ca: string;
}

/** Whom to issue an identity for. */
export interface Subject {
  /** `host-1/storage`, `operator`: the certificate's common name, which servers see. */
  readonly name: string;
  /** Names and addresses by which clients connect to it, besides those of loopback. */
  readonly hosts: readonly string[];
}

/** Makes the certificate authority of a pool. Whoever has its key can issue any identity. */
export async function makeAuthority(pool: string, now: Milliseconds): Promise<KeyPair> {
  const keys = await makeKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [`pool ${pool}`] }],
    keys,
    signingAlgorithm: algorithm,
    ...lasting(now, validity.authority),
    serialNumber: serialNumber(),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: certificate.toString('pem'), key: await keyPem(keys.privateKey) };
}

/** Issues a certificate, for servers and clients both, on a new key. */
export async function issue(
  authority: KeyPair,
  subject: Subject,
  now: Milliseconds,
): Promise<Identity> {
  const issuer = new x509.X509Certificate(authority.certificate);
  const keys = await makeKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    subject: [{ CN: [subject.name] }],
    issuer: issuer.subject,
    publicKey: keys.publicKey,
    signingKey: await readKey(authority.key),
    signingAlgorithm: algorithm,
    ...lasting(now, validity.identity),
    serialNumber: serialNumber(),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([
        x509.ExtendedKeyUsage.serverAuth,
        x509.ExtendedKeyUsage.clientAuth,
      ]),
      new x509.SubjectAlternativeNameExtension(alternativeNames(subject.hosts)),
      await x509.AuthorityKeyIdentifierExtension.create(await issuer.publicKey.export()),
    ],
  });
  return {
    ca: authority.certificate,
    certificate: certificate.toString('pem'),
    key: await keyPem(keys.privateKey),
  };
}

/** Clients connect by address, and check the name or address that they connected to. */
function alternativeNames(hosts: readonly string[]): x509.JsonGeneralNames {
  const all = new Set(['localhost', '127.0.0.1', '::1', ...hosts]);
  return [...all].map((host) => ({ type: isIP(host) === 0 ? 'dns' : 'ip', value: host }));
}

function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

async function keyPem(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
}

function readKey(pem: string): Promise<webcrypto.CryptoKey> {
  const der = x509.PemConverter.decodeFirst(pem);
  return webcrypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']);
}

function lasting(now: Milliseconds, span: Milliseconds) {
  return { notBefore: new Date(now - validity.skew), notAfter: new Date(now + span) };
}

/** 127 random bits (RFC 5280, 4.1.2.2, allows 20 octets), in hexadecimal. */
function serialNumber(): string {
  const bytes = webcrypto.getRandomValues(Buffer.alloc(16));
  bytes.writeUInt8(bytes.readUInt8(0) & 0x7f, 0);
  return bytes.toString('hex');
}
