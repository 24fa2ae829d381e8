// Licences made without any code of Cameleer's: Node's crypto alone, as docs/vendor-guide.md tells other implementers.
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { remember } from '../secrets/collect.mjs';

/** A key pair: `privateKey` signs, `publicKey` is what a server gets (base64 of the SPKI), `pem` the private half. */
export function newKeyPair() {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  remember('private key', Buffer.from(privateKey.export({ format: 'jwk' }).d, 'base64url'));
  return {
    privateKey,
    publicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    pem: privateKey.export({ type: 'pkcs8', format: 'pem' }),
  };
}

/** An instant as a licence writes it, so many days from now. */
export const daysAhead = (days) => new Date(Date.now() + days * 86_400_000).toISOString().replace(/\.\d+Z$/, 'Z');

/** The members of a licence; pass those that matter. A member given as undefined is left out. */
export function licence(members = {}) {
  return {
    licenseId: randomUUID(), tenantId: 'default', label: 'Test', limits: {}, issuedAt: daysAhead(0), expiresAt: daysAhead(365),
    gracePeriodDays: 0, ...members,
  };
}

/** JSON with sorted keys at every level and no white space. */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const members = Object.keys(value).filter((key) => value[key] !== undefined).sort();
  return `{${members.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(',')}}`;
}

/** base64(payload).base64(signature); `payload`: an object, or the very bytes as text. */
export function tokenOf(payload, privateKey) {
  const bytes = Buffer.from(typeof payload === 'string' ? payload : canonical(payload));
  return `${bytes.toString('base64')}.${sign(null, bytes, privateKey).toString('base64')}`;
}

/** The JWT form. */
export function jwtOf(payload, privateKey, header = { alg: 'EdDSA', typ: 'license+jwt' }) {
  const part = (value) => Buffer.from(typeof value === 'string' ? value : canonical(value)).toString('base64url');
  const signed = `${part(header)}.${part(payload)}`;
  return `${signed}.${sign(null, Buffer.from(signed), privateKey).toString('base64url')}`;
}

/** A signed list of revoked licences. */
export function revocationsOf(licenseIds, sequence, privateKey, members = {}) {
  return tokenOf({ issuedAt: daysAhead(0), kind: 'revocations', licenseIds: [...licenseIds].sort(), sequence, ...members }, privateKey);
}
