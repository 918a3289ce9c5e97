// Runs the broker alone: node --import tsx local/amqp-broker/main.ts --port 5673 [--host ADDRESS]… [--data DIR] [--vhost NAME]…
// `kill -USR2 PID` raises a memory alarm, which blocks connections that publish; the next one clears it.
import { parseArgs } from 'node:util';
import { startBroker } from './index';

const { values } = parseArgs({
  options: {
    host: { type: 'string', multiple: true, default: ['127.0.0.1'] },
    port: { type: 'string', default: '5672' },
    data: { type: 'string' },
    vhost: { type: 'string', multiple: true, default: ['/'] },
  },
});

const log = (line: string) => process.stderr.write(`${line}\n`);

startBroker({
  host: values.host,
  port: Number(values.port),
  vhosts: values.vhost,
  log,
  ...(values.data === undefined ? {} : { dataDir: values.data }),
}).then(
  (broker) => {
    process.stdout.write(`listening on ${broker.url}\n`);
    let alarmed = false;
    process.on('SIGUSR2', () => {
      alarmed = !alarmed;
      if (alarmed) broker.raiseAlarm('memory');
      else broker.clearAlarm('memory');
      log(`memory alarm ${alarmed ? 'raised' : 'cleared'}`);
    });
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => void broker.stop().then(() => process.exit(0)));
    }
  },
  (error: Error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  },
);
