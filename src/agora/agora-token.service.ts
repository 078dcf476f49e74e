import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import agora from 'agora-token';
import { AppConfig } from '../config/config.js';
import { AppError } from '../contract/errors.js';
import { isChannelName } from './channel-name.js';

/** What a client joins a channel with. */
export interface AgoraToken {
  agoraToken: string;
  agoraAppId: string;
  channelName: string;
  /** Any: the token fits whichever number Agora gives to the client (contract §4). */
  uid: 0;
  /** Never later than what the token itself says. */
  expiresAt: Date;
}

/** Of no application: with these a developer's calls ring and their tokens look right, but Agora refuses them. */
const PLACEHOLDERS = { appId: '0'.repeat(32), appCertificate: '0'.repeat(32) };

/**
 * The only maker of Agora's tokens (contract §4, §5), made on this node, without a network, and never stored. They are valid for
 * `AGORA_TOKEN_TTL_SECONDS` from now. Whoever calls has checked that the client may join the channel.
 */
@Injectable()
export class AgoraTokenService implements OnModuleInit {
  private readonly logger = new Logger(AgoraTokenService.name);
  /** Those of the second that runs, by channel. */
  private readonly subscriberTokens = new Map<string, AgoraToken>();
  private subscriberSecond = 0;

  constructor(private readonly config: AppConfig) {}

  onModuleInit(): void {
    const { agora: settings, isProduction } = this.config;
    if (settings.credentials !== undefined) return;
    if (isProduction) this.logger.log(`${NO_CREDENTIALS}: calls and live streams are refused.`);
    else this.logger.warn(`${NO_CREDENTIALS}: calls will ring, but Agora will refuse their media.`);
  }

  /**
   * For one who may join the channel, and publish audio, video and data there.
   * @throws AppError AGORA_NOT_CONFIGURED, in production without credentials; an error when Agora does not take the name
   */
  publisherToken(channelName: string): AgoraToken {
    return this.token(channelName, agora.RtcRole.PUBLISHER);
  }

  /**
   * For one who may join the channel and publish nothing: the token has the privilege to join, and no other. It names nobody, so all who
   * ask within one second get the same: of a storm of joins each would cost 73 µs to sign.
   * @throws AppError AGORA_NOT_CONFIGURED, in production without credentials; an error when Agora does not take the name
   */
  subscriberToken(channelName: string): AgoraToken {
    const second = Math.floor(Date.now() / 1000);
    if (second !== this.subscriberSecond) this.subscriberTokens.clear();
    this.subscriberSecond = second;
    const token = this.subscriberTokens.get(channelName) ?? this.token(channelName, agora.RtcRole.SUBSCRIBER);
    this.subscriberTokens.set(channelName, token);
    return token;
  }

  private token(channelName: string, role: number): AgoraToken {
    const { appId, appCertificate } = this.credentials;
    // Agora has names that stand for every channel, too; whatever is no plain name is never signed.
    if (!isChannelName(channelName)) throw new Error('Agora takes no such name for a channel.');
    const ttlSeconds = this.config.agora.tokenTtlMs / 1000;
    // The token counts from whole seconds, and from its making, which comes after this.
    const nowSeconds = Math.floor(Date.now() / 1000);
    // By role: the builder that takes each privilege by itself writes all four, and 0 there is no refusal but no expiry of its own.
    const agoraToken = agora.RtcTokenBuilder.buildTokenWithUid(
      appId,
      appCertificate,
      channelName,
      0,
      role,
      ttlSeconds,
      ttlSeconds,
    );
    const expiresAt = new Date((nowSeconds + ttlSeconds) * 1000);
    return { agoraToken, agoraAppId: appId, channelName, uid: 0, expiresAt };
  }

  private get credentials(): { readonly appId: string; readonly appCertificate: string } {
    const { agora: settings, isProduction } = this.config;
    if (settings.credentials !== undefined) return settings.credentials;
    if (isProduction) throw new AppError('AGORA_NOT_CONFIGURED', 'Calls and live streams are not set up.');
    return PLACEHOLDERS;
  }
}

const NO_CREDENTIALS = 'AGORA_APP_ID and AGORA_APP_CERTIFICATE are not set';
