import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';

export interface TestRequest {
  method?: string;
  path?: string;
  params?: Record<string, string>;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  /** As `name=value`. */
  cookies?: string[];
  /** An object is sent as JSON; text as it is. */
  body?: unknown;
  token?: string;
  /** The client's. */
  address?: string;
  /** The route that the gateway has chosen; by default that of this method and path. */
  routeKey?: string;
}

export interface TestReply {
  status: number;
  headers: Record<string, string>;
  // biome-ignore lint/suspicious/noExplicitAny: a JSON body, whose fields the tests assert one by one
  body: any;
}

/** An event as API Gateway sends it (HTTP API, payload format 2.0). */
export function httpEvent(request: TestRequest): APIGatewayProxyEventV2 {
  const {
    method = 'GET',
    path = '/',
    params = {},
    query = {},
    headers = {},
    cookies,
    body,
    token,
    address = '192.0.2.1',
    routeKey = `${method} ${path}`,
  } = request;
  return {
    version: '2.0',
    routeKey,
    rawPath: path,
    rawQueryString: new URLSearchParams(query).toString(),
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      'user-agent': 'tests',
      ...headers,
    },
    queryStringParameters: query,
    pathParameters: params,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    ...(cookies && { cookies }),
    isBase64Encoded: false,
    requestContext: {
      accountId: '0',
      apiId: 'test',
      domainName: 'test',
      domainPrefix: 'test',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: address, userAgent: 'tests' },
      requestId: 'gateway',
      routeKey,
      stage: '$default',
      time: '',
      timeEpoch: 0,
    },
  };
}

export function readResult(result: APIGatewayProxyStructuredResultV2): TestReply {
  return {
    status: result.statusCode ?? 0,
    headers: {
      ...Object.fromEntries(
        Object.entries(result.headers ?? {}).map(([name, value]) => [name, String(value)]),
      ),
      ...(result.cookies && { 'set-cookie': result.cookies.join(', ') }),
    },
    body: readBody(result.body, String(result.headers?.['content-type'])),
  };
}

/** JSON is parsed, another text is as it came. */
export function readBody(text: string | undefined, contentType: string | undefined) {
  if (text === undefined || text === '') return undefined;
  return contentType?.includes('json') ? JSON.parse(text) : text;
}
