// Makes serverless-offline answer like API Gateway and Lambda where it differs from them. Its hapi servers are private, so
// this extends each one when it starts, before it listens.
const { createRequire } = require('node:module');

exports.answerLikeAws = () => {
  const hapi = createRequire(require.resolve('serverless-offline'))('@hapi/hapi');
  const prototype = Object.getPrototypeOf(hapi.server());
  const { start } = prototype;
  prototype.start = function () {
    const isLambda = this.table().some(({ path }) => path.startsWith('/2015-03-31/functions/'));
    if (isLambda) guardInvocations(this);
    else answerLikeApiGateway(this);
    return start.call(this);
  };
};

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;

/**
 * Lambda accepts only signed requests. Locally requests are not signed, so a page in the developer's browser could invoke any
 * function with any event: by a simple POST from its own origin, or by its own name that points here (DNS rebinding).
 * The headers reveal a browser, and Host a foreign name.
 */
function guardInvocations(server) {
  server.ext('onRequest', ({ headers }, h) => {
    const isBrowser = 'origin' in headers || 'sec-fetch-site' in headers;
    if (!isBrowser && LOOPBACK.test(headers.host ?? '')) return h.continue;
    return h
      .response({
        Message: 'Functions can be invoked only from this machine, and not from a browser',
        Type: 'User',
      })
      .code(403)
      .header('x-amzn-errortype', 'AccessDeniedException')
      .takeover();
  });
}

function answerLikeApiGateway(server) {
  server.ext('onRequest', (request, h) => {
    // serverless-offline would allow every origin, whatever CORS_ORIGINS says. The functions decide; they read the raw headers.
    delete request.headers.origin;
    return h.continue;
  });
  server.ext('onPreResponse', ({ response }, h) => {
    if (response.isBoom) return ownWords(h, response.output.statusCode, response.output.payload.error);
    // Every response of a function has an id. Without one the function has thrown or timed out.
    if ('x-request-id' in response.headers) return h.continue;
    return isTimeout(response.source)
      ? ownWords(h, 503, 'Service Unavailable')
      : ownWords(h, 500, 'Internal Server Error');
  });
}

const ownWords = (h, status, message) => h.response({ message }).code(status);

function isTimeout(source) {
  return typeof source === 'string' && source.includes('"errorType":"LambdaTimeoutError"');
}
