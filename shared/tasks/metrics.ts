import type { Config } from '../config';

/** CloudWatch namespace. The alarms of a deployed stage use these names. */
export const METRICS_NAMESPACE = 'Rollcall';

const UNITS = {
  RelayRuns: 'Count',
  EventsPublished: 'Count',
  EventsRefused: 'Count',
  OutboxPending: 'Count',
  OutboxAgeSeconds: 'Seconds',
  PollerRuns: 'Count',
  EventsHandled: 'Count',
  /** Some of them will be retried, the others become dead letters. */
  EventsFailed: 'Count',
  EventsDeadLettered: 'Count',
  OverdueErasures: 'Count',
} as const;

export type Metrics = { [name in keyof typeof UNITS]?: number };

/**
 * Writes values as one line of CloudWatch's embedded metric format, from which CloudWatch Logs creates metrics without an
 * API call or an agent. Writes nothing unless `METRICS` is `on`, as in every deployed stage.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function emitMetrics(
  config: Config['metrics'],
  values: Metrics,
  now: Date = new Date(),
  write: (line: string) => void = (line) => void process.stdout.write(`${line}\n`),
): void {
  if (!config.enabled) return;
  const names = Object.keys(values) as (keyof Metrics)[];
  const directive = {
    Namespace: METRICS_NAMESPACE,
    Dimensions: [['Service']],
    Metrics: names.map((name) => ({ Name: name, Unit: UNITS[name] })),
  };
  const _aws = { Timestamp: now.getTime(), CloudWatchMetrics: [directive] };
  write(JSON.stringify({ _aws, Service: config.service, ...values }));
}
