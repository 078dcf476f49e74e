import { startApp } from '../../support/app.js';
import { connectAs } from '../../support/client.js';
import { startRedis } from '../../support/redis.js';
import { BURST, isRefused, retryAfter, sendMany, SMALL_LIMITS } from '../../support/rate-limits.js';
import { user } from '../../support/token.js';

it('a limit by identity is counted by all together, and by each alone while Redis is away; order stays', async () => {
  const redis = await startRedis();
  const variables = { ...SMALL_LIMITS, RATE_LIMIT_MESSAGES: '40/60', REDIS_URL: redis.url };
  const first = await startApp(variables);
  const second = await startApp({ ...variables, MONGODB_URI: first.mongoUri });
  const [here, there] = [await connectAs(first.url, user('u1')), await connectAs(second.url, user('u1'))];

  await sendMany(here, BURST, 'dm:conversations', {});
  retryAfter(await there.send('dm:conversations', {}));

  const toRavi = { recipientId: 'ravi', recipientType: 'astrologer' };
  const sent = await Promise.all(
    Array.from({ length: 30 }, (_, n) =>
      here.ask<{ seq: number }>('dm:send_message', { ...toRavi, content: `${n}` }),
    ),
  );
  expect(sent.map(({ seq }) => seq)).toEqual(Array.from({ length: 30 }, (_, n) => n + 1));

  // It hangs, and then it is gone: every event is answered all the same, and each node still counts.
  redis.child.kill('SIGSTOP');
  const other = await connectAs(first.url, user('u2'));
  const answers = await sendMany(other, BURST + 1, 'dm:conversations', {});
  expect(answers.map(isRefused)).toEqual([...Array<boolean>(BURST).fill(false), true]);
  await redis.kill();
  const third = await connectAs(second.url, user('u3'));
  const last = await sendMany(third, BURST + 1, 'dm:conversations', {});
  expect(last.map(isRefused)).toEqual([...Array<boolean>(BURST).fill(false), true]);
});
