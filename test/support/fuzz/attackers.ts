import { setTimeout as wait } from 'node:timers/promises';
import type { Random } from '../soak/random.js';
import { tokenFor, user } from '../token.js';
import { AttackConnection } from './attack-connection.js';
import { deepText, garbage, payloadFor } from './garbage.js';
import type { KnownEvent } from './known-events.js';

const MAX_FRAME_TEXT = 60_000;
const REQUEST_PATIENCE_MS = 3000;

export interface Attack {
  url: string;
  events: KnownEvent[];
  /** Ids of what belongs to the good clients. */
  secrets: readonly string[];
  random: Random;
  /** Who it is, and from where it comes. */
  number: number;
  isOver: () => boolean;
  /** Called for each thing sent. */
  count: () => void;
}

type Attacker = (attack: Attack) => Promise<void>;

const addressOf = ({ number }: Attack): string => `10.66.${number % 250}.${1 + (number % 200)}`;
const pause = ({ random }: Attack): Promise<void> => wait(random.below(200));

/** Uses a WebSocket for some time, again and again, until it is over. */
async function onWebSockets(
  attack: Attack,
  token: string | undefined,
  speak: (connection: AttackConnection) => void,
): Promise<void> {
  while (!attack.isOver()) {
    const connection = await AttackConnection.openWebSocket(attack.url, addressOf(attack));
    if (token !== undefined) connection.text(`40${JSON.stringify({ token })}`);
    const turns = 5 + attack.random.below(100);
    for (let turn = 0; turn < turns && connection.isOpen && !attack.isOver(); turn += 1) {
      for (let i = attack.random.below(10); i >= 0; i -= 1) {
        speak(connection);
        attack.count();
      }
      await pause(attack);
    }
    connection.close();
    await pause(attack);
  }
}

/** Lets itself be let in, and sends every event with payloads that are almost right, or not at all. */
const sendsEvents: Attacker = async (attack) => {
  const { random, events, secrets } = attack;
  const token = await tokenFor(user(`mallory${attack.number}`));
  await onWebSockets(attack, token, (connection) => {
    const event = random.pick(events);
    const name = random.chance(0.95) ? event.name : String(garbage(random)).slice(0, 500);
    const args = random.chance(0.9)
      ? [payloadFor(event, random, secrets)]
      : Array.from({ length: random.below(4) }, () => garbage(random));
    const text = JSON.stringify([name, ...args]);
    const id = random.chance(0.6) ? random.below(1e6) : '';
    connection.text(text.length > MAX_FRAME_TEXT ? `42${id}["${name}"]` : `42${id}${text}`);
  });
};

/** A frame that is longer than the server takes; only its head and a little of it. */
function oversizedFrame(): Buffer {
  const frame = Buffer.alloc(14 + 1000);
  frame[0] = 0x81;
  frame[1] = 0x80 | 127;
  frame.writeBigUInt64BE(10_000_000n, 2);
  return frame;
}

const FRAMES: ((random: Random) => string)[] = [
  () => '',
  () => '4',
  () => '42',
  () => '42[',
  () => '42[]',
  () => '42[1]',
  () => '42["disconnect"]',
  () => '42["connect",{}]',
  () => '42["__proto__",{}]',
  () => `42["dm:conversations",${deepText()}]`,
  () => '420["dm:conversations",{}]',
  () => '42999999999999999999["dm:conversations",{}]',
  () => '40',
  () => '40{}',
  () => '40{"token":{"$ne":null}}',
  () => '40/admin,{"token":"x"}',
  () => '40/,{}',
  () => '41',
  () => '41/nowhere,',
  () => '43[]',
  () => '430[{"ok":true}]',
  () => '44{"message":"x"}',
  // Binary attachments that never come, or more than anybody has.
  () => '451-["dm:send_message",{"_placeholder":true,"num":0}]',
  () => '45999999999-["dm:send_message",{"_placeholder":true,"num":0}]',
  () => '4511["dm:send_message"]',
  () => '461-[{"_placeholder":true,"num":7}]',
  () => '0{"sid":"x"}',
  () => '1',
  () => '2probe',
  () => '3probe',
  () => '5',
  () => '6',
  () => 'b4AAAA',
  () => '\x1e\x1e\x1e',
  (random) => String(random.below(100)) + JSON.stringify(garbage(random)).slice(0, MAX_FRAME_TEXT),
];

/** Speaks Engine.IO and WebSocket badly, with and without an identity. */
const breaksPackets: Attacker = async (attack) => {
  const { random } = attack;
  const token = random.chance(0.5) ? await tokenFor(user(`mallory${attack.number}`)) : undefined;
  await onWebSockets(attack, token, (connection) => {
    if (random.chance(0.03)) connection.write(oversizedFrame());
    else if (random.chance(0.05)) connection.write(randomBytes(random));
    else connection.text(random.pick(FRAMES)(random));
  });
};

