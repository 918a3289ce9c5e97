import { readConfig } from '../../../shared/config';
import { emitMetrics } from '../../../shared/tasks/metrics';

const config = (environment: Record<string, string>) =>
  readConfig({
    DATABASE_URL: 'postgres://localhost/rollcall',
    RABBITMQ_URL: 'amqp://localhost',
    JWT_SECRET: 'x'.repeat(32),
    ...environment,
  }).metrics;

test('writes one line that CloudWatch makes metrics of', () => {
  const lines: string[] = [];
  const on = config({ METRICS: 'on', FUNCTION_PREFIX: 'rollcall-prod-' });
  const now = new Date('2026-11-21T12:00:00Z');
  emitMetrics(on, { OutboxPending: 3, OutboxAgeSeconds: 7 }, now, (line) => lines.push(line));
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    {
      _aws: {
        Timestamp: now.getTime(),
        CloudWatchMetrics: [
          {
            Namespace: 'Rollcall',
            Dimensions: [['Service']],
            Metrics: [
              { Name: 'OutboxPending', Unit: 'Count' },
              { Name: 'OutboxAgeSeconds', Unit: 'Seconds' },
            ],
          },
        ],
      },
      Service: 'rollcall-prod',
      OutboxPending: 3,
      OutboxAgeSeconds: 7,
    },
  ]);
});

test('says nothing where it is not on', () => {
  const lines: string[] = [];
  emitMetrics(config({}), { RelayRuns: 1 }, new Date(), (line) => lines.push(line));
  expect(lines).toEqual([]);
});
