import { createRequire } from 'node:module';

interface ParsedService {
  service_type(): number;
  __privileges: Record<string, number>;
  __channel_name: Buffer;
  __uid: Buffer;
}

/** What is used of the library's own parser, which it neither exports nor types. */
interface ParsedToken {
  appId: Buffer;
  /** Seconds since 1970. */
  issueTs: number;
  /** Seconds after `issueTs`. */
  expire: number;
  services: ParsedService[];
  from_string(token: string): boolean;
  verifySignature(appCertificate: string): boolean;
}

const { AccessToken2, kRtcServiceType } = createRequire(import.meta.url)(
  'agora-token/src/AccessToken2.js',
) as { AccessToken2: new () => ParsedToken; kRtcServiceType: number };

const PRIVILEGES = { 1: 'join', 2: 'publishAudio', 3: 'publishVideo', 4: 'publishData' } as const;

type Privileges = Partial<Record<(typeof PRIVILEGES)[keyof typeof PRIVILEGES], number>>;

/** A token as Agora reads it. All durations are seconds from `issuedAt`. */
export interface DecodedAgoraToken {
  appId: string;
  channelName: string;
  /** 0: fits everybody. */
  uid: number;
  issuedAt: Date;
  expireSeconds: number;
  /** What the token does not have is absent; 0 would be a privilege that lasts as long as the token. */
  privileges: Privileges;
}

/** @throws when it is no token of the current kind, for one channel and nothing else, with privileges that are known */
export function decodeAgoraToken(token: string): DecodedAgoraToken {
  const { appId, issueTs, expire, services } = parse(token);
  const [service, ...others] = services;
  if (service?.service_type() !== kRtcServiceType || others.length > 0)
    throw new Error('The token is not for one channel alone.');
  const { __channel_name: channelName, __uid: uid, __privileges: privileges } = service;
  return {
    appId: String(appId),
    channelName: String(channelName),
    uid: Number(String(uid)),
    issuedAt: new Date(issueTs * 1000),
    expireSeconds: expire,
    privileges: Object.fromEntries(
      Object.entries(privileges).map(([key, seconds]) => [privilegeOf(key), seconds]),
    ),
  };
}

/** Whether the token was made with this certificate. */
export function isSignedWith(token: string, appCertificate: string): boolean {
  return parse(token).verifySignature(appCertificate);
}

function parse(token: string): ParsedToken {
  const parsed = new AccessToken2();
  if (!parsed.from_string(token)) throw new Error('This is no token of Agora’s.');
  return parsed;
}

function privilegeOf(key: string): string {
  if (!(key in PRIVILEGES)) throw new Error(`The token has the unknown privilege ${key}.`);
  return PRIVILEGES[Number(key) as keyof typeof PRIVILEGES];
}