function randomBytes(random: Random): Buffer {
  return Buffer.from(Array.from({ length: 1 + random.below(300) }, () => random.below(256)));
}

/** What fails here is what is meant to. */
async function request(attack: Attack, path: string, init: RequestInit = {}): Promise<string> {
  attack.count();
  try {
    const signal = AbortSignal.timeout(attack.random.below(REQUEST_PATIENCE_MS));
    const headers = new Headers(init.headers);
    headers.set('X-Forwarded-For', addressOf(attack));
    const response = await fetch(attack.url + path, { ...init, headers, signal });
    return await response.text();
  } catch {
    return '';
  }
}

const BODIES: ((random: Random) => string)[] = [
  () => '',
  () => '4',
  () => '40{}',
  () => '4\x1e4\x1e4',
  () => '\x1e'.repeat(5000),
  () => 'b'.repeat(1000),
  () => '42["dm:conversations",',
  () => 'x'.repeat(70_000),
  () => '451-["dm:send_message",{"_placeholder":true,"num":0}]',
  (random) => JSON.stringify(garbage(random)),
];

/** Polls with sessions that it has, had, or never had, and posts broken bodies. */
const breaksPolls: Attacker = async (attack) => {
  const { random } = attack;
  while (!attack.isOver()) {
    const opened = await request(attack, '/socket.io/?EIO=4&transport=polling');
    const sid = /"sid":"([^"]+)"/.exec(opened)?.[1] ?? 'unknown';
    const path = `/socket.io/?EIO=4&transport=polling&sid=${random.chance(0.9) ? sid : 'unknown'}`;
    for (let i = random.below(8); i >= 0; i -= 1) {
      const body = random.pick(BODIES)(random);
      const type = random.pick(['text/plain', 'application/octet-stream', 'application/json', 'nonsense']);
      await random.pick<() => Promise<unknown>>([
        () => request(attack, path, { method: 'POST', body, headers: { 'Content-Type': type } }),
        () => Promise.all([request(attack, path), request(attack, path)]),
        () => request(attack, path, { method: random.pick(['PUT', 'DELETE', 'PATCH', 'OPTIONS']) }),
        () => request(attack, path.replace('EIO=4', `EIO=${random.below(9)}`)),
        () => request(attack, path.replace('polling', random.pick(['websocket', 'webtransport', 'x']))),
      ])();
    }
    await pause(attack);
  }
};

const RAW_REQUESTS: ((random: Random) => string | Buffer)[] = [
  () => 'GET / HTTP/1.1\r\nHost: x\r\n',
  () => 'GET / HTTP/9.9\r\n\r\n',
  () => 'POST /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nContent-Length: 100000\r\n\r\nx',
  () => 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n',
  () => 'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n',
  () => `GET /${'x'.repeat(20_000)} HTTP/1.1\r\n\r\n`,
  () => `GET / HTTP/1.1\r\n${'A: b\r\n'.repeat(3000)}\r\n`,
  () => 'GET //socket.io/?EIO=4&transport=polling&sid[]=1 HTTP/1.1\r\nHost: [\r\n\r\n',
  (random) => randomBytes(random),
];

/** Speaks HTTP badly, or so slowly that it never comes to an end. */
const breaksRequests: Attacker = async (attack) => {
  const { random } = attack;
  while (!attack.isOver()) {
    if (random.chance(0.5)) {
      const path = random.pick([
        '/',
        '/health/live',
        '/health/ready?x[]=1',
        '/%ff%00',
        '/../..',
        '/socket.io',
      ]);
      const body = random.chance(0.5) ? JSON.stringify(garbage(random)) : null;
      await request(attack, path, { method: body === null ? 'GET' : 'POST', body });
    } else {
      const connection = await AttackConnection.open(attack.url);
      connection.write(random.pick(RAW_REQUESTS)(random));
      attack.count();
      if (random.chance(0.7)) setTimeout(() => connection.close(), random.below(5000));
      else connection.close();
    }
    await pause(attack);
  }
};

/** Half of them send events; the others go below. */
const ATTACKERS: Attacker[] = [
  sendsEvents,
  breaksPackets,
  sendsEvents,
  breaksPolls,
  sendsEvents,
  breaksRequests,
];

/** Attacks until it is over. What the server does to it, such as refusing a connection, is no error. */
export async function run(attack: Attack): Promise<void> {
  const attacker = ATTACKERS[attack.number % ATTACKERS.length] as Attacker;
  while (!attack.isOver()) {
    await attacker(attack).catch(() => undefined);
    await pause(attack);
  }
}
