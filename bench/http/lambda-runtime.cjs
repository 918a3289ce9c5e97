// The part of AWS Lambda's Node.js runtime that a function needs: loads the handler that `_HANDLER` names, takes one event
// after the other from the Runtime API and returns the handler's results.
// Source: AWS Lambda developer guide, "Using the Lambda runtime API for custom runtimes". AWS's own client for containers,
// aws-lambda-ric, compiles libcurl with autotools when it is installed.
const http = require('node:http');
const { join } = require('node:path');

const {
  AWS_LAMBDA_RUNTIME_API,
  AWS_LAMBDA_FUNCTION_NAME,
  LAMBDA_TASK_ROOT = '',
  _HANDLER = '',
} = process.env;
const [host, port] = AWS_LAMBDA_RUNTIME_API.split(':');
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const request = http.request(
      { host, port, agent, method, path: `/2018-06-01/runtime/${path}` },
      (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ headers: response.headers, text: Buffer.concat(chunks).toString('utf8') }),
        );
        response.on('error', reject);
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

const describe = (error) =>
  JSON.stringify({ errorType: error?.name, errorMessage: error?.message ?? String(error) });

async function main() {
  const [file, name] = _HANDLER.split('.');
  let handler;
  try {
    handler = require(`${join(LAMBDA_TASK_ROOT, file)}.cjs`)[name];
  } catch (error) {
    await call('POST', 'init/error', describe(error));
    throw error;
  }
  for (;;) {
    const { headers, text } = await call('GET', 'invocation/next');
    const id = headers['lambda-runtime-aws-request-id'];
    const deadline = Number(headers['lambda-runtime-deadline-ms']);
    const context = {
      functionName: AWS_LAMBDA_FUNCTION_NAME,
      awsRequestId: id,
      invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
      getRemainingTimeInMillis: () => deadline - Date.now(),
    };
    try {
      const result = await handler(JSON.parse(text), context);
      await call('POST', `invocation/${id}/response`, JSON.stringify(result ?? null));
    } catch (error) {
      await call('POST', `invocation/${id}/error`, describe(error));
    }
  }
}

// The end of the Runtime API is the end of the container.
main().catch(() => process.exit(1));
