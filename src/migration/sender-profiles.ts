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
   * Fills what is empty and known. One read for each kind of sender, none for those that were just looked up.
   * @returns how many messages it filled
   */
  async fill(messages: Shaped[]): Promise<number> {
    const lacking = messages.filter(
      ({ senderName, senderAvatar }) => senderName === '' || senderAvatar === '',
    );
    const profiles = await this.profilesOf(lacking.map(senderOf));
    let filled = 0;
    for (const message of lacking) {
      const { senderName = '', senderAvatar = '' } = profiles.get(partyKey(senderOf(message))) ?? {};
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

  /** By `partyKey`. */
  private async profilesOf(senders: Party[]): Promise<Map<string, Profile>> {
    const distinct = new Map(senders.map((sender) => [partyKey(sender), sender]));
    const looks = [...distinct].map(async ([key, sender]): Promise<[string, Profile]> => [
      key,
      this.known.get(key) ?? (await this.look(sender)),
    ]);
    return new Map(await Promise.all(looks));
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

function senderOf({ senderId, senderType }: Shaped): Party {
  return { id: senderId, type: senderType };
}
