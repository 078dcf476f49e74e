import type { Person } from '../token.js';
import type { SoakDriver, SoakEntry, SoakMessage } from './driver.js';
import type { MarkLedger } from './mark-ledger.js';
import { keyOf, type Talk } from './people.js';
import { overtakings } from './sending-order.js';
import type { SoakClient } from './soak-client.js';
import type { StoredTalk, Truth } from './truth.js';

/** What a device was told when it asked at the end, over its own connection. */
export interface LastAnswers {
  device: SoakClient;
  conversations: SoakEntry[];
  /** The whole history, by conversation. */
  histories: Map<string, SoakMessage[]>;
}

/** Lists of conversations whose newest messages are further apart must be in their order. Clocks of one machine, milliseconds. */
const ORDER_TOLERANCE_MS = 2000;

/** Everything that is wrong, in words that say what and where; empty when all is well. */
export function verify(talks: Talk[], answers: LastAnswers[], truth: Truth, ledger: MarkLedger): string[] {
  const problems: string[] = [];
  for (const talk of talks) {
    const stored = truth.get(talk.conversationId);
    if (stored === undefined) {
      problems.push(`${talk.conversationId} is not in the database`);
      continue;
    }
    problems.push(...faultsOfStored(talk, stored, ledger));
    for (const answer of answers) {
      if (answer.device.views.has(talk.conversationId))
        problems.push(
          ...faultsOfDevice(talk, stored, answer).map((fault) => `${answer.device.settings.name}: ${fault}`),
        );
    }
  }
  for (const { device } of answers) problems.push(...faultsOfOutbox(device, truth));
  for (const answer of answers) problems.push(...faultsOfOrder(answer));
  return problems;
}

function faultsOfStored({ conversationId, sides }: Talk, stored: StoredTalk, ledger: MarkLedger): string[] {
  const { messages, noted } = stored;
  const faults: string[] = [];
  for (const [index, { seq }] of messages.entries())
    if (seq !== index + 1) faults.push(`${conversationId}: seq ${index + 1} is missing, ${seq} is there`);
  const names = messages.map(({ senderKey, clientMessageId }) => `${senderKey} ${clientMessageId}`);
  for (const [index, name] of names.entries())
    if (names.indexOf(name) !== index) faults.push(`${conversationId}: ${name} is stored twice`);
  const last = messages.at(-1);
  if (noted.lastSeq !== last?.seq || noted.lastMessage !== last.content)
    faults.push(`${conversationId}: lastSeq ${noted.lastSeq} “${noted.lastMessage}” is not ${last?.seq}`);
  for (const side of sides) {
    const mark = stored.markOf(side);
    const read = ledger.of('read', side, conversationId);
    const delivered = ledger.of('delivered', side, conversationId);
    if (mark.readSeq < read.acked || mark.readSeq > read.asked)
      faults.push(
        `${conversationId}: ${keyOf(side)} read to ${read.acked}–${read.asked}, stored is ${mark.readSeq}`,
      );
    const [least, most] = [Math.max(delivered.acked, mark.readSeq), Math.max(delivered.asked, mark.readSeq)];
    if (mark.deliveredSeq < least || mark.deliveredSeq > most)
      faults.push(`${conversationId}: ${keyOf(side)} has ${least}–${most}, stored is ${mark.deliveredSeq}`);
  }
  return faults;
}

/** That it has every message, was given every message, and is told the right figures. */
function faultsOfDevice(talk: Talk, stored: StoredTalk, answer: LastAnswers): string[] {
  const { conversationId } = talk;
  const { settings, views } = answer.device;
  const expected = stored.messages.map(({ seq, id }) => `${seq}:${id}`);
  const kept = [...(views.get(conversationId)?.messages.values() ?? [])].toSorted((a, b) => a.seq - b.seq);
  const history = answer.histories.get(conversationId) ?? [];
  const faults = [
    ...difference(`${conversationId} in its memory`, expected, kept),
    ...difference(`${conversationId} in its history`, expected, history),
  ];
  const entries = answer.conversations.filter((entry) => entry.conversationId === conversationId);
  if (entries.length !== 1) faults.push(`${conversationId} is listed ${entries.length} times`);
  const shown = entries.map(figuresOf)[0] ?? {};
  for (const [name, right] of Object.entries(rightFigures(talk, stored, settings))) {
    if (shown[name] !== right)
      faults.push(
        `${conversationId}: ${name} is ${JSON.stringify(shown[name])}, should be ${JSON.stringify(right)}`,
      );
  }
  faults.push(...faultsOfStatus(talk, stored, history));
  return faults;
}

