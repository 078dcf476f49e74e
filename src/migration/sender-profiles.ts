import { LRUCache } from 'lru-cache';
import { avatarUrl, displayName } from '../auth/display-text.js';
import type { ProfileRepository } from '../auth/profile.repository.js';
import { type Party, partyKey } from '../contract/identity.js';
import type { Shaped } from './message-plan.js';

const REMEMBERED_PROFILES = 20_000;

interface Profile {
  senderName: string;
  senderAvatar: string;
}

/** Names and pictures of senders, which the former backend left out of messages, from where the handshake takes them. */
export class SenderProfiles {
  private readonly known = new LRUCache<string, Profile>({ max: REMEMBERED_PROFILES });

  constructor(private readonly profiles: ProfileRepository) {}

  /**
   * Fills what is empty and known. One read for a sender, none for one that was just looked up.
   * @returns how many messages it filled
   */
  async fill(messages: Shaped[]): Promise<number> {
    let filled = 0;
    for (const message of messages) {
      if (message.senderName !== '' && message.senderAvatar !== '') continue;
      const sender = { id: message.senderId, type: message.senderType };
      const { senderName, senderAvatar } = this.known.get(partyKey(sender)) ?? (await this.look(sender));
      const isFilled =
        (message.senderName === '' && senderName !== '') ||
        (message.senderAvatar === '' && senderAvatar !== '');
      if (!isFilled) continue;
      message.senderName ||= senderName;
      message.senderAvatar ||= senderAvatar;
      filled += 1;
    }
    return filled;
  }

  private async look(sender: Party): Promise<Profile> {
    const stored = await this.profiles.find(sender);
    const profile = {
      senderName: displayName(stored?.name) ?? '',
      senderAvatar: avatarUrl(stored?.avatar) ?? '',
    };
    this.known.set(partyKey(sender), profile);
    return profile;
  }
}
