import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';

/** How much of an answer is read. It is for the delivery log; the status alone decides. */
const EXCERPT_BYTES = 1024;

export interface HttpAnswer {
  status: number;
  headers: IncomingMessage['headers'];
  excerpt: string;
}

/**
 * Sends a message, to one of these addresses and to no other, whatever the host's name may resolve to by now; the name
 * is still what the certificate has to have. A redirect is an answer like any other, and is not followed.
 * @throws Error where there is no answer, or none before `signal` aborts
 */
export async function postMessage(
  url: URL,
  addresses: string[],
  headers: Record<string, string>,
  body: string,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const request = send(url, {
    method: 'POST',
    headers: { ...headers, 'content-length': Buffer.byteLength(body) },
    lookup: pinned(addresses),
    // A connection of its own: a pooled one was made for an address that was checked some time ago.
    agent: false,
    signal,
  });
  const answer = answerOf(request);
  request.end(body);
  const response = await answer;
  try {
    const excerpt = await readExcerpt(response);
    return { status: response.statusCode ?? 0, headers: response.headers, excerpt };
  } finally {
    // The rest of a long answer, or of one that never ends.
    request.destroy();
  }
}

function answerOf(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on('response', resolve);
    request.on('error', reject);
    // Such as after 101: it has switched to a protocol that nobody asked for.
    request.on('close', () => reject(new Error('the connection was closed without an answer')));
  });
}

/** What came before the connection broke or the time ran out: the status has been read, and it is what counts. */
async function readExcerpt(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= EXCERPT_BYTES) break;
    }
  } catch {
    // As above.
  }
  const text = new TextDecoder().decode(Buffer.concat(chunks).subarray(0, EXCERPT_BYTES));
  // PostgreSQL has no U+0000.
  return text.replaceAll('\0', '\uFFFD');
}

/** Answers what Node.js asks before it connects. It does not ask where the host is an address. */
function pinned(addresses: string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_hostname, options, callback) => {
    if (options.all) return callback(null, all);
    const [first] = all;
    callback(null, first?.address ?? '', first?.family);
  };
}
