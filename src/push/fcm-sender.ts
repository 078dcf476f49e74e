import { randomUUID } from 'node:crypto';
import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { App, Credential } from 'firebase-admin/app';
import type { Messaging, TokenMessage } from 'firebase-admin/messaging';
import { LRUCache } from 'lru-cache';
import { AppConfig } from '../config/config.js';
import { FcmAgent, FcmExchange } from './fcm-agent.js';
import { judge, type SendResult } from './fcm-answer.js';

/** An attempt that takes longer is given up, and made again later. */
const SEND_TIMEOUT_MS = 10_000;
/** The same trouble is logged once in this time. */
const LOG_INTERVAL_MS = 60_000;
const TEST_PROJECT = 'samvad-test';

/** Firebase Cloud Messaging, through firebase-admin. One Firebase app for each application, as long as it runs. */
@Injectable()
export class FcmSender implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(FcmSender.name);
  private readonly underWay = new Set<FcmExchange>();
  private app: App | undefined;
  private messaging: Messaging | undefined;
  private agent: FcmAgent | undefined;
  private readonly logged = new LRUCache<string, true>({ max: 100, ttl: LOG_INTERVAL_MS });

  constructor(private readonly config: AppConfig) {}

  /** Without credentials nothing is ever sent. */
  get isConfigured(): boolean {
    const { serviceAccount, fcmUrl } = this.config.push;
    return serviceAccount !== undefined || fcmUrl !== undefined;
  }

  async onModuleInit(): Promise<void> {
    if (!this.isConfigured) return;
    const { serviceAccount, fcmUrl } = this.config.push;
    // Loaded only now: most of it is of no use to those who send no pushes.
    const { cert, initializeApp } = await import('firebase-admin/app');
    const { getMessaging } = await import('firebase-admin/messaging');
    this.agent = new FcmAgent(fcmUrl === undefined ? undefined : new URL(fcmUrl));
    const credential =
      fcmUrl === undefined && serviceAccount !== undefined ? cert({ ...serviceAccount }) : TEST_CREDENTIAL;
    const projectId = serviceAccount?.projectId ?? TEST_PROJECT;
    this.app = initializeApp({ credential, projectId, httpAgent: this.agent }, randomUUID());
    this.messaging = getMessaging(this.app);
  }

  /**
   * Makes one attempt, of 10 s at the most. Never rejects.
   * @param signal ends the attempt; it then comes out as `later`
   */
  async send(message: TokenMessage, signal?: AbortSignal): Promise<SendResult> {
    const isEnded = (): boolean => signal?.aborted === true;
    if (isEnded()) return ENDED;
    const exchange = new FcmExchange();
    const abort = (): void => exchange.abort();
    const timer = setTimeout(abort, SEND_TIMEOUT_MS);
    signal?.addEventListener('abort', abort);
    this.underWay.add(exchange);
    try {
      // firebase-admin throws some of its errors instead of rejecting.
      await exchange.run(async () => this.messaging?.send(message));
      return { outcome: 'sent' };
    } catch (error) {
      if (isEnded()) return ENDED;
      return this.note(resultOf(exchange, error));
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      this.underWay.delete(exchange);
    }
  }

  /** Ends the attempts that are under way; they come out as `later`. */
  abortAll(): void {
    for (const exchange of this.underWay) exchange.abort();
  }

  async onApplicationShutdown(): Promise<void> {
    this.abortAll();
    this.agent?.destroy();
    if (this.app === undefined) return;
    const { deleteApp } = await import('firebase-admin/app');
    await deleteApp(this.app);
  }

  private note(result: SendResult): SendResult {
    if (result.outcome !== 'later' && result.outcome !== 'refused') return result;
    const { outcome, reason } = result;
    if (this.logged.has(reason)) return result;
    this.logged.set(reason, true);
    if (outcome === 'later') this.logger.warn(`FCM takes no pushes now: ${reason}`);
    // A fault of the configuration, or of ours: no attempt will succeed.
    else this.logger.error(`FCM refuses pushes: ${reason}`);
    return result;
  }
}

function resultOf({ status, body, retryAfterMs }: FcmExchange, error: unknown): SendResult {
  if (status !== undefined && (status < 200 || status > 299)) return judge(status, body, retryAfterMs);
  const { code } = error as { code?: unknown };
  const reason = typeof code === 'string' ? code : 'no answer';
  // firebase-admin itself found fault with the message; everything else is the network, or the credentials' server.
  if (status === undefined && reason.startsWith('messaging/')) return { outcome: 'refused', reason };
  return { outcome: 'later', reason, minDelayMs: 0 };
}

const ENDED: SendResult = { outcome: 'later', reason: 'ended', minDelayMs: 0 };

/** Nothing is asked of Google when tests have their own server. */
const TEST_CREDENTIAL: Credential = {
  getAccessToken: () => Promise.resolve({ access_token: 'test-access-token', expires_in: 3600 }),
};
