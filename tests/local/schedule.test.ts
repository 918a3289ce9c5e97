import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { SCHEDULED } from '../../local/schedule';

interface Configuration {
  functions: Record<string, { events?: { schedule?: { rate: string } }[] }>;
}

const REST_MS: Record<string, number> = { 'rate(1 minute)': 0, 'rate(1 hour)': 60 * 60 * 1000 };

test('npm start runs what serverless.yml schedules, as often', () => {
  const { functions }: Configuration = parse(readFileSync('serverless.yml', 'utf8'));
  const scheduled = Object.entries(functions).flatMap(([name, { events = [] }]) =>
    events.flatMap(({ schedule }) => (schedule ? [[name, REST_MS[schedule.rate]]] : [])),
  );
  expect(SCHEDULED).toEqual(Object.fromEntries(scheduled));
});
