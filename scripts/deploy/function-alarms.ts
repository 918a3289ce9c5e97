import { alarm } from './alarms';
import type { Resources, Service } from './service';

/** An alarm can have ten metrics, and each function has two: errors and throttles. */
const FUNCTIONS_PER_ALARM = 5;

/**
 * Alarms on functions that throw, run out of time or memory, or are throttled: for each folder of `functions/`, one per five
 * functions. The value in the notice identifies the function: 1, 10, 100 and so on, as the description lists.
 * @param areas the functions of each folder @param stage the prefix of all names
 */
export function functionAlarms(service: Service, stage: string, areas: Map<string, string[]>): Resources {
  const alarms: Resources = {};
  for (const [area, names] of areas) {
    for (let index = 0; index * FUNCTIONS_PER_ALARM < names.length; index++) {
      const group = names.slice(index * FUNCTIONS_PER_ALARM, (index + 1) * FUNCTIONS_PER_ALARM);
      const id = `${area.charAt(0).toUpperCase()}${area.slice(1)}Functions${index + 1}Alarm`;
      alarms[id] = groupAlarm(service, stage, `functions-${area}-${index + 1}`, group);
    }
  }
  return alarms;
}

function groupAlarm(service: Service, stage: string, title: string, names: string[]) {
  const functions = names.map((name, index) => ({
    name,
    suffix: name.replaceAll('-', '_'),
    functionName: service.functions[name]?.name,
    value: 10 ** index,
  }));
  // FILL, because a function that is always throttled has no data points for errors, and one that is not called has none.
  const failing = functions.map(
    ({ suffix, value }) => `IF((FILL(errors_${suffix}, 0) + FILL(throttles_${suffix}, 0)) > 0, ${value}, 0)`,
  );
  const key = functions.map(({ name, value }) => `${value} ${name}`).join(', ');
  return alarm(stage, {
    title,
    description: `A function threw, ran out of time or memory, or was throttled. The value tells which: ${key}; their sum if several did.`,
    rule: {
      Metrics: [
        { Id: 'failing', Expression: failing.join(' + '), Label: 'Functions that fail' },
        ...functions.flatMap(({ suffix, functionName }) => [
          sumOf(`errors_${suffix}`, 'Errors', functionName),
          sumOf(`throttles_${suffix}`, 'Throttles', functionName),
        ]),
      ],
    },
  });
}

function sumOf(id: string, metricName: string, functionName: string | undefined) {
  return {
    Id: id,
    MetricStat: {
      Metric: {
        Namespace: 'AWS/Lambda',
        MetricName: metricName,
        Dimensions: [{ Name: 'FunctionName', Value: functionName }],
      },
      Period: 300,
      Stat: 'Sum',
    },
    ReturnData: false,
  };
}
