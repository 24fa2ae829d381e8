// One PostgreSQL and one ClickHouse, those of a server of its own, with as many servers of as many tenants on them as a test needs.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ServerProcess } from './server_process.mjs';

export class SharedEngines {
  host = new ServerProcess();
  masterKey = randomBytes(32).toString('base64');
  servers = [];

  async start() {
    await this.host.start();
    return this;
  }

  secretOf(engine) {
    return readFileSync(join(this.host.folder, 'data', engine, 'password'), 'utf8').trim();
  }

  get address() {
    return `http://${this.host.lines.find((one) => one.engine === 'clickhouse' && /^listening /.test(one.line)).line.slice('listening '.length)}`;
  }

  get sockets() {
    return join(this.host.folder, 'data/postgres/run');
  }

  /** One more process of a tenant, not started; `options` as those of ServerProcess. */
  processOf(tenant, { env = {}, ...options } = {}) {
    const server = new ServerProcess({
      ...options,
      env: {
        CAMELEER_SERVER_TENANT_ID: tenant, CAMELEER_SERVER_SECURITY_MASTERKEY: this.masterKey,
        CAMELEER_SERVER_POSTGRES_URL: `host=${this.sockets} port=5432 dbname=cameleer user=cameleer password=${this.secretOf('postgres')}`,
        CAMELEER_SERVER_CLICKHOUSE_URL: this.address, CAMELEER_SERVER_CLICKHOUSE_USER: 'cameleer',
        CAMELEER_SERVER_CLICKHOUSE_PASSWORD: this.secretOf('clickhouse'), ...env,
      },
    });
    this.servers.push(server);
    return server;
  }

  /** Rows that a statement gives in the tenant's database, cells as text; `parameters` fill its `{name:Type}`. */
  async clickhouse(tenant, statement, parameters = {}) {
    const query = new URLSearchParams({ default_format: 'TSV' });
    if (tenant) query.set('database', `tenant_${tenant}`);
    for (const [name, value] of Object.entries(parameters)) query.set(`param_${name}`, value);
    const answer = await fetch(`${this.address}/?${query}`, {
      method: 'POST', body: statement, headers: { 'X-ClickHouse-User': 'cameleer', 'X-ClickHouse-Key': this.secretOf('clickhouse') },
    });
    const text = await answer.text();
    assert.equal(answer.status, 200, `${statement}\n${text}`);
    return text.split('\n').filter((line) => line).map((line) => line.split('\t'));
  }

  /** What a statement gives in the tenant's schema: cells with `|` between them, a row a line. */
  sql(tenant, statement) {
    return execFileSync('psql', ['-X', '-q', '-t', '-A', '-v', 'ON_ERROR_STOP=1', '-h', this.sockets, '-U', 'cameleer', '-d', 'cameleer', '-c', `set search_path to "tenant_${tenant}"`, '-c', statement],
      { encoding: 'utf8', env: { PATH: process.env.PATH, PGPASSWORD: this.secretOf('postgres') } }).trim();
  }

  async dispose() {
    for (const one of [...this.servers, this.host]) if (one?.child) await one.dispose();
  }
}
