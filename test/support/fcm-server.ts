import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { closeAfterAll } from './cleanup.js';

const PATIENCE_MS = 20_000;
const FCM_ERROR = 'type.googleapis.com/google.firebase.fcm.v1.FcmError';
const BAD_REQUEST = 'type.googleapis.com/google.rpc.BadRequest';

/** A message as firebase-admin puts it on the wire. */
export interface FcmMessage {
  token: string;
  data: Record<string, string>;
  android: { priority: string; ttl: string };
  apns: { headers: Record<string, string>; payload: { aps: Record<string, unknown> } };
  webpush: { headers: Record<string, string> };
}

export interface FcmRequest {
  message: FcmMessage;
  path: string;
  authorization: string | undefined;
  /** Milliseconds, `performance.now()`. */
  at: number;
}

export type FcmAnswer = (response: ServerResponse) => void;

const json =
  (status: number, body: object, headers: Record<string, string> = {}): FcmAnswer =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };

const failure = (code: number, status: string, message: string, details: object[] = [], headers = {}) =>
  json(code, { error: { code, status, message, details } }, headers);

const fcmError = (errorCode: string) => ({ '@type': FCM_ERROR, errorCode });

/** The answers of FCM's HTTP v1 interface. */
export const answers = {
  success: json(200, { name: 'projects/samvad-test/messages/1' }),
  unregistered: failure(404, 'NOT_FOUND', 'Requested entity was not found.', [fcmError('UNREGISTERED')]),
  unknownProject: failure(404, 'NOT_FOUND', 'Requested entity was not found.'),
  invalidToken: failure(
    400,
    'INVALID_ARGUMENT',
    'The registration token is not a valid FCM registration token',
    [fcmError('INVALID_ARGUMENT')],
  ),
  invalidTokenField: failure(400, 'INVALID_ARGUMENT', 'Request contains an invalid argument.', [
    fcmError('INVALID_ARGUMENT'),
    {
      '@type': BAD_REQUEST,
      fieldViolations: [{ field: 'message.token', description: 'Invalid registration token' }],
    },
  ]),
  invalidMessage: failure(400, 'INVALID_ARGUMENT', 'Request contains an invalid argument.', [
    fcmError('INVALID_ARGUMENT'),
    {
      '@type': BAD_REQUEST,
      fieldViolations: [{ field: 'message.android.ttl', description: 'Invalid ttl' }],
    },
  ]),
  tooLarge: failure(400, 'INVALID_ARGUMENT', 'Android message is too big', [fcmError('INVALID_ARGUMENT')]),
  otherSender: failure(403, 'PERMISSION_DENIED', 'SenderId mismatch', [fcmError('SENDER_ID_MISMATCH')]),
  unauthenticated: failure(401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials.'),
  appleRefuses: failure(401, 'UNAUTHENTICATED', 'Auth error from APNS or Web Push Service', [
    fcmError('THIRD_PARTY_AUTH_ERROR'),
  ]),
  internal: failure(500, 'INTERNAL', 'Internal error encountered.', [fcmError('INTERNAL')]),
  htmlFault: ((response) => response.writeHead(502).end('<html>Bad gateway</html>')) as FcmAnswer,
  cut: ((response) => response.destroy()) as FcmAnswer,
  hang: (() => undefined) as FcmAnswer,
  quota: (retryAfterSeconds: number) =>
    failure(429, 'RESOURCE_EXHAUSTED', 'Quota exceeded.', [fcmError('QUOTA_EXCEEDED')], {
      'retry-after': String(retryAfterSeconds),
    }),
  unavailable: (retryAfterSeconds: number) =>
    failure(503, 'UNAVAILABLE', 'The service is unavailable.', [fcmError('UNAVAILABLE')], {
      'retry-after': String(retryAfterSeconds),
    }),
};

/** Stands in for FCM: keeps what it got, and answers each token as the test says, else with success. */
export class FcmServer {
  readonly requests: FcmRequest[] = [];
  private readonly planned = new Map<string, FcmAnswer[]>();
  private readonly watchers = new Set<() => void>();

  private constructor(readonly url: string) {}

  static async start(): Promise<FcmServer> {
    let fcm: FcmServer | undefined;
    const server = createServer((request, response) => void fcm?.receive(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closeAfterAll(() => {
      server.closeAllConnections();
      server.close();
    });
    fcm = new FcmServer(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    return fcm;
  }

  /** The next pushes to the token are answered so, one after another; the last of `plan` stays. */
  plan(token: string, ...plan: FcmAnswer[]): void {
    this.planned.set(token, plan);
  }

  /** What came for a token so far; of one type if one is given. */
  to(token: string, type?: string): FcmRequest[] {
    return this.requests.filter(
      ({ message }) => message.token === token && (type === undefined || message.data.type === type),
    );
  }

  /** Waits for the nth push to the token, of one type if one is given. */
  waitFor(token: string, count = 1, type?: string): Promise<FcmRequest> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.watchers.delete(look);
        reject(new Error(`${count} × ${type ?? 'push'} to ${token} did not come`));
      }, PATIENCE_MS);
      const look = (): void => {
        const found = this.to(token, type)[count - 1];
        if (found === undefined) return;
        clearTimeout(timer);
        this.watchers.delete(look);
        resolve(found);
      };
      this.watchers.add(look);
      look();
    });
  }

  private async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const { message } = JSON.parse(body) as { message: FcmMessage };
    const { url: path = '', headers } = request;
    this.requests.push({ message, path, authorization: headers.authorization, at: performance.now() });
    const plan = this.planned.get(message.token) ?? [answers.success];
    const answer = plan.length > 1 ? plan.shift() : plan[0];
    answer?.(response);
    for (const watcher of this.watchers) watcher();
  }
}
