import { METRICS_NAMESPACE } from '../../shared/tasks/metrics';
import type { Resource, Resources } from './service';

const HTTP_API = [{ Name: 'ApiId', Value: { Ref: 'HttpApi' } }];

/** A metric that the functions write: see shared/tasks/metrics.ts. */
export const own = (service: string, name: string) => ({
  Namespace: METRICS_NAMESPACE,
  MetricName: name,
  Dimensions: [{ Name: 'Service', Value: service }],
});

interface AlarmOptions {
  title: string;
  /** What it means. docs/operations.md has the runbook. */
  description: string;
  rule: Record<string, unknown>;
}

/** An alarm that notifies the stage's topic. @param stage the prefix of all names, such as `rollcall-prod` */
export function alarm(stage: string, { title, description, rule }: AlarmOptions): Resource {
  return {
    Type: 'AWS::CloudWatch::Alarm',
    Properties: {
      AlarmName: `${stage}-${title}`,
      AlarmDescription: `${description} Runbook: docs/operations.md`,
      AlarmActions: [{ Ref: 'AlarmTopic' }],
      OKActions: [{ Ref: 'AlarmTopic' }],
      TreatMissingData: 'notBreaching',
      ComparisonOperator: 'GreaterThanThreshold',
      Threshold: 0,
      EvaluationPeriods: 1,
      ...rule,
    },
  };
}

/** A sum over some minutes, five by default. */
const sumOf = (metric: object, minutes = 5) => ({ ...metric, Statistic: 'Sum', Period: minutes * 60 });

/** Alarms for the stage as a whole. @param polled whether the poller reads the queues */
export function stageAlarms(stage: string, polled: boolean): Resources {
  const metric = (name: string) => own(stage, name);
  // What runs every minute has not been heard of for three of five.
  const silent = (name: string) => ({
    ...sumOf(metric(name), 1),
    ComparisonOperator: 'LessThanThreshold',
    Threshold: 1,
    EvaluationPeriods: 5,
    DatapointsToAlarm: 4,
    TreatMissingData: 'breaching',
  });
  const whole: Record<string, AlarmOptions> = {
    DeadLettersAlarm: {
      title: 'dead-letters',
      description: 'Events have failed for good: look at the dead letters.',
      rule: sumOf(metric('EventsDeadLettered')),
    },
    OutboxAgeAlarm: {
      title: 'outbox-age',
      description: 'Events have waited for more than five minutes to be published.',
      rule: {
        ...metric('OutboxAgeSeconds'),
        Statistic: 'Maximum',
        Period: 60,
        Threshold: 300,
        EvaluationPeriods: 3,
      },
    },
    ConsumerErrorsAlarm: {
      title: 'consumer-errors',
      description: 'More than ten events failed in their consumer within five minutes and are being retried.',
      rule: { ...sumOf(metric('EventsFailed')), Threshold: 10 },
    },
    OverdueErasuresAlarm: {
      title: 'overdue-erasures',
      description: 'Services have not confirmed in time that they have erased a user.',
      rule: { ...metric('OverdueErasures'), Statistic: 'Maximum', Period: 3600 },
    },
    ServerErrorsAlarm: {
      title: 'server-errors',
      description: 'More than 1 % of the requests within five minutes got 5xx.',
      rule: {
        Threshold: 1,
        EvaluationPeriods: 2,
        Metrics: [
          { Id: 'rate', Expression: 'IF(requests > 0, 100 * failed / requests, 0)', Label: '% of 5xx' },
          ...[
            ['failed', '5xx'],
            ['requests', 'Count'],
          ].map(([id, name]) => ({
            Id: id,
            MetricStat: {
              Metric: { Namespace: 'AWS/ApiGateway', MetricName: name, Dimensions: HTTP_API },
              Period: 300,
              Stat: 'Sum',
            },
            ReturnData: false,
          })),
        ],
      },
    },
    RelayAlarm: {
      title: 'relay-not-running',
      description: 'The relay has not finished a run for minutes.',
      rule: silent('RelayRuns'),
    },
    ...(polled && {
      PollerAlarm: {
        title: 'poller-not-running',
        description: 'The poller has not finished a run for minutes.',
        rule: silent('PollerRuns'),
      },
    }),
  };
  return Object.fromEntries(Object.entries(whole).map(([id, options]) => [id, alarm(stage, options)]));
}
