// What the last stage of a test run looks through, and what it looks for: every secret that a test gives or gets is
// remembered, every log, error body and database is kept. In the folder that CAMELEER_TRACES names; without it nothing
// is kept, for a file that is run alone.
import { execFile } from 'node:child_process';
import { hkdfSync } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const traces = process.env.CAMELEER_TRACES;
/** Shorter texts are in every log by chance. A password that the policy takes is not shorter. */
export const shortest = 12;

const plainFetch = globalThis.fetch;
const known = new Set();

function keep(folder, name, text) {
  mkdirSync(join(traces, folder), { recursive: true });
  appendFileSync(join(traces, folder, name), text);
}

/** Names of errors, and texts that a test filled with the same few letters to make them long: nobody would take them for secrets. */
const isFiller = (text) => new Set(text).size < 8 || /^[a-z]+(_[a-z]+)+$/.test(text);

/** @param {string} kind one word or two for the report @param {string | Buffer} secret bytes are looked for encoded */
export function remember(kind, secret) {
  if (!traces || !secret || secret.length < shortest || (typeof secret === 'string' && isFiller(secret))) return;
  const record = JSON.stringify(typeof secret === 'string' ? { kind, text: secret } : { kind, bytes: secret.toString('base64') });
  if (known.has(record)) return;
  known.add(record);
  keep('secrets', `${process.pid}.ndjson`, `${record}\n`);
}

/** Keeps what a process writes. @returns {(chunk: Buffer) => void} */
export function logOf(name, pid) {
  return traces ? (chunk) => keep('logs', `${name}-${pid}.log`, chunk) : () => {};
}

const secretMembers = {
  password: 'password', currentPassword: 'password', newPassword: 'password', accessToken: 'access token', access_token: 'access token',
  refreshToken: 'refresh token', refresh_token: 'refresh token', id_token: 'ID token', idToken: 'ID token', token: 'access token', secret: 'API key',
  clientSecret: 'client secret', client_secret: 'client secret', code: 'authorization code', code_verifier: 'PKCE verifier',
};
const inQuery = { code: 'authorization code', token: 'access token', id_token_hint: 'ID token', code_verifier: 'PKCE verifier' };

/** The secret members of a document, wherever they are in it. */
export function rememberMembers(value) {
  if (value === null || typeof value !== 'object') return;
  for (const [name, member] of Object.entries(value)) {
    if (typeof member === 'string' && Object.hasOwn(secretMembers, name)) remember(secretMembers[name], member);
    else rememberMembers(member);
  }
}

export function rememberHeaders(headers) {
  const [, scheme, credentials] = /^(\w+) +(.+)$/.exec(headers.get('authorization') ?? '') ?? [];
  if (/^bearer$/i.test(scheme)) remember(credentials.startsWith('cmk_') ? 'API key' : 'access token', credentials);
  if (/^basic$/i.test(scheme)) remember('client secret', decodeURIComponent(Buffer.from(credentials, 'base64').toString().split(':').slice(1).join(':')));
  for (const pair of (headers.get('cookie') ?? '').split('; ')) remember('cookie', pair.slice(pair.indexOf('=') + 1));
  for (const line of headers.getSetCookie?.() ?? []) remember('cookie', line.slice(line.indexOf('=') + 1).split(';')[0]);
}

function rememberQuery(address) {
  if (!URL.canParse(address)) return;
  for (const [name, kind] of Object.entries(inQuery)) remember(kind, new URL(address).searchParams.get(name) ?? '');
}

