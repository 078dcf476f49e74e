import type { ReactionUpdatedPayload } from '../../../src/contract/direct-message.js';
import { startApp } from '../../support/app.js';
import { connectAll, connectAs, type TestClient } from '../../support/client.js';
import {
  barrier,
  historyOf,
  MISSING_ID,
  openToEverybody,
  refusal,
  sendTo,
} from '../../support/direct-chat.js';
import { asha, conversationId, mallory, ravi } from '../../support/pair-of-test.js';
import { admin, astrologer, type Person, user } from '../../support/token.js';

const EVENTS = ['dm:react', 'dm:unreact'];
const TWENTY = Array.from('😀😁😂😃😄😅😆😇😈😉😊😋😌😍😎😏😐😑😒😓');

let url: string;
let mongoUri: string;

beforeAll(async () => {
  ({ url, mongoUri } = await startApp());
});

const react = (client: TestClient, messageId: string, emoji: string) =>
  client.ask<ReactionUpdatedPayload>('dm:react', { messageId, emoji });
const unreact = (client: TestClient, messageId: string, emoji: string) =>
  client.ask<ReactionUpdatedPayload>('dm:unreact', { messageId, emoji });
const party = ({ id, type }: Person) => ({ id, type });

describe('dm:react and dm:unreact', () => {
  it('are announced to everybody once, with all reactions of the message, and stay in the history', async () => {
    const { a1, r1, staff, everybody, sent } = await openToEverybody(url, { asha, ravi, conversationId });
    const { id } = sent;
    const acked = [
      await react(r1, id, '👍'),
      await react(a1, id, '🙏🏽'),
      await react(a1, id, '👍'),
      await unreact(r1, id, '👍'),
    ];
    const thumbs = (...people: Person[]) => ({ emoji: '👍', users: people.map(party) });
    const thanks = { emoji: '🙏🏽', users: [party(asha)] };
    expect(acked).toEqual([
      { messageId: id, conversationId, reactions: [thumbs(ravi)], revision: 1 },
      { messageId: id, conversationId, reactions: [thumbs(ravi), thanks], revision: 2 },
      { messageId: id, conversationId, reactions: [thumbs(ravi, asha), thanks], revision: 3 },
      { messageId: id, conversationId, reactions: [thanks, thumbs(asha)], revision: 4 },
    ]);
    await barrier(a1, ravi, ...everybody);
    for (const client of everybody) expect(client.all('dm:reaction_updated')).toEqual(acked);
    expect((await historyOf(staff, conversationId))[0]).toMatchObject({
      reactions: acked[3]?.reactions,
      revision: 4,
      editedAt: null,
    });
  });

  it('may be repeated: acked with what is there, nothing is sent', async () => {
    const [a, r] = [await connectAs(url, asha), await connectAs(url, ravi)];
    const { id } = await sendTo(a, ravi);
    expect(await unreact(r, id, '👍')).toMatchObject({ reactions: [], revision: 0 });
    const first = await react(r, id, '👍');
    expect(await react(r, id, '👍')).toEqual(first);
    const gone = await unreact(r, id, '👍');
    expect(gone).toMatchObject({ reactions: [], revision: 2 });
    expect(await unreact(r, id, '👍')).toEqual(gone);
    await barrier(a, ravi, a, r);
    for (const client of [a, r]) expect(client.all('dm:reaction_updated')).toEqual([first, gone]);
  });

  it('20 at once by one person with one emoji are one', async () => {
    const devices = await Promise.all(Array.from({ length: 4 }, () => connectAs(url, ravi)));
    const a = await connectAs(url, asha);
    const { id } = await sendTo(a, ravi);
    const acks = await Promise.all(
      Array.from({ length: 20 }, (_, i) => react(devices[i % 4] as TestClient, id, '👍')),
    );
    const only = {
      messageId: id,
      conversationId,
      reactions: [{ emoji: '👍', users: [party(ravi)] }],
      revision: 1,
    };
    for (const ack of acks) expect(ack).toEqual(only);
    await barrier(a, ravi, a, ...devices);
    for (const client of [a, ...devices]) expect(client.all('dm:reaction_updated')).toEqual([only]);
  });

  it('on several nodes at once by one person with one emoji are one, and 22 emoji are 20', async () => {
    const { url: otherUrl } = await startApp({ MONGODB_URI: mongoUri });
    const a = await connectAs(url, asha);
    const devices = [await connectAs(url, ravi), await connectAs(otherUrl, ravi)] as const;
    const one = await sendTo(a, ravi);
    const acks = await Promise.all(
      Array.from({ length: 20 }, (_, i) => react(devices[i % 2] as TestClient, one.id, '👍')),
    );
    for (const { reactions, revision } of acks)
      expect([reactions, revision]).toEqual([[{ emoji: '👍', users: [party(ravi)] }], 1]);
    const many = await sendTo(a, ravi);
    const answers = await Promise.all(
      [...TWENTY, '🎉', '🔥'].map((emoji, i) =>
        (devices[i % 2] as TestClient).send('dm:react', { messageId: many.id, emoji }),
      ),
    );
    expect(answers.filter(({ ok }) => ok)).toHaveLength(20);
    expect((await historyOf(a, conversationId))[1]?.reactions).toHaveLength(20);
  });

  it('at once by both sides, on and off: every change is announced once and the newest one is what stays', async () => {
    const clients = [
      ...(await Promise.all([connectAs(url, asha), connectAs(url, asha)])),
      ...(await Promise.all([connectAs(url, ravi), connectAs(url, ravi)])),
    ];
    const a = clients[0] as TestClient;
    const { id } = await sendTo(a, ravi);
    await Promise.all(
      Array.from({ length: 80 }, (_, i) => {
        const change = Math.floor(i / 4) % 2 === 0 ? react : unreact;
        return change(clients[i % 4] as TestClient, id, '👍');
      }),
    );
    await barrier(a, ravi, ...clients);
    const [stored] = await historyOf(a, conversationId);
    for (const client of clients) {
      const pushed = client.all('dm:reaction_updated').toSorted((x, y) => x.revision - y.revision);
      expect(pushed.map(({ revision }) => revision)).toEqual(pushed.map((_, i) => i + 1));
      expect(pushed.at(-1)).toMatchObject({ reactions: stored?.reactions, revision: stored?.revision });
      const sizes = pushed.map(({ reactions }) => reactions.flatMap(({ users }) => users).length);
      expect(sizes.every((size, i) => Math.abs(size - (sizes[i - 1] ?? 0)) === 1)).toBe(true);
    }
  });

  it('of one socket take effect in the order in which they came', async () => {
    const r = await connectAs(url, ravi);
    const { id } = await sendTo(await connectAs(url, asha), ravi);
    const acks = await Promise.all([
      react(r, id, '👍'),
      unreact(r, id, '👍'),
      react(r, id, '❤️'),
      react(r, id, '👍'),
      unreact(r, id, '❤️'),
    ]);
    expect(acks.map(({ revision }) => revision)).toEqual([1, 2, 3, 4, 5]);
    expect(acks[4]?.reactions).toEqual([{ emoji: '👍', users: [party(ravi)] }]);
  });

  it('against a deletion: a tombstone never has reactions', async () => {
    const [a, r] = [await connectAs(url, asha), await connectAs(url, ravi)];
    for (let i = 0; i < 10; i += 1) {
      const { id } = await sendTo(a, ravi);
      await Promise.all([
        a.ask('dm:delete_message', { messageId: id }),
        ...['👍', '❤️', '😂'].map((emoji) => r.send('dm:react', { messageId: id, emoji })),
      ]);
      expect((await historyOf(r, conversationId)).at(-1)).toMatchObject({ id, content: '', reactions: [] });
    }
  });

  it('one person puts up to 20 different emoji on a message, whatever the other does', async () => {
    const [a, r1, r2] = await connectAll(url, asha, ravi, ravi);
    const { id } = await sendTo(a, ravi);
    const answers = await Promise.all(
      [...TWENTY, '🎉', '🔥'].map((emoji, i) =>
        (i % 2 === 0 ? r1 : r2).send('dm:react', { messageId: id, emoji }),
      ),
    );
    const refused = answers.filter(({ ok }) => !ok);
    expect(refused).toHaveLength(2);
    for (const answer of refused)
      expect(answer).toMatchObject({ error: { code: 'CONFLICT', details: { state: 'too_many_reactions' } } });
    const before = await react(a, id, '🎉');
    const own = before.reactions.filter(({ users }) => users.some(({ id: who }) => who === ravi.id));
    expect(own).toHaveLength(20);
    const [taken] = own;
    const free = [...TWENTY, '🔥'].find(
      (emoji) => !own.some((reaction) => reaction.emoji === emoji),
    ) as string;
    expect(await refusal(r1, 'dm:react', { messageId: id, emoji: free })).toMatchObject({ code: 'CONFLICT' });
    expect(await react(r1, id, taken?.emoji ?? '')).toEqual(before);
    await unreact(r1, id, taken?.emoji ?? '');
    expect((await react(r1, id, free)).reactions.map(({ emoji }) => emoji)).toContain(free);
  });

  it.each([
    ['a plain one', '👍'],
    ['a skin tone', '👍🏿'],
    ['a family', '👨‍👩‍👧‍👦'],
    ['two people with skin tones', '🧑🏻‍❤️‍💋‍🧑🏼'],
    ['a flag', '🇮🇳'],
    ['a flag made of tags', '🏴󠁧󠁢󠁳󠁣󠁴󠁿'],
    ['a key', '7️⃣'],
    ['a heart', '❤️'],
  ])('take one emoji: %s', async (_, emoji) => {
    const r = await connectAs(url, ravi);
    const { id } = await sendTo(await connectAs(url, asha), ravi);
    expect((await react(r, id, emoji)).reactions).toEqual([{ emoji, users: [party(ravi)] }]);
    expect((await unreact(r, id, emoji)).reactions).toEqual([]);
  });

  it.each([
    ['a heart', '❤️', '\u2764'],
    ['a key', '#️⃣', '#\u20E3'],
    ['a thumb', '👍', '👍\uFE0F'],
  ])('%s is the same emoji whichever way a keyboard writes it', async (_, usual, other) => {
    const [a, r] = [await connectAs(url, asha), await connectAs(url, ravi)];
    const { id } = await sendTo(a, ravi);
    await react(a, id, other);
    expect((await react(r, id, usual)).reactions).toEqual([
      { emoji: usual, users: [party(asha), party(ravi)] },
    ]);
    expect((await unreact(a, id, usual)).reactions).toEqual([{ emoji: usual, users: [party(ravi)] }]);
  });

  it('an id that looks like a field of the database is a name like any other', async () => {
    const odd = user('$content');
    const [o, r] = [await connectAs(url, odd), await connectAs(url, ravi)];
    const { id } = await sendTo(o, ravi);
    for (const emoji of TWENTY) await react(o, id, emoji);
    expect(await refusal(o, 'dm:react', { messageId: id, emoji: '🔥' })).toMatchObject({ code: 'CONFLICT' });
    expect((await react(r, id, '🔥')).reactions).toHaveLength(21);
  });

  it('all admins are one person', async () => {
    const [root, boss, a] = await connectAll(url, admin('root'), admin('boss'), asha);
    const { id } = await sendTo(a, admin());
    const first = await react(root, id, '👍');
    expect(first.reactions).toEqual([{ emoji: '👍', users: [{ id: 'admin', type: 'admin' }] }]);
    expect(await react(boss, id, '👍')).toEqual(first);
    expect((await unreact(boss, id, '👍')).reactions).toEqual([]);
  });

  describe('refuse', () => {
    it.each([
      ['no emoji', 'emoji', { emoji: undefined }],
      ['null', 'emoji', { emoji: null }],
      ['a letter', 'emoji', { emoji: 'a' }],
      ['a digit', 'emoji', { emoji: '7' }],
      ['nothing', 'emoji', { emoji: '' }],
      ['a space', 'emoji', { emoji: ' ' }],
      ['two emoji', 'emoji', { emoji: '👍👍' }],
      ['two flags', 'emoji', { emoji: '🇮🇳🇮🇳' }],
      ['half a flag', 'emoji', { emoji: '🇮' }],
      ['an emoji with text', 'emoji', { emoji: '👍 ' }],
      ['an emoji with stacked marks', 'emoji', { emoji: `👍${'\u0301'.repeat(20)}` }],
      ['an emoji behind an invisible sign', 'emoji', { emoji: '\u0600👍' }],
      ['an endless family', 'emoji', { emoji: Array.from({ length: 40 }, () => '👨').join('\u200D') }],
      ['half a character', 'emoji', { emoji: '\uD83D' }],
      ['a query', 'emoji', { emoji: { $ne: null } }],
      ['no message', 'messageId', { messageId: undefined }],
      ['a messageId that is none', 'messageId', { messageId: 'made-up' }],
      ['a query for a message', 'messageId', { messageId: { $ne: null } }],
    ])('%s', async (_, field, change) => {
      const r = await connectAs(url, ravi);
      for (const event of EVENTS)
        expect(await refusal(r, event, { messageId: MISSING_ID, emoji: '👍', ...change })).toMatchObject({
          code: 'BAD_REQUEST',
          details: [{ field }],
        });
    });

    it('a deleted message', async () => {
      const [a, r] = [await connectAs(url, asha), await connectAs(url, ravi)];
      const { id } = await sendTo(a, ravi);
      await react(r, id, '👍');
      await a.ask('dm:delete_message', { messageId: id });
      for (const event of EVENTS)
        expect(await refusal(r, event, { messageId: id, emoji: '👍' })).toMatchObject({
          code: 'CONFLICT',
          details: { state: 'deleted' },
        });
    });

    it('an admin who reads along', async () => {
      const [a, root] = [await connectAs(url, asha), await connectAs(url, admin('root'))];
      const { id } = await sendTo(a, ravi);
      for (const event of EVENTS)
        expect(await refusal(root, event, { messageId: id, emoji: '👍' })).toMatchObject({
          code: 'FORBIDDEN',
        });
      expect((await historyOf(a, conversationId))[0]).toMatchObject({ reactions: [], revision: 0 });
    });

    it('an outsider, who learns nothing and gets nothing', async () => {
      const [a, r, root] = await connectAll(url, asha, ravi, admin('root'));
      const { id } = await sendTo(a, ravi);
      await react(r, id, '👍');
      for (const person of [mallory, astrologer(asha.id), user(ravi.id)]) {
        const m = await connectAs(url, person);
        for (const event of EVENTS) {
          const missing = await refusal(m, event, { messageId: MISSING_ID, emoji: '👍' });
          expect(missing).toMatchObject({ code: 'NOT_FOUND' });
          expect(await refusal(m, event, { messageId: id, emoji: '👍' })).toEqual(missing);
        }
        const { revision } = await react(a, id, '😂');
        await r.waitFor('dm:reaction_updated', (updated) => updated.revision === revision);
        await unreact(a, id, '😂');
        await barrier(root, person, m);
        expect(m.all('dm:reaction_updated')).toEqual([]);
      }
    });
  });
});