type Figures = Record<string, string | number | null>;

function figuresOf(entry: SoakEntry): Figures {
  const { lastSeq, lastMessage, lastSenderId, unreadCount, readSeq, others } = entry;
  return {
    lastSeq,
    lastMessage,
    lastSenderId,
    unreadCount,
    readSeq,
    ...others,
  };
}

/** By counting, not by the server's arithmetic. */
function rightFigures(
  talk: Talk,
  { messages, markOf }: StoredTalk,
  { driver, person }: { driver: SoakDriver; person: Person },
): Figures {
  const last = messages.at(-1);
  const own = markOf(person);
  const byOthers = messages.filter(({ senderKey }) => senderKey !== keyOf(person));
  return {
    lastSeq: last?.seq ?? 0,
    lastMessage: last?.content ?? null,
    lastSenderId: last?.senderKey.split(':')[1] ?? null,
    unreadCount: byOthers.filter(({ seq }) => seq > own.readSeq).length,
    readSeq: own.readSeq,
    ...driver.otherFigures(talk, person, markOf),
  };
}

/** Of direct messages, which alone have one. */
function faultsOfStatus(talk: Talk, stored: StoredTalk, history: SoakMessage[]): string[] {
  return history.flatMap(({ seq, status, recipientId: id, recipientType: type }) => {
    if (id === undefined || type === undefined) return [];
    const mark = stored.markOf({ id, type });
    const base = stored.messages[seq - 1]?.status;
    const reached = seq <= mark.deliveredSeq ? 'delivered' : base;
    const right = seq <= mark.readSeq ? 'read' : reached;
    return status === right ? [] : [`${talk.conversationId} ${seq} is ${status}, should be ${right}`];
  });
}

function difference(where: string, expected: string[], messages: SoakMessage[]): string[] {
  const found = messages.map(({ seq, id }) => `${seq}:${id}`);
  const lacking = expected.filter((entry) => !found.includes(entry));
  const strange = found.filter((entry) => !expected.includes(entry));
  const faults: string[] = [];
  if (lacking.length > 0) faults.push(`${where}: of ${expected.length}, missing ${shorten(lacking)}`);
  if (strange.length > 0) faults.push(`${where}: not in the database ${shorten(strange)}`);
  if (faults.length === 0 && found.join() !== expected.join()) faults.push(`${where}: wrong order or twice`);
  return faults;
}

const shorten = (entries: string[]): string =>
  entries.length <= 10 ? entries.join(' ') : `${entries.slice(0, 10).join(' ')} … (${entries.length})`;

/** What was acknowledged is stored as it was acknowledged, and in the order in which it was sent. */
function faultsOfOutbox({ settings, outbox }: SoakClient, truth: Truth): string[] {
  const faults: string[] = [];
  for (const { clientMessageId, conversationId, content, acked } of outbox.written) {
    const where = `${settings.name}: ${conversationId}: ${clientMessageId}`;
    if (acked === undefined) {
      faults.push(`${where} was never acknowledged`);
      continue;
    }
    const stored = truth.get(conversationId)?.messages[acked.seq - 1];
    if (stored?.id !== acked.id || stored.clientMessageId !== clientMessageId || stored.content !== content)
      faults.push(`${where}, acknowledged as ${acked.seq}, is not there; ${stored?.clientMessageId} is`);
  }
  const outOfOrder = overtakings(outbox.written).filter(({ hasReason }) => !hasReason);
  return [...faults, ...outOfOrder.map(({ trace }) => `${settings.name}: ${trace}`)];
}

function faultsOfOrder({ device, conversations }: LastAnswers): string[] {
  const times = conversations.map(({ lastMessageAt }) => Date.parse(lastMessageAt ?? ''));
  return conversations.flatMap(({ conversationId }, index) => {
    const later = Math.max(...times.slice(index + 1));
    return later > (times[index] ?? 0) + ORDER_TOLERANCE_MS
      ? [`${device.settings.name}: ${conversationId} is listed before newer ones`]
      : [];
  });
}
