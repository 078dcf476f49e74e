import { Injectable, Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { AppError } from '../contract/errors.js';
import type { Identity } from '../contract/identity.js';
import type { TokenClaims } from './claims.js';
import { avatarUrl, displayName } from './display-text.js';
import { ProfileRepository, type StoredProfile } from './profile.repository.js';

const CACHED_PROFILES = 10_000;
/** A changed name shows after at most this long. */
const CACHE_TTL_MS = 60_000;

interface KnownProfile {
  name: string;
  avatar: string;
}

/** Completes what a token says with what the application's database knows (contract §2, "ids, names"). */
@Injectable()
export class ProfileService {
  private readonly logger = new Logger(ProfileService.name);
  private readonly known = new LRUCache<string, KnownProfile>({ max: CACHED_PROFILES, ttl: CACHE_TTL_MS });

  constructor(private readonly profiles: ProfileRepository) {}

  /**
   * One database read, shared, for a token with a session; else none when the token carries name and avatar, or when the profile was read within
   * the last minute. Names are let go when the database is away, after the driver's 3 s.
   * @throws AppError UNAUTHENTICATED for a session that another login replaced; UNAVAILABLE when that cannot be checked
   */
  async complete(claims: TokenClaims): Promise<Identity> {
    const profile =
      claims.sessionId === undefined ? await this.namesOf(claims) : await this.checkSession(claims);
    return {
      id: claims.id,
      type: claims.type,
      name: claims.name ?? profile.name,
      avatar: claims.avatar ?? profile.avatar,
    };
  }

  private async namesOf(claims: TokenClaims): Promise<KnownProfile> {
    if (claims.name !== undefined && claims.avatar !== undefined)
      return { name: claims.name, avatar: claims.avatar };
    const cached = this.known.get(`${claims.type}:${claims.id}`);
    if (cached !== undefined) return cached;
    try {
      return this.remember(claims, await this.profiles.find(claims));
    } catch (error) {
      // A missing name is no reason to keep somebody out.
      this.logger.warn(`The profile of a ${claims.type} could not be read: ${(error as Error).name}`);
      return { name: '', avatar: '' };
    }
  }

  /** Never from the cache: a replaced session must not live on for its lifetime. */
  private async checkSession(claims: TokenClaims): Promise<KnownProfile> {
    const stored = await this.profiles.find(claims).catch((error: unknown) => {
      this.logger.warn(`A session could not be checked: ${(error as Error).name}`);
      throw new AppError('UNAVAILABLE', 'The session cannot be checked right now.');
    });
    const active = stored?.activeSessionId;
    const isReplaced = claims.type === 'astrologer' && active !== undefined && active !== claims.sessionId;
    if (isReplaced) throw new AppError('UNAUTHENTICATED', 'This session was replaced by a newer login.');
    return this.remember(claims, stored);
  }

  private remember(claims: TokenClaims, stored: StoredProfile | null): KnownProfile {
    const profile = {
      name: displayName(stored?.name) ?? '',
      avatar: avatarUrl(stored?.avatar) ?? '',
    };
    this.known.set(`${claims.type}:${claims.id}`, profile);
    return profile;
  }
}
