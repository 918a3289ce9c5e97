// What the machine allows: node:http with one prepared query (`/users/me`), and with one password hash (`/hash`). Nothing else.
import cluster from 'node:cluster';
import { createServer } from 'node:http';
import { Pool } from 'pg';
import { readConfig } from '../../shared/config';
import { hashPassword } from '../../shared/passwords/hash';
import { PASSWORD } from './client';

const POOL_SIZE = 10;
const QUERY = `
  select id, username, email, email_verified, pending_email, display_name, metadata, role, version, created_at, updated_at
  from users where username = $1`;

function serve(): void {
  const { database, passwords } = readConfig();
  const pool = new Pool({ connectionString: database.url, max: POOL_SIZE });
  const username = process.env['BENCH_USERNAME'];
  createServer(async (request, response) => {
    const body =
      request.url === '/hash'
        ? await hashPassword(PASSWORD, passwords)
        : (await pool.query({ name: 'me', text: QUERY, values: [username] })).rows[0];
    const content = JSON.stringify(body);
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(content),
    });
    response.end(content);
  }).listen(Number(process.env['PORT']), '127.0.0.1');
}

cluster.schedulingPolicy = cluster.SCHED_NONE;
const processes = Number(process.env['WEB_CONCURRENCY']);
if (processes > 1 && cluster.isPrimary) for (let i = 0; i < processes; i++) cluster.fork();
else serve();
