export type Payload = Record<string, unknown>;

const EVENT_FIELDS = [
  'conversationId',
  'seq',
  'upToSeq',
  'unreadCount',
  'emoji',
  'userId',
  'astrologerId',
  'isOnline',
  'userName',
  'senderName',
  'callId',
  'callType',
  'callerName',
  'callStatus',
  'duration',
  'title',
  'giftType',
  'giftValue',
  'reactionType',
  'count',
  'reason',
  'content',
  'status',
  'total',
  'success',
  'platform',
  'code',
  'message',
];
const ACK_FIELDS = [
  'seq',
  'lastSeq',
  'upToSeq',
  'unreadCount',
  'status',
  'total',
  'blockedAt',
  'reportId',
  'duration',
  'ringTimeoutMs',
  'recipientOnline',
  'viewerCount',
  'likeCount',
  'giftCount',
  'giftValue',
  'liked',
  'banned',
  'success',
];

/** One line for something that was sent (→) or received (←). */
export function printEvent(name: string, arrow: '→' | '←', event: string, payload: Payload): void {
  const names = payload.conversationId === undefined ? ['recipientId', ...EVENT_FIELDS] : EVENT_FIELDS;
  const { user } = payload;
  printLine(name, arrow, event, [
    ...(isPayload(user) ? fieldsOf(user, ['name']) : []),
    ...fieldsOf(payload, names),
  ]);
}

/** One line for the answer to what was sent. */
export function printAck(name: string, event: string, data: Payload): void {
  printLine(name, '✓', event, [...fieldsOf(data, ACK_FIELDS), ...listsOf(data)]);
}

export function printRefusal(name: string, event: string, error: Payload): void {
  printLine(name, '✗', event, fieldsOf(error, ['code', 'message']));
}

export function title(text: string): void {
  process.stdout.write(`\n  ${text}\n`);
}

export function remark(text: string): void {
  process.stdout.write(`  ${' '.repeat(8)}   (${text})\n`);
}

function printLine(name: string, sign: string, event: string, parts: string[]): void {
  process.stdout.write(`${`  ${name.padEnd(8)} ${sign} ${event.padEnd(25)} ${parts.join(' ')}`.trimEnd()}\n`);
}

function fieldsOf(payload: Payload, names: string[]): string[] {
  const isShown = (name: string): boolean => ['string', 'number', 'boolean'].includes(typeof payload[name]);
  return names.filter(isShown).map((name) => `${name}=${JSON.stringify(payload[name])}`);
}

/** Lists, and who it is about: what an answer says beyond its plain fields. */
function listsOf({ conversations, messages, users, reactions, call, calls }: Payload): string[] {
  const parts: string[] = [];
  if (Array.isArray(conversations))
    parts.push(`conversations=[${conversations.map(conversation).join(', ')}]`);
  if (Array.isArray(messages)) parts.push(`messages=${messages.length}`);
  if (Array.isArray(users)) parts.push(`users=[${users.map(person).join(', ')}]`);
  if (Array.isArray(reactions) && reactions.length > 0) parts.push(`reactions=${reactions.length}`);
  if (call === null || isPayload(call)) parts.push(`call=${call === null ? 'none' : aCall(call)}`);
  if (Array.isArray(calls)) parts.push(`calls=[${calls.map(aCall).join(', ')}]`);
  return parts;
}

function conversation({ conversationId, lastSeq, unreadCount }: Payload): string {
  return `${String(conversationId)}: ${String(lastSeq)} messages, ${String(unreadCount)} unread`;
}

function isPayload(value: unknown): value is Payload {
  return typeof value === 'object' && value !== null;
}

function aCall({ callType, status, duration }: Payload): string {
  return `${String(callType)} ${String(status)} after ${String(duration)} s`;
}

function person({ id, isOnline }: Payload): string {
  return `${String(id)} is ${isOnline === true ? 'online' : 'offline'}`;
}
