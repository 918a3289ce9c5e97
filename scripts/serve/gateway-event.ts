import type { IncomingMessage } from 'node:http';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { Match } from './router';

/** A request in the form in which API Gateway passes it to a function (HTTP API, payload format 2.0). */
export function gatewayEvent(
  request: IncomingMessage,
  { url, host }: { url: URL; host: string | undefined },
  { routeKey, params }: Omit<Match, 'handler'>,
  body: Buffer,
): APIGatewayProxyEventV2 {
  const { method = 'GET' } = request;
  const headers = Object.fromEntries(
    Object.entries(request.headersDistinct).map(([name, values = []]) => [name, values.join(', ')]),
  );
  if (host !== undefined) headers['host'] = host;
  const query = new Map<string, string>();
  for (const [name, value] of url.searchParams) {
    const before = query.get(name);
    query.set(name, before === undefined ? value : `${before},${value}`);
  }
  const sourceIp = request.socket.remoteAddress?.replace(/^::ffff:(?=\d+\.)/, '') ?? '';
  const now = new Date();
  return {
    version: '2.0',
    routeKey,
    rawPath: url.pathname,
    rawQueryString: url.search.slice(1),
    headers,
    ...(headers['cookie'] && { cookies: headers['cookie'].split(/; */) }),
    ...(query.size > 0 && { queryStringParameters: Object.fromEntries(query) }),
    ...(Object.keys(params).length > 0 && { pathParameters: params }),
    requestContext: {
      accountId: '',
      apiId: '',
      domainName: url.hostname,
      domainPrefix: '',
      http: {
        method,
        path: url.pathname,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp,
        userAgent: headers['user-agent'] ?? '',
      },
      requestId: '',
      routeKey,
      stage: '$default',
      time: now.toISOString(),
      timeEpoch: now.getTime(),
    },
    ...(body.length > 0 && { body: body.toString('base64') }),
    isBase64Encoded: body.length > 0,
  };
}
