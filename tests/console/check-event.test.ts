import { checkEvent } from '../../console/events/check-event';

const EVENT = {
  specversion: '1.0',
  id: '01890000-0000-7000-8000-000000000000',
  source: 'rollcall',
  type: 'user.deleted',
  subject: '01890000-0000-7000-8000-000000000001',
  time: '2026-11-20T16:37:15.123Z',
  datacontenttype: 'application/json',
  sequence: '0000000001',
  data: { id: '01890000-0000-7000-8000-000000000001' },
};

test('takes what the API takes, and says what is wrong with the rest', () => {
  expect(checkEvent(JSON.stringify(EVENT))).toEqual({ ok: true, event: EVENT });
  const problems = (text: string) => {
    const checked = checkEvent(text);
    return checked.ok ? [] : checked.problems;
  };
  expect(problems('{,')).toEqual([expect.stringContaining('This is not JSON')]);
  expect(problems('[]')).toEqual(['An event is a JSON object.']);
  expect(problems(JSON.stringify({ ...EVENT, type: 'user.vanished' }))).toEqual([
    expect.stringContaining('type must be one of user.created'),
  ]);
  expect(problems(JSON.stringify({ ...EVENT, data: {}, sequence: '1' }))).toEqual([
    expect.stringMatching(/^sequence: /),
    expect.stringMatching(/^data\.id: /),
  ]);
});
