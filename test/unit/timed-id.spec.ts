import { timedId } from '../../src/live/timed-id.js';

const SECOND = 1_795_404_200_000;

it('ids sort by the millisecond, in whatever order and by whichever process they are made', () => {
  const times = [999, 0, 256, 255, 1, 1000].map((millisecond) => SECOND + millisecond);
  const made = times.map((time) => ({ time, id: timedId(time).toHexString() }));
  const byId = made.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  expect(byId.map(({ time }) => time)).toEqual(times.toSorted((a, b) => a - b));
});

it('ids of one millisecond are different, and say when that was', () => {
  const ids = Array.from({ length: 1000 }, () => timedId(SECOND + 7));
  expect(new Set(ids.map((id) => id.toHexString())).size).toBe(1000);
  expect(ids[0]?.getTimestamp()).toEqual(new Date(SECOND));
});
