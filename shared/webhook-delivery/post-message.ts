import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';

/** How much of a response body is read, for the delivery log. Only the status decides. */
const EXCERPT_BYTES = 1024;

export interface HttpAnswer {
  status: number;
  headers: IncomingMessage['headers'];
  excerpt: string;
}

/**
 * Sends a message to one of these addresses, without resolving the host name again; TLS still verifies the name. Does not
 * follow redirects.
 * @throws Error if there is no response, or none before `signal` aborts
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
    // A new connection: a pooled one may go to an address that was checked earlier.
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
    // Do not read the rest of a long or endless response.
    request.destroy();
  }
}

function answerOf(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on('response', resolve);
    request.on('error', reject);
    // For example after 101, a switch to a protocol that was not requested.
    request.on('close', () => reject(new Error('the connection was closed without a response')));
  });
}

/** The part of the body that arrived before the connection broke or timed out. The status, already read, is what counts. */
async function readExcerpt(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= EXCERPT_BYTES) break;
    }
  } catch {}
  const text = new TextDecoder().decode(Buffer.concat(chunks).subarray(0, EXCERPT_BYTES));
  // PostgreSQL does not support U+0000.
  return text.replaceAll('\0', '\uFFFD');
}

/** A DNS lookup that returns the checked addresses. Node.js skips it if the host is an address. */
function pinned(addresses: string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_hostname, options, callback) => {
    if (options.all) return callback(null, all);
    const [first] = all;
    callback(null, first?.address ?? '', first?.family);
  };
}
