// The neighbour that requests are compared with: nginx in one process, answering 200 from its configuration.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../integration/server_process.mjs';

const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

/** Answers /<index>, and the paths given besides, with a body of sizes[index] bytes, on the given core. */
export async function startNginx(folder, port, core, sizes, ...besides) {
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, `
daemon off; master_process off; pid ${folder}/nginx.pid; error_log stderr error;
events { worker_connections 1024; }
http {
  access_log off; default_type application/json; keepalive_requests 1000000000;
  ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
  server {
    listen 127.0.0.1:${port};
    ${besides.map((path, index) => `location = ${path} { return 200 "${'x'.repeat(sizes[index])}"; }`).join('\n    ')}
    ${sizes.map((size, index) => `location = /${index} { return 200 "${'x'.repeat(size)}"; }`).join('\n    ')}
  }
}
`);
  const child = spawn('taskset', ['-c', String(core), '/usr/sbin/nginx', '-p', folder, '-c', file], { stdio: ['ignore', 'inherit', 'inherit'] });
  await eventually('nginx answers', async () => {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
    return (await fetch(`http://127.0.0.1:${port}/0`)).status === 200;
  }, 10);
  return child;
}
