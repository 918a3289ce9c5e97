import { METRICS_NAMESPACE } from '../../shared/tasks/metrics';
import { type Resource, sub } from './service';

/** One page: requests, events, and the errors and durations of each function. */
export function dashboard(stage: string): Resource {
  const own = (...names: string[]) => names.map((name) => [METRICS_NAMESPACE, name, 'Service', stage]);
  const api = (name: string, stat: string, label: string) => [
    'AWS/ApiGateway',
    name,
    'ApiId',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation fills it in
    '${HttpApi}',
    { stat, label },
  ];
  const functions = (metric: string, stat: string) => [
    {
      // CloudWatch searches names word by word.
      expression: `SEARCH('{AWS/Lambda,FunctionName} MetricName="${metric}" ${stage.replaceAll('-', ' ')}', '${stat}', 300)`,
      label: '',
    },
  ];
  const rows: [title: string, metrics: unknown[], stat?: string][][] = [
    [
      ['Requests', [api('Count', 'Sum', 'requests'), api('4xx', 'Sum', '4xx'), api('5xx', 'Sum', '5xx')]],
      ['Latency in ms', [api('Latency', 'p50', 'p50'), api('Latency', 'p99', 'p99')]],
    ],
    [
      ['Outbox: waiting', own('OutboxPending'), 'Maximum'],
      ['Outbox: age in seconds', own('OutboxAgeSeconds'), 'Maximum'],
    ],
    [
      ['Events', own('EventsPublished', 'EventsHandled', 'EventsFailed', 'EventsDeadLettered'), 'Sum'],
      ['Runs of relay and poller', own('RelayRuns', 'PollerRuns'), 'Sum'],
    ],
    [
      ['Errors of functions', [functions('Errors', 'Sum')]],
      ['Throttles', [functions('Throttles', 'Sum')]],
    ],
    [
      ['Duration, p99, ms', [functions('Duration', 'p99')]],
      ['Containers at once', [functions('ConcurrentExecutions', 'Maximum')]],
    ],
  ];
  const widgets = rows.flatMap((row, y) =>
    row.map(([title, metrics, stat = 'Sum'], x) => ({
      type: 'metric',
      ...{ x: x * 12, y: y * 6, width: 12, height: 6 },
      // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation fills it in
      properties: { title, metrics, stat, period: 300, view: 'timeSeries', region: '${AWS::Region}' },
    })),
  );
  return {
    Type: 'AWS::CloudWatch::Dashboard',
    Properties: { DashboardName: stage, DashboardBody: sub(JSON.stringify({ widgets })) },
  };
}