const isJson = (text) => /^\s*[[{]/.test(text);
// Bodies of other requests are what applications sent: whether that is masked is tested elsewhere.
const carriesCredentials = (url) => /\/(auth|admin\/users|admin\/oidc|token)\b/.test(url);

function rememberRequest(url, { headers, body } = {}) {
  rememberHeaders(new Headers(headers));
  rememberQuery(url);
  if (!body || !carriesCredentials(url)) return;
  if (body instanceof URLSearchParams) rememberMembers(Object.fromEntries(body));
  else if (typeof body === 'string' && isJson(body)) { try { rememberMembers(JSON.parse(body)); } catch { /* a broken body on purpose */ } }
}

async function rememberAnswer(url, answer) {
  rememberHeaders(answer.headers);
  rememberQuery(new URL(answer.headers.get('location') ?? '', url).href);
  const type = answer.headers.get('content-type') ?? '';
  // Problems and small documents. A stream has no length.
  const isProblem = type.startsWith('application/problem+json');
  if (!isProblem && !(type.startsWith('application/json') && Number(answer.headers.get('content-length') ?? 1e9) < 65_536)) return;
  const text = await answer.clone().text();
  if (isProblem) keep('problems', `${process.pid}.ndjson`, `${text}\n`);
  else if (isJson(text)) rememberMembers(JSON.parse(text));
}

if (traces) {
  globalThis.fetch = async (url, init) => {
    rememberRequest(String(url), init);
    const answer = await plainFetch(url, init);
    await rememberAnswer(String(url), answer).catch((error) => { if (error.name !== 'AbortError') throw error; });
    return answer;
  };
}

const read = (file) => (existsSync(file) ? readFileSync(file) : undefined);

/** Everything in a server's settings and data directory that nobody else may know, and the keys that it derives. */
export function rememberServer({ env, folder, password, apiKey }) {
  if (!traces) return;
  for (const [name, value] of Object.entries(env)) {
    // A licence is signed, not secret, and is stored as it is.
    if (/PASSWORD|SECRET|TOKEN(PREVIOUS)?$|MASTERKEY/.test(name) && !/LICENSE/.test(name)) remember(/MASTERKEY/.test(name) ? 'master key' : /CLIENT_SECRET/.test(name) ? 'client secret' : 'password', value);
  }
  remember('password', password);
  remember('API key', apiKey);
  for (const engine of ['postgres', 'clickhouse']) remember('engine password', read(join(folder, 'data', engine, 'password'))?.toString().trim());
  for (const root of [read(join(folder, 'data/master.key')), Buffer.from(env.CAMELEER_SERVER_SECURITY_MASTERKEY ?? '', 'base64')]) {
    if (root?.length !== 32) continue;
    remember('master key', root);
    for (const label of ['jwt/v1', 'command-signing/v1', 'secrets/v1', 'artifact-url/v1', 'cursor/v1']) remember('derived key', Buffer.from(hkdfSync('sha256', root, '', label, 32)));
  }
}

const pgDump = '/usr/lib/postgresql/15/bin/pg_dump';

/** Keeps what is in the embedded databases of a running server, and what its engines' command lines show. */
export async function keepDatabases(server) {
  const data = join(server.folder, 'data');
  if (!traces || !existsSync(join(data, 'postgres/run'))) return;
  const secretOf = (engine) => readFileSync(join(data, engine, 'password'), 'utf8').trim();
  const { stdout } = await promisify(execFile)(pgDump, ['--host', join(data, 'postgres/run'), '--username=cameleer', '--dbname=cameleer', '--no-owner'],
    { env: { PATH: process.env.PATH, PGPASSWORD: secretOf('postgres') }, maxBuffer: 1 << 30 });
  keep('databases', `${server.pid}-postgres.sql`, stdout);
  const { line } = server.lines.findLast((one) => one.engine === 'clickhouse' && /^listening /.test(one.line));
  const ask = async (sql) => {
    const answer = await plainFetch(`http://${line.slice('listening '.length)}/`, { method: 'POST', body: sql, headers: { 'x-clickhouse-user': 'cameleer', 'x-clickhouse-key': secretOf('clickhouse') } });
    const text = await answer.text();
    if (!answer.ok) throw new Error(text);
    return text;
  };
  const tables = (await ask(`select concat('\`', database, '\`.\`', name, '\`') from system.tables where database like 'tenant%' format TSVRaw`)).split('\n').filter(Boolean);
  for (const table of tables) keep('databases', `${server.pid}-clickhouse.tsv`, await ask(`select * from ${table} format TSVRaw`));
  const engines = (await promisify(execFile)('ps', ['-o', 'args=', '--ppid', String(server.pid)])).stdout;
  keep('logs', `processes-${server.pid}.log`, engines);
}
